import type { Connection } from 'mongoose';
import { canonicalJson } from '../domain/canonical.ts';
import { TocsinError } from '../domain/errors.ts';
import type { FactStore } from '../domain/ports.ts';
import type { Fact } from '../domain/situation.ts';
import { isFerret } from './backend.ts';
import { openCollection } from './collection.ts';
import type { Collection, Row } from './collection.ts';

/** `<incident>/<seq>`. */
interface FactRow extends Row {
  readonly incidentId: string;
  readonly seq: number;
  readonly json: string;
}

/** More rows in one insert gain nothing, and fewer are repeated when one of them fails. */
const APPEND_AT_ONCE = 50;
/** Exact reads in flight together; FerretDB serves no more per second with more. */
const READ_AT_ONCE = 16;

/**
 * The record of each incident. `of` answers the facts up to the first gap: facts are appended in order, so a gap
 * means that an append is under way or will be repeated.
 */
export function createFactStore(connection: Connection): FactStore {
  const facts = openCollection<FactRow>(connection, 'facts', {
    incidentId: String,
    seq: Number,
    json: String,
  });
  return {
    async append(batch) {
      const rows = batch.map(toRow);
      for (let start = 0; start < rows.length; start += APPEND_AT_ONCE) {
        const part = rows.slice(start, start + APPEND_AT_ONCE);
        const existing = new Set(await facts.insertMissing(part));
        for (const row of part) if (existing.has(row._id)) await refuseOther(facts, row);
      }
    },
    async of(incidentId) {
      const rows = (await isFerret(connection))
        ? await probeUpward(facts, incidentId)
        : await readRange(facts, incidentId);
      return rows.map((row) => JSON.parse(row.json) as Fact);
    },
  };
}

function toRow(fact: Fact): FactRow {
  return {
    _id: `${fact.incidentId}/${fact.seq}`,
    incidentId: fact.incidentId,
    seq: fact.seq,
    json: canonicalJson(fact),
  };
}

async function refuseOther(facts: Collection<FactRow>, row: FactRow): Promise<void> {
  const stored = await facts.get(row._id);
  if (stored !== null && stored.json !== row.json) throw factConflict(row._id);
}

/** Two different facts claim one place in the record: a bug or a second writer, never a repeat. */
export function factConflict(id: string): TocsinError {
  return new TocsinError('FACT_CONFLICT', `Another fact is already recorded as ${id}.`, { details: { id } });
}

/** FerretDB reads the whole collection for anything but an exact `_id`. */
async function probeUpward(facts: Collection<FactRow>, incidentId: string): Promise<FactRow[]> {
  const rows: FactRow[] = [];
  for (;;) {
    const batch = await Promise.all(
      Array.from({ length: READ_AT_ONCE }, (_, i) => facts.get(`${incidentId}/${rows.length + i}`)),
    );
    const gap = batch.indexOf(null);
    rows.push(...(gap === -1 ? batch : batch.slice(0, gap)).filter((row) => row !== null));
    if (gap !== -1) return rows;
  }
}

async function readRange(facts: Collection<FactRow>, incidentId: string): Promise<FactRow[]> {
  // '0' is the character after '/': all ids that begin with `<incident>/`, also those of longer names.
  const rows = (await facts.range(`${incidentId}/`, `${incidentId}0`))
    .filter((row) => row.incidentId === incidentId)
    .sort((a, b) => a.seq - b.seq);
  const gap = rows.findIndex((row, i) => row.seq !== i);
  return gap === -1 ? rows : rows.slice(0, gap);
}
