import { completeParameters } from './detector.ts';
import type { ParameterValues } from './detector.ts';

/** What a reading set off: bits of the mask that {@link DetectorBank} answers. */
export const ALARM = {
  /** Further from the running mean than `deviations`. */
  ewma: 1,
  /** A lasting shift upwards: CUSUM. */
  cusumUp: 2,
  cusumDown: 4,
  /** Energy rises: short-term over long-term average. */
  staLta: 8,
  /** Not what AR(1) expected. */
  ar1: 16,
} as const;

/** What one bank is given; the same for all its sensors. */
export const BANK_PARAMETERS = {
  rate: {
    meaning: 'weight of the newest reading in the running mean, variance (the long-term average) and AR(1)',
    default: 0.01,
    minimum: 1e-6,
    maximum: 0.5,
  },
  shortRate: {
    meaning: 'weight of the newest squared deviation in the short-term average',
    default: 0.2,
    minimum: 1e-5,
    maximum: 1,
  },
  deviations: {
    meaning: 'standard deviations from the running mean, or from the AR(1) expectation, that alarm',
    default: 6,
    minimum: 0.5,
    maximum: 1e6,
    unit: 'deviations',
  },
  slack: {
    meaning: 'CUSUM ignores shifts below this',
    default: 0.75,
    minimum: 0,
    maximum: 100,
    unit: 'deviations',
  },
  limit: {
    meaning: 'CUSUM alarms at this sum and starts again',
    default: 12,
    minimum: 0.1,
    maximum: 1e6,
    unit: 'deviations',
  },
  ratio: { meaning: 'short-term over long-term average that alarms', default: 8, minimum: 1, maximum: 1e6 },
  warmUp: {
    meaning: 'readings of a sensor that are learnt from before any alarm',
    default: 100,
    minimum: 2,
    maximum: 65_535,
    whole: true,
    unit: 'readings',
  },
} as const;

export type BankParameters = ParameterValues<typeof BANK_PARAMETERS>;

/** One sensor's memory: eight doubles, one cache line. */
const MEAN = 0;
const VARIANCE = 1;
const UP = 2;
const DOWN = 3;
const SHORT = 4;
const LAG = 5;
const LAST = 6;
const ERROR = 7;
const CELLS = 8;

/** Below this share of the mean's square a squared deviation is rounding. */
const ROUNDING = 1e-18;
/** Keeps a division by a variance of nothing finite. */
const TINY = 1e-300;
/** A squared deviation from here on is no reading. */
const ABSURD = 1e200;

/**
 * EWMA, CUSUM both ways, recursive STA/LTA and AR(1) over many sensors at once, without an allocation a reading. Per
 * sensor it keeps exponentially weighted mean m, variance v, lag-one covariance c and the AR(1) squared error; with
 * them y_t = a + b·y_{t-1} + e has b = c/v and a = m·(1 - b). STA/LTA runs on squared deviations from the mean: its
 * long-term average is v. The first `warmUp` readings weigh 1/n each, so the start is an ordinary mean.
 *
 * A reading that is not finite, or 1e100 away from all before it, is skipped and answers 0. `bankReference` in `kernel-reference.ts` says the same in
 * plain words; a test holds the two together.
 *
 * @example
 * const bank = new DetectorBank(1000);
 * const alarms = bank.push(17, 4.2);
 * if ((alarms & ALARM.cusumUp) !== 0) { ... }
 */
export class DetectorBank {
  #cells: Float64Array;
  #counts: Uint16Array;
  readonly #p: BankParameters;

  /**
   * @param capacity sensors 0 to capacity - 1; {@link grow} for more
   * @throws TocsinError DETECTOR_PARAMETER
   */
  constructor(capacity: number, given: Partial<BankParameters> = {}) {
    this.#p = completeParameters({ name: 'bank', parameters: BANK_PARAMETERS }, given);
    this.#cells = new Float64Array(capacity * CELLS);
    this.#counts = new Uint16Array(capacity);
  }

  get capacity(): number {
    return this.#counts.length;
  }

