import { assessRow, type Voter } from '../../domain/classify/assess.ts';
import type { Row } from '../../domain/classify/features.ts';
import { TocsinError } from '../../domain/errors.ts';
import type { VoteResult } from '../../domain/situation.ts';
import { openRecogniser } from './artefacts.ts';
import { trainNoticeRecognisers, type TrainedRecogniser, type TrainNoticesOptions } from './train-notices.ts';

/** An artefact on its way to a pool thread, in memory that threads share. */
export interface SharedArtefact {
  readonly artefact: Uint8Array;
  readonly hash: string;
}

export type Task =
  | {
      readonly task: 'assess';
      readonly voters: readonly SharedArtefact[];
      readonly row: Row;
      readonly minConfidence: number;
    }
  | { readonly task: 'train-notices'; readonly options: TrainNoticesOptions };

/** What a pool thread sends back: errors lose their class on the way, so they travel as data. */
export type Answer =
  | { readonly ok: true; readonly value: unknown }
  | {
      readonly ok: false;
      readonly code: string | null;
      readonly message: string;
      readonly retryable: boolean;
      readonly details: Readonly<Record<string, unknown>>;
    };

/** Trained recognisers without the parts that the artefact's bytes already hold. */
export type SentRecogniser = Omit<TrainedRecogniser, 'recogniser'>;

/** Recognisers this thread has opened, by hash; opening checks the hash and takes milliseconds. */
const opened = new Map<string, Voter>();
const OPENED_AT_MOST = 32;

export async function work(task: Task): Promise<Answer> {
  try {
    return { ok: true, value: await perform(task) };
  } catch (cause) {
    return cause instanceof TocsinError
      ? {
          ok: false,
          code: cause.code,
          message: cause.message,
          retryable: cause.retryable,
          details: cause.details,
        }
      : { ok: false, code: null, message: String(cause), retryable: false, details: {} };
  }
}

async function perform(task: Task): Promise<VoteResult | Record<'forest' | 'svm', SentRecogniser>> {
  switch (task.task) {
    case 'assess':
      return assessRow(task.voters.map(open), task.row, { minConfidence: task.minConfidence });
    case 'train-notices': {
      const { forest, svm } = await trainNoticeRecognisers(task.options);
      return { forest: sent(forest), svm: sent(svm) };
    }
    default:
      return task satisfies never;
  }
}

function open({ artefact, hash }: SharedArtefact): Voter {
  const known = opened.get(hash);
  if (known !== undefined) return known;
  const voter = openRecogniser(Uint8Array.from(artefact), hash);
  if (opened.size >= OPENED_AT_MOST) opened.delete(opened.keys().next().value!);
  opened.set(hash, voter);
  return voter;
}

function sent({ artefact, hash, card }: TrainedRecogniser): SentRecogniser {
  return { artefact, hash, card };
}
