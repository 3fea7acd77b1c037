/**
 * Solves the normal equations G·w = m by Cholesky's method, with a touch of ridge so that columns that depend on each
 * other still have an answer.
 *
 * @param gram symmetric, `size` x `size`, row by row; is overwritten
 */
export function solveNormal(gram: Float64Array, moment: Float64Array, size: number): Float64Array {
  let trace = 0;
  for (let i = 0; i < size; i++) trace += gram[i * size + i]!;
  const ridge = (1e-10 * trace) / size + Number.MIN_VALUE;
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = gram[i * size + j]! + (i === j ? ridge : 0);
      for (let k = 0; k < j; k++) sum -= gram[i * size + k]! * gram[j * size + k]!;
      gram[i * size + j] = i === j ? Math.sqrt(Math.max(sum, ridge)) : sum / gram[j * size + j]!;
    }
  }
  const answer = Float64Array.from(moment);
  for (let i = 0; i < size; i++) {
    for (let k = 0; k < i; k++) answer[i] = answer[i]! - gram[i * size + k]! * answer[k]!;
    answer[i] = answer[i]! / gram[i * size + i]!;
  }
  for (let i = size - 1; i >= 0; i--) {
    for (let k = i + 1; k < size; k++) answer[i] = answer[i]! - gram[k * size + i]! * answer[k]!;
    answer[i] = answer[i]! / gram[i * size + i]!;
  }
  return answer;
}

/** Recursive least squares with forgetting (Plackett, 1950): after each row the weights that fit all rows so far best. */
export class RecursiveLeastSquares {
  readonly weights: Float64Array;
  /** Inverse of the weighted Gram matrix, row by row. */
  readonly inverse: Float64Array;
  readonly #size: number;
  readonly #forgetting: number;
  readonly #gain: Float64Array;

  /** @param forgetting weight of the past per row, 1: never forget */
  constructor(size: number, forgetting: number, saved?: { weights: number[]; inverse: number[] }) {
    this.#size = size;
    this.#forgetting = forgetting;
    this.#gain = new Float64Array(size);
    this.weights = new Float64Array(size);
    this.inverse = new Float64Array(size * size);
    for (let i = 0; i < size; i++) this.inverse[i * size + i] = NOTHING_KNOWN;
    if (saved === undefined) return;
    this.weights.set(saved.weights);
    this.inverse.set(saved.inverse);
  }

  predict(inputs: Float64Array): number {
    let sum = 0;
    for (let i = 0; i < this.#size; i++) sum += this.weights[i]! * inputs[i]!;
    return sum;
  }

  /** Learns from inputs and how far `predict` was off for them. */
  learn(inputs: Float64Array, error: number): void {
    const size = this.#size;
    const { weights, inverse } = this;
    const gain = this.#gain;
    let scale = this.#forgetting;
    for (let i = 0; i < size; i++) {
      let sum = 0;
      for (let j = 0; j < size; j++) sum += inverse[i * size + j]! * inputs[j]!;
      gain[i] = sum;
      scale += sum * inputs[i]!;
    }
    for (let i = 0; i < size; i++) weights[i] = weights[i]! + (gain[i]! / scale) * error;
    // Without news in some direction its uncertainty would grow without end (wind-up): forget only while it is bounded.
    let trace = 0;
    for (let i = 0; i < size; i++) trace += inverse[i * size + i]!;
    const forgetting = trace < NOTHING_KNOWN * size ? this.#forgetting : 1;
    for (let i = 0; i < size; i++) {
      for (let j = 0; j <= i; j++) {
        const value = (inverse[i * size + j]! - (gain[i]! * gain[j]!) / scale) / forgetting;
        inverse[i * size + j] = value;
        inverse[j * size + i] = value;
      }
    }
  }

  save(): { weights: number[]; inverse: number[] } {
    return { weights: [...this.weights], inverse: [...this.inverse] };
  }
}

const NOTHING_KNOWN = 1e6;
