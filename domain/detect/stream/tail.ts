import { fromJson } from './verdict.ts';

/** Statistics above this quantile make the tail. */
const TAIL = 0.02;

/**
 * Where a limit must lie so that only a given share of values exceeds it: peaks over threshold with an exponential
 * tail (Siffer et al., 2017, with the shape held at 0). The tail begins at a running 98 % quantile (stochastic
 * approximation); beyond it the mean excess says how fast it thins out.
 */
export class TailLimit {
  readonly #budget: number;
  #start = 0;
  #spread = 0;
  #excess = 0;
  #count = 0;

  /** @param budget share of values that may exceed the limit, above 0 and below 0.02 */
  constructor(budget: number, saved?: unknown) {
    this.#budget = budget;
    if (!Array.isArray(saved)) return;
    [this.#start, this.#spread, this.#excess, this.#count] = saved.map(fromJson) as [
      number,
      number,
      number,
      number,
    ];
  }

  /** The limit as the values so far have it. */
  get limit(): number {
    return this.#start + this.#excess * Math.log(TAIL / this.#budget);
  }

  push(value: number): void {
    this.#count++;
    const rate = Math.max(0.001, 1 / this.#count);
    this.#spread += rate * (Math.abs(value - this.#start) - this.#spread);
    if (value > this.#start) {
      this.#excess += Math.max(0.01, rate) * (value - this.#start - this.#excess);
    }
    const step = this.#spread * Math.max(0.01, rate);
    this.#start += value > this.#start ? step * (1 - TAIL) : -step * TAIL;
  }

  save(): number[] {
    return [this.#start, this.#spread, this.#excess, this.#count];
  }
}
