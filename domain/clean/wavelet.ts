import { medianOf } from './series.ts';

/** Scaling filters (Daubechies, 1992): Haar, and db4 with eight taps. */
const FILTERS = {
  haar: [Math.SQRT1_2, Math.SQRT1_2],
  db4: [
    0.23037781330885523, 0.7148465705525415, 0.6308807679295904, -0.02798376941698385, -0.18703481171888114,
    0.030841381835986965, 0.032883011666982945, -0.010597401784997278,
  ],
} as const;

export type Wavelet = keyof typeof FILTERS;

/**
 * Takes the noise out of a block: periodic wavelet transform, details below sigma·√(2 ln n) away (Donoho & Johnstone,
 * 1994; sigma from the median of the finest details), and back. The rest is kept whole: shrinking it, too, would round
 * off the steps that matter. Constant blocks stay as they are.
 *
 * @param block length a power of two of at least 8, finite
 */
export function denoiseBlock(block: Float64Array, wavelet: Wavelet): Float64Array {
  const low = FILTERS[wavelet];
  const n = block.length;
  const coefficients = block.slice();
  const shortest = Math.max(low.length, 4);
  let length = n;
  for (; length >= shortest && length % 2 === 0; length /= 2) split(coefficients, length, low);
  const sigma = medianOf(coefficients.slice(n / 2).map(Math.abs)) / 0.6745;
  const threshold = sigma * Math.sqrt(2 * Math.log(n));
  for (let i = length; i < n; i++) {
    if (Math.abs(coefficients[i]!) <= threshold) coefficients[i] = 0;
  }
  for (length *= 2; length <= n; length *= 2) join(coefficients, length, low);
  return coefficients;
}

/** One level of the transform: sums in front, details behind. */
function split(values: Float64Array, length: number, low: readonly number[]): void {
  const half = length / 2;
  const out = new Float64Array(length);
  for (let i = 0; i < half; i++) {
    let sum = 0;
    let detail = 0;
    for (let k = 0; k < low.length; k++) {
      const value = values[(2 * i + k) % length]!;
      sum += low[k]! * value;
      detail += (k % 2 === 0 ? 1 : -1) * low[low.length - 1 - k]! * value;
    }
    out[i] = sum;
    out[half + i] = detail;
  }
  values.set(out);
}

function join(values: Float64Array, length: number, low: readonly number[]): void {
  const half = length / 2;
  const out = new Float64Array(length);
  for (let i = 0; i < half; i++) {
    for (let k = 0; k < low.length; k++) {
      out[(2 * i + k) % length]! +=
        low[k]! * values[i]! + (k % 2 === 0 ? 1 : -1) * low[low.length - 1 - k]! * values[half + i]!;
    }
  }
  values.set(out);
}
