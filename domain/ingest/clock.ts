import type { DurationMs, EpochMs } from '../units.ts';
import { numbersIn } from './cells.ts';

export type ClockQuality = 'free' | 'network' | 'satellite';

/** What is known of a device's clock. */
export interface ClockEstimate {
  /** How far the device is ahead of the server; negative: behind. */
  readonly offsetMs: DurationMs;
  /** How much the estimate scatters: 1.4826 times the median absolute deviation of its parts. */
  readonly spreadMs: DurationMs;
  /** Messages that it rests on. */
  readonly messages: number;
}

/** A message does not take longer than this on its way, at best: what is more is the clock. */
const TRANSIT_AT_BEST_MS = 1_000;
/** Smaller offsets than this move nothing: they cannot be told from delays. */
const MATTERS_FROM_MS = 1_000;
/** One message alone may have waited, or lie. */
const MESSAGES_BEFORE = 8;
const MESSAGES_A_PART = 16;
const PARTS = 8;

/**
 * An envelope holds the smallest of each of the last parts, oldest first, and of the part that is filling. Of transit
 * and hold first what every message touches.
 */
const TRANSIT = { count: 0, current: 1, full: 8, minima: 9 } as const;
const HOLD = { count: 2, current: 3, full: 9 + PARTS, minima: 10 + PARTS } as const;
type Envelope = typeof TRANSIT | typeof HOLD;
const MESSAGES = 4;
/** 1: the two cells after it hold what follows from the envelopes. */
const IS_RECKONED = 5;
const OFFSET_MS = 6;
const SPREAD_MS = 7;
/** Doubles that a clock takes. */
export const CLOCK_CELLS = 10 + 2 * PARTS;

export interface ClockState {
  readonly transit: readonly (number | null)[];
  readonly hold: readonly (number | null)[];
  readonly messages: number;
}

/**
 * Estimates a device's clock offset in one pass and constant memory, from what must be so: nothing arrives before it
 * was sent, and nothing is sent before it was observed. Delays only ever add, so the lower envelope of `received -
 * sent` and of `sent - observed` is what the clocks do and the rest is the way: each is cut into parts of 16 messages,
 * and the median of the last 8 parts' minima is taken, which one clock step or one absurd time cannot move. The idea
 * is the clock filter of NTP (RFC 5905, section 10), one way instead of both.
 *
 * A sender that is behind by less than a second, and a device that is behind its own gateway, cannot be told from
 * delays and count as right.
 */
export class ClockEstimator {
  readonly #cells: Float64Array;
  readonly #own: number;

  /**
   * @param cells where it keeps what it remembers: `CLOCK_CELLS` from `own` on, zeros. @default memory of its own
   */
  constructor(state?: ClockState, cells = new Float64Array(CLOCK_CELLS), own = 0) {
    this.#cells = cells;
    this.#own = own;
    this.#restore(TRANSIT, state?.transit);
    this.#restore(HOLD, state?.hold);
    cells[own + MESSAGES] = state?.messages ?? 0;
  }

  /**
   * Takes one message.
   *
   * @param observedAtMs by the device's clock: of the newest reading in it
   * @param sentAtMs by the sender's clock; undefined: not said
   * @param receivedAtMs by the server's clock
   */
  take(observedAtMs: EpochMs, sentAtMs: EpochMs | undefined, receivedAtMs: EpochMs): void {
    this.#cells[this.#own + MESSAGES]! += 1;
    if (sentAtMs !== undefined) this.#extend(TRANSIT, receivedAtMs - sentAtMs);
    this.#extend(HOLD, (sentAtMs ?? receivedAtMs) - observedAtMs);
  }

  /** null: nothing was heard yet. */
  estimate(): ClockEstimate | null {
    const cells = this.#cells;
    const own = this.#own;
    const messages = cells[own + MESSAGES]!;
    if (messages === 0) return null;
    this.#reckon();
    return { offsetMs: cells[own + OFFSET_MS]!, spreadMs: cells[own + SPREAD_MS]!, messages };
  }

  /**
   * By how much to move this device's times; 0 unless the offset is larger than what the declared clock and the
   * scatter allow. A satellite clock is believed unless it is ahead of us, which no delay explains.
   */
  correction(quality: ClockQuality | undefined): DurationMs {
    const cells = this.#cells;
    const own = this.#own;
    if (cells[own + MESSAGES]! < MESSAGES_BEFORE) return 0;
    this.#reckon();
    const offsetMs = cells[own + OFFSET_MS]!;
    if (Math.abs(offsetMs) < Math.max(MATTERS_FROM_MS, 4 * cells[own + SPREAD_MS]!)) return 0;
    if (quality === 'satellite' && offsetMs < 0) return 0;
    return Math.round(offsetMs);
  }

