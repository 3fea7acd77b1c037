export interface BackoffOptions {
  /** Shortest pause. @default 100 */
  readonly baseMs?: number;
  /** Longest pause. @default 10_000 */
  readonly capMs?: number;
  /** 0..1. @default Math.random */
  readonly random?: () => number;
}

/**
 * Pauses with decorrelated jitter: each lies at random between the shortest and three times the last one. Many
 * clients lose one server at the same moment, and must not all come back at once.
 *
 * Method: M. Brooker, "Exponential Backoff and Jitter", 2015.
 */
export class Backoff {
  readonly #baseMs: number;
  readonly #capMs: number;
  readonly #random: () => number;
  #lastMs: number;

  constructor({ baseMs = 100, capMs = 10_000, random = Math.random }: BackoffOptions = {}) {
    this.#baseMs = baseMs;
    this.#capMs = capMs;
    this.#random = random;
    this.#lastMs = baseMs;
  }

  /** @param atLeastMs what the server asked for: never less, and a little more, at random */
  nextMs(atLeastMs = 0): number {
    const spreadMs = this.#lastMs * 3 - this.#baseMs;
    this.#lastMs = Math.min(this.#capMs, this.#baseMs + spreadMs * this.#random());
    return Math.max(this.#lastMs, this.afterMs(atLeastMs));
  }

  /** At least what the server asked for, and up to a half more. */
  afterMs(askedMs: number): number {
    return askedMs * (1 + this.#random() / 2);
  }

  /** The server answered: the next pause is a short one again. */
  reset(): void {
    this.#lastMs = this.#baseMs;
  }
}
