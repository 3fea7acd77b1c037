import type { Connection } from 'mongoose';
import { canonicalJson } from '../domain/canonical.ts';
import { TocsinError } from '../domain/errors.ts';
import type { RecogniserStore, StoredRecogniser } from '../domain/ports.ts';
import { openCollection } from './collection.ts';
import type { Row } from './collection.ts';
import { createSequence } from './sequence.ts';

/** Largest artefact, in bytes. */
export const MAX_ARTEFACT_BYTES = 8 * 1024 * 1024;
/** Bytes a row: FerretDB keeps them as base64 text in one SQLite cell. */
const CHUNK_BYTES = 1_000_000;

/** `<name>@<hash>`: exists only when all chunks do. */
interface RecogniserRow extends Row {
  readonly name: string;
  readonly hash: string;
  readonly bytes: number;
  readonly atMs: number;
  readonly card: string;
}

/** `<name>@<hash>/<i>`. */
interface ChunkRow extends Row {
  readonly content: Buffer;
}

/** `<name>/<n>`. */
interface ActivationRow extends Row {
  readonly n: number;
  readonly hash: string;
  readonly by: string;
  readonly reason: string;
  readonly atMs: number;
}

/** What a register is of. */
export type Registered = 'recogniser' | 'forecaster';

/** @param of what is registered: its collections begin with it. @default 'recogniser' */
export function createRecogniserStore(
  connection: Connection,
  of: Registered = 'recogniser',
): RecogniserStore {
  const recognisers = openCollection<RecogniserRow>(connection, `${of}s`, {
    name: String,
    hash: String,
    bytes: Number,
    atMs: Number,
    card: String,
  });
  const chunks = openCollection<ChunkRow>(connection, `${of}Chunks`, { content: Buffer });
  const activations = createSequence(
    openCollection<ActivationRow>(connection, `${of}Activations`, {
      n: Number,
      hash: String,
      by: String,
      reason: String,
      atMs: Number,
    }),
  );

  async function readArtefact(id: string, bytes: number): Promise<Uint8Array> {
    const rows = await Promise.all(chunkStarts(bytes).map((_, i) => chunks.get(`${id}/${i}`)));
    const artefact = Buffer.concat(rows.map((row) => toBuffer(row?.content)));
    if (artefact.length !== bytes)
      throw new TocsinError(`${of.toUpperCase()}_DAMAGED`, `The stored bytes of ${id} are not complete.`, {
        details: { id, expected: bytes, found: artefact.length },
      });
    return new Uint8Array(artefact);
  }

  return {
    async insert({ name, hash, artefact, card, atMs }) {
      refuseTooLarge(of, artefact);
      const id = `${name}@${hash}`;
      const bytes = artefact.length;
      for (const [i, start] of chunkStarts(bytes).entries())
        await chunks.insert({
          _id: `${id}/${i}`,
          content: Buffer.from(artefact.subarray(start, start + CHUNK_BYTES)),
        });
      return recognisers.insert({ _id: id, name, hash, bytes, atMs, card: canonicalJson(card) });
    },
    async get(name, hash) {
      const row = await recognisers.get(`${name}@${hash}`);
      if (row === null) return null;
      const artefact = await readArtefact(row._id, row.bytes);
      return { name, hash, artefact, card: JSON.parse(row.card) as StoredRecogniser['card'], atMs: row.atMs };
    },
    async versions(name) {
      const rows = await recognisers.find({ name });
      return rows
        .map(({ hash, atMs, card }) => ({
          name,
          hash,
          card: JSON.parse(card) as StoredRecogniser['card'],
          atMs,
        }))
        .sort(byStoring);
    },
    async activate({ name, hash, by, reason, atMs }) {
      const row = await activations.append(name, (n, _id) => ({ _id, n, hash, by, reason, atMs }));
      return row.n;
    },
    async active(name) {
      const row = await activations.last(name);
      return row === null ? null : { hash: row.hash, n: row.n };
    },
    async activations(name) {
      const rows = await activations.all(name);
      return rows.map(({ n, hash, by, reason, atMs }) => ({ n, hash, by, reason, atMs }));
    },
    names: async () => [...new Set((await recognisers.find({})).map((row) => row.name))].sort(),
  };
}

/** Oldest first; versions of one instant by their hash. */
export const byStoring = (
  a: Pick<StoredRecogniser, 'atMs' | 'hash'>,
  b: Pick<StoredRecogniser, 'atMs' | 'hash'>,
): number => a.atMs - b.atMs || (a.hash < b.hash ? -1 : 1);

/** @throws TocsinError RECOGNISER_TOO_LARGE, FORECASTER_TOO_LARGE */
export function refuseTooLarge(of: Registered, { length: bytes }: Uint8Array): void {
  if (bytes <= MAX_ARTEFACT_BYTES) return;
  const message = `A ${of} has at most ${MAX_ARTEFACT_BYTES} bytes; this one has ${bytes}.`;
  const options = { details: { bytes, limit: MAX_ARTEFACT_BYTES } };
  throw of === 'recogniser'
    ? new TocsinError('RECOGNISER_TOO_LARGE', message, options)
    : new TocsinError('FORECASTER_TOO_LARGE', message, options);
}

function chunkStarts(bytes: number): number[] {
  return Array.from({ length: Math.ceil(bytes / CHUNK_BYTES) }, (_, i) => i * CHUNK_BYTES);
}

/** A lean read answers the driver's Binary, which holds its bytes in `buffer`. */
function toBuffer(content: Buffer | { readonly buffer: Uint8Array } | undefined): Uint8Array {
  if (content === undefined) return new Uint8Array();
  return Buffer.isBuffer(content) ? content : new Uint8Array(content.buffer);
}
