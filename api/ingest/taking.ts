import type { QuarantinedItem } from '../../domain/ports-ingest.ts';
import type { DurationMs, EpochMs } from '../../domain/units.ts';
import type { Gap } from '../../proto/gen/tocsin/v1/Gap.ts';
import type { Dedup } from './dedup.ts';
import type { StoredBlock } from './frame.ts';
import type { Sender } from './sender.ts';

/** Why an item may not pass; the wire's names without their prefix. */
export type Reason =
  | 'MALFORMED'
  | 'OVERSIZED'
  | 'NOT_FINITE'
  | 'FUTURE'
  | 'TOO_LATE'
  | 'UNIT'
  | 'RANGE'
  | 'UNKNOWN_SENSOR'
  | 'SEQUENCE';

/** What was decided of an item or a part of it. */
export type Verdict = 'new' | 'DUPLICATE' | 'RETRY_LATER' | Reason;

/** An answer to neighbouring items that are answered alike; the wire's `ItemResult`. */
export interface Run {
  readonly verdict: Verdict;
  readonly firstItem: number;
  items: number;
  readonly explanation: string;
  readonly retryAfterMs: DurationMs;
  /** Inside one item: which of its readings; 0 readings: all of the items. */
  readonly firstReading: number;
  readonly readings: number;
}

export interface Counts {
  accepted: number;
  duplicate: number;
  /** null: none. */
  quarantined: Map<Reason, number> | null;
}

/** Of one message, and of one response, as they are told. */
export const GAPS_AT_MOST = 1_000;
const GAPS_OF_A_SENSOR = 10;
/** Runs of a message that are explained: the later ones only have a reason. */
const EXPLAINED_AT_MOST = 100;
const ITEM_TEXT_AT_MOST = 2_000;
const NOTHING: readonly never[] = [];

interface Refused {
  readonly index: number;
  readonly item: QuarantinedItem;
  /** Readings of the same item that were refused for the same reason later in it. */
  alike: number;
}

/** A sensor since a boot. */
interface Numbered {
  readonly key: string;
  readonly sensor: string;
  readonly boot: string;
}

/**
 * What one message means: what to make durable, and what to answer once it is. Most messages are answered in one
 * run and refuse nothing, so whatever only the others need is made when it is needed.
 */
export class Taking {
  readonly sender: Sender;
  readonly sentAtMs: EpochMs;
  /** By which its items are judged. */
  readonly clockMs: EpochMs;
  readonly blocks: StoredBlock[] = [];
  readonly runs: Run[] = [];
  readonly counts: Counts = { accepted: 0, duplicate: 0, quarantined: null };
  /** Of each sensor that it numbered readings of, once. */
  gaps: readonly Gap[] = NOTHING;
  /** Gaps that were left out of them. */
  moreGaps = 0;
  /** Readings, samples and bulletins in it. */
  size = 0;
  /** Some of it was not taken: it is only archived, and there is too much to do. */
  asksAgain = false;
  readonly #nowMs: EpochMs;
  #refused: Refused[] | null = null;
  #numbered: Map<string, Numbered> | null = null;
  #index = 0;
  #item: unknown = null;

  constructor(sender: Sender, sentAtMs: EpochMs, nowMs: EpochMs, clockMs: EpochMs) {
    this.sender = sender;
    this.sentAtMs = sentAtMs;
    this.#nowMs = nowMs;
    this.clockMs = clockMs;
  }

  /** When the vendor sent it, where it said so. */
  get sent(): { readonly sentAtMs?: EpochMs } {
    return this.sentAtMs > 0 ? { sentAtMs: this.sentAtMs } : {};
  }

  get quarantined(): readonly QuarantinedItem[] {
    if (this.#refused === null) return NOTHING;
    return this.#refused.map(({ item, alike }) =>
      alike === 0
        ? item
        : { ...item, explanation: `${item.explanation} And ${alike} more of this item for the same reason.` },
    );
  }

  begin(index: number, item: unknown): void {
    this.#index = index;
    this.#item = item;
  }

  /** The whole item is new. */
  accept(size: number, block: StoredBlock): void {
    this.keep(block);
    this.answer('new', size);
  }

  /** The whole item is refused. */
  refuse(reason: Reason, explanation: string, size = 1): void {
    this.answer(reason, size, explanation);
  }

  /** An item of which nothing needs to be said. */
  answerQuick(verdict: 'new' | 'DUPLICATE', index: number, readings: number): void {
    this.#index = index;
    this.#item = null;
    this.#count(verdict, readings, '');
    this.#told(verdict, '');
  }

