import type { Gap, Result, Run } from './wire.ts';

/** What became of one item. */
export interface Answer {
  readonly disposition: 'accepted' | 'duplicate' | 'quarantined';
  /** `NOT_FINITE`, `RANGE` …; empty when it was taken. */
  readonly reason: string;
  /** For people, with the bad value. */
  readonly explanation: string;
}

/** Items of a message that were not taken, and why. */
export interface Refusal {
  readonly firstItem: number;
  readonly items: number;
  readonly reason: string;
  readonly explanation: string;
  /** Inside a columns or waveform item: which of its readings, when not all. */
  readonly firstReading: number;
  /** 0: all readings of the item. */
  readonly readings: number;
}

/** What became of some readings of an item. */
export interface Part extends Answer {
  readonly item: number;
  readonly firstReading: number;
  readonly readings: number;
}

/** What became of one message. */
export interface Receipt {
  /** One for each item; a columns item that is refused in part counts as quarantined. */
  readonly answers: readonly Answer[];
  readonly accepted: number;
  readonly duplicate: number;
  readonly quarantined: number;
  readonly refusals: readonly Refusal[];
  /** Parts of columns and waveforms that were not answered as a whole. */
  readonly parts: readonly Part[];
  /** Ranges of numbers the server is missing, at most 1,000. */
  readonly gaps: readonly Gap[];
  /** Ranges that it left out of them. */
  readonly moreGaps: number;
  /** Archive position behind which all of it lies. */
  readonly archivedThrough: number;
}

const ACCEPTED: Answer = { disposition: 'accepted', reason: '', explanation: '' };
const DUPLICATE: Answer = { disposition: 'duplicate', reason: '', explanation: '' };
const ONE_ACCEPTED: readonly Answer[] = [ACCEPTED];
const ONE_DUPLICATE: readonly Answer[] = [DUPLICATE];
const NO_REFUSALS: readonly Refusal[] = [];
const NO_PARTS: readonly Part[] = [];
const NO_GAPS: readonly Gap[] = [];

export const EMPTY_RECEIPT: Receipt = {
  answers: [],
  accepted: 0,
  duplicate: 0,
  quarantined: 0,
  refusals: NO_REFUSALS,
  parts: NO_PARTS,
  gaps: NO_GAPS,
  moreGaps: 0,
  archivedThrough: 0,
};

/** The receipt of a message that was taken whole and answered once, which is nearly every one; else null. */
export function plainReceipt(items: number, result: Result, archivedThrough: number): Receipt | null {
  const [run] = result.runs;
  if (run === undefined || result.runs.length > 1 || run.items !== items || run.firstItem !== 0) return null;
  if (run.disposition !== 'accepted' && run.disposition !== 'duplicate') return null;
  const isNew = run.disposition === 'accepted';
  return {
    answers:
      items === 1
        ? isNew
          ? ONE_ACCEPTED
          : ONE_DUPLICATE
        : new Array<Answer>(items).fill(isNew ? ACCEPTED : DUPLICATE),
    accepted: isNew ? items : 0,
    duplicate: isNew ? 0 : items,
    quarantined: 0,
    refusals: NO_REFUSALS,
    parts: NO_PARTS,
    gaps: result.gaps,
    moreGaps: result.moreGaps,
    archivedThrough,
  };
}

/** Puts the receipt of a message together from several answers. */
export class ReceiptBook {
  readonly #answers: (Answer | undefined)[];
  readonly #refusals: Refusal[] = [];
  readonly #parts: Part[] = [];
  #gaps: readonly Gap[] = NO_GAPS;
  #moreGaps = 0;
  #archivedThrough = 0;

  constructor(items: number) {
    this.#answers = new Array<Answer | undefined>(items).fill(undefined);
  }

  /**
   * @param places for each item of the answered message its place in the message that the caller gave
   * @returns indexes of the answered message's items that are to be sent again, and after how long
   */
  take(
    result: Result,
    places: readonly number[],
    archivedThrough: number,
  ): { again: number[]; afterMs: number } {
    const again = new Set<number>();
    const answered = new Set<number>();
    let afterMs = 0;
    for (const run of result.runs) {
      const end = Math.min(places.length, run.firstItem + run.items);
      for (let n = run.firstItem; n < end; n++) {
        answered.add(n);
        if (run.disposition === 'retry-later') {
          again.add(n);
          afterMs = Math.max(afterMs, run.retryAfterMs);
        } else {
          this.#note(places[n]!, run);
        }
      }
    }
    // What was passed over is not acknowledged, whatever the sequence says.
    for (let n = 0; n < places.length; n++) if (!answered.has(n)) again.add(n);
    this.#gaps = result.gaps;
    this.#moreGaps = result.moreGaps;
    this.#archivedThrough = Math.max(this.#archivedThrough, archivedThrough);
    return { again: [...again].sort((a, b) => a - b), afterMs };
  }

  get receipt(): Receipt {
    const answers = this.#answers.map((answer) => answer ?? ACCEPTED);
    const count = (what: Answer['disposition']): number =>
      answers.reduce((sum, { disposition }) => sum + (disposition === what ? 1 : 0), 0);
    return {
      answers,
      accepted: count('accepted'),
      duplicate: count('duplicate'),
      quarantined: count('quarantined'),
      refusals: this.#refusals,
      parts: this.#parts,
      gaps: this.#gaps,
      moreGaps: this.#moreGaps,
      archivedThrough: this.#archivedThrough,
    };
  }

  #note(place: number, run: Run): void {
    const { disposition, reason, explanation, firstReading, readings } = run;
    if (readings > 0 && disposition !== 'retry-later') {
      this.#parts.push({ item: place, disposition, reason, explanation, firstReading, readings });
    }
    const known = this.#answers[place]?.disposition;
    // Parts of one item may be answered differently: the worst stands for the item.
    if (disposition === 'accepted' && known !== 'quarantined') this.#answers[place] = ACCEPTED;
    else if (disposition === 'duplicate') this.#answers[place] ??= DUPLICATE;
    else if (disposition === 'quarantined') {
      this.#answers[place] = { disposition: 'quarantined', reason, explanation };
      this.#refusals.push({ firstItem: place, items: 1, reason, explanation, firstReading, readings });
    }
  }
}
