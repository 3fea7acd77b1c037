import { NOTICE_CLASSES, NOTICE_FEATURES } from '../../domain/classify/notices.ts';
import type { GateFinding } from '../../domain/classify/gate.ts';
import type { Recogniser, Versus } from '../../domain/classify/recogniser.ts';
import type { AddedRow } from '../../domain/classify/retrain.ts';
import { judge } from '../../domain/classify/validate.ts';
import { openRecogniser } from './artefacts.ts';
import { gateAgainst } from './registry.ts';
import {
  judgingNotices,
  trainNoticeRecogniser,
  type NoticeKind,
  type TrainedRecogniser,
} from './train-notices.ts';
import { loadWeekOfNotices } from './week-of-notices.ts';

/** An artefact's bytes under their hash. */
export interface Sealed {
  readonly artefact: Uint8Array;
  readonly hash: string;
}

export interface RetrainNoticesRequest {
  readonly kind: NoticeKind;
  /** What closed incidents add to the teaching part of the week of notices. */
  readonly added: readonly AddedRow[];
  readonly seed: number;
  /** The version that votes now: what the new one is held to. */
  readonly active: Sealed;
  readonly others: readonly Sealed[];
  readonly minConfidence: number;
}

/** A version made from the week and from closed incidents, and how it stands beside the one that votes. */
export interface Retrained<T = TrainedRecogniser> {
  readonly trained: T;
  readonly findings: readonly GateFinding[];
  readonly versus: Versus;
}

/**
 * Trains a version again with the rows of closed incidents and holds it to the gate of activation. Rows judge that
 * always judged: the later part of the week, without any incident.
 *
 * @throws TocsinError RECOGNISER_CANARY_DIFFERS, or those of opening an artefact
 */
export async function retrainNotices(request: RetrainNoticesRequest): Promise<Retrained> {
  const { kind, added, seed, active } = request;
  const notices = await loadWeekOfNotices();
  const trained = await trainNoticeRecogniser(kind, { notices, added, seed, crossValidation: null });
  const findings = await gateAgainst(trained.recogniser, request);
  const { rows, labels } = judgingNotices(notices);
  const before = judge(openRecogniser(active.artefact, active.hash).recogniser, rows, labels);
  const after = trained.card.judged;
  return {
    trained,
    findings,
    versus: {
      hash: active.hash,
      accuracy: { before: before.accuracy, after: after.accuracy },
      balancedAccuracy: { before: before.balancedAccuracy, after: after.balancedAccuracy },
      recall: Object.fromEntries(
        NOTICE_CLASSES.map((name) => [
          name,
          {
            before: before.recall[before.classes.indexOf(name)] ?? null,
            after: after.recall[after.classes.indexOf(name)] ?? null,
          },
        ]),
      ),
    },
  };
}

/** How notices train it; null when it is no recogniser of notices. */
export function noticeKindOf({ name, kind, classes, preprocessing }: Recogniser): NoticeKind | null {
  if (kind !== 'forest' && kind !== 'svm') return null;
  const same = (a: readonly string[], b: readonly string[]): boolean => a.join() === b.join();
  const inputs = preprocessing.features.map(({ spec }) => spec.name);
  return name === `notice-${kind}` &&
    same(classes, NOTICE_CLASSES) &&
    same(
      inputs,
      NOTICE_FEATURES.map(({ name: feature }) => feature),
    )
    ? kind
    : null;
}
