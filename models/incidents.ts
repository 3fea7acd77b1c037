import type { Connection } from 'mongoose';
import { canonicalJson } from '../domain/canonical.ts';
import type { IncidentStore, IncidentView } from '../domain/ports.ts';
import { openCollection } from './collection.ts';
import type { Row } from './collection.ts';

interface IncidentRow extends Row {
  readonly json: string;
}

/** What the list is cut by. Kept apart: a scan over whole situations would read megabytes. */
interface IndexRow extends Row {
  readonly tenant: string;
  readonly open: boolean;
  readonly openedAtMs: number;
}

type Listed = Pick<IndexRow, 'tenant' | 'open' | 'openedAtMs'>;

/** Index rows that this process knows to be written; beyond it, rows are only written again. */
const REMEMBERED = 10_000;
/** Exact reads in flight together. */
const READ_AT_ONCE = 16;

/** The present state of each incident, written whole by its one writer. */
export function createIncidentStore(connection: Connection): IncidentStore {
  const incidents = openCollection<IncidentRow>(connection, 'incidents', { json: String });
  const index = openCollection<IndexRow>(connection, 'incidentIndex', {
    tenant: String,
    open: Boolean,
    openedAtMs: Number,
  });
  const written = new Map<string, string>();

  async function putIndex(view: IncidentView): Promise<void> {
    const listed = listedAs(view);
    const stamp = canonicalJson(listed);
    if (written.get(view.incidentId) === stamp) return;
    await index.replace({ _id: view.incidentId, ...listed });
    if (written.size >= REMEMBERED) written.clear();
    written.set(view.incidentId, stamp);
  }

  const get = async (incidentId: string): Promise<IncidentView | null> => {
    const row = await incidents.get(incidentId);
    return row === null ? null : (JSON.parse(row.json) as IncidentView);
  };

  return {
    async put(view) {
      await incidents.replace({ _id: view.incidentId, json: canonicalJson(view) });
      // Second: a crash between leaves an incident that is read right and listed at the next write.
      await putIndex(view);
    },
    get,
    async list(filter = {}) {
      const { limit = Number.POSITIVE_INFINITY, ...wanted } = filter;
      const rows = (await index.find(definedOnly(wanted))).sort((a, b) => newestFirst(a, b, a._id, b._id));
      const views: IncidentView[] = [];
      for (let start = 0; start < rows.length && views.length < limit; start += READ_AT_ONCE) {
        const part = await Promise.all(rows.slice(start, start + READ_AT_ONCE).map((row) => get(row._id)));
        views.push(...part.filter((view) => view !== null).filter((view) => matches(view, wanted)));
      }
      return views.slice(0, limit);
    },
  };
}

function listedAs(view: IncidentView): Listed {
  return { tenant: view.tenant, open: view.phase !== 'closed', openedAtMs: view.openedAtMs };
}

export function matches(view: IncidentView, wanted: { tenant?: string; open?: boolean }): boolean {
  return (
    (wanted.tenant === undefined || view.tenant === wanted.tenant) &&
    (wanted.open === undefined || (view.phase !== 'closed') === wanted.open)
  );
}

/** The id decides between equals, so that the order is the same everywhere. */
export function newestFirst(
  a: { readonly openedAtMs: number },
  b: { readonly openedAtMs: number },
  aId: string,
  bId: string,
): number {
  return b.openedAtMs - a.openedAtMs || (aId < bId ? -1 : 1);
}

function definedOnly(wanted: { tenant?: string; open?: boolean }): { tenant?: string; open?: boolean } {
  return {
    ...(wanted.tenant === undefined ? {} : { tenant: wanted.tenant }),
    ...(wanted.open === undefined ? {} : { open: wanted.open }),
  };
}
