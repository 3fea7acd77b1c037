import type { Sensor } from '../../domain/ports.ts';
import type { EpochMs } from '../../domain/units.ts';
import { isBootName, isSensorName } from '../../proto/map.ts';
import type { ColumnDecoder } from './columns.ts';
import { NameTable } from './columns-names.ts';
import { sensorKey } from './dedup.ts';
import type { Dedup, Standing } from './dedup.ts';
import { FLAG } from './frame.ts';
import type { RunsBlock } from './frame.ts';
import type { Sender } from './intake.ts';
import type { IngestLimits } from './limits.ts';

const LATEST_MS = 8_640_000_000_000_000;
const NO_BYTES = Buffer.alloc(0);

/** What the lane knows of one sensor. */
interface Known {
  readonly sensor: Sensor;
  readonly key: string;
  readonly unit: Buffer;
  readonly low: number;
  readonly high: number;
  boot: Buffer;
  bootName: string;
  standing: Standing | null;
}

export interface LaneOptions {
  readonly sender: Sender;
  readonly sensorOf: (sender: Sender, name: string) => Sensor | undefined;
  readonly dedup: Dedup;
  readonly limits: IngestLimits;
}

/**
 * The quick way for readings with nothing unusual about them: a registered sensor, its own unit, in range, in time,
 * and the next in their numbers or repeated whole. It decides as the ordinary way does, one sender at a time, and
 * leaves everything else to it. Memory: one entry for each sensor the sender registered.
 */
export class Lane {
  readonly names: NameTable;
  readonly #options: LaneOptions;
  readonly #known: Known[] = [];
  /** Block in which a sensor was last used, and its name's index there. */
  #usedIn = new Int32Array(256);
  #index = new Int32Array(256);
  #block = 0;

  #sensors = new Uint32Array(1_024);
  #boots = new Uint32Array(1_024);
  #firstSequences = new Float64Array(1_024);
  #ends = new Uint32Array(1_024);
  #atMs = new Float64Array(4_096);
  #values = new Float64Array(4_096);
  #flags = new Uint8Array(4_096);
  #runs = 0;
  #readings = 0;
  #names: string[] = [];
  #bootIndex = -1;
  #bootAtIndex = '';

