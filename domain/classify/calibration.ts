/**
 * Calibration: turning a recogniser's scores into probabilities that come true as often as they say, and
 * measuring how far they are from that.
 */

/** `probability = 1 / (1 + exp(a score + b))`. */
export interface Sigmoid {
  readonly a: number;
  readonly b: number;
}

/** A non-decreasing step curve: value `y[i]` from score `x[i]` on, straight lines between. */
export interface Isotonic {
  readonly x: readonly number[];
  readonly y: readonly number[];
}

/** One-against-the-rest curves over the class shares, then normalised to sum to 1. */
export type Calibration =
  | { readonly method: 'none' }
  | { readonly method: 'platt'; readonly curves: readonly Sigmoid[] }
  | { readonly method: 'isotonic'; readonly curves: readonly Isotonic[] };

/**
 * Fits a sigmoid by Newton's method with backtracking (Platt, 1999, as corrected by Lin, Lin & Weng, 2007).
 * Targets are pulled in from 0 and 1 by the number of examples, so few examples never give certainty.
 *
 * @param scores any real numbers; larger speaks for `positive`.
 * @param weights how much each example counts. @default all 1
 */
export function fitSigmoid(
  scores: ArrayLike<number>,
  positive: ArrayLike<boolean>,
  weights?: ArrayLike<number>,
): Sigmoid {
  const weight = (i: number): number => weights?.[i] ?? 1;
  const n = scores.length;
  let positives = 0;
  for (let i = 0; i < n; i++) if (positive[i]) positives++;
  const high = (positives + 1) / (positives + 2);
  const low = 1 / (n - positives + 2);
  const target = (i: number): number => (positive[i] ? high : low);
  const cost = (a: number, b: number): number => {
    let sum = 0;
    for (let i = 0; i < n; i++) {
      const z = a * scores[i]! + b;
      const loss =
        z >= 0 ? target(i) * z + Math.log1p(Math.exp(-z)) : (target(i) - 1) * z + Math.log1p(Math.exp(z));
      sum += weight(i) * loss;
    }
    return sum;
  };
  let a = 0;
  let b = Math.log((n - positives + 1) / (positives + 1));
  let value = cost(a, b);
  for (let iteration = 0; iteration < 100; iteration++) {
    let h11 = 1e-12;
    let h22 = 1e-12;
    let h21 = 0;
    let g1 = 0;
    let g2 = 0;
    for (let i = 0; i < n; i++) {
      const z = a * scores[i]! + b;
      const e = Math.exp(-Math.abs(z));
      const p = z >= 0 ? e / (1 + e) : 1 / (1 + e);
      const d2 = weight(i) * p * (1 - p);
      const d1 = weight(i) * (target(i) - p);
      h11 += scores[i]! * scores[i]! * d2;
      h22 += d2;
      h21 += scores[i]! * d2;
      g1 += scores[i]! * d1;
      g2 += d1;
    }
    if (Math.abs(g1) < 1e-5 && Math.abs(g2) < 1e-5) break;
    const determinant = h11 * h22 - h21 * h21;
    const da = -(h22 * g1 - h21 * g2) / determinant;
    const db = -(-h21 * g1 + h11 * g2) / determinant;
    const slope = g1 * da + g2 * db;
    let step = 1;
    for (; step >= 1e-10; step /= 2) {
      const moved = cost(a + step * da, b + step * db);
      if (moved < value + 1e-4 * step * slope) {
        a += step * da;
        b += step * db;
        value = moved;
        break;
      }
    }
    if (step < 1e-10) break;
  }
  return { a, b };
}

export function sigmoid({ a, b }: Sigmoid, score: number): number {
  const z = a * score + b;
  return z >= 0 ? Math.exp(-z) / (1 + Math.exp(-z)) : 1 / (1 + Math.exp(z));
}

/** Fits a non-decreasing curve by pooling adjacent violators (Ayer et al., 1955). */
export function fitIsotonic(scores: ArrayLike<number>, positive: ArrayLike<boolean>): Isotonic {
  const order = Array.from({ length: scores.length }, (_, i) => i).sort((i, j) => scores[i]! - scores[j]!);
  const blocks: { first: number; last: number; sum: number; weight: number }[] = [];
  for (const i of order) {
    const score = scores[i]!;
    const previous = blocks.at(-1);
    const hit = positive[i] ? 1 : 0;
    // Equal scores must get one answer: they are one block from the start.
    if (previous !== undefined && previous.last === score) {
      previous.sum += hit;
      previous.weight += 1;
    } else {
      blocks.push({ first: score, last: score, sum: hit, weight: 1 });
    }
    pool(blocks);
  }
  const x: number[] = [];
  const y: number[] = [];
  for (const { first, last, sum, weight } of blocks) {
    x.push(first);
    y.push(sum / weight);
    if (last > first) {
      x.push(last);
      y.push(sum / weight);
    }
  }
  return { x, y };
}

