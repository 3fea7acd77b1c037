import type { EpochMs } from '../units.ts';

interface Waiter {
  readonly holds: () => boolean;
  readonly deadlineMs: EpochMs;
  readonly wake: (holds: boolean) => void;
}

interface Due {
  readonly atMs: EpochMs;
  readonly order: number;
  readonly happen: () => void;
}

/** Longest chain of resolved promises between two waits of the engine; far above what its nesting needs. */
const MICROTASKS_TO_SETTLE = 200;

/**
 * Virtual time: nothing happens between instants, and an instant is over when everyone who could act has acted.
 * It refuses to run backwards. Pure: no timers, so a week takes as long as its events take to compute.
 */
export class VirtualClock {
  #nowMs: EpochMs;
  #order = 0;
  readonly #due: Due[] = [];
  #waiters: Waiter[] = [];

  constructor(startMs: EpochMs) {
    this.#nowMs = startMs;
  }

  now(): EpochMs {
    return this.#nowMs;
  }

  /** Schedules an event of the outside world; one in the past happens now. */
  at(atMs: EpochMs, happen: () => void): void {
    this.#due.push({ atMs: Math.max(atMs, this.#nowMs), order: this.#order++, happen });
  }

  /** As `World.until`. */
  until(holds: () => boolean, deadlineMs: EpochMs | null): Promise<boolean> {
    if (holds()) return Promise.resolve(true);
    return new Promise((wake) => {
      this.#waiters.push({ holds, deadlineMs: deadlineMs ?? Infinity, wake });
    });
  }

  /**
   * Runs until `finished()`, or until nothing is left that could ever happen.
   * @returns true when finished.
   */
  async run(finished: () => boolean): Promise<boolean> {
    for (;;) {
      await this.#settle();
      if (finished()) return true;
      const nextMs = Math.min(
        ...this.#due.map((due) => due.atMs),
        ...this.#waiters.map((waiter) => waiter.deadlineMs),
      );
      if (nextMs === Infinity) return false;
      this.#nowMs = Math.max(this.#nowMs, nextMs);
      this.#happenOne();
    }
  }

  /** One event at a time, so that whoever waits sees each of them. */
  #happenOne(): void {
    let first: Due | undefined;
    for (const due of this.#due) {
      if (due.atMs > this.#nowMs) continue;
      if (
        first === undefined ||
        due.atMs < first.atMs ||
        (due.atMs === first.atMs && due.order < first.order)
      )
        first = due;
    }
    if (first === undefined) return;
    this.#due.splice(this.#due.indexOf(first), 1);
    first.happen();
  }

  async #settle(): Promise<void> {
    do {
      for (let turn = 0; turn < MICROTASKS_TO_SETTLE; turn += 1) await Promise.resolve();
    } while (this.#wakeAll());
  }

  #wakeAll(): boolean {
    const ready = this.#waiters.filter((waiter) => waiter.holds() || waiter.deadlineMs <= this.#nowMs);
    this.#waiters = this.#waiters.filter((waiter) => !ready.includes(waiter));
    for (const waiter of ready) waiter.wake(waiter.holds());
    return ready.length > 0;
  }
}
