import type { EvaluationStore, FactStore, IncidentStore } from '../domain/ports.ts';
import type { Fact, Situation } from '../domain/situation.ts';
import type { Evaluation } from '../domain/world.ts';

/** Starts refinement of a plan when enough of its incidents have closed; harmless when repeated. */
export interface Refinement {
  consider(planId: string, tenant: string): Promise<void>;
}

export interface RecordActivities {
  recordFacts(input: { facts: Fact[]; situation: Situation; runId: string }): Promise<void>;
  learn(input: { evaluation: Evaluation }): Promise<void>;
}

export function createRecordActivities({
  facts: factStore,
  incidents,
  evaluations,
  refinement,
  clock,
}: {
  readonly facts: FactStore;
  readonly incidents: IncidentStore;
  readonly evaluations: EvaluationStore;
  readonly refinement: Refinement;
  readonly clock: () => number;
}): RecordActivities {
  return {
    /** Facts first: the view is a projection and can be built again from them. */
    async recordFacts({ facts, situation, runId }) {
      await factStore.append(facts);
      await incidents.put({
        incidentId: situation.incidentId,
        tenant: situation.tenant,
        mode: situation.mode,
        hazard: situation.hazard,
        place: situation.place,
        planId: situation.planId,
        planHash: situation.planHash,
        level: situation.assessment?.level ?? null,
        highestLevel: situation.highestLevel,
        phase: situation.phase,
        openedAtMs: situation.openedAtMs,
        updatedAtMs: facts.at(-1)?.atMs ?? situation.nowMs,
        writtenAtMs: clock(),
        runId,
        situation,
      });
    },
    async learn({ evaluation }) {
      await evaluations.insert(evaluation);
      await refinement.consider(evaluation.planId, evaluation.tenant);
    },
  };
}
