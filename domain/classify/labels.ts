import type { IncidentLabel } from '../ports.ts';

/** What people say a closed incident really was, taken together. */
export interface Verdict {
  readonly incidentId: string;
  /** `agreed`: at least two people, all with one label. `alone`: one person so far. `disputed`: people differ. */
  readonly state: 'agreed' | 'alone' | 'disputed';
  /** The label of all who spoke; null when they differ. */
  readonly label: string | null;
  /** Who said it, in order of their names. */
  readonly by: readonly string[];
}

/** One verdict for every labelled incident, in order of the incidents' names. Only `agreed` ones may teach. */
export function verdictsOf(labels: readonly IncidentLabel[]): Verdict[] {
  const ofIncident = new Map<string, IncidentLabel[]>();
  for (const label of labels) {
    ofIncident.set(label.incidentId, [...(ofIncident.get(label.incidentId) ?? []), label]);
  }
  return [...ofIncident]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([incidentId, given]) => {
      const said = new Set(given.map(({ label }) => label));
      const by = [...new Set(given.map((one) => one.by))].sort();
      const state = said.size > 1 ? 'disputed' : by.length > 1 ? 'agreed' : 'alone';
      return { incidentId, state, label: said.size > 1 ? null : given[0]!.label, by };
    });
}
