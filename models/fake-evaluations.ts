import type { EvaluationStore } from '../domain/ports.ts';
import type { Evaluation } from '../domain/world.ts';
import { byClosing } from './evaluations.ts';
import { createFakeTable } from './fake-table.ts';

export function createFakeEvaluationStore(): EvaluationStore {
  const evaluations = createFakeTable<Evaluation>();
  return {
    insert: async (evaluation) => evaluations.insert(evaluation.incidentId, evaluation),
    of: async (planId) =>
      evaluations
        .all()
        .filter((evaluation) => evaluation.planId === planId)
        .sort(byClosing),
  };
}
