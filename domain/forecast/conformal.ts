/** Lower and upper bound, in the unit of the value. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

/**
 * Half-width of a split-conformal interval (Vovk et al., 2005; Lei et al., 2018): the ⌈(n+1)(1-miss)⌉-th smallest
 * absolute residual of the calibration set. On exchangeable data an interval of this half-width holds the truth with
 * probability of at least 1 - miss. Infinite when the calibration set is too small to promise that.
 *
 * @param sorted absolute residuals, ascending
 * @param miss share of truths that may lie outside, 0 to 1
 */
export function conformalHalfWidth(sorted: Float64Array, miss: number): number {
  if (miss >= 1) return 0;
  const rank = Math.ceil((sorted.length + 1) * (1 - miss) - 1e-9);
  return rank <= 0 ? 0 : rank > sorted.length ? Infinity : sorted[rank - 1]!;
}

/**
 * Adaptive conformal inference (Gibbs & Candès, 2021): after each truth the share that may be missed moves by
 * `rate · (miss - missed)`, so that coverage comes back to what was promised when the data drift.
 */
export class AdaptiveMiss {
  /** Given to `conformalHalfWidth`; kept above 0 so that the widest interval is still finite. */
  current: number;
  readonly #wanted: number;
  readonly #rate: number;
  readonly #least: number;

  /** @param calibration residuals that there are: no interval can be wider than the largest of them */
  constructor(wanted: number, calibration: number, rate = 0.02) {
    this.#wanted = wanted;
    this.#rate = rate;
    this.#least = 1 / (calibration + 1);
    this.current = Math.max(wanted, this.#least);
  }

  see(covered: boolean): void {
    const next = this.current + this.#rate * (this.#wanted - (covered ? 0 : 1));
    this.current = Math.min(0.999, Math.max(this.#least, next));
  }
}

/** Residuals of whole paths: truth minus forecast, row-major, `steps` a row. */
export interface ResidualPaths {
  readonly steps: number;
  readonly values: Float64Array;
}

/** Absolute residuals at one step (from 1), ascending. */
export function absoluteAt({ steps, values }: ResidualPaths, step: number): Float64Array {
  return Float64Array.from({ length: values.length / steps }, (_, i) =>
    Math.abs(values[i * steps + step - 1]!),
  ).sort();
}

/**
 * Probability that the largest value within `within` steps lies above `level`: each path of residuals that was once
 * observed is added to the forecast path, so that errors that go together along a path are counted together. Never 0
 * or 1: what did not happen in n paths may happen in the next.
 */
export function probabilityOfExceeding(
  path: Float64Array,
  { steps, values }: ResidualPaths,
  level: number,
  within: number,
): number {
  return probabilityOfCrossing(path, { steps, values }, level, within, 1);
}

/** The same for the smallest value and below. */
export function probabilityOfFalling(
  path: Float64Array,
  residuals: ResidualPaths,
  level: number,
  within: number,
): number {
  return probabilityOfCrossing(path, residuals, level, within, -1);
}

function probabilityOfCrossing(
  path: Float64Array,
  { steps, values }: ResidualPaths,
  level: number,
  within: number,
  sign: 1 | -1,
): number {
  const paths = values.length / steps;
  let above = 0;
  for (let i = 0; i < paths; i++) {
    for (let h = 0; h < within; h++) {
      if (sign * (path[h]! + values[i * steps + h]! - level) > 0) {
        above++;
        break;
      }
    }
  }
  return (above + 0.5) / (paths + 1);
}
