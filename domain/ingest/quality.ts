import { medianOf } from '../clean/series.ts';
import type { DurationMs, EpochMs } from '../units.ts';
import { numbersIn } from './cells.ts';

/** What is known against a reading, as bits: each goes with the reading into detection. */
export const QUALITY = {
  /** Observed ahead of its arrival: the device's clock is off. */
  skew: 1,
  /** Too old to open an incident. */
  late: 2,
  /** Far from its neighbours, and not yet confirmed by the next reading. */
  spike: 4,
  /** The sensor repeats one value, or hardly moves, as it never did before. */
  stuck: 8,
  /** Readings that were due are missing before it. */
  gap: 16,
  /** Older than one that came before. */
  disorder: 32,
  /** Nobody measured it: it stands in a gap for a detector that asked. */
  filled: 64,
} as const;

/** With any of these a reading may alarm, but it may not reassure (docs/ingestion.md). */
export const SUSPECT = QUALITY.spike | QUALITY.stuck | QUALITY.filled;

const WINDOW = 9;
/** Hampel's rule: so many deviations from the median of the window. */
const DEVIATIONS = 5;
const MAD_TO_SIGMA = 1.4826;
/** More than this share of the range, or it is no spike at all. */
const SPIKE_SHARE_OF_RANGE = 0.02;
const TYPICAL_STEPS = 8;
/** Spikes in a row after which they are the signal: noise, or a new level. */
const SPIKES_AT_MOST = 3;
/** A run is stuck when chance alone gives it once in a billion (ln 1e9) … */
const STUCK_IMPROBABILITY = Math.log(1e9);
const STUCK_READINGS = 30;
/** … and it is so many times longer than the longest before. */
const STUCK_TIMES_LONGEST = 4;
const LEARN_READINGS = 100;
const LEARN_AT_MOST = 4_096;
const FLAT_LEARN_READINGS = 512;
const FLAT_BELOW = 1 / 50;
const FLAT_UNTIL = 1 / 20;
const GAP_INTERVALS = 2.5;

export interface QualityOptions {
  readonly low: number;
  readonly high: number;
  /** Declared; undefined: irregular, so no gap can be told. */
  readonly intervalMs: DurationMs | undefined;
}

/** The first `STATE_CELLS` cells. */
export type QualityState = readonly number[];

/** What is remembered of one sensor, a double each; then the window, and what it was created with. */
const FILLED = 0;
const AT = 1;
const READINGS = 2;
const LAST = 3;
const LAST_MS = 4;
/** On which side the last reading was a spike; 0: it was none. */
const PENDING = 5;
const SPIKES_IN_ROW = 6;
const RUN = 7;
const LONGEST_RUN = 8;
const CHANGES = 9;
const COMPARED = 10;
const STUCK = 11;
const FLAT = 12;
const TYPICAL_STEP = 13;
const RECENT_STEP = 14;
const STEPS = 15;
const SPIKES = 16;
const MISSING = 17;
const DISORDERED = 18;
const FIRST_OF_WINDOW = 19;
const STATE_CELLS = FIRST_OF_WINDOW + WINDOW;
const LOW = STATE_CELLS;
const RANGE_FLOOR = STATE_CELLS + 1;
/** NaN: irregular. */
const INTERVAL_MS = STATE_CELLS + 2;
/** Doubles that a sensor takes. */
export const QUALITY_CELLS = STATE_CELLS + 3;

/**
 * Judges the readings of one sensor, one after the other, in constant memory and the same way every time.
 *
 * - Spikes: Hampel's identifier over the last 9 readings that were none (Hampel 1974; Pearson 2002), asked only after
 *   a step that is large for this sensor. The next reading on the same side confirms it: a rise is marked for one
 *   reading, and nothing for more than three in a row.
 * - Stuck: a run of equal values that is improbable for a sensor that changes as often as this one did, and four times
 *   longer than any before. A resting sensor (at the lower end of its range) is not stuck.
 * - Flat: a sensor that always moved now moves less than a fiftieth of its usual step.
 * - Gaps: more than two and a half declared intervals without a reading.
 */
export class SensorQuality {
  readonly #cells: Float64Array;
  readonly #own: number;

