import type { DurationMs, EpochMs } from '../units.ts';
import { median } from './clock.ts';

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

/** Numbers only, in the order of `FIELDS`, then the window. */
export type QualityState = readonly number[];

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
  readonly #low: number;
  readonly #intervalMs: DurationMs | undefined;
  readonly #rangeFloor: number;
  readonly #window = new Float64Array(WINDOW);
  #filled = 0;
  #at = 0;
  #readings = 0;
  #last = NaN;
  #lastMs = -Infinity;
  /** On which side the last reading was a spike; 0: it was none. */
  #pending = 0;
  #spikesInRow = 0;
  #run = 0;
  #longestRun = 0;
  #changes = 0;
  #compared = 0;
  #stuck = 0;
  #flat = 0;
  #typicalStep = 0;
  #recentStep = 0;
  #steps = 0;
  spikes = 0;
  missing = 0;
  disordered = 0;

  constructor(options: QualityOptions, state?: QualityState) {
    this.#low = options.low;
    this.#intervalMs = options.intervalMs;
    this.#rangeFloor = (options.high - options.low) * SPIKE_SHARE_OF_RANGE;
    if (state !== undefined) this.#restore(state);
  }

  get isStuck(): boolean {
    return this.#stuck === 1;
  }

  get isFlat(): boolean {
    return this.#flat === 1;
  }

  /**
   * @param value finite
   * @param judgesSpikes false for waveforms: an onset is what they are for
   * @returns bits of QUALITY
   */
  take(atMs: EpochMs, value: number, judgesSpikes = true): number {
    if (atMs < this.#lastMs) {
      this.disordered += 1;
      return QUALITY.disorder;
    }
    let flags = 0;
    if (this.#intervalMs !== undefined && this.#readings > 0) {
      const intervals = (atMs - this.#lastMs) / this.#intervalMs;
      if (intervals > GAP_INTERVALS) {
        flags |= QUALITY.gap;
        this.missing += Math.round(intervals) - 1;
        // What was usual before is no measure any more.
        if (intervals > 10 * GAP_INTERVALS) this.#forgetWindow();
      }
    }
    this.#judgeMovement(value);
    if (this.#stuck + this.#flat > 0) flags |= QUALITY.stuck;
    if (judgesSpikes && this.#isSpike(value)) {
      flags |= QUALITY.spike;
      this.spikes += 1;
    }
    this.#readings += 1;
    this.#last = value;
    this.#lastMs = atMs;
    return flags;
  }

  state(): QualityState {
    return [
      this.#filled,
      this.#at,
      this.#readings,
      this.#readings === 0 ? 0 : this.#last,
      this.#readings === 0 ? 0 : this.#lastMs,
      this.#pending,
      this.#spikesInRow,
      this.#run,
      this.#longestRun,
      this.#changes,
      this.#compared,
      this.#stuck,
      this.#flat,
      this.#typicalStep,
      this.#recentStep,
      this.#steps,
      this.spikes,
      this.missing,
      this.disordered,
      ...this.#window,
    ];
  }

  #restore(state: QualityState): void {
    let next = 0;
    const take = (): number => state[next++] ?? 0;
    this.#filled = take();
    this.#at = take();
    this.#readings = take();
    const [last, lastMs] = [take(), take()];
    if (this.#readings > 0) [this.#last, this.#lastMs] = [last, lastMs];
    this.#pending = take();
    this.#spikesInRow = take();
    this.#run = take();
    this.#longestRun = take();
    this.#changes = take();
    this.#compared = take();
    this.#stuck = take();
    this.#flat = take();
    this.#typicalStep = take();
    this.#recentStep = take();
    this.#steps = take();
    this.spikes = take();
    this.missing = take();
    this.disordered = take();
    for (let n = 0; n < WINDOW; n++) this.#window[n] = take();
  }

  #judgeMovement(value: number): void {
    if (this.#readings === 0) return;
    const step = Math.abs(value - this.#last);
    if (step === 0) {
      this.#run += 1;
      if (this.#stuck === 0) this.#stuck = this.#isStuckRun(value) ? 1 : 0;
      return;
    }
    if (this.#stuck === 0) this.#learnRun();
    this.#run = 0;
    this.#stuck = 0;
    this.#judgeFlat(step);
  }

  #isStuckRun(value: number): boolean {
    const run = this.#run;
    if (run < STUCK_READINGS || this.#compared < LEARN_READINGS || value <= this.#low) return false;
    if (run <= STUCK_TIMES_LONGEST * this.#longestRun) return false;
    const changesEach = this.#changes / this.#compared;
    return -run * Math.log1p(-Math.min(changesEach, 0.999)) > STUCK_IMPROBABILITY;
  }

  #learnRun(): void {
    this.#compared += this.#run + 1;
    this.#changes += 1;
    if (this.#run > this.#longestRun) this.#longestRun = this.#run;
    if (this.#compared <= LEARN_AT_MOST) return;
    this.#compared /= 2;
    this.#changes /= 2;
  }

  /** The usual step is a running median (Robbins-Monro on the logarithm): an event does not move it much. */
  #judgeFlat(step: number): void {
    this.#recentStep += (step - this.#recentStep) / 32;
    this.#steps += 1;
    if (this.#typicalStep === 0) this.#typicalStep = step;
    const mostlyMoves = this.#changes > this.#compared / 2;
    if (this.#flat === 1) {
      if (this.#recentStep > this.#typicalStep * FLAT_UNTIL) this.#flat = 0;
      return;
    }
    if (
      mostlyMoves &&
      this.#steps > FLAT_LEARN_READINGS &&
      this.#recentStep < this.#typicalStep * FLAT_BELOW
    ) {
      this.#flat = 1;
      return;
    }
    const rate = this.#steps < FLAT_LEARN_READINGS ? Math.max(1 / 32, 4 / (this.#steps + 3)) : 1 / 512;
    this.#typicalStep *= step > this.#typicalStep ? 1 + rate : 1 / (1 + rate);
  }

  #isSpike(value: number): boolean {
    const step = Math.abs(value - this.#newest());
    const isLarge = step > this.#rangeFloor && step > TYPICAL_STEPS * this.#typicalStep;
    const side = isLarge && this.#filled >= WINDOW ? this.#sideOf(value) : 0;
    if (side === 0) {
      this.#accept(value);
      return false;
    }
    if (side === this.#pending || this.#spikesInRow >= SPIKES_AT_MOST) {
      this.#forgetWindow();
      this.#accept(value);
      return false;
    }
    this.#pending = side;
    this.#spikesInRow += 1;
    return true;
  }

  #newest(): number {
    return this.#filled === 0 ? NaN : this.#window[(this.#at + WINDOW - 1) % WINDOW]!;
  }

  /** 1: far above the window's median, -1: far below, 0: near it. */
  #sideOf(value: number): number {
    const values = [...this.#window];
    const middle = median(values);
    const sigma = MAD_TO_SIGMA * median(values.map((one) => Math.abs(one - middle)));
    const away = value - middle;
    return Math.abs(away) > Math.max(DEVIATIONS * sigma, this.#rangeFloor) ? Math.sign(away) : 0;
  }

  #accept(value: number): void {
    this.#window[this.#at] = value;
    this.#at = (this.#at + 1) % WINDOW;
    if (this.#filled < WINDOW) this.#filled += 1;
    this.#pending = 0;
    this.#spikesInRow = 0;
  }

  #forgetWindow(): void {
    this.#filled = 0;
    this.#at = 0;
    this.#pending = 0;
    this.#spikesInRow = 0;
  }
}
