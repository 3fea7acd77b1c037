import type { PlanDocument } from '../plan/document.ts';
import type { Outcome, Situation } from '../situation.ts';
import type { World } from '../world.ts';

const TRIGGER_KEPT = 20;

/** Closes the incident and hands what was learnt to the plan store; a proposal is made across incidents, not here. */
export async function refine(
  plan: PlanDocument,
  situation: Situation,
  outcome: Outcome,
  world: World,
): Promise<void> {
  situation.phase = 'closed';
  situation.closedAtMs = world.now();
  await world.learn({
    incidentId: situation.incidentId,
    tenant: situation.tenant,
    planId: plan.id,
    planHash: situation.planHash,
    closedAtMs: situation.closedAtMs,
    type: situation.assessment?.type ?? situation.hazard,
    severity: outcome.severity,
    level: outcome.level,
    highestLevel: outcome.highestLevel,
    outcome,
    trigger: situation.evidence.slice(0, TRIGGER_KEPT),
    humansAsked: Object.keys(situation.questions).length,
    unitsSent: Object.keys(situation.missions).length,
  });
  world.record({
    stage: 'refine',
    kind: 'closed',
    data: { result: outcome.result, highestLevel: outcome.highestLevel },
  });
}
