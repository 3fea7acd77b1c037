import type { Sensor } from '../ports.ts';
import type { DurationMs, EpochMs } from '../units.ts';
import { numbersIn } from './cells.ts';
import type { ClockEstimate, ClockState } from './clock.ts';
import { CLOCK_CELLS, ClockEstimator, clockStateIn } from './clock.ts';
import type { QualityState } from './quality.ts';
import { QUALITY, QUALITY_CELLS, qualityStateIn, SensorQuality } from './quality.ts';

/**
 * How far a sensor can be relied on. `silent`, `stuck`, `flat` and `noisy` are doubts that people hear of; `skewed`
 * is corrected and `gappy` only told. `unheard`: registered, and nothing came yet.
 */
export type SensorStatus = (typeof STATUSES)[number];
const STATUSES = ['unheard', 'ok', 'silent', 'stuck', 'flat', 'noisy', 'skewed', 'gappy'] as const;

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

/** What a monitor remembers, a double each; then what the quality and the clock of its sensor take. */
const READINGS = 0;
const SINCE_MS = 1;
const LAST_OBSERVED_MS = 2;
const LAST_VALUE = 3;
const LAST_RECEIVED_MS = 4;
const LATE = 5;
const SKEWED = 6;
const SPIKE_SHARE = 7;
const MISSING_SHARE = 8;
const NUMBERS = 9;
/** Index in `STATUSES`. */
const STATUS = NUMBERS;
const QUALITY_AT = NUMBERS + 1;
const CLOCK_AT = QUALITY_AT + QUALITY_CELLS;
/** Doubles that a monitor takes; whole cache lines. */
export const MONITOR_CELLS = Math.ceil((CLOCK_AT + CLOCK_CELLS) / 8) * 8;

/** Follows one sensor: the quality of its readings, its clock, and whether it still speaks. */
export class SensorMonitor {
  readonly sensor: Sensor;
  readonly #cells: Float64Array;
  readonly #own: number;
  readonly #quality: SensorQuality;
  readonly #clock: ClockEstimator;

  /**
   * @param cells where it keeps what it remembers: `MONITOR_CELLS` from `own` on, whatever is there. Shared by thousands
   *   of sensors, so that they lie together and are copied at once. @default memory of its own
   */
  constructor(sensor: Sensor, state?: MonitorState, cells = new Float64Array(MONITOR_CELLS), own = 0) {
    this.sensor = sensor;
    this.#cells = cells;
    this.#own = own;
    cells.fill(0, own, own + MONITOR_CELLS);
    if (state !== undefined) cells.set(state.numbers.slice(0, NUMBERS), own);
    if (cells[own + READINGS] === 0) {
      cells[own + LAST_OBSERVED_MS] = -Infinity;
      cells[own + LAST_VALUE] = NaN;
    }
    cells[own + STATUS] = STATUSES.indexOf(state?.status ?? 'unheard');
    const { low, high, samplingHz } = sensor;
    const intervalMs = samplingHz ? 1_000 / samplingHz : undefined;
    this.#quality = new SensorQuality({ low, high, intervalMs }, state?.quality, cells, own + QUALITY_AT);
    this.#clock = new ClockEstimator(state?.clock, cells, own + CLOCK_AT);
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
    const cells = this.#cells;
    const own = this.#own;
    const n = to - from;
    this.#clock.take(atMs[to - 1]!, sentAtMs, receivedAtMs);
    const correctedByMs = this.#clock.correction(this.sensor.clockQuality);
    const missingBefore = this.#quality.missing;
    for (let i = from; i < to; i++) {
      const at = atMs[i]!;
      let flag = flags[i]!;
      if ((flag & QUALITY.late) === 0) flag |= this.#quality.take(at, values[i]!, !isWaveform);
      else cells[own + LATE]! += 1;
      flags[i] = flag;
      if ((flag & QUALITY.skew) !== 0) cells[own + SKEWED]! += 1;
      placedAtMs[i] = at - correctedByMs;
      if (at > cells[own + LAST_OBSERVED_MS]!) cells[own + LAST_OBSERVED_MS] = at;
      const isSpike = Number((flag & QUALITY.spike) !== 0);
      cells[own + SPIKE_SHARE]! += (isSpike - cells[own + SPIKE_SHARE]!) / SHARE_OVER;
    }
    const missing = this.#quality.missing - missingBefore;
    cells[own + MISSING_SHARE]! +=
      (missing / (missing + n) - cells[own + MISSING_SHARE]!) * Math.min(1, n / SHARE_OVER);
    cells[own + READINGS]! += n;
    cells[own + LAST_RECEIVED_MS] = receivedAtMs;
    cells[own + LAST_VALUE] = values[to - 1]!;
    this.review(receivedAtMs);
    return correctedByMs;
  }

  /** Looks at the time again. @returns true when the status changed */
  review(nowMs: EpochMs): boolean {
    const status = STATUSES.indexOf(this.#statusAt(nowMs));
    if (status === this.#cells[this.#own + STATUS]) return false;
    this.#cells[this.#own + STATUS] = status;
    this.#cells[this.#own + SINCE_MS] = nowMs;
    return true;
  }

  get status(): SensorStatus {
    return STATUSES[this.#cells[this.#own + STATUS]!]!;
  }

  health(): SensorHealth {
    const number = (which: number): number => this.#cells[this.#own + which]!;
    return {
      sensor: this.sensor.id,
      site: this.sensor.site,
      status: this.status,
      sinceMs: number(SINCE_MS),
      lastObservedAtMs: number(LAST_OBSERVED_MS),
      lastReceivedAtMs: number(LAST_RECEIVED_MS),
      lastValue: number(LAST_VALUE),
      readings: number(READINGS),
      missing: this.#quality.missing,
      disordered: this.#quality.disordered,
      spikes: this.#quality.spikes,
      late: number(LATE),
      skewed: number(SKEWED),
      clock: this.#clock.estimate(),
      correctedByMs: this.#clock.correction(this.sensor.clockQuality),
    };
  }

  state(): MonitorState {
    return monitorStateIn(this.#cells, this.#own);
  }

  #statusAt(nowMs: EpochMs): SensorStatus {
    const cells = this.#cells;
    const own = this.#own;
    if (cells[own + READINGS] === 0) return 'unheard';
    // Nobody said how often it speaks: silence says nothing.
    if (this.sensor.samplingHz && nowMs - cells[own + LAST_RECEIVED_MS]! > silentAfterMs(this.sensor)) {
      return 'silent';
    }
    if (this.#quality.isStuck) return 'stuck';
    if (this.#quality.isFlat) return 'flat';
    if (cells[own + SPIKE_SHARE]! > NOISY_FROM) return 'noisy';
    if (this.#clock.correction(this.sensor.clockQuality) !== 0) return 'skewed';
    return cells[own + MISSING_SHARE]! > GAPPY_FROM ? 'gappy' : 'ok';
  }
}

/** `SensorMonitor.state` of what is kept from `own` on in `cells`, or in a copy of them. */
export function monitorStateIn(cells: Float64Array, own: number): MonitorState {
  const numbers = numbersIn(cells, own, NUMBERS);
  if (numbers[READINGS] === 0) numbers.fill(0, LAST_OBSERVED_MS, LAST_VALUE + 1);
  return {
    quality: qualityStateIn(cells, own + QUALITY_AT),
    clock: clockStateIn(cells, own + CLOCK_AT),
    status: STATUSES[cells[own + STATUS]!]!,
    numbers,
  };
}
