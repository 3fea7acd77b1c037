import { promisify } from 'node:util';
import { deflateRaw, inflateRaw } from 'node:zlib';
import type { Connection } from 'mongoose';
import { TocsinError } from '../domain/errors.ts';
import type { ArchivedFrame, FrameArchive } from '../domain/ports-ingest.ts';
import { bytesOf, openCollection } from './collection.ts';
import type { Collection, Row } from './collection.ts';

interface FrameRow extends Row {
  readonly writer: string;
  readonly receivedAtMs: number;
  /** One of both. */
  readonly bytes?: Buffer;
  /** The same, deflated (RFC 1951). */
  readonly deflated?: Buffer;
}

/** Frames of one collection: small enough to stay quick, and the unit in which old frames are dropped. */
const FRAMES_A_PARTITION = 8_192;
const ROWS_AT_ONCE = 50;
const fields = { writer: String, receivedAtMs: Number, bytes: Buffer, deflated: Buffer };
/** Larger frames are deflated, beside the event loop: a third of the bytes is a third of the store's work. */
const DEFLATED_FROM_BYTES = 4 * 1024;
const deflate = promisify(deflateRaw);
const inflate = promisify(inflateRaw);

/** The archive: `frames_<partition>`, rows by number. A partition is dropped as a whole when its time has come. */
export function createFrameArchive(connection: Connection): FrameArchive {
  const partition = (seq: number): Collection<FrameRow> =>
    openCollection<FrameRow>(connection, `frames_${partitionOf(seq)}`, fields);
  return {
    async append(frames) {
      for (const name of new Set(frames.map(({ seq }) => partitionOf(seq)))) {
        const part = frames.filter(({ seq }) => partitionOf(seq) === name);
        for (let from = 0; from < part.length; from += ROWS_AT_ONCE) {
          await insert(partition(part[0]!.seq), part.slice(from, from + ROWS_AT_ONCE));
        }
      }
    },
    async read(seq) {
      const row = await partition(seq).get(idOf(seq));
      return row === null ? null : fromRow(row);
    },
  };
}

async function insert(collection: Collection<FrameRow>, frames: readonly ArchivedFrame[]): Promise<void> {
  const existing = await collection.insertMissing(await Promise.all(frames.map(toRow)));
  for (const id of existing) {
    const row = await collection.get(id);
    const meant = frames.find(({ seq }) => idOf(seq) === id);
    if (row === null || meant === undefined || row.writer !== meant.writer) throw archiveConflict(id);
  }
}

/** Two processes number frames: neither may acknowledge anything until one of them is gone. */
export function archiveConflict(id: string): TocsinError {
  return new TocsinError('ARCHIVE_CONFLICT', `Another process wrote frame ${id} of the archive.`, {
    details: { id },
  });
}

const partitionOf = (seq: number): string => String(Math.floor(seq / FRAMES_A_PARTITION)).padStart(6, '0');
const idOf = (seq: number): string => String(seq).padStart(12, '0');

async function toRow({ seq, writer, receivedAtMs, bytes }: ArchivedFrame): Promise<FrameRow> {
  const row = { _id: idOf(seq), writer, receivedAtMs };
  const frame = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (frame.length < DEFLATED_FROM_BYTES) return { ...row, bytes: frame };
  return { ...row, deflated: await deflate(frame, { level: 1 }) };
}

async function fromRow({ _id, writer, receivedAtMs, bytes, deflated }: FrameRow): Promise<ArchivedFrame> {
  const frame = deflated === undefined ? bytesOf(bytes!) : await inflate(bytesOf(deflated));
  return { seq: Number(_id), writer, receivedAtMs, bytes: frame };
}
