import { fromJson } from './verdict.ts';

/** By how much, as a logarithm, one detection raises the limit: a third. */
const STEP = 0.3;

/**
 * A limit that keeps to a budget of detections whatever the stream is like: each detection raises it by a third, each
 * row lets it sink so far that a detection every 1/`budget` rows holds it in place (adaptive conformal inference, Gibbs
 * & Candès, 2021). Over T rows there are at most budget·T + ln(highest/lowest limit)/0.3 + 1 detections, without any
 * assumption about the stream. It never sinks below `lowest`: a budget is a bound and need not be spent.
 */
export class BudgetLimit {
  readonly #budget: number;
  readonly #lowest: number;
  #logarithm: number;

  /** @param budget detections a row, above 0 */
  constructor({
    budget,
    start,
    lowest,
    saved,
  }: {
    readonly budget: number;
    readonly start: number;
    readonly lowest: number;
    readonly saved?: unknown;
  }) {
    this.#budget = budget;
    this.#lowest = Math.log(lowest);
    this.#logarithm = saved === undefined ? Math.log(start) : fromJson(saved);
  }

  get limit(): number {
    return Math.exp(this.#logarithm);
  }

  /** After every row: whether a detection began with it. */
  push(detected: boolean): void {
    this.#logarithm = Math.max(this.#lowest, this.#logarithm + STEP * ((detected ? 1 : 0) - this.#budget));
  }

  save(): number {
    return this.#logarithm;
  }
}
