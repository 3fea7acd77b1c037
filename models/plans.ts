import type { Connection } from 'mongoose';
import { canonicalJson } from '../domain/canonical.ts';
import type { PlanDocument, PlanVersion } from '../domain/plan/document.ts';
import type { Activation, PlanStore } from '../domain/ports.ts';
import { openCollection } from './collection.ts';
import type { Row } from './collection.ts';
import { createSequence } from './sequence.ts';

/** `<plan>@<hash>`. */
interface PlanRow extends Row {
  readonly planId: string;
  readonly hash: string;
  readonly publishedAtMs: number;
  readonly author: string;
  readonly parent: string | null;
  readonly proposal: string | null;
  /** Canonical JSON of the document: what the hash is taken of. */
  readonly json: string;
}

/** `<plan>/<n>`. */
interface ActivationRow extends Row, Activation {}

/** Published plans and which of them is in force. Both only ever grow. */
export function createPlanStore(connection: Connection): PlanStore {
  const plans = openCollection<PlanRow>(connection, 'plans', {
    planId: String,
    hash: String,
    publishedAtMs: Number,
    author: String,
    parent: String,
    proposal: String,
    json: String,
  });
  const activations = createSequence(
    openCollection<ActivationRow>(connection, 'activations', {
      planId: String,
      n: Number,
      hash: String,
      by: String,
      reason: String,
      atMs: Number,
    }),
  );
  return {
    publish: ({ document, ...rest }) =>
      plans.insert({ _id: `${rest.planId}@${rest.hash}`, ...rest, json: canonicalJson(document) }),
    version: async (planId, hash) => toVersion(await plans.get(`${planId}@${hash}`)),
    versions: async (planId) =>
      (await plans.find({ planId })).map((row) => toVersion(row)!).sort(byPublication),
    plans: async () => [...new Set((await plans.find({})).map((row) => row.planId))].sort(),
    activate: async (activation) =>
      toActivation(
        await activations.append(activation.planId, (n, _id) => ({
          _id,
          planId: activation.planId,
          n,
          hash: activation.hash,
          by: activation.by,
          reason: activation.reason,
          atMs: activation.atMs,
        })),
      ),
    active: async (planId) => {
      const row = await activations.last(planId);
      return row === null ? null : toActivation(row);
    },
    activations: async (planId) => (await activations.all(planId)).map(toActivation),
  };
}

/** Oldest first; the hash decides between equals, so that the order is the same everywhere. */
export function byPublication(a: PlanVersion, b: PlanVersion): number {
  return a.publishedAtMs - b.publishedAtMs || (a.hash < b.hash ? -1 : 1);
}

function toVersion(row: PlanRow | null): PlanVersion | null {
  if (row === null) return null;
  return {
    planId: row.planId,
    hash: row.hash,
    document: JSON.parse(row.json) as PlanDocument,
    author: row.author,
    publishedAtMs: row.publishedAtMs,
    parent: row.parent,
    proposal: row.proposal,
  };
}

function toActivation(row: ActivationRow): Activation {
  return { planId: row.planId, n: row.n, hash: row.hash, by: row.by, reason: row.reason, atMs: row.atMs };
}
