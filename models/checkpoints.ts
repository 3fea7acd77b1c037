import { promisify } from 'node:util';
import { deflateRaw, inflateRaw } from 'node:zlib';
import type { Connection } from 'mongoose';
import type { CheckpointStore } from '../domain/ports-ingest.ts';
import { bytesOf, openCollection } from './collection.ts';
import type { Row } from './collection.ts';

interface CheckpointRow extends Row {
  readonly json?: string;
  /** The same, deflated (RFC 1951). */
  readonly packed?: Buffer;
}

/** Longer texts are deflated: what is known of thousands of sensors is mostly alike. */
const PACKED_FROM = 4_096;
const deflate = promisify(deflateRaw);
const inflate = promisify(inflateRaw);

/** What a process would have to work out again after a crash. Each has one writer, which replaces it whole. */
export function createCheckpointStore(connection: Connection): CheckpointStore {
  const checkpoints = openCollection<CheckpointRow>(connection, 'checkpoints', {
    json: String,
    packed: Buffer,
  });
  return {
    async load<T>(name: string) {
      const row = await checkpoints.get(name);
      if (row === null) return null;
      const text =
        row.packed === undefined ? row.json! : (await inflate(bytesOf(row.packed))).toString('utf8');
      return JSON.parse(text) as T;
    },
    // Not the one spelling: these may be large, and nothing names them by their text.
    async save(name, value) {
      const json = JSON.stringify(value);
      if (json.length < PACKED_FROM) return checkpoints.replace({ _id: name, json });
      return checkpoints.replace({ _id: name, packed: await deflate(json, { level: 1 }) });
    },
  };
}
