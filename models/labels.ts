import type { Connection } from 'mongoose';
import type { IncidentLabel, LabelStore } from '../domain/ports.ts';
import { openCollection } from './collection.ts';
import type { Row } from './collection.ts';

/** `<incident>/<principal>`: one person labels an incident once. */
interface LabelRow extends Row, IncidentLabel {}

export function createLabelStore(connection: Connection): LabelStore {
  const labels = openCollection<LabelRow>(connection, 'incidentLabels', {
    incidentId: String,
    label: String,
    by: String,
    reason: String,
    atMs: Number,
  });
  return {
    insert: ({ incidentId, label, by, reason, atMs }) =>
      labels.insert({ _id: `${incidentId}/${by}`, incidentId, label, by, reason, atMs }),
    get: async (incidentId, by) => {
      const row = await labels.get(`${incidentId}/${by}`);
      return row === null ? null : toLabel(row);
    },
    list: async () => (await labels.find({})).map(toLabel).sort(byTime),
  };
}

const toLabel = ({ incidentId, label, by, reason, atMs }: LabelRow): IncidentLabel => ({
  incidentId,
  label,
  by,
  reason,
  atMs,
});

export function byTime(a: IncidentLabel, b: IncidentLabel): number {
  return a.atMs - b.atMs || (`${a.incidentId}/${a.by}` < `${b.incidentId}/${b.by}` ? -1 : 1);
}
