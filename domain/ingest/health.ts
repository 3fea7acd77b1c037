import type { Sensor } from '../ports.ts';
import type { DurationMs, EpochMs } from '../units.ts';
import type { ClockEstimate, ClockState } from './clock.ts';
import { ClockEstimator } from './clock.ts';
import type { QualityState } from './quality.ts';
import { QUALITY, SensorQuality } from './quality.ts';

/**
 * How far a sensor can be relied on. `silent`, `stuck`, `flat` and `noisy` are doubts that people hear of; `skewed`
 * is corrected and `gappy` only told. `unheard`: registered, and nothing came yet.
 */
export type SensorStatus = 'ok' | 'unheard' | 'silent' | 'stuck' | 'flat' | 'noisy' | 'skewed' | 'gappy';

export interface SensorHealth {
  readonly sensor: string;
  readonly site: string;
  readonly status: SensorStatus;
  /** Since when it is so, by the server's clock; for a recorded feed, by the feed's. */
  readonly sinceMs: EpochMs;
  readonly lastObservedAtMs: EpochMs;
  readonly lastReceivedAtMs: EpochMs;
  readonly lastValue: number;
  readonly readings: number;
  readonly missing: number;
  readonly disordered: number;
  readonly spikes: number;
  readonly late: number;
  readonly skewed: number;
  readonly clock: ClockEstimate | null;
  /** What is taken off its times; 0: nothing. */
  readonly correctedByMs: DurationMs;
}

/** True when people should hear of it. */
export const isDoubtful = (status: SensorStatus): boolean =>
  status === 'silent' || status === 'stuck' || status === 'flat' || status === 'noisy';

/** A sensor that is silent for longer does not count: a minute, or five of its declared intervals. */
export const silentAfterMs = (sensor: Pick<Sensor, 'samplingHz'>): DurationMs =>
  Math.max(60_000, sensor.samplingHz ? 5_000 / sensor.samplingHz : 0);

export interface TakenReadings {
  readonly atMs: ArrayLike<number>;
  readonly values: ArrayLike<number>;
  /** QUALITY bits that are known already; a number stands for all. */
  readonly flags: Uint8Array | number;
  readonly sentAtMs: EpochMs | undefined;
  readonly receivedAtMs: EpochMs;
  readonly isWaveform: boolean;
}

export interface JudgedReadings {
  /** When each was observed, by our clock. */
  readonly placedAtMs: Float64Array;
  readonly flags: Uint8Array;
  /** By how much the times were moved at most. */
  readonly correctedByMs: DurationMs;
}

const NOISY_FROM = 0.05;
const GAPPY_FROM = 0.2;
/** Shares are over about so many readings. */
const SHARE_OVER = 256;

/** Columns that are judged in place: `flags` holds what the door said, and gets what is said here. */
export interface JudgedColumns extends Omit<TakenReadings, 'flags'> {
  readonly flags: Uint8Array;
  readonly placedAtMs: Float64Array;
}

/** Everything a monitor must remember, as JSON. */
export interface MonitorState {
  readonly quality: QualityState;
  readonly clock: ClockState;
  readonly numbers: readonly number[];
  readonly status: SensorStatus;
}

/** Follows one sensor: the quality of its readings, its clock, and whether it still speaks. */
export class SensorMonitor {
  readonly sensor: Sensor;
  readonly #quality: SensorQuality;
  readonly #clock: ClockEstimator;
  #status: SensorStatus;
  #sinceMs = 0;
  #lastObservedMs = -Infinity;
  #lastReceivedMs = 0;
  #lastValue = NaN;
  #readings = 0;
  #late = 0;
  #skewed = 0;
  #spikeShare = 0;
  #missingShare = 0;