function pool(blocks: { first: number; last: number; sum: number; weight: number }[]): void {
  while (blocks.length > 1) {
    const upper = blocks.at(-1)!;
    const lower = blocks.at(-2)!;
    if (lower.sum * upper.weight <= upper.sum * lower.weight) return;
    lower.last = upper.last;
    lower.sum += upper.sum;
    lower.weight += upper.weight;
    blocks.pop();
  }
}

export function isotonic({ x, y }: Isotonic, score: number): number {
  if (x.length === 0) return 0;
  if (score <= x[0]!) return y[0]!;
  if (score >= x.at(-1)!) return y.at(-1)!;
  let low = 0;
  let high = x.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (x[middle]! <= score) low = middle;
    else high = middle;
  }
  const share = (score - x[low]!) / (x[high]! - x[low]!);
  return y[low]! + share * (y[high]! - y[low]!);
}

/** Shares near 0 and 1 differ by orders of magnitude: a sigmoid is fitted to their log-odds, cut at 1 in 1,000. */
export function logOdds(share: number): number {
  const cut = Math.min(Math.max(share, 0.001), 0.999);
  return Math.log(cut / (1 - cut));
}

/**
 * Fits one curve a class from shares on rows the recogniser was not trained on.
 *
 * @param shares row-major, rows x classes.
 * @param y class index of each row.
 */
export function fitCalibration(
  method: 'platt' | 'isotonic',
  shares: Float64Array,
  y: ArrayLike<number>,
  classes: number,
): Calibration {
  const column = (k: number): Float64Array =>
    Float64Array.from({ length: y.length }, (_, r) => shares[r * classes + k]!);
  const is = (k: number): boolean[] => Array.from({ length: y.length }, (_, r) => y[r] === k);
  const all = Array.from({ length: classes }, (_, k) => k);
  return method === 'platt'
    ? { method, curves: all.map((k) => fitSigmoid(column(k).map(logOdds), is(k))) }
    : { method, curves: all.map((k) => fitIsotonic(column(k), is(k))) };
}

/** Calibrated probabilities that sum to 1. */
export function calibrate(calibration: Calibration, shares: Float64Array): Float64Array {
  if (calibration.method === 'none') return shares;
  const out = new Float64Array(shares.length);
  let sum = 0;
  for (let k = 0; k < shares.length; k++) {
    out[k] =
      calibration.method === 'platt'
        ? sigmoid(calibration.curves[k]!, logOdds(shares[k]!))
        : isotonic(calibration.curves[k]!, shares[k]!);
    sum += out[k]!;
  }
  // Every curve at zero: nothing is left to normalise, so the shares stand.
  if (sum === 0) return shares;
  for (let k = 0; k < out.length; k++) out[k]! /= sum;
  return out;
}

export interface ReliabilityBin {
  readonly low: number;
  readonly high: number;
  readonly count: number;
  /** Mean stated confidence of the bin; null when it is empty. */
  readonly confidence: number | null;
  /** Share of the bin that was right; null when it is empty. */
  readonly accuracy: number | null;
}

export interface Reliability {
  /** Expected calibration error, 0..1: the mean gap between confidence and accuracy, weighted by count. */
  readonly expectedCalibrationError: number;
  readonly bins: readonly ReliabilityBin[];
}

/** Ten bins of equal width over the confidence of the given answer. */
export function reliability(
  confidences: ArrayLike<number>,
  right: ArrayLike<boolean>,
  bins = 10,
): Reliability {
  const count = new Array<number>(bins).fill(0);
  const sum = new Array<number>(bins).fill(0);
  const hits = new Array<number>(bins).fill(0);
  for (let i = 0; i < confidences.length; i++) {
    const bin = Math.min(bins - 1, Math.floor(confidences[i]! * bins));
    count[bin]!++;
    sum[bin]! += confidences[i]!;
    if (right[i]) hits[bin]!++;
  }
  const gap = count.reduce((total, n, b) => (n === 0 ? total : total + Math.abs(sum[b]! - hits[b]!)), 0);
  return {
    expectedCalibrationError: confidences.length === 0 ? 0 : gap / confidences.length,
    bins: count.map((n, b) => ({
      low: b / bins,
      high: (b + 1) / bins,
      count: n,
      confidence: n === 0 ? null : sum[b]! / n,
      accuracy: n === 0 ? null : hits[b]! / n,
    })),
  };
}
