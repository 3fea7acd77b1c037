/** The last values, kept in order of size too: quantiles of a sliding window without sorting it each time. */
export class SortedWindow {
  readonly #length: number;
  /** In order of arrival, a ring. */
  readonly #ring: Float64Array;
  readonly #sorted: Float64Array;
  #next = 0;
  #count = 0;

  constructor(length: number, saved?: unknown) {
    this.#length = length;
    this.#ring = new Float64Array(length);
    this.#sorted = new Float64Array(length);
    if (Array.isArray(saved)) for (const value of saved as number[]) this.push(value);
  }

  get count(): number {
    return this.#count;
  }

  push(value: number): void {
    if (this.#count === this.#length) {
      const gone = this.#below(this.#ring[this.#next]!);
      this.#sorted.copyWithin(gone, gone + 1, this.#count);
      this.#count--;
    }
    const at = this.#below(value);
    this.#sorted.copyWithin(at + 1, at, this.#count);
    this.#sorted[at] = value;
    this.#count++;
    this.#ring[this.#next] = value;
    this.#next = (this.#next + 1) % this.#length;
  }

  median(): number {
    const middle = this.#count >> 1;
    const upper = this.#sorted[middle]!;
    return this.#count % 2 === 1 ? upper : (this.#sorted[middle - 1]! + upper) / 2;
  }

  /**
   * Median of the distances from `centre`. Left and right of the centre the distances are in order already, so the two
   * rows are merged half way.
   */
  medianDistance(centre: number): number {
    let right = this.#below(centre);
    let left = right - 1;
    let before = 0;
    let now = 0;
    for (let taken = 0; taken <= this.#count >> 1; taken++) {
      before = now;
      const toLeft = left >= 0 ? centre - this.#sorted[left]! : Infinity;
      const toRight = right < this.#count ? this.#sorted[right]! - centre : Infinity;
      if (toLeft <= toRight) {
        now = toLeft;
        left--;
      } else {
        now = toRight;
        right++;
      }
    }
    return this.#count % 2 === 1 ? now : (before + now) / 2;
  }

  /** Oldest first. */
  save(): number[] {
    const start = this.#next - this.#count + this.#length;
    return Array.from({ length: this.#count }, (_, i) => this.#ring[(start + i) % this.#length]!);
  }

  /** How many values are smaller. */
  #below(value: number): number {
    let low = 0;
    let high = this.#count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#sorted[middle]! < value) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
