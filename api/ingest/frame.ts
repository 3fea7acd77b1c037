import type { Bulletin } from '../../domain/evidence.ts';
import type { EpochMs } from '../../domain/units.ts';

/**
 * What one frame of the archive holds. The layout is durable: version 1 must be readable for ever.
 *
 * Little endian: magic `TCF1`, u32 string count, u32 block count; the strings (u16 length, UTF-8); the blocks.
 * A block is u8 kind, u32 byte length of the rest, then its fields; strings are u32 indexes. Eight more bytes
 * behind the arrays are the time of sending; a bulletin, which ends in JSON, says by a flag that it has them.
 */
export type Block = ReadingsBlock | WaveformBlock | BulletinBlock;

/** As it is stored: runs of many sensors may share one block. */
export type StoredBlock = Block | RunsBlock;

interface BlockOrigin {
  readonly tenant: string;
  readonly vendor: string;
  /** The server's time of arrival or, for recorded feeds, the feed's clock. */
  readonly clockMs: EpochMs;
  /** By the vendor's clock; absent when the vendor did not say, and in frames that knew no such field. */
  readonly sentAtMs?: EpochMs;
}

/** Readings of one sensor in a row. */
export interface ReadingsBlock extends BlockOrigin {
  readonly kind: 'readings';
  readonly sensor: string;
  readonly boot: string;
  /** Of the first reading; 0: they have no numbers. */
  readonly firstSequence: number;
  readonly atMs: Float64Array;
  readonly values: Float64Array;
  /** `FLAG` bits a reading. */
  readonly flags: Uint8Array;
}

/**
 * Runs of readings of several sensors of one vendor, as columns. It means the same as one `ReadingsBlock` a run.
 */
export interface RunsBlock extends BlockOrigin {
  readonly kind: 'runs';
  /** Sensors and boots, each once; none has a line break. */
  readonly names: readonly string[];
  /** Of those that are sensors, by `SensorNumbers` of this process; never stored, so what was read has none. */
  readonly numbers?: readonly number[];
  /** Per run: indexes of `names`, the number of its first reading (never 0), and where its readings end. */
  readonly sensors: Uint32Array;
  readonly boots: Uint32Array;
  readonly firstSequences: Float64Array;
  readonly ends: Uint32Array;
  /** Per reading, run after run. */
  readonly atMs: Float64Array;
  readonly values: Float64Array;
  readonly flags: Uint8Array;
  /** All of these columns, as they are stored. */
  readonly columns: Uint8Array;
}

type RunsColumns = Omit<RunsBlock, 'kind' | 'names' | 'numbers' | keyof BlockOrigin>;

const SLAB_BYTES = 256 * 1024;
let slab = new ArrayBuffer(SLAB_BYTES);
let slabEnd = 0;

const columnsBytes = (runs: number, readings: number): number => runs * 20 + readings * 17;

/**
 * Columns of so many runs and readings, all in one piece of memory. Small ones are cut from a larger piece, which lives
 * as long as any of them: a piece each would keep the garbage collector busy.
 */
export function newColumns(runs: number, readings: number): RunsColumns {
  const bytes = columnsBytes(runs, readings);
  if (bytes > SLAB_BYTES / 8) return columnsIn(new ArrayBuffer(bytes), 0, runs, readings);
  if (slabEnd + bytes > SLAB_BYTES) {
    slab = new ArrayBuffer(SLAB_BYTES);
    slabEnd = 0;
  }
  const start = slabEnd;
  slabEnd += (bytes + 7) & ~7;
  return columnsIn(slab, start, runs, readings);
}

function columnsIn(memory: ArrayBuffer, start: number, runs: number, readings: number): RunsColumns {
  const valuesAt = start + readings * 8;
  const firstAt = valuesAt + readings * 8;
  const sensorsAt = firstAt + runs * 8;
  return {
    atMs: new Float64Array(memory, start, readings),
    values: new Float64Array(memory, valuesAt, readings),
    firstSequences: new Float64Array(memory, firstAt, runs),
    sensors: new Uint32Array(memory, sensorsAt, runs),
    boots: new Uint32Array(memory, sensorsAt + runs * 4, runs),
    ends: new Uint32Array(memory, sensorsAt + runs * 8, runs),
    flags: new Uint8Array(memory, sensorsAt + runs * 12, readings),
    columns: new Uint8Array(memory, start, columnsBytes(runs, readings)),
  };
}

