import type { Evidence } from '../evidence.ts';
import type { PlanDocument } from '../plan/document.ts';
import { readTunable, writeTunable } from '../plan/tune.ts';
import type { Proposal, RehearsalFigures, Unit } from '../ports.ts';
import type { Text } from '../units.ts';
import type { Evaluation } from '../world.ts';
import { figuresOf, rehearse } from './rehearse.ts';

export type Drafted =
  | ({ readonly proposed: true } & Pick<Proposal, 'document' | 'changes' | 'evidence' | 'rehearsal'>)
  | { readonly proposed: false; readonly reason: string };

/** A step moves a value by a tenth at most (reliability rule against poisoning by many small incidents). */
const STEP_AT_MOST = 0.1;
/** Share of nuisance incidents from which on a plan is worth making less eager. Our judgement. */
const NUISANCE_SHARE = 0.6;
/** A proposed value has so many digits: nobody sets a magnitude to 1.0999. */
const DIGITS = 3;

/**
 * Looks for one bounded change that would have spared nuisance and missed nothing severe. The change stays inside
 * `mayTune`; severities, approvals and quorums are out of reach, because no tunable parameter is one.
 *
 * @param evaluations closed incidents under this version of the plan
 * @param units roster for the rehearsal
 */
export async function propose(
  document: PlanDocument,
  evaluations: readonly Evaluation[],
  units: readonly Unit[],
): Promise<Drafted> {
  const { afterIncidents, mayTune } = document.refine;
  if (evaluations.length < afterIncidents) {
    return refused(`${evaluations.length} incidents have closed; ${afterIncidents} are needed.`);
  }
  const nuisance = evaluations.filter(({ outcome }) => outcome.falseAlarm).length;
  const share = nuisance / evaluations.length;
  if (share < NUISANCE_SHARE) {
    return refused(
      `${nuisance} of ${evaluations.length} incidents were a nuisance: too few to make the plan less eager.`,
    );
  }
  const before = figuresOf(evaluations, await rehearse(document, evaluations, units));
  const reasons: string[] = [];
  for (const path of Object.keys(mayTune).filter((name) => name.startsWith('detect.'))) {
    const from = readTunable(document, path);
    const to = nextStep(from, mayTune[path]!.high);
    if (to <= from) {
      reasons.push(`${path} has no room upwards within its bounds`);
      continue;
    }
    const changed = writeTunable(document, path, to);
    const after = figuresOf(evaluations, await rehearse(changed, evaluations, units));
    const verdict = verdictOf(before, after);
    if (verdict !== null) {
      reasons.push(`${path} ${from} → ${to}: ${verdict}`);
      continue;
    }
    return {
      proposed: true,
      document: changed,
      changes: [{ path, from, to, reason: reasonOf(before, after, vendorsOf(evaluations)) }],
      evidence: evaluations.map(({ incidentId }) => incidentId),
      rehearsal: { before, after },
    };
  }
  return refused(
    reasons.length === 0 ? 'The plan allows no change of its detection.' : `${reasons.join('; ')}.`,
  );
}

const refused = (reason: string): Drafted => ({ proposed: false, reason });

/** A tenth more, rounded down so that it never is more than a tenth; the value itself when there is no room. */
function nextStep(from: number, high: number): number {
  if (from <= 0) return from;
  const unit = 10 ** (Math.floor(Math.log10(from)) + 1 - DIGITS);
  const stepped = Number((Math.floor((from * (1 + STEP_AT_MOST)) / unit + 1e-9) * unit).toPrecision(DIGITS));
  return Math.min(high, stepped);
}

/** Why a change must not be proposed; null when it may. */
function verdictOf(before: RehearsalFigures, after: RehearsalFigures): string | null {
  if (after.severeMissed > before.severeMissed) return 'it would have missed a severe incident';
  if (before.nuisance - after.nuisance < before.incidents - after.incidents) {
    return 'it would have left out an incident that was no nuisance';
  }
  if (after.nuisance >= before.nuisance) return 'it would have spared nothing';
  return null;
}

const vendorsOf = (evaluations: readonly Evaluation[]): string[] => [
  ...new Set(evaluations.flatMap(({ trigger }) => trigger.map((item) => sourceOf(item)))),
];

const sourceOf = (item: Evidence): string =>
  item.kind === 'bulletin' ? item.vendor : (item.sensors[0]?.vendor ?? item.site);

function reasonOf(before: RehearsalFigures, after: RehearsalFigures, vendors: readonly string[]): Text {
  const spared = before.nuisance - after.nuisance;
  // Whoever sends all the evidence could steer the plan: the board must know.
  const [only] = vendors.length === 1 ? vendors : [];
  return {
    en: `Rehearsed on ${before.incidents} past incidents: ${spared} nuisance incidents and ${before.unitsSent - after.unitsSent} unit dispatches fewer, no severe incident missed.${only === undefined ? '' : ` All evidence came from one vendor, ${only}.`}`,
    zh: `以${before.incidents}起历史事件推演：减少${spared}起无效响应、${before.unitsSent - after.unitsSent}次派出，未漏报严重事件。${only === undefined ? '' : `全部证据来自同一供应方：${only}。`}`,
  };
}