  /** The item was not taken. */
  askAgain(index: number, retryAfterMs: DurationMs): void {
    this.#index = index;
    this.asksAgain = true;
    this.#told('RETRY_LATER', '', retryAfterMs);
  }

  keep(block: StoredBlock): void {
    this.blocks.push(block);
  }

  answer(verdict: 'new' | 'DUPLICATE' | Reason, size: number, explanation = ''): void {
    this.#count(verdict, size, explanation);
    this.#told(verdict, explanation);
  }

  /** Some readings of an item of `whole` readings. */
  answerPart(
    verdict: 'new' | 'DUPLICATE' | Reason,
    from: number,
    count: number,
    whole: number,
    explanation: string,
  ): void {
    if (count === whole) return this.answer(verdict, whole, explanation);
    this.#count(verdict, count, explanation);
    this.runs.push({
      verdict,
      firstItem: this.#index,
      items: 1,
      explanation: this.#explained(explanation),
      retryAfterMs: 0,
      firstReading: from,
      readings: count,
    });
  }

  /** An item with numbers was judged. */
  numbered(key: string, { sensor, boot }: { readonly sensor: string; readonly boot: string }): void {
    this.#numbered ??= new Map();
    this.#numbered.set(`${key}|${boot}`, { key, sensor, boot });
  }

  /** Every item was judged: finds what is missing before them. */
  end(dedup: Dedup): this {
    if (this.#numbered === null) return this;
    const gaps: Gap[] = [];
    let missing = 0;
    for (const { key, sensor, boot } of this.#numbered.values()) {
      const room = Math.min(GAPS_OF_A_SENSOR, GAPS_AT_MOST - gaps.length);
      for (const { first, last } of dedup.gaps(key, boot, room)) {
        gaps.push({ sensor, boot, firstSequence: first, lastSequence: last });
      }
      missing += dedup.gapCount(key, boot);
    }
    this.gaps = gaps;
    this.moreGaps = missing - gaps.length;
    return this;
  }

  /** Neighbours that are answered alike are one run. */
  #told(verdict: Verdict, words: string, retryAfterMs = 0): void {
    const { runs } = this;
    const explanation = this.#explained(words);
    if (runs.length > 0) {
      const last = runs[runs.length - 1]!;
      if (last.verdict === verdict && last.readings === 0 && last.explanation === explanation) {
        last.items += 1;
        return;
      }
    }
    runs.push({
      verdict,
      firstItem: this.#index,
      items: 1,
      explanation,
      retryAfterMs,
      firstReading: 0,
      readings: 0,
    });
  }

  #explained(explanation: string): string {
    return this.runs.length < EXPLAINED_AT_MOST ? explanation : '';
  }

  #count(verdict: 'new' | 'DUPLICATE' | Reason, size: number, explanation: string): void {
    const { counts } = this;
    this.size += size;
    if (verdict === 'new') counts.accepted += size;
    else if (verdict === 'DUPLICATE') counts.duplicate += size;
    else {
      counts.quarantined ??= new Map();
      counts.quarantined.set(verdict, (counts.quarantined.get(verdict) ?? 0) + size);
      this.#quarantine(verdict, size, explanation);
    }
  }

  /** Kept once for each reason of an item, whatever the number of its bad readings. */
  #quarantine(reason: Reason, size: number, explanation: string): void {
    const refused = (this.#refused ??= []);
    for (let n = refused.length - 1; n >= 0 && refused[n]!.index === this.#index; n--) {
      const known = refused[n]!;
      if (known.item.reason !== reason) continue;
      known.alike += size;
      return;
    }
    const { tenant, vendor } = this.sender;
    const item = {
      tenant,
      vendor,
      receivedAtMs: this.#nowMs,
      sentAtMs: this.sentAtMs,
      reason,
      explanation,
      item: textOf(this.#item),
    };
    refused.push({ index: this.#index, item, alike: 0 });
  }
}

function textOf(item: unknown): string {
  if (typeof item === 'string') return item.slice(0, ITEM_TEXT_AT_MOST);
  const text = JSON.stringify(item, (_, value: unknown) =>
    typeof value === 'number' && !Number.isFinite(value)
      ? String(value)
      : Array.isArray(value) && value.length > 100
        ? [...(value as unknown[]).slice(0, 100), `… ${value.length}`]
        : value,
  );
  return text.slice(0, ITEM_TEXT_AT_MOST);
}
