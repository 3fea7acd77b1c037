import type { DurationMs } from '../../domain/units.ts';
import { LoadSum } from './load.ts';
import type { Load } from './load.ts';
import type { Sender } from './sender.ts';

/** What comes in is cut to what the archive takes in this time: the longest an honest message waits behind others. */
const QUEUE_MS = 400;
const QUEUE_BYTES_AT_LEAST = 256 * 1024;
/** Of the room, what must wait for the archive for its speed to be seen: with less, one sees what vendors send. */
const TELLING_PART = 1 / 4;
/** While it is not known how fast the archive is: so much, and it counts like so long a time of its own work. */
const QUEUE_BYTES_AT_FIRST = 2 * 1024 * 1024;
const AT_FIRST_MS = 250;
/** Of the memory that may be taken at the very most: the rest is for vendors that hold next to nothing. */
const QUEUE_PART = 7 / 8;
/** A vendor may hold so many times what is free: one alone gets 8/9 of the room, two get 8/17 each, and so on. */
const SHARE_OF_FREE = 8;
/** So much a vendor may hold whatever the others do: who sends little is never refused for who sends much. */
const ALWAYS_BYTES = 16 * 1024;
/** The rate of the archive is that of about the last second in which it was busy. */
const RATE_OVER_MS = 1_000;
/** A longer pause of the store says nothing about how fast it goes on. */
const PAUSE_AT_MOST_MS = 2_000;
const RETRY_AFTER_AT_MOST_MS = 5_000;
const QUOTA_AFTER_AT_MOST_MS = 60_000;
/** Of the quota of a second, what may come at once. */
const BURST_MS = 1_000;

export interface FairOptions {
  /** Memory of what is on its way into the archive, of all vendors together; with more, everybody is refused. */
  readonly pendingBytesAtMost: number;
  /** The shortest time a refused vendor is asked to wait. */
  readonly retryAfterMs: DurationMs;
  readonly readingsPerSecondAtMost: number;
  readonly bytesPerSecondAtMost: number;
  /** Monotonic, ms. @default performance.now */
  readonly nowMs?: () => number;
}

/** Why a message may not come in now. */
export interface Refusal {
  /** The vendor's own quota, its fair share of the room, or no room for anybody. */
  readonly cause: 'quota' | 'share' | 'full';
  readonly retryAfterMs: DurationMs;
}

/** One vendor's part of the room in front of the archive. */
export interface Share {
  /** Asks whether a message of so many bytes may come in. Null: it may, and counts against the quota of bytes. */
  admit(bytes: number): Refusal | null;
  /** It came in, and waits for the archive until `archived`. */
  taken(load: Load, readings: number): void;
  archived(load: Load): void;
}

/** Divides the room in front of the archive. */
export interface Fairness {
  of(sender: Sender): Share;
  /** To be told when a group became durable, and what waits behind it. */
  committed(group: Load, stillWaiting: Load): void;
  /** More than half of the room is taken: what is only archived should wait outside. */
  isHalfFull(): boolean;
  /** The part of the room that is taken. @returns from 0, and somewhat over 1 when vendors exceed their shares */
  taken(): number;
  /** Bytes that may wait to be written at present. */
  room(): number;
  /** How long nothing has become durable although something waits. */
  stillMs(): DurationMs;
}

/**
 * Keeps a vendor that sends without measure from the others' time. The room in front of the archive is as much as
 * the archive takes in 400 ms, at least 256 KiB, and 7/8 of `pendingBytesAtMost` of memory, whichever is full first; of
 * it a vendor may hold at most 8 times what is free (dynamic thresholds, Choudhury and Hahne 1998), so that some is
 * always free for who comes next. Beside that a vendor has a quota of readings and of bytes a second (token buckets
 * that may go into debt by one message).
 *
 * A vendor may exceed its share by the one message that was let in last.
 */