  constructor(sensor: Sensor, state?: MonitorState) {
    this.sensor = sensor;
    this.#quality = new SensorQuality(
      {
        low: sensor.low,
        high: sensor.high,
        intervalMs: sensor.samplingHz ? 1_000 / sensor.samplingHz : undefined,
      },
      state?.quality,
    );
    this.#clock = new ClockEstimator(state?.clock);
    this.#status = state?.status ?? 'unheard';
    if (state !== undefined) this.#restore(state.numbers);
  }

  take(batch: TakenReadings): JudgedReadings {
    const n = batch.values.length;
    const flags = typeof batch.flags === 'number' ? new Uint8Array(n).fill(batch.flags) : batch.flags.slice();
    const placedAtMs = new Float64Array(n);
    const correctedByMs = this.judge({ ...batch, flags, placedAtMs }, 0, n);
    return { placedAtMs, flags, correctedByMs };
  }

  /** The same for readings `from` to `to` of columns that are shared by many sensors: writes flags and places. */
  judge(columns: JudgedColumns, from: number, to: number): DurationMs {
    const { atMs, values, flags, placedAtMs, sentAtMs, receivedAtMs, isWaveform } = columns;
    const n = to - from;
    this.#clock.take({ observedAtMs: atMs[to - 1]!, sentAtMs, receivedAtMs });
    const correctedByMs = this.#clock.correction(this.sensor.clockQuality);
    const missingBefore = this.#quality.missing;
    for (let i = from; i < to; i++) {
      const at = atMs[i]!;
      let flag = flags[i]!;
      if ((flag & QUALITY.late) === 0) flag |= this.#quality.take(at, values[i]!, !isWaveform);
      else this.#late += 1;
      flags[i] = flag;
      if ((flag & QUALITY.skew) !== 0) this.#skewed += 1;
      placedAtMs[i] = at - correctedByMs;
      if (at > this.#lastObservedMs) this.#lastObservedMs = at;
      this.#spikeShare += (Number((flag & QUALITY.spike) !== 0) - this.#spikeShare) / SHARE_OVER;
    }
    const missing = this.#quality.missing - missingBefore;
    this.#missingShare += (missing / (missing + n) - this.#missingShare) * Math.min(1, n / SHARE_OVER);
    this.#readings += n;
    this.#lastReceivedMs = receivedAtMs;
    this.#lastValue = values[to - 1]!;
    this.review(receivedAtMs);
    return correctedByMs;
  }

  /** Looks at the time again. @returns true when the status changed */
  review(nowMs: EpochMs): boolean {
    const status = this.#statusAt(nowMs);
    if (status === this.#status) return false;
    this.#status = status;
    this.#sinceMs = nowMs;
    return true;
  }

  get status(): SensorStatus {
    return this.#status;
  }

  health(): SensorHealth {
    return {
      sensor: this.sensor.id,
      site: this.sensor.site,
      status: this.#status,
      sinceMs: this.#sinceMs,
      lastObservedAtMs: this.#lastObservedMs,
      lastReceivedAtMs: this.#lastReceivedMs,
      lastValue: this.#lastValue,
      readings: this.#readings,
      missing: this.#quality.missing,
      disordered: this.#quality.disordered,
      spikes: this.#quality.spikes,
      late: this.#late,
      skewed: this.#skewed,
      clock: this.#clock.estimate(),
      correctedByMs: this.#clock.correction(this.sensor.clockQuality),
    };
  }

  state(): MonitorState {
    return {
      quality: this.#quality.state(),
      clock: this.#clock.state(),
      status: this.#status,
      numbers: [
        this.#readings,
        this.#sinceMs,
        ...(this.#readings === 0 ? [0, 0] : [this.#lastObservedMs, this.#lastValue]),
        this.#lastReceivedMs,
        this.#late,
        this.#skewed,
        this.#spikeShare,
        this.#missingShare,
      ],
    };
  }

  #restore(numbers: readonly number[]): void {
    const [readings = 0, sinceMs = 0, observed = 0, value = 0, ...rest] = numbers;
    this.#readings = readings;
    this.#sinceMs = sinceMs;
    if (readings > 0) [this.#lastObservedMs, this.#lastValue] = [observed, value];
    const [receivedMs = 0, late = 0, skewed = 0, spikeShare = 0, missingShare = 0] = rest;
    this.#lastReceivedMs = receivedMs;
    this.#late = late;
    this.#skewed = skewed;
    this.#spikeShare = spikeShare;
    this.#missingShare = missingShare;
  }

  #statusAt(nowMs: EpochMs): SensorStatus {
    if (this.#readings === 0) return 'unheard';
    // Nobody said how often it speaks: silence says nothing.
    if (this.sensor.samplingHz && nowMs - this.#lastReceivedMs > silentAfterMs(this.sensor)) return 'silent';
    if (this.#quality.isStuck) return 'stuck';
    if (this.#quality.isFlat) return 'flat';
    if (this.#spikeShare > NOISY_FROM) return 'noisy';
    if (this.#clock.correction(this.sensor.clockQuality) !== 0) return 'skewed';
    return this.#missingShare > GAPPY_FROM ? 'gappy' : 'ok';
  }
}