  state(): ClockState {
    return clockStateIn(this.#cells, this.#own);
  }

  #extend({ count, current, full, minima }: Envelope, value: number): void {
    const cells = this.#cells;
    const own = this.#own;
    if (value < cells[own + current]!) cells[own + current] = value;
    const counted = (cells[own + count]! += 1);
    const parts = cells[own + full]!;
    if (counted < MESSAGES_A_PART) {
      // Until a part is full, what there is of the first counts.
      if (parts === 0) cells[own + IS_RECKONED] = 0;
      return;
    }
    const first = own + minima;
    const kept = Math.min(parts, PARTS - 1);
    cells.copyWithin(first, first + parts - kept, first + parts);
    cells[first + kept] = cells[own + current]!;
    cells[own + full] = kept + 1;
    cells[own + current] = Infinity;
    cells[own + count] = 0;
    cells[own + IS_RECKONED] = 0;
  }

  #reckon(): void {
    const cells = this.#cells;
    const own = this.#own;
    if (cells[own + IS_RECKONED] === 1) return;
    const transit = this.#middleOf(TRANSIT);
    const hold = this.#middleOf(HOLD);
    const sender = transit < 0 ? -transit : transit > TRANSIT_AT_BEST_MS ? -transit : 0;
    const device = Math.max(0, -hold);
    cells[own + OFFSET_MS] = sender + device;
    cells[own + SPREAD_MS] = this.#spreadOf(TRANSIT, transit) + (device > 0 ? this.#spreadOf(HOLD, hold) : 0);
    cells[own + IS_RECKONED] = 1;
  }

  /** The median over the full parts, or what there is of the first. */
  #middleOf({ current, full, minima }: Envelope): number {
    const cells = this.#cells;
    const own = this.#own;
    const parts = cells[own + full]!;
    if (parts > 0) return medianIn(cells, own + minima, parts);
    const smallest = cells[own + current]!;
    return smallest === Infinity ? 0 : smallest;
  }

  #spreadOf({ full, minima }: Envelope, middle: number): number {
    const parts = this.#cells[this.#own + full]!;
    return parts < 2 ? 0 : 1.4826 * deviationIn(this.#cells, this.#own + minima, parts, middle);
  }

  #restore({ count, current, full, minima }: Envelope, state: readonly (number | null)[] = []): void {
    const cells = this.#cells;
    const own = this.#own;
    const [counted, newest, ...parts] = state;
    cells[own + count] = counted ?? 0;
    cells[own + current] = newest ?? Infinity;
    cells[own + full] = Math.min(parts.length, PARTS);
    cells.set(
      parts.slice(-PARTS).map((one) => one ?? 0),
      own + minima,
    );
  }
}

/** `ClockEstimator.state` of what is kept from `own` on in `cells`, or in a copy of them. */
export function clockStateIn(cells: Float64Array, own: number): ClockState {
  const envelope = (one: Envelope): (number | null)[] => {
    const current = cells[own + one.current]!;
    const minima = numbersIn(cells, own + one.minima, cells[own + one.full]!);
    return [cells[own + one.count]!, current === Infinity ? null : current, ...minima];
  };
  return { transit: envelope(TRANSIT), hold: envelope(HOLD), messages: cells[own + MESSAGES]! };
}

/** What a median is taken of; reused, because it is taken so often. */
const sorted = new Float64Array(PARTS);

function medianIn(cells: Float64Array, first: number, count: number): number {
  for (let n = 0; n < count; n++) sortIn(n, cells[first + n]!);
  return middleOfSorted(count);
}

function deviationIn(cells: Float64Array, first: number, count: number, middle: number): number {
  for (let n = 0; n < count; n++) sortIn(n, Math.abs(cells[first + n]! - middle));
  return middleOfSorted(count);
}

/** Puts a value among the `n` that are sorted. */
function sortIn(n: number, value: number): void {
  let at = n;
  for (; at > 0 && sorted[at - 1]! > value; at--) sorted[at] = sorted[at - 1]!;
  sorted[at] = value;
}

function middleOfSorted(count: number): number {
  const half = count >> 1;
  return count % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}