export function createFairness(options: FairOptions): Fairness {
  const { pendingBytesAtMost, retryAfterMs, nowMs = () => performance.now() } = options;
  const vendors = new Map<string, Vendor>();
  const rate = new DrainRate();
  const waiting = new LoadSum();
  const memoryRoom = QUEUE_PART * pendingBytesAtMost;
  let committedAtMs = nowMs();

  const archiveRoom = (): number =>
    Math.min(memoryRoom, Math.max(QUEUE_BYTES_AT_LEAST, rate.bytesPerMs * QUEUE_MS));
  /** Of the room. */
  const partOf = ({ memoryBytes, archiveBytes }: Load): number =>
    Math.max(memoryBytes / memoryRoom, archiveBytes / archiveRoom());

  const stillMs = (): DurationMs => (waiting.memoryBytes === 0 ? 0 : nowMs() - committedAtMs);

  /** Until half of the room is free again, or for as long as nothing has moved. */
  function afterMs(): DurationMs {
    const draining = (Math.max(0, 1 - 1 / (2 * partOf(waiting))) * waiting.archiveBytes) / rate.bytesPerMs;
    return Math.ceil(Math.max(retryAfterMs, Math.min(RETRY_AFTER_AT_MOST_MS, Math.max(draining, stillMs()))));
  }

  function refusalOf(held: Load): Refusal | null {
    if (waiting.memoryBytes > pendingBytesAtMost) return { cause: 'full', retryAfterMs: afterMs() };
    if (held.memoryBytes <= ALWAYS_BYTES) return null;
    if (partOf(held) <= SHARE_OF_FREE * (1 - partOf(waiting))) return null;
    return { cause: 'share', retryAfterMs: afterMs() };
  }

  class Vendor implements Share {
    readonly #readings = new Bucket(options.readingsPerSecondAtMost, nowMs());
    readonly #bytes = new Bucket(options.bytesPerSecondAtMost, nowMs());
    readonly #held = new LoadSum();

    admit(bytes: number): Refusal | null {
      const now = nowMs();
      const owed = Math.max(this.#readings.owedMs(now), this.#bytes.owedMs(now));
      if (owed > 0) {
        return { cause: 'quota', retryAfterMs: Math.min(QUOTA_AFTER_AT_MOST_MS, Math.ceil(owed)) };
      }
      const refusal = refusalOf(this.#held);
      if (refusal === null) this.#bytes.take(bytes);
      return refusal;
    }

    taken(load: Load, readings: number): void {
      this.#readings.take(readings);
      if (waiting.memoryBytes === 0) committedAtMs = nowMs();
      this.#held.add(load);
      waiting.add(load);
    }

    archived(load: Load): void {
      this.#held.remove(load);
      waiting.remove(load);
    }
  }

  return {
    of({ tenant, vendor }) {
      const key = `${tenant}|${vendor}`;
      let known = vendors.get(key);
      if (known === undefined) vendors.set(key, (known = new Vendor()));
      return known;
    },
    committed(group, stillWaiting) {
      const now = nowMs();
      const behind = stillWaiting.archiveBytes;
      const isTelling = group.archiveBytes + behind > TELLING_PART * archiveRoom();
      rate.saw(group.archiveBytes, now - committedAtMs, { isTelling, isBusy: behind > 0 });
      committedAtMs = now;
    },
    isHalfFull: () => partOf(waiting) > 1 / 2,
    taken: () => partOf(waiting),
    room: archiveRoom,
    stillMs,
  };
}

/** How fast the archive takes bytes while there is always more to take than it can. */
class DrainRate {
  #bytes = (QUEUE_BYTES_AT_FIRST / QUEUE_MS) * AT_FIRST_MS;
  #ms = AT_FIRST_MS;
  #wasBusy = false;

  /** Bytes a millisecond. */
  get bytesPerMs(): number {
    return this.#bytes / this.#ms;
  }

  /** @param ms since the group before; of one that found the archive idle, it says nothing */
  saw(bytes: number, ms: number, { isTelling, isBusy }: { isTelling: boolean; isBusy: boolean }): void {
    if (isTelling && this.#wasBusy && ms > 0) {
      const lasted = Math.min(ms, PAUSE_AT_MOST_MS);
      const kept = Math.exp(-lasted / RATE_OVER_MS);
      this.#bytes = this.#bytes * kept + bytes;
      this.#ms = this.#ms * kept + lasted;
    }
    this.#wasBusy = isBusy;
  }
}

/** Full at first; may be overdrawn by what was taken last. */
class Bucket {
  readonly #perMs: number;
  readonly #depth: number;
  #level: number;
  #atMs: number;

  constructor(perSecond: number, nowMs: number) {
    this.#perMs = perSecond / 1_000;
    this.#depth = this.#perMs * BURST_MS;
    this.#level = this.#depth;
    this.#atMs = nowMs;
  }

  /** How long until the debt is paid; 0: there is none. */
  owedMs(nowMs: number): DurationMs {
    this.#level = Math.min(this.#depth, this.#level + (nowMs - this.#atMs) * this.#perMs);
    this.#atMs = nowMs;
    return this.#level < 0 ? -this.#level / this.#perMs : 0;
  }

  take(amount: number): void {
    this.#level -= amount;
  }
}
