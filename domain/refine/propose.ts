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
const HUNDREDTHS = 100;

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
      reasons.push(`${path} is at its upper bound`);
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
      changes: [{ path, from, to, reason: reasonOf(before, after) }],
      evidence: evaluations.map(({ incidentId }) => incidentId),
      rehearsal: { before, after },
    };
  }
  return refused(
    reasons.length === 0 ? 'The plan allows no change of its detection.' : `${reasons.join('; ')}.`,
  );
}

const refused = (reason: string): Drafted => ({ proposed: false, reason });

const nextStep = (from: number, high: number): number =>
  Math.min(high, Math.floor(from * (1 + STEP_AT_MOST) * HUNDREDTHS + 1e-6) / HUNDREDTHS);

/** Why a change must not be proposed; null when it may. */
function verdictOf(before: RehearsalFigures, after: RehearsalFigures): string | null {
  if (after.severeMissed > before.severeMissed) return 'it would have missed a severe incident';
  if (before.nuisance - after.nuisance < before.incidents - after.incidents) {
    return 'it would have left out an incident that was no nuisance';
  }
  if (after.nuisance >= before.nuisance) return 'it would have spared nothing';
  return null;
}

const reasonOf = (before: RehearsalFigures, after: RehearsalFigures): Text => {
  const spared = before.nuisance - after.nuisance;
  return {
    en: `Rehearsed on ${before.incidents} past incidents: ${spared} nuisance incidents and ${before.unitsSent - after.unitsSent} unit dispatches fewer, no severe incident missed.`,
    zh: `以${before.incidents}起历史事件推演：减少${spared}起无效响应、${before.unitsSent - after.unitsSent}次派出，未漏报严重事件。`,
  };
};
