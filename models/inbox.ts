import type { Connection } from 'mongoose';
import { canonicalJson } from '../domain/canonical.ts';
import type {
  AsideRecord,
  AsideStore,
  CheckpointStore,
  Delivery,
  InboxStore,
  IngestStores,
} from '../domain/ports-ingest.ts';
import { openCollection } from './collection.ts';
import type { Row } from './collection.ts';
import { storeFailure } from './failure.ts';
import { createFrameArchive } from './frames.ts';
import { createQuarantineStore } from './quarantine.ts';

interface JsonRow extends Row {
  readonly json: string;
}

interface AsideRow extends JsonRow {
  readonly kind: string;
}

const ROWS_AT_ONCE = 50;

/** What is on its way to incidents: a small collection, emptied as it is delivered. */
export function createInboxStore(connection: Connection): InboxStore {
  const inbox = openCollection<JsonRow>(connection, 'inbox', { json: String });
  return {
    async put(deliveries) {
      const rows = deliveries.map((delivery) => ({ _id: delivery.id, json: canonicalJson(delivery) }));
      for (let from = 0; from < rows.length; from += ROWS_AT_ONCE) {
        await inbox.insertMissing(rows.slice(from, from + ROWS_AT_ONCE));
      }
    },
    async remove(id) {
      try {
        await connection.collection<JsonRow>('inbox').deleteOne({ _id: id });
      } catch (error) {
        throw storeFailure(error);
      }
    },
    pending: async () =>
      (await inbox.find({})).map((row) => JSON.parse(row.json) as Delivery).sort(byPosition),
  };
}

/** Evidence that reached no incident. */
export function createAsideStore(connection: Connection): AsideStore {
  const asides = openCollection<AsideRow>(connection, 'late', { kind: String, json: String });
  return {
    async put(records) {
      const rows = records.map((record) => ({
        _id: record.id,
        kind: record.kind,
        json: canonicalJson(record),
      }));
      for (let from = 0; from < rows.length; from += ROWS_AT_ONCE) {
        await asides.insertMissing(rows.slice(from, from + ROWS_AT_ONCE));
      }
    },
    list: async (kind) =>
      (await asides.find({ kind })).map((row) => JSON.parse(row.json) as AsideRecord).sort(byTime),
  };
}

export function createCheckpointStore(connection: Connection): CheckpointStore {
  const checkpoints = openCollection<JsonRow>(connection, 'checkpoints', { json: String });
  return {
    async load<T>(name: string) {
      const row = await checkpoints.get(name);
      return row === null ? null : (JSON.parse(row.json) as T);
    },
    // Not the one spelling: these may be large, and nothing names them by their text.
    save: (name, value) => checkpoints.replace({ _id: name, json: JSON.stringify(value) }),
  };
}

/** Everything that ingestion stores, over one connection. */
export function createIngestStores(connection: Connection): IngestStores {
  return {
    frames: createFrameArchive(connection),
    quarantine: createQuarantineStore(connection),
    inbox: createInboxStore(connection),
    asides: createAsideStore(connection),
    checkpoints: createCheckpointStore(connection),
  };
}

export const byPosition = (a: Delivery, b: Delivery): number => a.seq - b.seq || a.n - b.n;
export const byTime = (a: AsideRecord, b: AsideRecord): number => a.atMs - b.atMs || (a.id < b.id ? -1 : 1);
