import type { Connection } from 'mongoose';
import { canonicalJson } from '../domain/canonical.ts';
import type { AsideRecord, AsideStore, Delivery, InboxStore, IngestStores } from '../domain/ports-ingest.ts';
import { openCollection } from './collection.ts';
import type { Row } from './collection.ts';
import { createCheckpointStore } from './checkpoints.ts';
import { createFrameArchive } from './frames.ts';
import { sha256Hex } from './hash.ts';
import { createQuarantineStore } from './quarantine.ts';

interface JsonRow extends Row {
  readonly json: string;
}

interface AsideRow extends JsonRow {
  readonly kind: string;
}

const ROWS_AT_ONCE = 50;

/** Deliveries of one row: few enough that one repeated after a crash repeats little. */
const TOGETHER = 50;
const TOGETHER_BYTES = 512 * 1024;

/** Deliveries that were put together, and are removed together. The first releases stored each by itself. */
interface Batch {
  readonly deliveries: readonly Delivery[];
}

/**
 * What is on its way to incidents: a small collection, emptied as it is delivered. What was put together shares a row,
 * which goes with the last of it: an alarm storm would cost the archive more writes than the readings that raise it.
 */
export function createInboxStore(connection: Connection): InboxStore {
  const inbox = openCollection<JsonRow>(connection, 'inbox', { json: String });
  /** Of each delivery that waits, its row; and how many of each row still wait. */
  const rowOf = new Map<string, string>();
  const waiting = new Map<string, number>();

  function remember(row: string, ids: readonly string[]): void {
    for (const id of ids) rowOf.set(id, row);
    waiting.set(row, ids.length);
  }

  async function drop(row: string): Promise<void> {
    await inbox.remove(row);
    waiting.delete(row);
  }

  return {
    async put(deliveries) {
      const unknown = deliveries.filter(({ id }) => !rowOf.has(id));
      for (const some of together(unknown)) {
        const row = sha256Hex(some.ids.join('\n'));
        await inbox.insertMissing([{ _id: row, json: `{"deliveries":[${some.texts.join(',')}]}` }]);
        remember(row, some.ids);
      }
    },
    async remove(id) {
      const row = rowOf.get(id);
      if (row === undefined) return;
      const left = waiting.get(row)! - 1;
      if (left === 0) await drop(row);
      else waiting.set(row, left);
      rowOf.delete(id);
    },
    async pending() {
      const all = new Map<string, Delivery>();
      for (const { _id, json } of await inbox.find({})) {
        const stored = JSON.parse(json) as Batch | Delivery;
        const deliveries = 'deliveries' in stored ? stored.deliveries : [stored];
        if (!waiting.has(_id)) {
          // Who put the same again among others, before it asked what waits, stored it twice.
          const own = deliveries.map(({ id }) => id).filter((id) => !rowOf.has(id));
          if (own.length === 0) await drop(_id);
          else remember(_id, own);
        }
        for (const delivery of deliveries) if (rowOf.get(delivery.id) === _id) all.set(delivery.id, delivery);
      }
      return [...all.values()].sort(byPosition);
    },
  };
}

/** Deliveries of one row, and their JSON. */
interface Together {
  readonly ids: string[];
  readonly texts: string[];
  bytes: number;
}

function together(deliveries: readonly Delivery[]): readonly Together[] {
  const rows: Together[] = [];
  for (const delivery of deliveries) {
    const text = canonicalJson(delivery);
    let last = rows.at(-1);
    if (last === undefined || last.ids.length === TOGETHER || last.bytes + text.length > TOGETHER_BYTES) {
      rows.push((last = { ids: [], texts: [], bytes: 0 }));
    }
    last.ids.push(delivery.id);
    last.texts.push(text);
    last.bytes += text.length;
  }
  return rows;
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
