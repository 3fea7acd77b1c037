import type { Grid } from '../clean/series.ts';
import { createRandom, shuffle } from '../random.ts';
import { DAY_MS } from './season.ts';

/**
 * A small long short-term memory (Hochreiter & Schmidhuber, 1997, with forget gates): one layer over the last `length`
 * values, and a linear read-out of how far each of the next `outputs` values lies from the last one.
 */
export interface Lstm {
  readonly hidden: number;
  readonly length: number;
  readonly outputs: number;
  /**
   * Gates, row-major, 4·hidden x (INPUTS + hidden + 1), in the order input, forget, output, candidate, intercept last;
   * then the read-out, outputs x (hidden + 1), intercept last.
   */
  readonly weights: Float64Array;
}

/** The value, its last difference, and the time of day on the circle. */
const INPUTS = 4;

export interface LstmOptions {
  readonly outputs: number;
  /** @default 12 */
  readonly hidden?: number;
  /** @default 24 */
  readonly length?: number;
  /** Passes over the samples. @default 10 */
  readonly epochs?: number;
  /** At most so many windows of the training values, evenly spread. @default 1200 */
  readonly samples?: number;
  readonly seed: number;
}

const BATCH = 16;
const LEARNING_RATE = 0.01;
const GRADIENT_NORM = 1;

/** Trains with Adam (Kingma & Ba, 2015) through time; the same seed gives the same bytes. Null: too few values. */
export function trainLstm(grid: Grid, options: LstmOptions): Lstm | null {
  const { outputs, hidden = 12, length = 24, epochs = 10, samples = 1200, seed } = options;
  const shape = { hidden, length, outputs };
  const usable: number[] = [];
  for (let t = length; t + outputs < grid.values.length; t++) if (isWhole(grid, t, shape)) usable.push(t);
  if (usable.length < 50) return null;
  const step = Math.max(1, usable.length / samples);
  const origins = Int32Array.from(
    { length: Math.floor(usable.length / step) },
    (_, i) => usable[Math.floor(i * step)]!,
  );
  const random = createRandom(seed);
  const weights = startingWeights(shape, random.normal);
  const lstm: Lstm = { ...shape, weights };
  const gradient = new Float64Array(weights.length);
  const mean = new Float64Array(weights.length);
  const variance = new Float64Array(weights.length);
  const work = new Work(lstm);
  let updates = 0;
  const total = epochs * Math.ceil(origins.length / BATCH);
  for (let epoch = 0; epoch < epochs; epoch++) {
    shuffle(origins, random);
    for (let begin = 0; begin < origins.length; begin += BATCH) {
      const end = Math.min(begin + BATCH, origins.length);
      gradient.fill(0);
      for (let i = begin; i < end; i++) work.lossAndGradient(grid, origins[i]!, gradient, 1 / (end - begin));
      let squares = 0;
      for (const g of gradient) squares += g * g;
      const norm = Math.sqrt(squares);
      const shrink = norm > GRADIENT_NORM ? GRADIENT_NORM / norm : 1;
      updates++;
      const rate = LEARNING_RATE * (1 - (0.9 * updates) / total);
      const correction = Math.sqrt(1 - 0.999 ** updates) / (1 - 0.9 ** updates);
      for (let i = 0; i < weights.length; i++) {
        const g = shrink * gradient[i]!;
        mean[i] = 0.9 * mean[i]! + 0.1 * g;
        variance[i] = 0.999 * variance[i]! + 0.001 * g * g;
        weights[i]! -= (rate * correction * mean[i]!) / (Math.sqrt(variance[i]!) + 1e-8);
      }
    }
  }
  return lstm;
}

function startingWeights(
  { hidden, outputs }: Pick<Lstm, 'hidden' | 'outputs'>,
  normal: () => number,
): Float64Array {
  const width = INPUTS + hidden + 1;
  const weights = new Float64Array(4 * hidden * width + outputs * (hidden + 1));
  for (let i = 0; i < 4 * hidden * width; i++) weights[i] = normal() / Math.sqrt(width);
  // Remembering is the rule, forgetting is learnt. The read-out begins at persistence.
  for (let h = 0; h < hidden; h++) weights[(hidden + h) * width + width - 1] = 1;
  return weights;
}

function isWhole(grid: Grid, origin: number, { length, outputs }: Omit<Lstm, 'weights'>): boolean {
  if (origin < length || origin + outputs >= grid.values.length) return false;
  for (let t = origin - length; t <= origin + outputs; t++)
    if (!Number.isFinite(grid.values[t]!)) return false;
  return true;
}

/** Mean squared error of one window; adds its gradient, times `weight`, to `gradient`. For training and for tests. */
export function lstmLoss(lstm: Lstm, grid: Grid, origin: number, gradient: Float64Array): number {
  return new Work(lstm).lossAndGradient(grid, origin, gradient, 1);
}

export function continueLstm(lstm: Lstm, grid: Grid, origin: number, path: Float64Array): boolean {
  if (origin < lstm.length) return false;
  for (let t = origin - lstm.length; t <= origin; t++) if (!Number.isFinite(grid.values[t]!)) return false;
  const { hidden, length, weights } = lstm;
  const work = new Work(lstm);
  work.forward(grid, origin);
  const readOut = 4 * hidden * (INPUTS + hidden + 1);
  for (let o = 0; o < path.length; o++) {
    const base = readOut + Math.min(o, lstm.outputs - 1) * (hidden + 1);
    let sum = weights[base + hidden]!;
    for (let h = 0; h < hidden; h++) sum += weights[base + h]! * work.state[length * hidden + h]!;
    path[o] = grid.values[origin]! + sum;
  }
  return true;
}

