import { solveNormal } from '../detect/stream/least-squares.ts';

/** y_t = intercept + Σ weights[k]·y_{t-1-k} + e_t. */
export interface Autoregression {
  readonly intercept: number;
  readonly weights: Float64Array;
  /** Mean squared error of one step over the training values. */
  readonly meanSquaredError: number;
  /** Training values, one step each. */
  readonly rows: number;
}

/** Orders that are tried; the one with the least Bayesian information criterion is taken (Schwarz, 1978). */
const ORDERS = [1, 2, 3, 6, 12, 24] as const;

/** AR(p) by least squares over all stretches without gaps; null when there are too few values. */
export function fitAutoregression(values: Float64Array): Autoregression | null {
  let best: Autoregression | null = null;
  let least = Infinity;
  for (const order of ORDERS) {
    const fitted = fitOrder(values, order);
    if (fitted === null) break;
    const criterion =
      fitted.rows * Math.log(Math.max(fitted.meanSquaredError, 1e-300)) + (order + 1) * Math.log(fitted.rows);
    if (criterion >= least) continue;
    least = criterion;
    best = fitted;
  }
  return best;
}

/** AR of exactly this order; `fitOrder(values, 1)` is the documented baseline y_t = a + b·y_{t-1} + e_t. */
export function fitOrder(values: Float64Array, order: number): Autoregression | null {
  const size = order + 1;
  const gram = new Float64Array(size * size);
  const moment = new Float64Array(size);
  const inputs = new Float64Array(size);
  inputs[order] = 1;
  let rows = 0;
  let squares = 0;
  eachRow(values, order, inputs, (target) => {
    rows++;
    squares += target * target;
    for (let i = 0; i < size; i++) {
      moment[i]! += inputs[i]! * target;
      for (let j = 0; j < size; j++) gram[i * size + j]! += inputs[i]! * inputs[j]!;
    }
  });
  if (rows < 5 * size) return null;
  const solved = solveNormal(gram, moment, size);
  let errors = 0;
  eachRow(values, order, inputs, (target) => {
    let expected = 0;
    for (let i = 0; i < size; i++) expected += solved[i]! * inputs[i]!;
    errors += (target - expected) ** 2;
  });
  if (!Number.isFinite(errors) || !Number.isFinite(squares)) return null;
  return {
    intercept: solved[order]!,
    weights: solved.slice(0, order),
    meanSquaredError: errors / rows,
    rows,
  };
}

function eachRow(
  values: Float64Array,
  order: number,
  inputs: Float64Array,
  see: (target: number) => void,
): void {
  let known = 0;
  for (let t = 0; t < values.length; t++) {
    const target = values[t]!;
    if (known >= order && Number.isFinite(target)) {
      for (let k = 0; k < order; k++) inputs[k] = values[t - 1 - k]!;
      see(target);
    }
    known = Number.isFinite(target) ? known + 1 : 0;
  }
}

/** Goes on from `values[origin]`, each expected value counting as the next one; false when the past has a gap. */
export function continueAutoregression(
  { intercept, weights }: Autoregression,
  values: Float64Array,
  origin: number,
  path: Float64Array,
): boolean {
  const order = weights.length;
  if (origin + 1 < order) return false;
  for (let k = 0; k < order; k++) if (!Number.isFinite(values[origin - k]!)) return false;
  for (let h = 0; h < path.length; h++) {
    let expected = intercept;
    for (let k = 0; k < order; k++) {
      const back = h - 1 - k;
      expected += weights[k]! * (back >= 0 ? path[back]! : values[origin + 1 + back]!);
    }
    path[h] = expected;
  }
  return true;
}