export interface WaveformBlock extends BlockOrigin {
  readonly kind: 'waveform';
  readonly sensor: string;
  readonly boot: string;
  readonly firstSequence: number;
  readonly startedAtMs: EpochMs;
  readonly rateHz: number;
  readonly flags: number;
  readonly samples: Float32Array;
}

export interface BulletinBlock extends BlockOrigin {
  readonly kind: 'bulletin';
  readonly bulletin: Bulletin;
  /** 1 for the first content under this identity. */
  readonly revision: number;
  /** SHA-256 of the canonical content, first 32 hex digits. */
  readonly contentHash: string;
  readonly flags: number;
}

export const FLAG = {
  /** Observed up to 300 s after it was received: the device's clock is off. */
  skew: 1,
  /** Too old to open an incident. */
  late: 2,
} as const;

const MAGIC = 0x31464354;
const FIRST_ROOM = 64 * 1024;
/** Set in a bulletin's stored flags only. */
const SENT_FOLLOWS = 128;
const KIND = { readings: 1, waveform: 2, bulletin: 3, runs: 4 } as const;

/** Of a block's objects, beside what it has to say. */
const OBJECT_BYTES = { readings: 650, runs: 1_100, waveform: 400, bulletin: 700 } as const;

/** About how many bytes a block is in a frame, before that is deflated. */
export function archivedBytesOf(block: StoredBlock): number {
  switch (block.kind) {
    case 'readings':
      return 100 + block.values.length * 17;
    case 'runs':
      return 100 + block.values.length * 17 + block.ends.length * 20;
    case 'waveform':
      return 100 + block.samples.length * 4;
    default:
      return 800;
  }
}

/** About how many bytes a block takes in memory: for a single reading, ten times what it says. */
export const memoryOf = (block: StoredBlock): number => OBJECT_BYTES[block.kind] + archivedBytesOf(block);

/** Collects blocks until a frame is full; finished, it begins the next one. */
export class FrameWriter {
  readonly #strings = new Map<string, number>();
  #blocks: Buffer = Buffer.allocUnsafe(FIRST_ROOM);
  /** Bytes and number of the blocks, and bytes of the strings. */
  #end = 0;
  #count = 0;
  #stringBytes = 0;