  constructor(options: LaneOptions) {
    this.#options = options;
    this.names = new NameTable((name) => this.#admit(name));
  }

  /** Judges one item: kept as new, known as a duplicate, or null: ask the ordinary way, nothing was taken. */
  take(columns: ColumnDecoder, item: number, clockMs: EpochMs): 'new' | 'before' | null {
    const handle = columns.sensor[item]!;
    const first = columns.first[item]!;
    if (handle < 0 || first === 0) return null;
    const known = this.#known[handle]!;
    const { bytes, values, atMs } = columns;
    const unitAt = columns.unitAt[item]!;
    const unitEnd = columns.unitEnd[item]!;
    if (unitEnd > unitAt && !equal(known.unit, bytes, unitAt, unitEnd)) return null;

    const { dedup, limits } = this.#options;
    const { low, high } = known;
    const from = item === 0 ? 0 : columns.readingsEnd[item - 1]!;
    const to = columns.readingsEnd[item]!;
    const count = to - from;
    const latest = Math.min(clockMs + limits.futureAtMostMs, LATEST_MS);
    const oldest = clockMs - limits.lateAtMostMs;
    for (let n = from; n < to; n++) {
      const at = atMs[n]!;
      const value = values[n]!;
      // Written so that NaN fails.
      if (!(value >= low && value <= high && at <= latest && at >= oldest)) return null;
    }
    const bootAt = columns.bootAt[item]!;
    const bootEnd = columns.bootEnd[item]!;
    const isSameBoot =
      known.standing !== null && !known.standing.forgotten && equal(known.boot, bytes, bootAt, bootEnd);
    if (!isSameBoot && !this.#changeBoot(known, bytes, bootAt, bootEnd)) return null;
    const taken = dedup.takeUsual(known.standing!, first, count, atMs[to - 1]!);
    if (taken === 'new') this.#keep(columns, known, handle, first, from, to, clockMs);
    return taken;
  }

  /** What was kept since the last time, as one block; null: nothing. */
  block(clockMs: EpochMs, sentAtMs: EpochMs): RunsBlock | null {
    if (this.#runs === 0) return null;
    const [runs, readings] = [this.#runs, this.#readings];
    const block: RunsBlock = {
      kind: 'runs',
      ...this.#options.sender,
      clockMs,
      ...(sentAtMs > 0 ? { sentAtMs } : {}),
      names: this.#names,
      sensors: this.#sensors.slice(0, runs),
      boots: this.#boots.slice(0, runs),
      firstSequences: this.#firstSequences.slice(0, runs),
      ends: this.#ends.slice(0, runs),
      atMs: this.#atMs.slice(0, readings),
      values: this.#values.slice(0, readings),
      flags: this.#flags.slice(0, readings),
    };
    this.#runs = 0;
    this.#readings = 0;
    this.#names = [];
    this.#bootIndex = -1;
    this.#block += 1;
    return block;
  }

  #keep(
    columns: ColumnDecoder,
    known: Known,
    handle: number,
    first: number,
    from: number,
    to: number,
    clockMs: EpochMs,
  ): void {
    const { skewAfterMs, readingTriggersWithinMs } = this.#options.limits;
    const run = this.#runs;
    const start = this.#readings;
    const end = start + to - from;
    if (run === this.#ends.length) this.#growRuns();
    if (end > this.#values.length) this.#growReadings(end);
    this.#sensors[run] = this.#nameOf(known, handle);
    this.#boots[run] = this.#bootOf(known);
    this.#firstSequences[run] = first;
    this.#ends[run] = end;
    const skewedFrom = clockMs + skewAfterMs;
    const lateBelow = clockMs - readingTriggersWithinMs;
    for (let n = from, k = start; n < to; n++, k++) {
      const at = columns.atMs[n]!;
      this.#atMs[k] = at;
      this.#values[k] = columns.values[n]!;
      this.#flags[k] = (at > skewedFrom ? FLAG.skew : 0) | (at < lateBelow ? FLAG.late : 0);
    }
    this.#runs = run + 1;
    this.#readings = end;
  }

  #nameOf(known: Known, handle: number): number {
    if (this.#usedIn[handle] === this.#block) return this.#index[handle]!;
    this.#usedIn[handle] = this.#block;
    return (this.#index[handle] = this.#names.push(known.sensor.id) - 1);
  }

  /** Sensors of one vendor usually share a boot name; one that differs is listed again. */
  #bootOf({ bootName }: Known): number {
    if (this.#bootIndex < 0 || this.#bootAtIndex !== bootName) {
      this.#bootIndex = this.#names.push(bootName) - 1;
      this.#bootAtIndex = bootName;
    }
    return this.#bootIndex;
  }

  #admit(name: string): boolean {
    const { sender, sensorOf } = this.#options;
    if (!isSensorName(name)) return false;
    const sensor = sensorOf(sender, name);
    if (sensor === undefined || sensor.id.includes('\n')) return false;
    const handle = this.#known.length;
    this.#known.push({
      sensor,
      key: sensorKey(sender.tenant, sender.vendor, sensor.id),
      unit: Buffer.from(sensor.unit, 'utf8'),
      // An infinite value is no reading, whatever the range says.
      low: Math.max(sensor.low, -Number.MAX_VALUE),
      high: Math.min(sensor.high, Number.MAX_VALUE),
      boot: NO_BYTES,
      bootName: '',
      standing: null,
    });
    if (handle >= this.#usedIn.length) {
      this.#usedIn = twice(this.#usedIn);
      this.#index = twice(this.#index);
    }
    this.#usedIn[handle] = -1;
    return true;
  }

  #changeBoot(known: Known, bytes: Buffer, start: number, end: number): boolean {
    const boot = bytes.toString('latin1', start, end);
    if (!isBootName(boot)) return false;
    const standing = this.#options.dedup.standing(known.key, boot);
    if (standing === null) return false;
    known.boot = Buffer.from(boot, 'latin1');
    known.bootName = boot;
    known.standing = standing;
    return true;
  }

  #growRuns(): void {
    this.#sensors = twice(this.#sensors);
    this.#boots = twice(this.#boots);
    this.#firstSequences = twice(this.#firstSequences);
    this.#ends = twice(this.#ends);
  }

  #growReadings(needed: number): void {
    while (this.#values.length < needed) {
      this.#atMs = twice(this.#atMs);
      this.#values = twice(this.#values);
      this.#flags = twice(this.#flags);
    }
  }
}

function equal(own: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (own.length !== end - start) return false;
  for (let n = own.length - 1; n >= 0; n--) if (own[n] !== bytes[start + n]) return false;
  return true;
}

function twice<A extends Float64Array | Int32Array | Uint32Array | Uint8Array>(array: A): A {
  const larger = new (array.constructor as new (length: number) => A)(array.length * 2);
  larger.set(array);
  return larger;
}
