import type { DurationMs, EpochMs } from '../units.ts';

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

export interface Arrival {
  /** By the device's clock: of the newest reading in a message. */
  readonly observedAtMs: EpochMs;
  /** By the sender's clock; undefined: not said. */
  readonly sentAtMs: EpochMs | undefined;
  /** By the server's clock. */
  readonly receivedAtMs: EpochMs;
}

/** A message does not take longer than this on its way, at best: what is more is the clock. */
const TRANSIT_AT_BEST_MS = 1_000;
/** Smaller offsets than this move nothing: they cannot be told from delays. */
const MATTERS_FROM_MS = 1_000;
/** One message alone may have waited, or lie. */
const MESSAGES_BEFORE = 8;
const MESSAGES_A_PART = 16;
const PARTS = 8;

/** The smallest of each of the last parts, oldest first, and of the part that is filling. */
class Envelope {
  readonly minima: number[];
  current: number;
  #count: number;

  constructor([count, current, ...minima]: readonly (number | null)[] = []) {
    this.#count = count ?? 0;
    this.current = current ?? Infinity;
    this.minima = minima.map((one) => one ?? 0);
  }

  /** Answers whether what it says may have changed. */
  extend(value: number): boolean {
    if (value < this.current) this.current = value;
    this.#count += 1;
    if (this.#count < MESSAGES_A_PART) return this.minima.length === 0;
    this.minima.push(this.current);
    if (this.minima.length > PARTS) this.minima.shift();
    this.current = Infinity;
    this.#count = 0;
    return true;
  }

  state(): (number | null)[] {
    return [this.#count, this.current === Infinity ? null : this.current, ...this.minima];
  }
}

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
  readonly #transit: Envelope;
  readonly #hold: Envelope;
  #messages: number;
  /** What follows from the envelopes; null: reckon it again. */
  #reckoned: Omit<ClockEstimate, 'messages'> | null = null;

  constructor(state?: ClockState) {
    this.#transit = new Envelope(state?.transit);
    this.#hold = new Envelope(state?.hold);
    this.#messages = state?.messages ?? 0;
  }

  take({ observedAtMs, sentAtMs, receivedAtMs }: Arrival): void {
    this.#messages += 1;
    if (sentAtMs !== undefined && this.#transit.extend(receivedAtMs - sentAtMs)) this.#reckoned = null;
    if (this.#hold.extend((sentAtMs ?? receivedAtMs) - observedAtMs)) this.#reckoned = null;
  }

  /** null: nothing was heard yet. */
  estimate(): ClockEstimate | null {
    if (this.#messages === 0) return null;
    return { ...this.#known(), messages: this.#messages };
  }

  #known(): Omit<ClockEstimate, 'messages'> {
    return (this.#reckoned ??= this.#reckon());
  }

  #reckon(): Omit<ClockEstimate, 'messages'> {
    const transit = middleOf(this.#transit);
    const hold = middleOf(this.#hold);
    const sender = transit < 0 ? -transit : transit > TRANSIT_AT_BEST_MS ? -transit : 0;
    const device = Math.max(0, -hold);
    return {
      offsetMs: sender + device,
      spreadMs: spreadOf(this.#transit, transit) + (device > 0 ? spreadOf(this.#hold, hold) : 0),
    };
  }

  /**
   * By how much to move this device's times; 0 unless the offset is larger than what the declared clock and the
   * scatter allow. A satellite clock is believed unless it is ahead of us, which no delay explains.
   */
  correction(quality: ClockQuality | undefined): DurationMs {
    if (this.#messages < MESSAGES_BEFORE) return 0;
    const { offsetMs, spreadMs } = this.#known();
    if (Math.abs(offsetMs) < Math.max(MATTERS_FROM_MS, 4 * spreadMs)) return 0;
    if (quality === 'satellite' && offsetMs < 0) return 0;
    return Math.round(offsetMs);
  }

  state(): ClockState {
    return { transit: this.#transit.state(), hold: this.#hold.state(), messages: this.#messages };
  }
}

/** The median over the full parts, or what there is of the first. */
function middleOf({ minima, current }: Envelope): number {
  if (minima.length === 0) return current === Infinity ? 0 : current;
  return median(minima);
}

function spreadOf({ minima }: Envelope, middle: number): number {
  return minima.length < 2 ? 0 : 1.4826 * median(minima.map((one) => Math.abs(one - middle)));
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}