  /**
   * @param cells where it keeps what it remembers: `QUALITY_CELLS` from `own` on, zeros. Shared by thousands of sensors,
   *   so that they lie together. @default memory of its own
   */
  constructor(
    options: QualityOptions,
    state?: QualityState,
    cells = new Float64Array(QUALITY_CELLS),
    own = 0,
  ) {
    this.#cells = cells;
    this.#own = own;
    if (state !== undefined) cells.set(state.slice(0, STATE_CELLS), own);
    if (cells[own + READINGS] === 0) {
      cells[own + LAST] = NaN;
      cells[own + LAST_MS] = -Infinity;
    }
    cells[own + LOW] = options.low;
    cells[own + RANGE_FLOOR] = (options.high - options.low) * SPIKE_SHARE_OF_RANGE;
    cells[own + INTERVAL_MS] = options.intervalMs ?? NaN;
  }

  get isStuck(): boolean {
    return this.#cells[this.#own + STUCK] === 1;
  }

  get isFlat(): boolean {
    return this.#cells[this.#own + FLAT] === 1;
  }

  get spikes(): number {
    return this.#cells[this.#own + SPIKES]!;
  }

  get missing(): number {
    return this.#cells[this.#own + MISSING]!;
  }

  get disordered(): number {
    return this.#cells[this.#own + DISORDERED]!;
  }

  /**
   * @param value finite
   * @param judgesSpikes false for waveforms: an onset is what they are for
   * @returns bits of QUALITY
   */
  take(atMs: EpochMs, value: number, judgesSpikes = true): number {
    const cells = this.#cells;
    const own = this.#own;
    const lastMs = cells[own + LAST_MS]!;
    if (atMs < lastMs) {
      cells[own + DISORDERED]! += 1;
      return QUALITY.disorder;
    }
    let flags = 0;
    if (cells[own + READINGS]! > 0) {
      const intervals = (atMs - lastMs) / cells[own + INTERVAL_MS]!;
      if (intervals > GAP_INTERVALS) {
        flags |= QUALITY.gap;
        cells[own + MISSING]! += Math.round(intervals) - 1;
        // What was usual before is no measure any more.
        if (intervals > 10 * GAP_INTERVALS) this.#forgetWindow();
      }
      this.#judgeMovement(value);
    }
    if (cells[own + STUCK]! + cells[own + FLAT]! > 0) flags |= QUALITY.stuck;
    if (judgesSpikes && this.#isSpike(value)) {
      flags |= QUALITY.spike;
      cells[own + SPIKES]! += 1;
    }
    cells[own + READINGS]! += 1;
    cells[own + LAST] = value;
    cells[own + LAST_MS] = atMs;
    return flags;
  }

  state(): QualityState {
    return qualityStateIn(this.#cells, this.#own);
  }

  #judgeMovement(value: number): void {
    const cells = this.#cells;
    const own = this.#own;
    const step = Math.abs(value - cells[own + LAST]!);
    if (step === 0) {
      cells[own + RUN]! += 1;
      if (cells[own + STUCK] === 0) cells[own + STUCK] = Number(this.#isStuckRun(value));
      return;
    }
    if (cells[own + STUCK] === 0) this.#learnRun();
    cells[own + RUN] = 0;
    cells[own + STUCK] = 0;
    this.#judgeFlat(step);
  }

  #isStuckRun(value: number): boolean {
    const cells = this.#cells;
    const own = this.#own;
    const run = cells[own + RUN]!;
    const compared = cells[own + COMPARED]!;
    if (run < STUCK_READINGS || compared < LEARN_READINGS || value <= cells[own + LOW]!) return false;
    if (run <= STUCK_TIMES_LONGEST * cells[own + LONGEST_RUN]!) return false;
    const changesEach = cells[own + CHANGES]! / compared;
    return -run * Math.log1p(-Math.min(changesEach, 0.999)) > STUCK_IMPROBABILITY;
  }

