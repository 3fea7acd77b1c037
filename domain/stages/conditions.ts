import { evaluateCondition } from '../detect/condition.ts';
import type { ConditionState } from '../detect/condition.ts';
import type { Condition } from '../plan/document.ts';
import type { Situation } from '../situation.ts';
import type { EpochMs } from '../units.ts';

/** A plan condition over what this incident knows. `path` addresses its channel leaves. */
export const conditionState = (
  condition: Condition,
  path: string,
  situation: Situation,
  nowMs: EpochMs,
): ConditionState =>
  evaluateCondition(condition, path, { evidence: situation.evidence, leaves: situation.leaves }, nowMs);

export const holdsNow = (condition: Condition, path: string, situation: Situation, nowMs: EpochMs): boolean =>
  conditionState(condition, path, situation, nowMs).holds;
