import type { Connection } from 'mongoose';
import { canonicalJson } from '../domain/canonical.ts';
import type { RosterStore, Unit } from '../domain/ports.ts';
import { openCollection } from './collection.ts';
import type { Row } from './collection.ts';

interface UnitRow extends Row {
  readonly district: string;
  readonly json: string;
}

/** Who can be sent. Units are replaced one by one; those not named in a `put` stay. */
export function createRosterStore(connection: Connection): RosterStore {
  const roster = openCollection<UnitRow>(connection, 'roster', { district: String, json: String });
  return {
    async put(units) {
      // Most starts put the roster that is already there: read once rather than write each.
      const stored = new Map((await roster.find({})).map((row) => [row._id, row.json]));
      for (const unit of units) {
        const json = canonicalJson(unit);
        if (stored.get(unit.id) !== json)
          await roster.replace({ _id: unit.id, district: unit.district, json });
      }
    },
    units: async (district) =>
      (await roster.find(district === undefined ? {} : { district }))
        .map((row) => JSON.parse(row.json) as Unit)
        .sort(byId),
  };
}

export function byId(a: { readonly id: string }, b: { readonly id: string }): number {
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}
