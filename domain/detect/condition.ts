import type { BulletinEvidence, Evidence } from '../evidence.ts';
import type { Condition } from '../plan/document.ts';
import type { EpochMs } from '../units.ts';
import { numberOf } from './intensity.ts';

/** What is known when a condition is read. */
export interface ConditionView {
  readonly evidence: readonly Evidence[];
  /** Last known state of each channel condition, by its path in the plan document. Absent: does not hold. */
  readonly leaves: Readonly<Record<string, { readonly holds: boolean; readonly sinceMs: EpochMs }>>;
}

export interface ConditionState {
  readonly holds: boolean;
  /** Since when it is so; absent when nothing that was seen made it so. */
  readonly sinceMs?: EpochMs;
  /** When it may begin to hold by the passing of time alone; absent when only messages can make it hold. */
  readonly mightHoldAtMs?: EpochMs;
}

/** Also says when a condition that holds may end by itself: `not` needs it. */
interface State {
  readonly holds: boolean;
  readonly sinceMs?: EpochMs | undefined;
  readonly turnsAtMs?: EpochMs | undefined;
}

/**
 * Whether a plan's condition holds, read the same way by detection, by the engine and by the simulator.
 *
 * @param path where the condition stands in the document (`detect`, `evaluate.resolvedWhen`); parts of a
 * compound are `<path>.of.<n>`
 * @param nowMs by the incident's clock
 */
export function evaluateCondition(
  condition: Condition,
  path: string,
  view: ConditionView,
  nowMs: EpochMs,
): ConditionState {
  const { holds, sinceMs, turnsAtMs } = stateOf(condition, path, view, nowMs);
  return {
    holds,
    ...(sinceMs === undefined ? {} : { sinceMs }),
    ...(holds || turnsAtMs === undefined ? {} : { mightHoldAtMs: turnsAtMs }),
  };
}

function stateOf(condition: Condition, path: string, view: ConditionView, nowMs: EpochMs): State {
  switch (condition.when) {
    case 'always':
      return { holds: true };
    case 'atLeast':
    case 'below':
    case 'detects':
    case 'detectsTogether':
    case 'networkTriggers':
    case 'expectedAtLeast':
    case 'expectedBelow':
      return view.leaves[path] ?? { holds: false };
    case 'magnitudeNear': {
      const { magnitude, withinKm } = condition;
      return firstOf(view, condition.bulletin, (item) => {
        const measured = numberOf(item.bulletin, 'magnitude');
        return (
          measured !== null &&
          measured >= magnitude &&
          item.effects.some((effect) => effect.distanceKm <= withinKm)
        );
      });
    }
    case 'intensity':
      return firstOf(view, condition.bulletin, (item) =>
        item.effects.some((effect) => effect.expectedMmi >= condition.atLeastMmi),
      );
    case 'quietFor': {
      const heard = bulletinsOf(view, condition.bulletin).map((item) => item.atMs);
      // Nothing was ever heard: that is no quiet to rely on.
      if (heard.length === 0) return { holds: false };
      const quietAtMs = heard.reduce((last, atMs) => Math.max(last, atMs)) + condition.forMs;
      return nowMs >= quietAtMs
        ? { holds: true, sinceMs: quietAtMs }
        : { holds: false, turnsAtMs: quietAtMs };
    }
    case 'all':
      return joined(partsOf(condition.of, path, view, nowMs), true);
    case 'any':
      return joined(partsOf(condition.of, path, view, nowMs), false);
    case 'not': {
      const part = stateOf(condition.of[0], `${path}.of.0`, view, nowMs);
      return { ...part, holds: !part.holds };
    }
    default:
      return condition satisfies never;
  }
}

const partsOf = (parts: readonly Condition[], path: string, view: ConditionView, nowMs: EpochMs): State[] =>
  parts.map((part, index) => stateOf(part, `${path}.of.${index}`, view, nowMs));

/**
 * `all` holds when no part fails, `any` holds not when no part holds: one rule, read from both ends. `unanimous`
 * is what the whole is when every part is the same.
 */
function joined(parts: readonly State[], unanimous: boolean): State {
  const against = parts.filter((part) => part.holds !== unanimous);
  if (against.length === 0) {
    return {
      holds: unanimous,
      sinceMs: fold(parts, (part) => part.sinceMs, Math.max, 'known'),
      turnsAtMs: fold(parts, (part) => part.turnsAtMs, Math.min, 'known'),
    };
  }
  return {
    holds: !unanimous,
    sinceMs: fold(against, (part) => part.sinceMs, Math.min, 'known'),
    turnsAtMs: fold(against, (part) => part.turnsAtMs, Math.max, 'all'),
  };
}

/** Over the values that are known; with `all`, undefined as soon as one is not. */
function fold(
  parts: readonly State[],
  read: (part: State) => number | undefined,
  choose: (a: number, b: number) => number,
  over: 'known' | 'all',
): number | undefined {
  const values = parts.map(read).filter((value) => value !== undefined);
  if (values.length === 0 || (over === 'all' && values.length < parts.length)) return undefined;
  return values.reduce((a, b) => choose(a, b));
}

const bulletinsOf = (view: ConditionView, type: string): BulletinEvidence[] =>
  view.evidence.filter((item) => item.kind === 'bulletin').filter((item) => item.bulletin.type === type);

/** Holds since the earliest bulletin that meets it. */
function firstOf(view: ConditionView, type: string, meets: (item: BulletinEvidence) => boolean): State {
  const times = bulletinsOf(view, type)
    .filter(meets)
    .map((item) => item.atMs);
  return times.length === 0
    ? { holds: false }
    : { holds: true, sinceMs: times.reduce((first, atMs) => Math.min(first, atMs)) };
}

/** Every condition inside a condition with its path, itself first. */
export function* walkConditions(
  condition: Condition,
  path: string,
): Generator<{ readonly condition: Condition; readonly path: string }> {
  yield { condition, path };
  if ('of' in condition) {
    for (const [index, part] of condition.of.entries()) yield* walkConditions(part, `${path}.of.${index}`);
  }
}
