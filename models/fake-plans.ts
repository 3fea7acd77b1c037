import type { PlanVersion } from '../domain/plan/document.ts';
import type { Activation, PlanStore } from '../domain/ports.ts';
import { createFakeTable } from './fake-table.ts';
import { byPublication } from './plans.ts';

export function createFakePlanStore(): PlanStore {
  const versions = createFakeTable<PlanVersion>();
  const activations = createFakeTable<Activation>();
  const activationsOf = (planId: string): Activation[] =>
    activations
      .all()
      .filter((activation) => activation.planId === planId)
      .sort((a, b) => a.n - b.n);
  return {
    publish: async (version) => versions.insert(`${version.planId}@${version.hash}`, version),
    version: async (planId, hash) => versions.get(`${planId}@${hash}`),
    versions: async (planId) =>
      versions
        .all()
        .filter((version) => version.planId === planId)
        .sort(byPublication),
    plans: async () => [...new Set(versions.all().map((version) => version.planId))].sort(),
    async activate(activation) {
      const appended = { ...activation, n: activationsOf(activation.planId).length + 1 };
      activations.insert(`${activation.planId}/${appended.n}`, appended);
      return appended;
    },
    active: async (planId) => activationsOf(planId).at(-1) ?? null,
    activations: async (planId) => activationsOf(planId),
  };
}
