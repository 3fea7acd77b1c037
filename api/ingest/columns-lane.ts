import type { SensorNumbers } from '../../domain/ingest/sensor-numbers.ts';
import type { Sensor } from '../../domain/ports.ts';
import type { EpochMs } from '../../domain/units.ts';
import { isBootName, isSensorName } from '../../proto/map.ts';
import type { ColumnDecoder } from './columns.ts';
import { NameTable } from './columns-names.ts';
import { sensorKey } from './dedup.ts';
import type { Dedup } from './dedup.ts';
import { FLAG, newColumns } from './frame.ts';
import type { RunsBlock } from './frame.ts';
import type { Sender } from './sender.ts';
import type { IngestLimits } from './limits.ts';
import type { Taking } from './taking.ts';

const LATEST_MS = 8_640_000_000_000_000;
const NO_BYTES = Buffer.alloc(0);
const FIRST_ROOM = 256;
/** In place of a boot's number. */
const NO_SENSOR = -1;

export interface LaneOptions {
  readonly sender: Sender;
  readonly sensorOf: (sender: Sender, name: string) => Sensor | undefined;
  readonly dedup: Dedup;
  readonly limits: IngestLimits;
  readonly numbers: SensorNumbers;
}

/**
 * The quick way for readings with nothing unusual about them: a registered sensor, its own unit, in range, in time,
 * and with numbers that are all new or all repeated. It decides as the ordinary way does, one sender at a time, and
 * leaves everything else to it. Memory: one entry for each sensor the sender registered.
 */
export class Lane {
  readonly names: NameTable;
  readonly #options: LaneOptions;
  /** Per sensor, by its handle. */
  readonly #ids: string[] = [];
  readonly #numbers: number[] = [];
  readonly #names: string[] = [];
  readonly #keys: string[] = [];
  readonly #units: Buffer[] = [];
  readonly #boots: Buffer[] = [];
  readonly #bootNames: string[] = [];
  /** Length of the boot's name, to compare before its bytes; -1: none was heard yet. */
  #bootLengths = new Int32Array(FIRST_ROOM);
  #low = new Float64Array(FIRST_ROOM);
  #high = new Float64Array(FIRST_ROOM);
  /** Where `Dedup` keeps its numbers. */
  #slots = new Int32Array(FIRST_ROOM);
  /** Message in which it was last used, and its name's index there. */
  #usedIn = new Int32Array(FIRST_ROOM);
  #index = new Int32Array(FIRST_ROOM);
  #message = 0;
  #epoch = -1;
  /** The message's block as far as it is filled; it has room for all that may follow. */
  #open: ReturnType<typeof newColumns> | null = null;
  #runs = 0;
  #readings = 0;
  #blockNames: string[] = [];
  #blockNumbers: number[] = [];
  #bootIndex = -1;
  #bootAtIndex = '';

