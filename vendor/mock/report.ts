import type { Ledger } from './ledger.ts';

export interface MockReport {
  readonly streams: number;
  readonly messages: number;
  readonly items: number;
  /** Readings, waveforms and bulletins by what was answered. */
  readonly accepted: number;
  readonly duplicate: number;
  readonly quarantined: Readonly<Record<string, number>>;
  /** Items that were told to come later, and items whose answer was lost on purpose. */
  readonly retryLater: number;
  readonly unanswered: number;
  /** Identities that were owed and never came again: the client lost them. */
  readonly lost: readonly string[];
  /** Numbers before the newest of their sensor that never came. */
  readonly missing: readonly { sensor: string; boot: string; first: number; last: number }[];
  /** Items that came again on the stream that had acknowledged them: needless work. */
  readonly needless: number;
  /** What the client did against the contract: kind, how often, an example. */
  readonly violations: readonly { kind: string; count: number; example: string }[];
}

const LOST_SHOWN_AT_MOST = 1_000;
/** Streams opened within a second: more is a client that does not pause between its attempts. */
const STREAMS_A_SECOND_AT_MOST = 20;

/** Counts what clients do. */
export class Observations {
  #streams = 0;
  #messages = 0;
  #items = 0;
  #accepted = 0;
  #duplicate = 0;
  #retryLater = 0;
  #unanswered = 0;
  #needless = 0;
  readonly #quarantined = new Map<string, number>();
  readonly #violations = new Map<string, { count: number; example: string }>();
  #opened: number[] = [];

  stream(): void {
    this.#streams += 1;
    const now = performance.now();
    this.#opened = [...this.#opened.filter((at) => now - at < 1_000), now];
    if (this.#opened.length > STREAMS_A_SECOND_AT_MOST) {
      this.violation('reconnect-storm', `${this.#opened.length} streams were opened within a second.`);
    }
  }

  message(items: number): void {
    this.#messages += 1;
    this.#items += items;
  }

  answered(disposition: string, reason: string): void {
    if (disposition === 'ACCEPTED') this.#accepted += 1;
    else if (disposition === 'DUPLICATE') this.#duplicate += 1;
    else this.#quarantined.set(reason, (this.#quarantined.get(reason) ?? 0) + 1);
  }

  retryLater(items: number): void {
    this.#retryLater += items;
  }

  lost(items: number): void {
    this.#unanswered += items;
  }

  needless(): void {
    this.#needless += 1;
  }

  violation(kind: string, example: string): void {
    const known = this.#violations.get(kind);
    if (known === undefined) this.#violations.set(kind, { count: 1, example });
    else known.count += 1;
  }

  report(ledgers: readonly Ledger[]): MockReport {
    return {
      streams: this.#streams,
      messages: this.#messages,
      items: this.#items,
      accepted: this.#accepted,
      duplicate: this.#duplicate,
      quarantined: Object.fromEntries(this.#quarantined),
      retryLater: this.#retryLater,
      unanswered: this.#unanswered,
      lost: ledgers.flatMap(({ owed }) => [...owed.keys()]).slice(0, LOST_SHOWN_AT_MOST),
      missing: ledgers.flatMap((ledger) => ledger.allGaps()),
      needless: this.#needless,
      violations: [...this.#violations].map(([kind, rest]) => ({ kind, ...rest })),
    };
  }
}
