import type { Connection } from 'mongoose';
import { canonicalJson } from '../domain/canonical.ts';
import type { EvaluationStore } from '../domain/ports.ts';
import type { Evaluation } from '../domain/world.ts';
import { openCollection } from './collection.ts';
import type { Row } from './collection.ts';

/** `_id` is the incident id. */
interface EvaluationRow extends Row {
  readonly planId: string;
  readonly json: string;
}

/** What refinement reads of each closed incident, once and for ever. */
export function createEvaluationStore(connection: Connection): EvaluationStore {
  const evaluations = openCollection<EvaluationRow>(connection, 'evaluations', {
    planId: String,
    json: String,
  });
  return {
    insert: (evaluation) =>
      evaluations.insert({
        _id: evaluation.incidentId,
        planId: evaluation.planId,
        json: canonicalJson(evaluation),
      }),
    of: async (planId) =>
      (await evaluations.find({ planId })).map((row) => JSON.parse(row.json) as Evaluation).sort(byClosing),
  };
}

/** Oldest first. */
export function byClosing(a: Evaluation, b: Evaluation): number {
  return a.closedAtMs - b.closedAtMs || (a.incidentId < b.incidentId ? -1 : 1);
}