  constructor(options: LaneOptions) {
    this.#options = options;
    this.names = new NameTable((name) => this.#admit(name));
  }

  /** Judges one item: kept as new, known as a duplicate, or null: ask the ordinary way, nothing was taken. */
  take(taking: Taking, columns: ColumnDecoder, item: number): 'new' | 'before' | null {
    const { clockMs } = taking;
    const handle = columns.sensor[item]!;
    const first = columns.first[item]!;
    if (handle < 0 || first === 0) return null;
    const { bytes, values, atMs } = columns;
    const unitAt = columns.unitAt[item]!;
    const unitEnd = columns.unitEnd[item]!;
    if (unitEnd > unitAt && !equal(this.#units[handle]!, bytes, unitAt, unitEnd)) return null;

    const { dedup, limits } = this.#options;
    const low = this.#low[handle]!;
    const high = this.#high[handle]!;
    const from = item === 0 ? 0 : columns.readingsEnd[item - 1]!;
    const to = columns.readingsEnd[item]!;
    const latest = Math.min(clockMs + limits.futureAtMostMs, LATEST_MS);
    const oldest = clockMs - limits.lateAtMostMs;
    for (let n = from; n < to; n++) {
      const at = atMs[n]!;
      const value = values[n]!;
      // Written so that NaN fails.
      if (!(value >= low && value <= high && at <= latest && at >= oldest)) return null;
    }
    if (this.#epoch !== dedup.epoch) {
      this.#epoch = dedup.epoch;
      this.#bootLengths.fill(-1);
    }
    const bootAt = columns.bootAt[item]!;
    const bootEnd = columns.bootEnd[item]!;
    const isSameBoot =
      this.#bootLengths[handle] === bootEnd - bootAt &&
      (bootEnd === bootAt || equal(this.#boots[handle]!, bytes, bootAt, bootEnd));
    if (!isSameBoot && !this.#changeBoot(handle, bytes, bootAt, bootEnd)) return null;
    const slot = this.#slots[handle]!;
    const taken = dedup.takeWhole(slot, first, to - from, atMs[to - 1]!);
    if (taken !== null && dedup.hasGaps(slot)) {
      taking.numbered(this.#keys[handle]!, { sensor: this.#names[handle]!, boot: this.#bootNames[handle]! });
    }
    if (taken === 'new') this.#keep(columns, item, handle, first, from, to, clockMs);
    return taken;
  }

  /** Id of the sensor that an item is of; null: the ordinary way must say. */
  sensorOf(columns: ColumnDecoder, item: number): string | null {
    return this.#ids[columns.sensor[item]!] ?? null;
  }

  /** Adds what was kept since the last time to its message, as one block. */
  endBlock(taking: Taking): void {
    const open = this.#open;
    if (open === null) return;
    const [runs, readings] = [this.#runs, this.#readings];
    const isFull = open.ends.length === runs && open.values.length === readings;
    const { sensors, boots, firstSequences, ends, atMs, values, flags, columns } = isFull
      ? open
      : cut(open, runs, readings);
    const { tenant, vendor } = this.#options.sender;
    // Spelt out: spreading costs more than all the rest of a message of one reading.
    const block: { -readonly [K in keyof RunsBlock]: RunsBlock[K] } = {
      kind: 'runs',
      tenant,
      vendor,
      clockMs: taking.clockMs,
      names: this.#blockNames,
      numbers: this.#blockNumbers,
      sensors,
      boots,
      firstSequences,
      ends,
      atMs,
      values,
      flags,
      columns,
    };
    if (taking.sentAtMs > 0) block.sentAtMs = taking.sentAtMs;
    taking.keep(block);
    this.#open = null;
    this.#runs = 0;
    this.#readings = 0;
    this.#blockNames = [];
    this.#blockNumbers = [];
    this.#bootIndex = -1;
    this.#message += 1;
  }

  #keep(
    columns: ColumnDecoder,
    item: number,
    handle: number,
    first: number,
    from: number,
    to: number,
    clockMs: EpochMs,
  ): void {
    const { skewAfterMs, readingTriggersWithinMs } = this.#options.limits;
    const open = (this.#open ??= newColumns(columns.items - item, columns.readings - from));
    const run = this.#runs++;
    const start = this.#readings;
    if (this.#usedIn[handle] !== this.#message) {
      this.#usedIn[handle] = this.#message;
      this.#index[handle] = this.#blockNames.push(this.#ids[handle]!) - 1;
      this.#blockNumbers.push(this.#numbers[handle]!);
    }
    open.sensors[run] = this.#index[handle]!;
    open.boots[run] = this.#bootOf(handle);
    open.firstSequences[run] = first;
    const skewedFrom = clockMs + skewAfterMs;
    const lateBelow = clockMs - readingTriggersWithinMs;
    const { atMs, values } = columns;
    let k = start;
    for (let n = from; n < to; n++, k++) {
      const at = atMs[n]!;
      open.atMs[k] = at;
      open.values[k] = values[n]!;
      open.flags[k] = (at > skewedFrom ? FLAG.skew : 0) | (at < lateBelow ? FLAG.late : 0);
    }
    open.ends[run] = k;
    this.#readings = k;
  }

  /** Sensors of one vendor usually share a boot name; one that differs is listed again. */
  #bootOf(handle: number): number {
    const name = this.#bootNames[handle]!;
    if (this.#bootIndex < 0 || this.#bootAtIndex !== name) {
      this.#bootIndex = this.#blockNames.push(name) - 1;
      this.#blockNumbers.push(NO_SENSOR);
      this.#bootAtIndex = name;
    }
    return this.#bootIndex;
  }

  #admit(name: string): boolean {
    const { sender, sensorOf } = this.#options;
    if (!isSensorName(name)) return false;
    const sensor = sensorOf(sender, name);
    if (sensor === undefined || sensor.id.includes('\n')) return false;
    const handle = this.#ids.push(sensor.id) - 1;
    this.#numbers.push(this.#options.numbers.of(sensor.id));
    this.#names.push(name);
    this.#keys.push(sensorKey(sender.tenant, sender.vendor, sensor.id));
    this.#units.push(Buffer.from(sensor.unit, 'utf8'));
    this.#boots.push(NO_BYTES);
    this.#bootNames.push('');
    if (handle >= this.#low.length) this.#grow();
    // An infinite value is no reading, whatever the range says.
    this.#low[handle] = Math.max(sensor.low, -Number.MAX_VALUE);
    this.#high[handle] = Math.min(sensor.high, Number.MAX_VALUE);
    this.#bootLengths[handle] = -1;
    this.#usedIn[handle] = -1;
    return true;
  }

  #changeBoot(handle: number, bytes: Buffer, start: number, end: number): boolean {
    const boot = bytes.toString('latin1', start, end);
    if (!isBootName(boot)) return false;
    const slot = this.#options.dedup.slotOf(this.#keys[handle]!, boot);
    if (slot < 0) return false;
    this.#boots[handle] = Buffer.from(boot, 'latin1');
    this.#bootNames[handle] = boot;
    this.#bootLengths[handle] = boot.length;
    this.#slots[handle] = slot;
    return true;
  }

  #grow(): void {
    this.#bootLengths = twice(this.#bootLengths);
    this.#low = twice(this.#low);
    this.#high = twice(this.#high);
    this.#slots = twice(this.#slots);
    this.#usedIn = twice(this.#usedIn);
    this.#index = twice(this.#index);
  }
}

/** Columns with less in them than there is room for. */
function cut(filled: ReturnType<typeof newColumns>, runs: number, readings: number): typeof filled {
  const exact = newColumns(runs, readings);
  exact.atMs.set(filled.atMs.subarray(0, readings));
  exact.values.set(filled.values.subarray(0, readings));
  exact.flags.set(filled.flags.subarray(0, readings));
  exact.firstSequences.set(filled.firstSequences.subarray(0, runs));
  exact.sensors.set(filled.sensors.subarray(0, runs));
  exact.boots.set(filled.boots.subarray(0, runs));
  exact.ends.set(filled.ends.subarray(0, runs));
  return exact;
}

function equal(own: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (own.length !== end - start) return false;
  for (let n = own.length - 1; n >= 0; n--) if (own[n] !== bytes[start + n]) return false;
  return true;
}

function twice<A extends Float64Array | Int32Array>(array: A): A {
  const larger = new (array.constructor as new (length: number) => A)(array.length * 2);
  larger.set(array);
  return larger;
}
