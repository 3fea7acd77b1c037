import type { MethodDefinition } from '@grpc/grpc-js';
import { decodeMessage, IngestService, wire } from '../proto/load.ts';
import type { Columns } from '../proto/gen/tocsin/v1/Columns.ts';
import type { Item } from '../proto/gen/tocsin/v1/Item.ts';
import type { Reading } from '../proto/gen/tocsin/v1/Reading.ts';

/**
 * The wire format, written by hand where every message passes: an item is encoded once, and the same bytes are
 * queued, kept on disk, sent, and sent again. Tests hold it to the generated codec.
 */

/** What was said of a run of items. */
export type Disposition = 'accepted' | 'duplicate' | 'quarantined' | 'retry-later';

/** Answer to a run of items of one message. */
export interface Run {
  readonly firstItem: number;
  readonly items: number;
  readonly disposition: Disposition;
  /** `NOT_FINITE`, `RANGE` …; empty when it was taken. */
  readonly reason: string;
  readonly explanation: string;
  readonly retryAfterMs: number;
  readonly firstReading: number;
  /** 0: all readings of the items. */
  readonly readings: number;
}

/** Numbers of one sensor that the server is missing, both ends included. */
export interface Gap {
  readonly sensor: string;
  readonly boot: string;
  readonly firstSequence: number;
  readonly lastSequence: number;
}

export interface Result {
  readonly sequence: number;
  readonly runs: readonly Run[];
  readonly gaps: readonly Gap[];
  /** Gaps that were left out. */
  readonly moreGaps: number;
}

export interface Response {
  readonly acknowledgedThrough: number;
  readonly results: readonly Result[];
  readonly archivedThrough: number;
}

/** Bytes of a message besides its items: sequence, time, and a tag and a length for each item. */
export const MESSAGE_OVERHEAD_BYTES = 24;
export const ITEM_OVERHEAD_BYTES = 6;

const DISPOSITIONS: readonly Disposition[] = [
  // An answer that this version does not know is no receipt: the item is sent again.
  'retry-later',
  'accepted',
  'duplicate',
  'quarantined',
  'retry-later',
];

const REASONS = [
  '',
  'MALFORMED',
  'OVERSIZED',
  'NOT_FINITE',
  'FUTURE',
  'TOO_LATE',
  'UNIT',
  'RANGE',
  'UNKNOWN_SENSOR',
  'SEQUENCE',
];

const NO_GAPS: readonly Gap[] = [];
const itemCodec = wire['tocsin.v1.Item'] as unknown as { serialize(item: Item): Buffer };

/** One item as it stands in a message. */
export function encodeItem(item: Item): Buffer {
  if (item.reading) return encodeReading(item.reading) ?? itemCodec.serialize(item);
  if (item.columns) return encodeColumns(item.columns) ?? itemCodec.serialize(item);
  return itemCodec.serialize(item);
}

/** Readings, samples and bulletins in an item: what the server counts. */
export function sizeOf(item: Item): number {
  return item.columns?.values?.length ?? item.waveform?.samples?.length ?? 1;
}

function encodeReading(reading: Reading): Buffer | null {
  const { sensor = '', boot = '', sequence = 0, observedAtMs = 0, value = 0, unit = '' } = reading;
  if (!isCount(sequence) || !isCount(observedAtMs) || typeof value !== 'number') return null;
  const body =
    textSize(sensor) +
    textSize(boot) +
    textSize(unit) +
    numberSize(sequence) +
    numberSize(observedAtMs) +
    (Object.is(value, 0) ? 0 : 9);
  const bytes = Buffer.allocUnsafe(1 + varintSize(body) + body);
  bytes[0] = 0x0a;
  let at = putVarint(bytes, 1, body);
  at = putText(bytes, at, 0x0a, sensor);
  at = putText(bytes, at, 0x12, boot);
  at = putNumber(bytes, at, 0x18, sequence);
  at = putNumber(bytes, at, 0x20, observedAtMs);
  if (!Object.is(value, 0)) {
    bytes[at++] = 0x29;
    at = bytes.writeDoubleLE(value, at);
  }
  putText(bytes, at, 0x32, unit);
  return bytes;
}

