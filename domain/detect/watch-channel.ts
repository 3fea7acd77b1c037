import type { ReadingsEvidence, SensorDigest } from '../evidence.ts';
import { QUALITY, SUSPECT } from '../ingest/quality.ts';
import type { RegisteredForecaster } from '../forecast/trained.ts';
import type { ReadingsCondition } from '../plan/document.ts';
import type { DurationMs, EpochMs } from '../units.ts';
import type { Judge } from './judge.ts';
import type { WatchedSensor } from './watched-sensor.ts';
import { createJudge } from './judge.ts';
import type { DetectorState } from './detector.ts';

export interface ChannelWatchOptions {
  readonly condition: ReadingsCondition;
  /** Path of the condition in the plan document. */
  readonly leaf: string;
  readonly site: string;
  /** All sensors of the site that measure the condition's channel in its unit. */
  readonly sensors: readonly WatchedSensor[];
  /** True where the condition says that all is well again: suspect readings do not count for it. @default false */
  readonly reassures?: boolean;
  /** The one that the condition names, when it is at hand and fits. */
  readonly forecaster?: RegisteredForecaster | undefined;
  readonly state?: ChannelWatchState;
}

type SensorMemory = readonly [sinceMs: EpochMs | null, lastMs: EpochMs, value: number, aheadMs?: DurationMs];

/** Everything a watch must remember, as JSON. A sensor: since when it meets the condition (null: it does not), when it was last heard, its last value. */
export interface ChannelWatchState {
  readonly holds: boolean;
  readonly sensors: Readonly<Record<string, SensorMemory>>;
  /** What the condition's detectors remember, by sensor; absent for thresholds. */
  readonly detectors?: Readonly<Record<string, DetectorState>>;
}

/**
 * Where in a sensor's part of the memory what stands: a cache line each, because thousands of sensors take turns. SINCE
 * is NaN while the condition is not met or nothing was heard; AHEAD is how far the device's clock was taken to be ahead
 * when its last reading was placed.
 */
const SINCE = 0;
const LAST = 1;
const VALUE = 2;
const AHEAD = 3;
const SILENT_AFTER = 4;
const COUNTS = 5;
const SUSPECTED = 6;
const STRIDE = 8;

const DIGESTS_KEPT = 50;
const SILENT_AFTER_MS = 60_000;

/**
 * Watches one channel condition at one site, reading by reading, in memory that depends on the number of sensors
 * only. A sensor counts when its own readings met the condition without a break for `forMs`; the condition holds
 * when enough sensors count at the same time. Readings of one sensor must come in time order: an older one than
 * the last is ignored.
 *
 * Suspect readings may alarm but not reassure: where the condition reassures, a sensor with a spike, a stuck value or
 * a filled gap does not count. Elsewhere a lone spike neither begins
 * nor breaks the hold of a threshold: the reading after it decides. A detector sees every reading, spikes too.
 */
export class ChannelWatch {
  readonly #options: ChannelWatchOptions;
  readonly #needed: number;
  readonly #forMs: DurationMs;
  readonly #isThreshold: boolean;
  readonly #reassures: boolean;
  readonly #memory: Float64Array;
  readonly #judge: Judge;
  #count = 0;
  #nowMs = -Infinity;
  #nextSilenceCheckMs = -Infinity;
  #holds = false;

  constructor(options: ChannelWatchOptions) {
    const { condition, sensors, state } = options;
    this.#options = options;
    this.#needed = condition.onSensors === 'all' ? sensors.length : condition.onSensors;
    this.#forMs = condition.forMs;
    this.#isThreshold = condition.when === 'atLeast' || condition.when === 'below';
    this.#reassures = options.reassures ?? false;
    this.#memory = new Float64Array(sensors.length * STRIDE);
    sensors.forEach(({ silentAfterMs = SILENT_AFTER_MS }, sensor) => {
      this.#memory.set([NaN, -Infinity, NaN, 0, silentAfterMs], sensor * STRIDE);
    });
    this.#judge = createJudge(condition, sensors, state?.detectors, options.forecaster);
    if (state !== undefined) this.#restore(state);
  }

  get holds(): boolean {
    return this.#holds;
  }