  get size(): number {
    return 12 + this.#stringBytes + this.#end;
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  add(block: StoredBlock): void {
    if (block.kind === 'runs') this.#runs(block);
    else {
      const body = this.#body(block);
      const at = this.#head(KIND[block.kind], body.length);
      body.copy(this.#blocks, at);
    }
  }

  finish(): Buffer {
    const frame = Buffer.allocUnsafe(this.size);
    let at = frame.writeUInt32LE(MAGIC, 0);
    at = frame.writeUInt32LE(this.#strings.size, at);
    at = frame.writeUInt32LE(this.#count, at);
    for (const text of this.#strings.keys()) {
      const length = frame.write(text, at + 2);
      at = frame.writeUInt16LE(length, at) + length;
    }
    this.#blocks.copy(frame, at, 0, this.#end);
    this.#strings.clear();
    this.#end = this.#count = this.#stringBytes = 0;
    return frame;
  }

  /** Begins a block of so many bytes; answers where they go. */
  #head(kind: number, length: number): number {
    const at = this.#end + 5;
    if (at + length > this.#blocks.length) {
      const larger = Buffer.allocUnsafe(2 * (at + length));
      this.#blocks.copy(larger, 0, 0, this.#end);
      this.#blocks = larger;
    }
    this.#blocks.writeUInt8(kind, this.#end);
    this.#blocks.writeUInt32LE(length, this.#end + 1);
    this.#end = at + length;
    this.#count += 1;
    return at;
  }

  #runs(block: RunsBlock): void {
    const names = block.names.join('\n');
    const namesLength = Buffer.byteLength(names);
    const { byteLength } = block.columns;
    const start = this.#head(KIND.runs, 28 + namesLength + byteLength + sentBytes(block));
    const blocks = this.#blocks;
    let at = blocks.writeUInt32LE(this.#index(block.tenant), start);
    at = blocks.writeUInt32LE(this.#index(block.vendor), at);
    at = blocks.writeDoubleLE(block.clockMs, at);
    at = blocks.writeUInt32LE(namesLength, at);
    at = blocks.writeUInt32LE(block.ends.length, at);
    at = blocks.writeUInt32LE(block.values.length, at);
    at += blocks.write(names, at);
    blocks.set(block.columns, at);
    writeSent(block, blocks, at + byteLength);
  }

  #body(block: Block): Buffer {
    const origin = [block.tenant, block.vendor];
    switch (block.kind) {
      case 'readings': {
        const n = block.values.length;
        const body = this.#start([...origin, block.sensor, block.boot], 20 + n * 17 + sentBytes(block));
        let at = 16;
        at = body.writeDoubleLE(block.clockMs, at);
        at = body.writeDoubleLE(block.firstSequence, at);
        at = body.writeUInt32LE(n, at);
        at += bytesOf(block.atMs).copy(body, at);
        at += bytesOf(block.values).copy(body, at);
        at += bytesOf(block.flags).copy(body, at);
        writeSent(block, body, at);
        return body;
      }
      case 'waveform': {
        const body = this.#start(
          [...origin, block.sensor, block.boot],
          37 + block.samples.length * 4 + sentBytes(block),
        );
        let at = 16;
        at = body.writeDoubleLE(block.clockMs, at);
        at = body.writeDoubleLE(block.firstSequence, at);
        at = body.writeDoubleLE(block.startedAtMs, at);
        at = body.writeDoubleLE(block.rateHz, at);
        at = body.writeUInt8(block.flags, at);
        at = body.writeUInt32LE(block.samples.length, at);
        at += bytesOf(block.samples).copy(body, at);
        writeSent(block, body, at);
        return body;
      }
      case 'bulletin': {
        const json = Buffer.from(JSON.stringify(block.bulletin), 'utf8');
        const body = this.#start([...origin, block.contentHash], 13 + json.length + sentBytes(block));
        let at = 12;
        at = body.writeDoubleLE(block.clockMs, at);
        at = body.writeUInt32LE(block.revision, at);
        at = body.writeUInt8(block.flags | (block.sentAtMs === undefined ? 0 : SENT_FOLLOWS), at);
        at += json.copy(body, at);
        writeSent(block, body, at);
        return body;
      }
      default:
        return block satisfies never;
    }
  }

  #start(strings: readonly string[], rest: number): Buffer {
    const body = Buffer.allocUnsafe(strings.length * 4 + rest);
    strings.forEach((text, n) => body.writeUInt32LE(this.#index(text), n * 4));
    return body;
  }

  #index(text: string): number {
    const known = this.#strings.get(text);
    if (known !== undefined) return known;
    const index = this.#strings.size;
    this.#strings.set(text, index);
    this.#stringBytes += 2 + Buffer.byteLength(text);
    return index;
  }
}

/**
 * The blocks of a frame, in order; shared blocks are taken apart.
 *
 * @throws RangeError when the bytes are not a frame
 */
export function readFrame(bytes: Uint8Array): Block[] {
  return readStored(bytes).flatMap((block) => (block.kind === 'runs' ? [...apart(block)] : [block]));
}

/** One block a run; its arrays are views. */
export function* apart(block: RunsBlock): Generator<ReadingsBlock> {
  const { names, sensors, boots, firstSequences, ends, atMs, values, flags } = block;
  const { tenant, vendor, clockMs, sentAtMs } = block;
  const origin = { tenant, vendor, clockMs, ...(sentAtMs === undefined ? {} : { sentAtMs }) };
  for (let run = 0, from = 0; run < ends.length; run++) {
    const end = ends[run]!;
    yield {
      kind: 'readings',
      ...origin,
      sensor: names[sensors[run]!]!,
      boot: names[boots[run]!]!,
      firstSequence: firstSequences[run]!,
      atMs: atMs.subarray(from, end),
      values: values.subarray(from, end),
      flags: flags.subarray(from, end),
    };
    from = end;
  }
}

/**
 * The blocks of a frame as they are stored.
 *
 * @throws RangeError when the bytes are not a frame
 */
export function readStored(bytes: Uint8Array): StoredBlock[] {
  const frame = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (frame.length < 12 || frame.readUInt32LE(0) !== MAGIC) throw new RangeError('Not a frame.');
  const strings: string[] = [];
  let at = 12;
  for (let n = frame.readUInt32LE(4); n > 0; n--) {
    const length = frame.readUInt16LE(at);
    strings.push(frame.toString('utf8', at + 2, at + 2 + length));
    at += 2 + length;
  }
  const blocks: StoredBlock[] = [];
  for (let n = frame.readUInt32LE(8); n > 0; n--) {
    const kind = frame.readUInt8(at);
    const length = frame.readUInt32LE(at + 1);
    if (at + 5 + length > frame.length) throw new RangeError('A block reaches over the end of its frame.');
    blocks.push(readBlock(kind, frame.subarray(at + 5, at + 5 + length), strings));
    at += 5 + length;
  }
  return blocks;
}

function readBlock(kind: number, body: Buffer, strings: readonly string[]): StoredBlock {
  const text = (n: number): string => strings[body.readUInt32LE(n * 4)] ?? '';
  const origin = { tenant: text(0), vendor: text(1) };
  if (kind === KIND.readings) {
    const n = body.readUInt32LE(32);
    return {
      kind: 'readings',
      ...origin,
      sensor: text(2),
      boot: text(3),
      clockMs: body.readDoubleLE(16),
      firstSequence: body.readDoubleLE(24),
      atMs: new Float64Array(copied(body, 36, n * 8)),
      values: new Float64Array(copied(body, 36 + n * 8, n * 8)),
      flags: new Uint8Array(copied(body, 36 + n * 16, n)),
      ...sentAt(body, 36 + n * 17),
    };
  }
  if (kind === KIND.waveform) {
    return {
      kind: 'waveform',
      ...origin,
      sensor: text(2),
      boot: text(3),
      clockMs: body.readDoubleLE(16),
      firstSequence: body.readDoubleLE(24),
      startedAtMs: body.readDoubleLE(32),
      rateHz: body.readDoubleLE(40),
      flags: body.readUInt8(48),
      samples: new Float32Array(copied(body, 53, body.readUInt32LE(49) * 4)),
      ...sentAt(body, 53 + body.readUInt32LE(49) * 4),
    };
  }
  if (kind === KIND.bulletin) {
    const flags = body.readUInt8(24);
    const end = body.length - ((flags & SENT_FOLLOWS) === 0 ? 0 : 8);
    return {
      kind: 'bulletin',
      ...origin,
      contentHash: text(2),
      clockMs: body.readDoubleLE(12),
      revision: body.readUInt32LE(20),
      flags: flags & ~SENT_FOLLOWS,
      bulletin: JSON.parse(body.toString('utf8', 25, end)) as Bulletin,
      ...sentAt(body, end),
    };
  }
  if (kind === KIND.runs) return readRuns(body, origin);
  throw new RangeError(`A block of unknown kind ${kind}.`);
}

function readRuns(body: Buffer, origin: { readonly tenant: string; readonly vendor: string }): RunsBlock {
  const [namesLength, runs, n] = [body.readUInt32LE(16), body.readUInt32LE(20), body.readUInt32LE(24)];
  const columnsAt = 28 + namesLength;
  if (columnsAt > body.length) throw new RangeError('Names reach over the end of their block.');
  const length = columnsBytes(runs, n);
  const block = {
    kind: 'runs',
    ...origin,
    clockMs: body.readDoubleLE(8),
    names: body.toString('utf8', 28, columnsAt).split('\n'),
    ...columnsIn(copied(body, columnsAt, length), 0, runs, n),
  } as const;
  let before = 0;
  for (let run = 0; run < runs; run++) {
    const isNamed = block.sensors[run]! < block.names.length && block.boots[run]! < block.names.length;
    if (!isNamed || block.ends[run]! <= before) throw new RangeError('A run without a name or readings.');
    before = block.ends[run]!;
  }
  if (before !== n) throw new RangeError('Readings that belong to no run.');
  return { ...block, ...sentAt(body, columnsAt + length) };
}

const sentBytes = (block: StoredBlock): number => (block.sentAtMs === undefined ? 0 : 8);

function writeSent(block: StoredBlock, body: Buffer, at: number): void {
  if (block.sentAtMs !== undefined) body.writeDoubleLE(block.sentAtMs, at);
}

const sentAt = (body: Buffer, at: number): { sentAtMs?: EpochMs } =>
  body.length >= at + 8 ? { sentAtMs: body.readDoubleLE(at) } : {};

const bytesOf = (array: Float64Array | Float32Array | Uint8Array): Buffer =>
  Buffer.from(array.buffer, array.byteOffset, array.byteLength);

/** A copy of its own: typed arrays need their alignment, and a view would keep the whole frame alive. */
function copied(body: Buffer, start: number, length: number): ArrayBuffer {
  if (start + length > body.length) throw new RangeError('An array reaches over the end of its block.');
  const copy = new ArrayBuffer(length);
  body.copy(new Uint8Array(copy), 0, start, start + length);
  return copy;
}
