import type { Connection } from 'mongoose';
import { canonicalJson } from '../domain/canonical.ts';
import type { QuarantinedItem, QuarantineStore } from '../domain/ports-ingest.ts';
import { openCollection } from './collection.ts';
import type { Row } from './collection.ts';

interface QuarantineRow extends Row {
  readonly json: string;
}

/** Refused items in batches, as they were refused. */
export function createQuarantineStore(connection: Connection): QuarantineStore {
  const batches = openCollection<QuarantineRow>(connection, 'quarantine', { json: String });
  return {
    append: async (id, items) => void (await batches.insert({ _id: id, json: canonicalJson(items) })),
    async read(id) {
      const row = await batches.get(id);
      return row === null ? [] : (JSON.parse(row.json) as QuarantinedItem[]);
    },
  };
}
