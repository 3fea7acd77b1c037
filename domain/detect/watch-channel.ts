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
  readonly #silentAfterMs: Float64Array;
  readonly #needed: number;
  /** Per sensor: NaN while the threshold is not met, or nothing was heard. */
  readonly #sinceMs: Float64Array;
  readonly #lastMs: Float64Array;
  readonly #value: Float64Array;
  readonly #counts: Uint8Array;
  readonly #suspect: Uint8Array;
  /** How far each device's clock was taken to be ahead when its last reading was placed. */
  readonly #aheadMs: Float64Array;
  readonly #judge: Judge;
  #count = 0;
  #nowMs = -Infinity;
  #nextSilenceCheckMs = -Infinity;
  #holds = false;

  constructor(options: ChannelWatchOptions) {
    const { condition, sensors, state } = options;
    this.#options = options;
    this.#silentAfterMs = Float64Array.from(sensors, (sensor) => sensor.silentAfterMs ?? SILENT_AFTER_MS);
    this.#needed = condition.onSensors === 'all' ? sensors.length : condition.onSensors;
    this.#sinceMs = new Float64Array(sensors.length).fill(NaN);
    this.#lastMs = new Float64Array(sensors.length).fill(-Infinity);
    this.#value = new Float64Array(sensors.length).fill(NaN);
    this.#counts = new Uint8Array(sensors.length);
    this.#suspect = new Uint8Array(sensors.length);
    this.#aheadMs = new Float64Array(sensors.length);
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
    if (aheadMs !== this.#aheadMs[sensor]!) this.#placeAgain(sensor, aheadMs);
    const last = this.#lastMs[sensor]!;
    if (atMs < last) return null;
    const { condition, reassures = false } = this.#options;
    const isHeld = !Number.isNaN(this.#sinceMs[sensor]!);
    const isThreshold = condition.when === 'atLeast' || condition.when === 'below';
    const isAlone = isThreshold && !reassures && (flags & QUALITY.spike) !== 0;
    const suspect = reassures && (flags & SUSPECT) !== 0;
    const meets = isAlone ? isHeld : this.#judge.meets(sensor, observedAtMs, value) && !suspect;
    if (!meets) this.#sinceMs[sensor] = NaN;
    else if (!isHeld || atMs - last > this.#silentAfterMs[sensor]!) this.#sinceMs[sensor] = atMs;
    this.#lastMs[sensor] = atMs;
    this.#value[sensor] = value;
    this.#suspect[sensor] = Number((flags & SUSPECT) !== 0);
    if (atMs > this.#nowMs) this.#nowMs = atMs;
    this.#setCounts(sensor, meets && atMs - this.#sinceMs[sensor]! >= condition.forMs);
    if (this.#count >= this.#needed) this.#discountSilent();

    const holds = this.#needed > 0 && this.#count >= this.#needed;
    if (holds === this.#holds) return null;
    this.#holds = holds;
    return this.#evidence(receivedAtMs, aheadMs, observedAtMs);
  }

  state(): ChannelWatchState {
    const sensors: Record<string, SensorMemory> = {};
    this.#options.sensors.forEach(({ id }, index) => {
      const last = this.#lastMs[index]!;
      if (last === -Infinity) return;
      const since = this.#sinceMs[index]!;
      const memory = [Number.isNaN(since) ? null : since, last, this.#value[index]!] as const;
      const aheadMs = this.#aheadMs[index]!;
      sensors[id] = aheadMs === 0 ? memory : [...memory, aheadMs];
    });
    const detectors = this.#judge.save?.();
    return { holds: this.#holds, sensors, ...(detectors === undefined ? {} : { detectors }) };
  }

  #restore(state: ChannelWatchState): void {
    this.#options.sensors.forEach(({ id }, index) => {
      const [since, last, value, aheadMs = 0] = state.sensors[id] ?? [null, -Infinity, NaN];
      this.#aheadMs[index] = aheadMs;
      this.#sinceMs[index] = since ?? NaN;
      this.#lastMs[index] = last;
      this.#value[index] = value;
      if (last > this.#nowMs) this.#nowMs = last;
      this.#setCounts(index, since !== null && last - since >= this.#options.condition.forMs);
    });
    this.#holds = state.holds;
  }

  /** More is known of a device's clock: what it said before moves with what it says now, and durations stay. */
  #placeAgain(sensor: number, aheadMs: DurationMs): void {
    const byMs = aheadMs - this.#aheadMs[sensor]!;
    this.#aheadMs[sensor] = aheadMs;
    if (this.#lastMs[sensor] === -Infinity) return;
    this.#lastMs[sensor]! -= byMs;
    this.#sinceMs[sensor]! -= byMs;
    this.#nowMs = this.#lastMs.reduce((newest, lastMs) => Math.max(newest, lastMs), -Infinity);
    this.#nextSilenceCheckMs = -Infinity;
  }

  #setCounts(sensor: number, counts: boolean): void {
    this.#count += Number(counts) - this.#counts[sensor]!;
    this.#counts[sensor] = Number(counts);
  }

  /** At most once a second of the site's time: with all quiet, `below … on all sensors` holds for days. */
  #discountSilent(): void {
    if (this.#holds && this.#nowMs < this.#nextSilenceCheckMs) return;
    this.#nextSilenceCheckMs = this.#nowMs + 1_000;
    for (let sensor = 0; sensor < this.#counts.length; sensor++) {
      if (this.#counts[sensor] === 1 && this.#nowMs - this.#lastMs[sensor]! > this.#silentAfterMs[sensor]!) {
        this.#setCounts(sensor, false);
      }
    }
  }

  #evidence(receivedAtMs: EpochMs, aheadMs: DurationMs, observedAtMs: EpochMs): ReadingsEvidence {
    const { condition, leaf, site, sensors } = this.#options;
    const atMs = this.#nowMs;
    const heard = [...sensors.keys()].filter((index) => this.#lastMs[index]! > -Infinity);
    // The deciding sensors first: those that count when it begins, those that do not when it ends.
    const decides = (index: number): number => Number((this.#counts[index] === 1) !== this.#holds);
    const digests = heard
      .sort((a, b) => decides(a) - decides(b) || a - b)
      .slice(0, DIGESTS_KEPT)
      .map((index): SensorDigest => {
        const since = this.#sinceMs[index]!;
        const filled = this.#judge.filled?.(index) ?? 0;
        return {
          sensor: sensors[index]!.id,
          vendor: sensors[index]!.vendor,
          value: this.#value[index]!,
          sinceMs: Number.isNaN(since) ? null : since,
          ...(this.#suspect[index] === 1 ? { suspect: true } : {}),
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
