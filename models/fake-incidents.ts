import type { IncidentStore, IncidentView } from '../domain/ports.ts';
import { createFakeTable } from './fake-table.ts';
import { matches, newestFirst } from './incidents.ts';

export function createFakeIncidentStore(): IncidentStore {
  const incidents = createFakeTable<IncidentView>();
  return {
    put: async (view) => incidents.replace(view.incidentId, view),
    get: async (incidentId) => incidents.get(incidentId),
    list: async ({ limit, ...wanted } = {}) =>
      incidents
        .all()
        .filter((view) => matches(view, wanted))
        .sort((a, b) => newestFirst(a, b, a.incidentId, b.incidentId))
        .slice(0, limit),
  };
}
