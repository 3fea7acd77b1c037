import { setImmediate as nextTurn } from 'node:timers/promises';

/** Detection takes the event loop for so long at a time; a message waits for several turns until it is acknowledged. */
const TURN_AT_MOST_MS = 1;

/** What is done with everything that is known may take one part in so many of the time. */
export const PART_OF_TIME = 30;

/** The turns of detection in the event loop. Acknowledgements go before: a vendor that waits sends nothing. */
export class Turns {
  #begunAt = -Infinity;

  get isOver(): boolean {
    return performance.now() - this.#begunAt > TURN_AT_MOST_MS;
  }

  /** Resolves when everything else had its turn. */
  async next(): Promise<void> {
    await nextTurn();
    this.#begunAt = performance.now();
  }
}