  #learnRun(): void {
    const cells = this.#cells;
    const own = this.#own;
    const run = cells[own + RUN]!;
    cells[own + COMPARED]! += run + 1;
    cells[own + CHANGES]! += 1;
    if (run > cells[own + LONGEST_RUN]!) cells[own + LONGEST_RUN] = run;
    if (cells[own + COMPARED]! <= LEARN_AT_MOST) return;
    cells[own + COMPARED]! /= 2;
    cells[own + CHANGES]! /= 2;
  }

  /** The usual step is a running median (Robbins-Monro on the logarithm): an event does not move it much. */
  #judgeFlat(step: number): void {
    const cells = this.#cells;
    const own = this.#own;
    cells[own + RECENT_STEP]! += (step - cells[own + RECENT_STEP]!) / 32;
    const steps = (cells[own + STEPS]! += 1);
    if (cells[own + TYPICAL_STEP] === 0) cells[own + TYPICAL_STEP] = step;
    const recent = cells[own + RECENT_STEP]!;
    const typical = cells[own + TYPICAL_STEP]!;
    if (cells[own + FLAT] === 1) {
      if (recent > typical * FLAT_UNTIL) cells[own + FLAT] = 0;
      return;
    }
    const mostlyMoves = cells[own + CHANGES]! > cells[own + COMPARED]! / 2;
    if (mostlyMoves && steps > FLAT_LEARN_READINGS && recent < typical * FLAT_BELOW) {
      cells[own + FLAT] = 1;
      return;
    }
    const rate = steps < FLAT_LEARN_READINGS ? Math.max(1 / 32, 4 / (steps + 3)) : 1 / 512;
    cells[own + TYPICAL_STEP]! *= step > typical ? 1 + rate : 1 / (1 + rate);
  }

  #isSpike(value: number): boolean {
    const cells = this.#cells;
    const own = this.#own;
    const step = Math.abs(value - this.#newest());
    const isLarge = step > cells[own + RANGE_FLOOR]! && step > TYPICAL_STEPS * cells[own + TYPICAL_STEP]!;
    const side = isLarge && cells[own + FILLED]! >= WINDOW ? this.#sideOf(value) : 0;
    if (side === 0) {
      this.#accept(value);
      return false;
    }
    if (side === cells[own + PENDING] || cells[own + SPIKES_IN_ROW]! >= SPIKES_AT_MOST) {
      this.#forgetWindow();
      this.#accept(value);
      return false;
    }
    cells[own + PENDING] = side;
    cells[own + SPIKES_IN_ROW]! += 1;
    return true;
  }

  #newest(): number {
    const cells = this.#cells;
    const own = this.#own;
    if (cells[own + FILLED] === 0) return NaN;
    const at = cells[own + AT]!;
    return cells[own + FIRST_OF_WINDOW + (at === 0 ? WINDOW : at) - 1]!;
  }

  /** 1: far above the window's median, -1: far below, 0: near it. */
  #sideOf(value: number): number {
    const first = this.#own + FIRST_OF_WINDOW;
    const values = this.#cells.subarray(first, first + WINDOW);
    const middle = medianOf(values);
    const sigma = MAD_TO_SIGMA * medianOf(values.map((one) => Math.abs(one - middle)));
    const away = value - middle;
    const near = Math.max(DEVIATIONS * sigma, this.#cells[this.#own + RANGE_FLOOR]!);
    return Math.abs(away) > near ? Math.sign(away) : 0;
  }

  #accept(value: number): void {
    const cells = this.#cells;
    const own = this.#own;
    const at = cells[own + AT]!;
    cells[own + FIRST_OF_WINDOW + at] = value;
    cells[own + AT] = at + 1 === WINDOW ? 0 : at + 1;
    if (cells[own + FILLED]! < WINDOW) cells[own + FILLED]! += 1;
    cells[own + PENDING] = 0;
    cells[own + SPIKES_IN_ROW] = 0;
  }

  #forgetWindow(): void {
    this.#cells.fill(0, this.#own + FILLED, this.#own + AT + 1);
    this.#cells.fill(0, this.#own + PENDING, this.#own + SPIKES_IN_ROW + 1);
  }
}

/** `SensorQuality.state` of what is kept from `own` on in `cells`, or in a copy of them. */
export function qualityStateIn(cells: Float64Array, own: number): QualityState {
  const state = numbersIn(cells, own, STATE_CELLS);
  if (state[READINGS] === 0) state.fill(0, LAST, LAST_MS + 1);
  return state;
}