/** Memory of one pass, used again and again. */
class Work {
  /** Hidden states, (length + 1) x hidden; the first is zero. */
  readonly state: Float64Array;
  readonly #lstm: Lstm;
  readonly #cell: Float64Array;
  /** Gates after their functions, length x 4·hidden. */
  readonly #gates: Float64Array;
  readonly #inputs: Float64Array;
  readonly #backState: Float64Array;
  readonly #backCell: Float64Array;
  readonly #backGate: Float64Array;

  constructor(lstm: Lstm) {
    const { hidden, length } = lstm;
    this.#lstm = lstm;
    this.state = new Float64Array((length + 1) * hidden);
    this.#cell = new Float64Array((length + 1) * hidden);
    this.#gates = new Float64Array(length * 4 * hidden);
    this.#inputs = new Float64Array(length * INPUTS);
    this.#backState = new Float64Array(hidden);
    this.#backCell = new Float64Array(hidden);
    this.#backGate = new Float64Array(4 * hidden);
  }

  forward(grid: Grid, origin: number): void {
    const { hidden, length, weights } = this.#lstm;
    const { state } = this;
    const cells = this.#cell;
    const gates = this.#gates;
    const inputs = this.#inputs;
    for (let t = 0; t < length; t++) {
      this.#read(grid, origin - length + 1 + t, t);
      const first = t * 4 * hidden;
      for (let g = 0, at = 0; g < 4 * hidden; g++) {
        let sum = 0;
        for (let i = 0; i < INPUTS; i++) sum += weights[at++]! * inputs[t * INPUTS + i]!;
        for (let h = 0; h < hidden; h++) sum += weights[at++]! * state[t * hidden + h]!;
        sum += weights[at++]!;
        gates[first + g] = g < 3 * hidden ? 1 / (1 + Math.exp(-sum)) : Math.tanh(sum);
      }
      for (let h = 0; h < hidden; h++) {
        const kept = gates[first + hidden + h]! * cells[t * hidden + h]!;
        const cell = kept + gates[first + h]! * gates[first + 3 * hidden + h]!;
        cells[(t + 1) * hidden + h] = cell;
        state[(t + 1) * hidden + h] = gates[first + 2 * hidden + h]! * Math.tanh(cell);
      }
    }
  }

  lossAndGradient(grid: Grid, origin: number, gradient: Float64Array, weight: number): number {
    const { hidden, length, outputs, weights } = this.#lstm;
    this.forward(grid, origin);
    const readOut = 4 * hidden * (INPUTS + hidden + 1);
    this.#backState.fill(0);
    this.#backCell.fill(0);
    let loss = 0;
    for (let o = 0; o < outputs; o++) {
      const base = readOut + o * (hidden + 1);
      let sum = weights[base + hidden]!;
      for (let h = 0; h < hidden; h++) sum += weights[base + h]! * this.state[length * hidden + h]!;
      const error = sum - (grid.values[origin + 1 + o]! - grid.values[origin]!);
      loss += (error * error) / outputs;
      const back = (2 * error * weight) / outputs;
      for (let h = 0; h < hidden; h++) {
        gradient[base + h]! += back * this.state[length * hidden + h]!;
        this.#backState[h]! += back * weights[base + h]!;
      }
      gradient[base + hidden]! += back;
    }
    for (let t = length - 1; t >= 0; t--) this.#backwards(t, gradient);
    return loss;
  }

  #backwards(t: number, gradient: Float64Array): void {
    const { hidden, weights } = this.#lstm;
    const { state } = this;
    const cells = this.#cell;
    const gates = this.#gates;
    const inputs = this.#inputs;
    const backState = this.#backState;
    const backCells = this.#backCell;
    const backGate = this.#backGate;
    for (let h = 0; h < hidden; h++) {
      const at = t * 4 * hidden + h;
      const input = gates[at]!;
      const forget = gates[at + hidden]!;
      const output = gates[at + 2 * hidden]!;
      const candidate = gates[at + 3 * hidden]!;
      const squashed = Math.tanh(cells[(t + 1) * hidden + h]!);
      const backCell = backCells[h]! + backState[h]! * output * (1 - squashed * squashed);
      backGate[h] = backCell * candidate * input * (1 - input);
      backGate[hidden + h] = backCell * cells[t * hidden + h]! * forget * (1 - forget);
      backGate[2 * hidden + h] = backState[h]! * squashed * output * (1 - output);
      backGate[3 * hidden + h] = backCell * input * (1 - candidate * candidate);
      backCells[h] = backCell * forget;
    }
    backState.fill(0);
    for (let g = 0, at = 0; g < 4 * hidden; g++) {
      const back = backGate[g]!;
      for (let i = 0; i < INPUTS; i++) gradient[at++]! += back * inputs[t * INPUTS + i]!;
      for (let h = 0; h < hidden; h++, at++) {
        gradient[at]! += back * state[t * hidden + h]!;
        backState[h]! += back * weights[at]!;
      }
      gradient[at++]! += back;
    }
  }

  #read({ startMs, everyMs, values }: Grid, at: number, t: number): void {
    const angle = (2 * Math.PI * ((startMs + at * everyMs) % DAY_MS)) / DAY_MS;
    this.#inputs[t * INPUTS] = values[at]!;
    this.#inputs[t * INPUTS + 1] = values[at]! - values[at - 1]!;
    this.#inputs[t * INPUTS + 2] = Math.sin(angle);
    this.#inputs[t * INPUTS + 3] = Math.cos(angle);
  }
}
