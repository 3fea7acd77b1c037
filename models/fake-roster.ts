import type { RosterStore, Unit } from '../domain/ports.ts';
import { createFakeTable } from './fake-table.ts';
import { byId } from './roster.ts';

export function createFakeRosterStore(): RosterStore {
  const roster = createFakeTable<Unit>();
  return {
    async put(units) {
      for (const unit of units) roster.replace(unit.id, unit);
    },
    units: async (district) =>
      roster
        .all()
        .filter((unit) => district === undefined || unit.district === district)
        .sort(byId),
  };
}