function encodeColumns(columns: Columns): Buffer | null {
  const {
    sensor = '',
    boot = '',
    firstSequence = 0,
    firstObservedAtMs = 0,
    offsetsMs = [],
    intervalMs = 0,
    values = [],
    unit = '',
  } = columns;
  if (!isCount(firstSequence) || !isCount(firstObservedAtMs) || !isCount(intervalMs)) return null;
  let offsets = 0;
  for (const ms of offsetsMs) {
    if (!(ms >= 0 && ms <= 0xffff_ffff)) return null;
    offsets += varintSize(Math.trunc(ms));
  }
  const packed = values.length * 8;
  const body =
    textSize(sensor) +
    textSize(boot) +
    textSize(unit) +
    numberSize(firstSequence) +
    numberSize(firstObservedAtMs) +
    numberSize(intervalMs) +
    (offsets === 0 ? 0 : 1 + varintSize(offsets) + offsets) +
    (packed === 0 ? 0 : 1 + varintSize(packed) + packed);
  const bytes = Buffer.allocUnsafe(1 + varintSize(body) + body);
  bytes[0] = 0x12;
  let at = putVarint(bytes, 1, body);
  at = putText(bytes, at, 0x0a, sensor);
  at = putText(bytes, at, 0x12, boot);
  at = putNumber(bytes, at, 0x18, firstSequence);
  at = putNumber(bytes, at, 0x20, firstObservedAtMs);
  if (offsets > 0) {
    bytes[at] = 0x2a;
    at = putVarint(bytes, at + 1, offsets);
    for (const ms of offsetsMs) at = putVarint(bytes, at, Math.trunc(ms));
  }
  at = putNumber(bytes, at, 0x30, intervalMs);
  if (packed > 0) {
    bytes[at] = 0x3a;
    at = putVarint(bytes, at + 1, packed);
    for (const value of values) at = bytes.writeDoubleLE(Number(value), at);
  }
  putText(bytes, at, 0x42, unit);
  return bytes;
}

/** A message of a stream. `sentAtMs` is a whole number. */
export function encodeRequest(sequence: number, sentAtMs: number, items: readonly Uint8Array[]): Buffer {
  const bytes = Buffer.allocUnsafe(numberSize(sequence) + numberSize(sentAtMs) + itemsSize(items));
  putItems(bytes, putNumber(bytes, putNumber(bytes, 0, 0x08, sequence), 0x10, sentAtMs), 0x1a, items);
  return bytes;
}

/** The one message of the unary form. */
export function encodeOnce(sentAtMs: number, items: readonly Uint8Array[]): Buffer {
  const bytes = Buffer.allocUnsafe(numberSize(sentAtMs) + itemsSize(items));
  putItems(bytes, putNumber(bytes, 0, 0x08, sentAtMs), 0x12, items);
  return bytes;
}

function itemsSize(items: readonly Uint8Array[]): number {
  let size = 0;
  for (const item of items) size += 1 + varintSize(item.length) + item.length;
  return size;
}

function putItems(bytes: Buffer, start: number, tag: number, items: readonly Uint8Array[]): void {
  let at = start;
  for (const item of items) {
    bytes[at] = tag;
    at = putVarint(bytes, at + 1, item.length);
    bytes.set(item, at);
    at += item.length;
  }
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) size++;
  return size;
}

function putVarint(bytes: Buffer, at: number, value: number): number {
  let rest = value;
  for (; rest >= 2 ** 31; rest = Math.floor(rest / 128)) bytes[at++] = (rest % 128) | 128;
  for (; rest >= 128; rest >>>= 7) bytes[at++] = (rest & 127) | 128;
  bytes[at] = rest;
  return at + 1;
}

const numberSize = (value: number): number => (value === 0 ? 0 : 1 + varintSize(value));

function putNumber(bytes: Buffer, at: number, tag: number, value: number): number {
  if (value === 0) return at;
  bytes[at] = tag;
  return putVarint(bytes, at + 1, value);
}

function textSize(text: string): number {
  if (text === '') return 0;
  const size = Buffer.byteLength(text);
  return 1 + varintSize(size) + size;
}

function putText(bytes: Buffer, at: number, tag: number, text: string): number {
  if (text === '') return at;
  bytes[at] = tag;
  const size = Buffer.byteLength(text);
  const from = putVarint(bytes, at + 1, size);
  bytes.write(text, from, size);
  return from + size;
}

