import { createRandom, shuffle } from '../random.ts';
import { softmaxInto } from './logistic.ts';
import type { Matrix } from './matrix.ts';

/** A neural network with one hidden layer of tanh units and a softmax over classes. */
export interface Mlp {
  readonly classes: number;
  readonly columns: number;
  readonly hidden: number;
  /** Row-major, hidden x (columns + 1), intercept last. */
  readonly first: Float64Array;
  /** Row-major, classes x (hidden + 1), intercept last. */
  readonly second: Float64Array;
}

export interface MlpOptions {
  /** @default 16 */
  readonly hidden?: number;
  /** Passes over the rows. @default 150 */
  readonly epochs?: number;
  /** @default 32 */
  readonly batch?: number;
  /** @default 0.01 */
  readonly learningRate?: number;
  /** Pull of the weights towards 0. @default 0.0001 */
  readonly penalty?: number;
  /** @default all 1 */
  readonly classWeights?: readonly number[];
  readonly seed: number;
}

/** Trains with Adam (Kingma & Ba, 2015); the same seed gives the same bytes. @param x scaled rows. */
export function trainMlp(x: Matrix, y: Uint8Array, classes: number, options: MlpOptions): Mlp {
  const { hidden = 16, epochs = 150, batch = 32, learningRate = 0.01, penalty = 1e-4 } = options;
  const random = createRandom(options.seed);
  const columns = x.columns;
  const firstLength = hidden * (columns + 1);
  const weights = new Float64Array(firstLength + classes * (hidden + 1));
  for (let i = 0; i < weights.length; i++) {
    weights[i] = random.normal() * Math.sqrt(1 / (i < firstLength ? columns + 1 : hidden + 1));
  }
  const first = weights.subarray(0, firstLength);
  const second = weights.subarray(firstLength);
  const gradient = new Float64Array(weights.length);
  const mean = new Float64Array(weights.length);
  const variance = new Float64Array(weights.length);
  const activity = new Float64Array(hidden);
  const shares = new Float64Array(classes);
  const order = Int32Array.from({ length: x.rows }, (_, r) => r);
  let updates = 0;

  for (let epoch = 0; epoch < epochs; epoch++) {
    shuffle(order, random);
    for (let begin = 0; begin < x.rows; begin += batch) {
      const end = Math.min(begin + batch, x.rows);
      gradient.fill(0);
      for (let i = begin; i < end; i++) {
        const r = order[i]!;
        const row = x.values.subarray(r * columns, (r + 1) * columns);
        forward(first, second, row, activity, shares);
        softmaxInto(shares, 0);
        const weight = (options.classWeights?.[y[r]!] ?? 1) / (end - begin);
        for (let k = 0; k < classes; k++) shares[k] = weight * (shares[k]! - (k === y[r] ? 1 : 0));
        for (let h = 0; h < hidden; h++) {
          let back = 0;
          for (let k = 0; k < classes; k++) {
            const at = k * (hidden + 1) + h;
            back += shares[k]! * second[at]!;
            gradient[firstLength + at]! += shares[k]! * activity[h]!;
          }
          back *= 1 - activity[h]! * activity[h]!;
          const base = h * (columns + 1);
          for (let c = 0; c < columns; c++) gradient[base + c]! += back * row[c]!;
          gradient[base + columns]! += back;
        }
        for (let k = 0; k < classes; k++) gradient[firstLength + k * (hidden + 1) + hidden]! += shares[k]!;
      }
      updates++;
      const correction = Math.sqrt(1 - 0.999 ** updates) / (1 - 0.9 ** updates);
      for (let i = 0; i < weights.length; i++) {
        const g = gradient[i]! + penalty * weights[i]!;
        mean[i] = 0.9 * mean[i]! + 0.1 * g;
        variance[i] = 0.999 * variance[i]! + 0.001 * g * g;
        weights[i]! -= (learningRate * correction * mean[i]!) / (Math.sqrt(variance[i]!) + 1e-8);
      }
    }
  }
  return { classes, columns, hidden, first: first.slice(), second: second.slice() };
}

function forward(
  first: Float64Array,
  second: Float64Array,
  x: ArrayLike<number>,
  activity: Float64Array,
  scores: Float64Array,
): void {
  const columns = first.length / activity.length - 1;
  for (let h = 0, at = 0; h < activity.length; h++) {
    let sum = 0;
    for (let c = 0; c < columns; c++) sum += first[at++]! * x[c]!;
    activity[h] = Math.tanh(sum + first[at++]!);
  }
  for (let k = 0, at = 0; k < scores.length; k++) {
    let sum = 0;
    for (let h = 0; h < activity.length; h++) sum += second[at++]! * activity[h]!;
    scores[k] = sum + second[at++]!;
  }
}

/** Class shares of one scaled row; sums to 1. */
export function mlpShares(mlp: Mlp, x: ArrayLike<number>): Float64Array {
  const shares = new Float64Array(mlp.classes);
  forward(mlp.first, mlp.second, x, new Float64Array(mlp.hidden), shares);
  softmaxInto(shares, 0);
  return shares;
}
