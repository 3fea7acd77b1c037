import { fromJson } from './verdict.ts';

export interface RefractoryOptions {
  /** How long one cause lasts, as a share of the rows so far. */
  readonly share: number;
  /** At least so many rows. @default 0 */
  readonly minimumRows?: number;
  /** At most so many rows. */
  readonly maximumRows: number;
  readonly saved?: unknown;
}

/**
 * Keeps one cause one detection: a score passes only when it is higher than all that passed within the refractory
 * period before it, and is answered by 0 otherwise. It knows no threshold, so any threshold set later on what passes
 * still finds the first crossing of each cause.
 */
export class Refractory {
  readonly #options: RefractoryOptions;
  #row = 0;
  #peak = 0;
  #until = -1;

  constructor(options: RefractoryOptions) {
    this.#options = options;
    const { saved } = options;
    if (!Array.isArray(saved)) return;
    [this.#row, this.#peak, this.#until] = saved.map(fromJson) as [number, number, number];
  }

  /** Rows so far. */
  get rows(): number {
    return this.#row;
  }

  /** The last row of the cause that passed last; -1: none did. */
  get until(): number {
    return this.#until;
  }

  pass(score: number): number {
    const { share, minimumRows = 0, maximumRows } = this.#options;
    const row = this.#row++;
    if (row > this.#until) this.#peak = 0;
    if (!(score > this.#peak)) return 0;
    this.#peak = score;
    this.#until = row + Math.max(minimumRows, Math.min(maximumRows, share * row));
    return score;
  }

  save(): number[] {
    return [this.#row, this.#peak, this.#until];
  }
}