/** @throws RangeError for bytes that are no response */
export function decodeResponse(bytes: Buffer): Response {
  const results: Result[] = [];
  let acknowledgedThrough = 0;
  let archivedThrough = 0;
  read(bytes, 0, bytes.length, (field, value, from, to) => {
    if (field === 1) acknowledgedThrough = value;
    else if (field === 2) results.push(decodeResult(bytes, from, to));
    else if (field === 3) archivedThrough = value;
  });
  return { acknowledgedThrough, results, archivedThrough };
}

/** @throws RangeError for bytes that are no answer */
export function decodeOnce(bytes: Buffer): Response {
  let result: Result = { sequence: 0, runs: [], gaps: NO_GAPS, moreGaps: 0 };
  let archivedThrough = 0;
  read(bytes, 0, bytes.length, (field, value, from, to) => {
    if (field === 1) result = decodeResult(bytes, from, to);
    else if (field === 2) archivedThrough = value;
  });
  return { acknowledgedThrough: 0, results: [result], archivedThrough };
}

function decodeResult(bytes: Buffer, start: number, end: number): Result {
  const runs: Run[] = [];
  let gaps = NO_GAPS as Gap[];
  let sequence = 0;
  let moreGaps = 0;
  read(bytes, start, end, (field, value, from, to) => {
    if (field === 1) sequence = value;
    else if (field === 4) moreGaps = value;
    else if (field === 2) runs.push(decodeRun(bytes, from, to));
    else if (field === 3) {
      const { sensor, boot, firstSequence, lastSequence } = decodeMessage<Record<keyof Gap, string>>(
        'tocsin.v1.Gap',
        bytes.subarray(from, to),
      );
      if (gaps === NO_GAPS) gaps = [];
      gaps.push({
        sensor,
        boot,
        firstSequence: Number(firstSequence),
        lastSequence: Number(lastSequence),
      });
    }
  });
  return { sequence, runs, gaps, moreGaps };
}

function decodeRun(bytes: Buffer, start: number, end: number): Run {
  const numbers = [0, 0, 0, 0, 0, 0, 0, 0, 0];
  let explanation = '';
  read(bytes, start, end, (field, value, from, to) => {
    if (field === 5) explanation = bytes.toString('utf8', from, to);
    else if (field < numbers.length) numbers[field] = value;
  });
  return {
    firstItem: numbers[1]!,
    items: numbers[2]!,
    disposition: DISPOSITIONS[numbers[3]!] ?? 'retry-later',
    reason: REASONS[numbers[4]!] ?? `REASON_${numbers[4]!}`,
    explanation,
    retryAfterMs: numbers[6]!,
    firstReading: numbers[7]!,
    readings: numbers[8]!,
  };
}

/** Walks the fields of a message: a number for varints, a range of bytes for the rest. */
function read(
  bytes: Buffer,
  start: number,
  end: number,
  take: (field: number, value: number, from: number, to: number) => void,
): void {
  let at = start;
  while (at < end) {
    const tag = readVarint(bytes, at, end);
    at = behindVarint;
    const kind = tag & 7;
    let value = 0;
    let size = 0;
    if (kind === 1) size = 8;
    else if (kind === 5) size = 4;
    else if (kind === 0 || kind === 2) {
      const number = readVarint(bytes, at, end);
      at = behindVarint;
      if (kind === 0) value = number;
      else size = number;
    } else throw new RangeError(`The answer has a field of the unknown kind ${kind}.`);
    if (at + size > end) throw new RangeError('The answer ends in the middle of a field.');
    take(tag >>> 3, value, at, at + size);
    at += size;
  }
}

let behindVarint = 0;

/** Leaves `behindVarint` behind it. */
function readVarint(bytes: Buffer, start: number, end: number): number {
  let value = 0;
  let scale = 1;
  for (let n = 0; n < 10; n++) {
    if (start + n >= end) throw new RangeError('The answer ends in the middle of a number.');
    const byte = bytes[start + n]!;
    value += (byte & 127) * scale;
    if (byte < 128) {
      behindVarint = start + n + 1;
      return value;
    }
    scale *= 128;
  }
  throw new RangeError('A number of the answer is too long.');
}

type Method = keyof typeof IngestService.service;

/** How a method of the door is called, and how its messages are written by the generated codec. */
export const methodOf = (name: Method): MethodDefinition<object, object> =>
  IngestService.service[name] as unknown as MethodDefinition<object, object>;
