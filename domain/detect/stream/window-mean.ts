/** Mean of the last `length` values in constant time a value; NaN until so many were seen. */
export class WindowMean {
  readonly #ring: Float64Array;
  #next = 0;
  #filled = 0;
  #sum = 0;

  constructor(length: number, saved?: unknown) {
    this.#ring = new Float64Array(length);
    if (saved === undefined) return;
    const { ring, next, filled, sum } = saved as ReturnType<WindowMean['save']>;
    this.#ring.set(ring);
    this.#next = next;
    this.#filled = filled;
    this.#sum = sum;
  }

  push(value: number): number {
    const ring = this.#ring;
    this.#sum += value - ring[this.#next]!;
    ring[this.#next] = value;
    this.#filled = Math.min(this.#filled + 1, ring.length);
    this.#next = (this.#next + 1) % ring.length;
    // Once a round the sum is taken anew: rounding must not add up over months.
    if (this.#next === 0) this.#sum = ring.reduce((sum, each) => sum + each, 0);
    return this.#filled < ring.length ? Number.NaN : this.#sum / ring.length;
  }

  save(): { ring: number[]; next: number; filled: number; sum: number } {
    return { ring: [...this.#ring], next: this.#next, filled: this.#filled, sum: this.#sum };
  }
}
