import type { IncidentLabel, LabelStore } from '../domain/ports.ts';
import { createFakeTable } from './fake-table.ts';
import { byTime } from './labels.ts';

export function createFakeLabelStore(): LabelStore {
  const labels = createFakeTable<IncidentLabel>();
  return {
    insert: async (label) => labels.insert(`${label.incidentId}/${label.by}`, label),
    get: async (incidentId, by) => labels.get(`${incidentId}/${by}`),
    list: async () => labels.all().sort(byTime),
  };
}
