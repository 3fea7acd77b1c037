import type { Matrix } from './matrix.ts';
import { minimise } from './minimise.ts';

/** Multinomial logistic regression: the plain baseline every other recogniser must beat. */
export interface Logistic {
  readonly classes: number;
  readonly columns: number;
  /** Row-major, classes x (columns + 1); the last number of a row is the intercept. */
  readonly weights: Float64Array;
}

export interface LogisticOptions {
  /** Strength of the pull of the weights towards 0; intercepts are free. @default 1 */
  readonly penalty?: number;
  /** @default all 1 */
  readonly classWeights?: readonly number[];
}

/** Fits by limited-memory BFGS from zero weights: no randomness. @param x scaled rows. */
export function trainLogistic(
  x: Matrix,
  y: Uint8Array,
  classes: number,
  options: LogisticOptions = {},
): Logistic {
  const penalty = options.penalty ?? 1;
  const width = x.columns + 1;
  const shares = new Float64Array(classes);
  const weights = minimise(new Float64Array(classes * width), (at, gradient) => {
    gradient.fill(0);
    let loss = 0;
    for (let r = 0; r < x.rows; r++) {
      const row = r * x.columns;
      const weight = options.classWeights?.[y[r]!] ?? 1;
      scoresInto(shares, at, x.values, row, x.columns, classes);
      const log = softmaxInto(shares, y[r]!);
      loss -= weight * log;
      for (let k = 0; k < classes; k++) {
        const error = weight * (shares[k]! - (k === y[r] ? 1 : 0));
        const base = k * width;
        for (let c = 0; c < x.columns; c++) gradient[base + c]! += error * x.values[row + c]!;
        gradient[base + x.columns]! += error;
      }
    }
    for (let k = 0; k < classes; k++) {
      for (let c = 0; c < x.columns; c++) {
        const w = at[k * width + c]!;
        loss += 0.5 * penalty * w * w;
        gradient[k * width + c]! += penalty * w;
      }
    }
    return loss;
  });
  return { classes, columns: x.columns, weights };
}

/** Class shares of one scaled row; sums to 1. */
export function logisticShares({ classes, columns, weights }: Logistic, x: ArrayLike<number>): Float64Array {
  const shares = new Float64Array(classes);
  scoresInto(shares, weights, x, 0, columns, classes);
  softmaxInto(shares, 0);
  return shares;
}

function scoresInto(
  out: Float64Array,
  weights: Float64Array,
  x: ArrayLike<number>,
  row: number,
  columns: number,
  classes: number,
): void {
  for (let k = 0; k < classes; k++) {
    const base = k * (columns + 1);
    let sum = weights[base + columns]!;
    for (let c = 0; c < columns; c++) sum += weights[base + c]! * x[row + c]!;
    out[k] = sum;
  }
}

/** Turns scores into shares in place and answers the log of the share of `of`. */
export function softmaxInto(scores: Float64Array, of: number): number {
  let top = scores[0]!;
  for (let k = 1; k < scores.length; k++) if (scores[k]! > top) top = scores[k]!;
  const own = scores[of]! - top;
  let sum = 0;
  for (let k = 0; k < scores.length; k++) {
    scores[k] = Math.exp(scores[k]! - top);
    sum += scores[k]!;
  }
  for (let k = 0; k < scores.length; k++) scores[k]! /= sum;
  return own - Math.log(sum);
}