  /** Makes room for at least `capacity` sensors; what is known stays. Doubles, so that growing one by one is cheap. */
  grow(capacity: number): void {
    if (capacity <= this.capacity) return;
    const room = Math.max(capacity, 2 * this.capacity);
    const cells = new Float64Array(room * CELLS);
    cells.set(this.#cells);
    this.#cells = cells;
    const counts = new Uint16Array(room);
    counts.set(this.#counts);
    this.#counts = counts;
  }

  /** One reading of one sensor; makes room for it. Answers a mask of {@link ALARM}; 0: as expected, or still learning. */
  push(sensor: number, value: number): number {
    if (sensor >= this.capacity) this.grow(sensor + 1);
    this.#one[0] = sensor;
    this.#oneValue[0] = value;
    this.pushColumn(this.#one, this.#oneValue, 1, this.#oneMask);
    return this.#oneMask[0]!;
  }
  readonly #one = new Uint32Array(1);
  readonly #oneValue = new Float64Array(1);
  readonly #oneMask = new Uint8Array(1);

  /**
   * The first `n` readings of a column, in order; the same sensor may come more than once. Writes each reading's mask.
   * Answers how many readings alarmed.
   *
   * @throws RangeError for a sensor beyond the capacity
   */
  pushColumn(sensors: Uint32Array, values: Float64Array, n: number, masks: Uint8Array): number {
    const cells = this.#cells;
    const counts = this.#counts;
    const { rate, shortRate, slack, limit, ratio, warmUp } = this.#p;
    const deviations2 = this.#p.deviations * this.#p.deviations;
    const keep = 1 - rate;
    let alarmed = 0;
    for (let i = 0; i < n; i++) {
      const sensor = sensors[i]!;
      const value = values[i]!;
      masks[i] = 0;
      const heard = counts[sensor];
      if (heard === undefined) throw new RangeError(`Sensor ${sensor} of ${counts.length}: grow first.`);
      if (heard < warmUp) {
        this.#learn(sensor, value);
        continue;
      }
      const at = sensor * CELLS;
      const mean = cells[at + MEAN]!;
      const away = value - mean;
      const away2 = away * away;
      // False for NaN, the infinities, and what would make a sum infinite for ever.
      if (!(away2 < ABSURD)) continue;
      const before = cells[at + LAST]! - mean;
      const variance = cells[at + VARIANCE]! + TINY;
      const deviation = Math.sqrt(variance);
      const lag = cells[at + LAG]!;
      const surprise = away - (lag / variance) * before;
      const surprise2 = surprise * surprise;
      const error = cells[at + ERROR]!;
      const short = cells[at + SHORT]! + shortRate * (away2 - cells[at + SHORT]!);
      const upwards = cells[at + UP]! + away - slack * deviation;
      const up = 0.5 * (upwards + Math.abs(upwards));
      const downwards = cells[at + DOWN]! - away - slack * deviation;
      const down = 0.5 * (downwards + Math.abs(downwards));
      const far = limit * deviation;
      cells[at + MEAN] = mean + rate * away;
      cells[at + VARIANCE] = keep * (variance + rate * away2);
      cells[at + LAG] = keep * (lag + rate * away * before);
      cells[at + ERROR] = error + rate * (surprise2 - error);
      cells[at + LAST] = value;
      cells[at + SHORT] = short;
      cells[at + UP] = up;
      cells[at + DOWN] = down;
      if (
        away2 > deviations2 * variance ||
        short > ratio * variance ||
        surprise2 > deviations2 * error ||
        up > far ||
        down > far
      ) {
        if (up > far) cells[at + UP] = 0;
        if (down > far) cells[at + DOWN] = 0;
        // A constant that is not exactly constant: what differs is rounding.
        if (away2 <= ROUNDING * mean * mean) continue;
        masks[i] =
          (away2 > deviations2 * variance ? ALARM.ewma : 0) |
          (up > far ? ALARM.cusumUp : 0) |
          (down > far ? ALARM.cusumDown : 0) |
          (short > ratio * variance ? ALARM.staLta : 0) |
          (surprise2 > deviations2 * error ? ALARM.ar1 : 0);
        alarmed++;
      }
    }
    return alarmed;
  }

  /** The start: every reading so far weighs the same. */
  #learn(sensor: number, value: number): void {
    const cells = this.#cells;
    const at = sensor * CELLS;
    const away = value - cells[at + MEAN]!;
    if (!(away * away < ABSURD)) return;
    const count = this.#counts[sensor]!;
    this.#counts[sensor] = count + 1;
    const rate = Math.max(this.#p.rate, 1 / (count + 1));
    const shortRate = Math.max(this.#p.shortRate, 1 / (count + 1));
    const mean = cells[at + MEAN]!;
    const variance = cells[at + VARIANCE]!;
    const before = count === 0 ? 0 : cells[at + LAST]! - mean;
    const surprise = away - (cells[at + LAG]! / (variance + TINY)) * before;
    cells[at + MEAN] = mean + rate * away;
    cells[at + VARIANCE] = (1 - rate) * (variance + rate * away * away);
    cells[at + LAG] = (1 - rate) * (cells[at + LAG]! + rate * away * before);
    if (count > 0) {
      cells[at + SHORT] = cells[at + SHORT]! + shortRate * (away * away - cells[at + SHORT]!);
      cells[at + ERROR] = cells[at + ERROR]! + rate * (surprise * surprise - cells[at + ERROR]!);
    }
    cells[at + LAST] = value;
  }

  /** What is known of a sensor: `a` and `b` of y_t = a + b·y_{t-1} + e, its mean squared error, mean and variance. */
  describe(sensor: number): {
    readonly readings: number;
    readonly mean: number;
    readonly variance: number;
    readonly a: number;
    readonly b: number;
    readonly meanSquaredError: number;
  } {
    const cell = (which: number): number => this.#cells[sensor * CELLS + which]!;
    const mean = cell(MEAN);
    const variance = cell(VARIANCE);
    const b = variance > 0 ? cell(LAG) / variance : 0;
    return {
      /** Counted up to `warmUp`. */
      readings: this.#counts[sensor]!,
      mean,
      variance,
      a: mean * (1 - b),
      b,
      meanSquaredError: cell(ERROR),
    };
  }

  /** One sensor's memory as plain numbers, for a restart. */
  save(sensor: number): number[] {
    return [this.#counts[sensor]!, ...this.#cells.subarray(sensor * CELLS, (sensor + 1) * CELLS)];
  }

  restore(sensor: number, saved: readonly number[]): void {
    this.grow(sensor + 1);
    this.#counts[sensor] = saved[0]!;
    this.#cells.set(saved.slice(1), sensor * CELLS);
  }
}