  /**
   * Takes one reading. Answers evidence when the condition begins or ceases to hold at the site.
   *
   * @param sensor position in `sensors`
   * @param atMs when it was observed, by our clock
   * @param value in the condition's unit, finite
   * @param flags bits of QUALITY
   * @param observedAtMs by the device's clock
   */
  push(
    sensor: number,
    atMs: EpochMs,
    value: number,
    receivedAtMs: EpochMs,
    flags = 0,
    observedAtMs: EpochMs = atMs,
  ): ReadingsEvidence | null {
    const aheadMs = observedAtMs - atMs;
    const memory = this.#memory;
    const own = sensor * STRIDE;
    if (aheadMs !== memory[own + AHEAD]!) this.#placeAgain(own, aheadMs);
    const last = memory[own + LAST]!;
    if (atMs < last) return null;
    let since = memory[own + SINCE]!;
    const isHeld = !Number.isNaN(since);
    const isAlone = this.#isThreshold && !this.#reassures && (flags & QUALITY.spike) !== 0;
    const isSuspect = (flags & SUSPECT) !== 0;
    const meets = isAlone
      ? isHeld
      : this.#judge.meets(sensor, observedAtMs, value) && !(this.#reassures && isSuspect);
    if (!meets) since = NaN;
    else if (!isHeld || atMs - last > memory[own + SILENT_AFTER]!) since = atMs;
    memory[own + SINCE] = since;
    memory[own + LAST] = atMs;
    memory[own + VALUE] = value;
    memory[own + SUSPECTED] = Number(isSuspect);
    if (atMs > this.#nowMs) this.#nowMs = atMs;
    this.#setCounts(own, meets && atMs - since >= this.#forMs);
    if (this.#count >= this.#needed) this.#discountSilent();

    const holds = this.#needed > 0 && this.#count >= this.#needed;
    if (holds === this.#holds) return null;
    this.#holds = holds;
    return this.#evidence(receivedAtMs, aheadMs, observedAtMs);
  }

  state(): ChannelWatchState {
    const sensors: Record<string, SensorMemory> = {};
    this.#options.sensors.forEach(({ id }, index) => {
      const [since, last, value, aheadMs] = this.#of(index);
      if (last === -Infinity) return;
      const memory = [Number.isNaN(since) ? null : since, last, value] as const;
      sensors[id] = aheadMs === 0 ? memory : [...memory, aheadMs];
    });
    const detectors = this.#judge.save?.();
    return { holds: this.#holds, sensors, ...(detectors === undefined ? {} : { detectors }) };
  }

  #restore(state: ChannelWatchState): void {
    this.#options.sensors.forEach(({ id }, index) => {
      const [since, last, value, aheadMs = 0] = state.sensors[id] ?? [null, -Infinity, NaN];
      this.#memory.set([since ?? NaN, last, value, aheadMs], index * STRIDE);
      if (last > this.#nowMs) this.#nowMs = last;
      this.#setCounts(index * STRIDE, since !== null && last - since >= this.#forMs);
    });
    this.#holds = state.holds;
  }

  /** More is known of a device's clock: what it said before moves with what it says now, and durations stay. */
  #placeAgain(own: number, aheadMs: DurationMs): void {
    const memory = this.#memory;
    const byMs = aheadMs - memory[own + AHEAD]!;
    memory[own + AHEAD] = aheadMs;
    const before = memory[own + LAST]!;
    if (before === -Infinity) return;
    const last = before - byMs;
    memory[own + LAST] = last;
    memory[own + SINCE]! -= byMs;
    if (last >= this.#nowMs) this.#nowMs = last;
    else if (before === this.#nowMs) this.#nowMs = newestOf(memory);
    this.#nextSilenceCheckMs = -Infinity;
  }

  #of(sensor: number): readonly [sinceMs: EpochMs, lastMs: EpochMs, value: number, aheadMs: DurationMs] {
    const own = sensor * STRIDE;
    const memory = this.#memory;
    return [memory[own + SINCE]!, memory[own + LAST]!, memory[own + VALUE]!, memory[own + AHEAD]!];
  }

  #setCounts(own: number, counts: boolean): void {
    const now = Number(counts);
    this.#count += now - this.#memory[own + COUNTS]!;
    this.#memory[own + COUNTS] = now;
  }

  /** At most once a second of the site's time: with all quiet, `below … on all sensors` holds for days. */
  #discountSilent(): void {
    if (this.#holds && this.#nowMs < this.#nextSilenceCheckMs) return;
    this.#nextSilenceCheckMs = this.#nowMs + 1_000;
    const memory = this.#memory;
    for (let own = 0; own < memory.length; own += STRIDE) {
      const silentForMs = this.#nowMs - memory[own + LAST]!;
      if (memory[own + COUNTS] === 1 && silentForMs > memory[own + SILENT_AFTER]!)
        this.#setCounts(own, false);
    }
  }

  #evidence(receivedAtMs: EpochMs, aheadMs: DurationMs, observedAtMs: EpochMs): ReadingsEvidence {
    const { condition, leaf, site, sensors } = this.#options;
    const atMs = this.#nowMs;
    const memory = this.#memory;
    const heard = [...sensors.keys()].filter((index) => memory[index * STRIDE + LAST]! > -Infinity);
    // The deciding sensors first: those that count when it begins, those that do not when it ends.
    const decides = (index: number): number =>
      Number((memory[index * STRIDE + COUNTS] === 1) !== this.#holds);
    const digests = heard
      .sort((a, b) => decides(a) - decides(b) || a - b)
      .slice(0, DIGESTS_KEPT)
      .map((index): SensorDigest => {
        const [since, , value] = this.#of(index);
        const filled = this.#judge.filled?.(index) ?? 0;
        return {
          sensor: sensors[index]!.id,
          vendor: sensors[index]!.vendor,
          value,
          sinceMs: Number.isNaN(since) ? null : since,
          ...(memory[index * STRIDE + SUSPECTED] === 1 ? { suspect: true } : {}),
          ...(filled === 0 ? {} : { filled }),
        };
      });
    const forecast = this.#judge.forecast?.(heard[0]!);
    const starts = digests.map((digest) => digest.sinceMs ?? atMs);
    return {
      kind: 'readings',
      key: `${site}|${leaf}|${atMs}|${this.#holds}`,
      atMs,
      ...(aheadMs === 0 ? {} : { observedAtMs }),
      receivedAtMs,
      site,
      leaf,
      holds: this.#holds,
      channel: condition.channel,
      unit: condition.unit,
      sensors: digests,
      windowStartMs: starts.reduce((first, start) => Math.min(first, start), atMs),
      windowEndMs: atMs,
      ...(forecast === undefined ? {} : { forecast }),
    };
  }
}

function newestOf(memory: Float64Array): EpochMs {
  let newest = -Infinity;
  for (let at = LAST; at < memory.length; at += STRIDE) newest = Math.max(newest, memory[at]!);
  return newest;
}
