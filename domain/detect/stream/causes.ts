import { fromJson } from './verdict.ts';

export interface CausesOptions {
  /** How long one cause lasts, as a share of the rows so far. */
  readonly share: number;
  /** At most so many rows. */
  readonly maximumRows: number;
  /** By how much each earlier cause of its size, after the first, divides a statistic: 1 + familiarity x causes. */
  readonly familiarity: number;
  /** Rows after which an earlier cause counts 1/e. */
  readonly memory: number;
  readonly saved?: unknown;
}

/** Causes that are remembered, newest last. */
const REMEMBERED = 8;
/** An earlier cause is of the size of a statistic when its peak was at least this share of it. */
const LIKE = 0.75;
/** Statistics below this many deviations are no cause. */
const NOTEWORTHY = 3;

/**
 * Makes one cause one detection, and lets what keeps coming back surprise less.
 *
 * A statistic passes only when it is higher than all that passed within the refractory period before it, and is
 * answered by 0 otherwise. There is no threshold in it, so any threshold set later on what passes still finds the
 * first crossing of each cause. Of what passes, a little is taken for every earlier cause that was about as large.
 */
export class Causes {
  readonly #options: CausesOptions;
  #row = 0;
  #highest = 0;
  #until = -1;
  /** Row on which each remembered cause began, and its peak before any discount. */
  readonly #rows: number[] = [];
  readonly #peaks: number[] = [];
  /** Whether the newest remembered cause is the one that lasts. */
  #lasting = false;

  constructor(options: CausesOptions) {
    this.#options = options;
    if (options.saved === undefined) return;
    const { row, highest, until, rows, peaks, lasting } = options.saved as ReturnType<Causes['save']>;
    this.#row = row;
    this.#highest = fromJson(highest);
    this.#until = until;
    this.#rows.push(...rows);
    this.#peaks.push(...peaks);
    this.#lasting = lasting;
  }

  /** The last row of the cause that passed last; -1: none did. */
  get until(): number {
    return this.#until;
  }

  pass(statistic: number): number {
    const { share, maximumRows } = this.#options;
    const row = this.#row++;
    const begins = row > this.#until;
    if (begins) {
      this.#highest = 0;
      this.#lasting = false;
    }
    if (!(statistic > 0)) return 0;
    const surprising =
      statistic / (1 + this.#options.familiarity * Math.max(0, this.#alike(row, statistic) - 1));
    if (surprising <= this.#highest) return 0;
    this.#highest = surprising;
    this.#until = row + Math.min(maximumRows, share * row);
    if (statistic >= NOTEWORTHY) this.#remember(row, statistic);
    return surprising;
  }

  /** How many earlier causes were about as large, older ones counting less. */
  #alike(row: number, statistic: number): number {
    let alike = 0;
    const earlier = this.#peaks.length - (this.#lasting ? 1 : 0);
    for (let i = 0; i < earlier; i++) {
      if (this.#peaks[i]! >= LIKE * statistic)
        alike += Math.exp((this.#rows[i]! - row) / this.#options.memory);
    }
    return alike;
  }

  #remember(row: number, statistic: number): void {
    const newest = this.#peaks.length - 1;
    if (this.#lasting) {
      this.#peaks[newest] = Math.max(this.#peaks[newest]!, statistic);
      return;
    }
    this.#rows.push(row);
    this.#peaks.push(statistic);
    this.#lasting = true;
    if (this.#rows.length > REMEMBERED) {
      this.#rows.shift();
      this.#peaks.shift();
    }
  }

  save() {
    return {
      row: this.#row,
      highest: this.#highest,
      until: this.#until,
      rows: [...this.#rows],
      peaks: [...this.#peaks],
      lasting: this.#lasting,
    };
  }
}
