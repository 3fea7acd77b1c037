import { assessRow, type Voter } from '../../domain/classify/assess.ts';
import type { Row } from '../../domain/classify/features.ts';
import { TocsinError } from '../../domain/errors.ts';
import type { VoteResult } from '../../domain/situation.ts';
import { openRecogniser } from './artefacts.ts';
import {
  retrainNotices,
  type Retrained,
  type RetrainNoticesRequest,
  type Sealed,
} from './retrain-notices.ts';
import { trainNoticeRecognisers, type TrainedRecogniser, type TrainNoticesOptions } from './train-notices.ts';

export type Task =
  | {
      readonly task: 'assess';
      /** In memory that threads share. */
      readonly voters: readonly Sealed[];
      readonly row: Row;
      readonly minConfidence: number;
    }
  | { readonly task: 'train-notices'; readonly options: TrainNoticesOptions }
  | { readonly task: 'retrain-notices'; readonly request: RetrainNoticesRequest };

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

async function perform(
  task: Task,
): Promise<VoteResult | Record<'forest' | 'svm', SentRecogniser> | Retrained<SentRecogniser>> {
  switch (task.task) {
    case 'assess':
      return assessRow(task.voters.map(open), task.row, { minConfidence: task.minConfidence });
    case 'train-notices': {
      const { forest, svm } = await trainNoticeRecognisers(task.options);
      return { forest: sent(forest), svm: sent(svm) };
    }
    case 'retrain-notices': {
      const retrained = await retrainNotices(task.request);
      return { ...retrained, trained: sent(retrained.trained) };
    }
    default:
      return task satisfies never;
  }
}

function open({ artefact, hash }: Sealed): Voter {
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
