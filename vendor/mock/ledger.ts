import { createHash } from 'node:crypto';
import { fromWire, isSensorName } from '../../proto/map.ts';
import type { IncomingItem } from '../../proto/map.ts';
import type { Item__Output } from '../../proto/gen/tocsin/v1/Item.ts';
import type { ItemResult } from '../../proto/gen/tocsin/v1/ItemResult.ts';
import type { SensorDescription__Output } from '../../proto/gen/tocsin/v1/SensorDescription.ts';

/** What a server does wrong on purpose, to see that a conformance run finds it. */
export const FAULTS = {
  forgets: 'acknowledges, and has forgotten it when the stream is over',
  'no-duplicates': 'stores everything again that is sent again',
  'out-of-order': 'answers messages in another order than they came',
  skips: 'acknowledges messages without an answer to their items',
  'no-gaps': 'does not say which numbers are missing',
  'takes-anything': 'stores what must be quarantined',
  'falls-over': 'ends the stream at bytes that are no message',
  'open-door': 'asks nobody for a key',
  shares: 'tells vendors about the items of others',
  'half-describes': 'registers the good sensors of a list that it refuses',
} as const;
export type Fault = keyof typeof FAULTS;

export interface Verdict {
  readonly disposition: 'ACCEPTED' | 'DUPLICATE' | 'QUARANTINED';
  readonly reason?: string;
  readonly explanation?: string;
}

const FUTURE_AT_MOST_MS = 300_000;
const LATE_AT_MOST_MS = 72 * 3_600_000;

/** What one vendor told the mock server, and what the mock server still expects of it. */
export class Ledger {
  readonly sensors = new Map<string, SensorDescription__Output>();
  /** Identity to the hash of what was stored. */
  readonly stored = new Map<string, string>();
  /** Identities that were refused, with what was refused. */
  readonly #quarantined = new Map<string, string>();
  /** Identities that got no acknowledgement: they must come again, and not before the time given. */
  readonly owed = new Map<string, number>();
  readonly #numbers = new Map<string, Numbers>();
  /** Identity to the stream that was told it is stored. */
  readonly told = new Map<string, object>();

  /** @returns the first thing that is wrong, or null when all are registered */
  describe(sensors: readonly SensorDescription__Output[], faults: ReadonlySet<Fault>): string | null {
    const wrong = sensors.find(
      ({ sensor, site, low, high }) => !isSensorName(sensor) || site === '' || !(low < high),
    );
    for (const one of sensors) {
      if (one !== wrong && (wrong === undefined || faults.has('half-describes'))) {
        this.sensors.set(one.sensor, one);
      }
    }
    return wrong === undefined ? null : `${wrong.sensor || '(no name)'}: name, site, low < high`;
  }

  /** Judges one item, reading by reading. `store` is false for a message whose loss is played. */
  take(wire: Item__Output, nowMs: number, faults: ReadonlySet<Fault>, store = true): Judged[] {
    const item = fromWire(wire);
    if (item.kind === 'refused') {
      if (faults.has('takes-anything')) return [{ identity: '', verdict: ACCEPTED, again: false }];
      const { reason, explanation } = item;
      return [{ identity: '', verdict: { disposition: 'QUARANTINED', reason, explanation }, again: false }];
    }
    return partsOf(item).map((part) => this.#judge(item, part, nowMs, faults, store));
  }

  /** Numbers of (sensor, boot) between the first and the newest that are missing. */
  gaps(sensor: string, boot: string): [number, number][] {
    return this.#numbers.get(`${sensor}|${boot}`)?.gaps() ?? [];
  }

  /** Numbers that never came, of all sensors. */
  allGaps(): { sensor: string; boot: string; first: number; last: number }[] {
    return [...this.#numbers].flatMap(([key, numbers]) => {
      const [sensor = '', boot = ''] = key.split('|');
      return numbers
        .gaps()
        .map(([first, last]) => ({ sensor, boot, first, last }))
        .filter(({ first, last }) => !this.#isQuarantined(key, first, last));
    });
  }

  /** A number that was quarantined came all right. */
  #isQuarantined(key: string, first: number, last: number): boolean {
    for (let n = first; n <= last; n++) if (!this.#quarantined.has(`${key}|${n}`)) return false;
    return true;
  }

  /** The identities of an item, whatever becomes of them. */
  identities(wire: Item__Output): string[] {
    const item = fromWire(wire);
    return item.kind === 'refused' ? [] : partsOf(item).map(({ identity }) => identity);
  }

  #judge(
    item: IncomingItem,
    { identity, content, values, atMs, sequence }: Part,
    nowMs: number,
    faults: ReadonlySet<Fault>,
    store: boolean,
  ): Judged {
    const refusal = faults.has('takes-anything') ? null : this.#refusal(item, values, atMs, nowMs);
    if (refusal !== null) {
      const again = this.#quarantined.get(identity) === content;
      if (store) this.#quarantined.set(identity, content);
      return { identity, verdict: { disposition: 'QUARANTINED', ...refusal }, again };
    }
    const known = this.stored.get(identity);
    const isKnown = known !== undefined && (item.kind !== 'bulletin' || known === content);
    if (store) {
      this.stored.set(identity, content);
      if (sequence > 0 && item.kind !== 'bulletin') {
        const key = `${item.sensor}|${item.boot}`;
        if (!this.#numbers.has(key)) this.#numbers.set(key, new Numbers());
        this.#numbers.get(key)!.add(sequence);
      }
    }
    const verdict = isKnown && !faults.has('no-duplicates') ? DUPLICATE : ACCEPTED;
    return { identity, verdict, again: false };
  }

  #refusal(
    item: IncomingItem,
    values: ArrayLike<number>,
    atMs: number,
    nowMs: number,
  ): { reason: string; explanation: string } | null {
    if (atMs - nowMs > FUTURE_AT_MOST_MS) {
      return {
        reason: 'FUTURE',
        explanation: `Observed ${Math.round((atMs - nowMs) / 1_000)} s in the future.`,
      };
    }
    if (nowMs - atMs > LATE_AT_MOST_MS) {
      return {
        reason: 'TOO_LATE',
        explanation: `Observed ${Math.round((nowMs - atMs) / 3_600_000)} hours ago.`,
      };
    }
    if (item.kind === 'bulletin') return null;
    const sensor = this.sensors.get(item.sensor);
    if (sensor === undefined) {
      return { reason: 'UNKNOWN_SENSOR', explanation: `"${item.sensor}" was not registered with Describe.` };
    }
    if (item.unit !== '' && item.unit !== sensor.unit) {
      return { reason: 'UNIT', explanation: `"${item.unit}" is not ${sensor.unit}.` };
    }
    for (const value of Array.from(values)) {
      if (!Number.isFinite(value)) return { reason: 'NOT_FINITE', explanation: `${value} is not a number.` };
      if (value < sensor.low || value > sensor.high) {
        return { reason: 'RANGE', explanation: `${value} is outside ${sensor.low} to ${sensor.high}.` };
      }
    }
    return null;
  }
}

export interface Judged {
  /** Empty when the item has none. */
  readonly identity: string;
  readonly verdict: Verdict;
  /** It was quarantined before, and came unchanged. */
  readonly again: boolean;
}

const ACCEPTED: Verdict = { disposition: 'ACCEPTED' };
const DUPLICATE: Verdict = { disposition: 'DUPLICATE' };

interface Part {
  readonly identity: string;
  readonly content: string;
  readonly values: ArrayLike<number>;
  readonly atMs: number;
  /** 0: none. */
  readonly sequence: number;
}

function partsOf(item: IncomingItem): Part[] {
  if (item.kind === 'bulletin') {
    const { bulletin } = item;
    const content = createHash('sha256').update(JSON.stringify(bulletin)).digest('base64');
    const identity = `bulletin|${bulletin.source}|${bulletin.id}`;
    return [{ identity, content, values: [], atMs: bulletin.observedAtMs, sequence: 0 }];
  }
  const { sensor, boot, firstSequence } = item;
  if (item.kind === 'waveform') {
    const content = createHash('sha256').update(item.samples).digest('base64');
    const identity = `${sensor}|${boot}|w${firstSequence}`;
    const endedAtMs = item.startedAtMs + (item.samples.length * 1_000) / item.rateHz;
    return [{ identity, content, values: item.samples, atMs: endedAtMs, sequence: 0 }];
  }
  return Array.from(item.values, (value, n) => {
    const atMs = item.atMs[n]!;
    const sequence = firstSequence === 0 ? 0 : firstSequence + n;
    const identity = sequence === 0 ? `${sensor}|${boot}|c${atMs}|${value}` : `${sensor}|${boot}|${sequence}`;
    return { identity, content: `${atMs}|${value}`, values: [value], atMs, sequence };
  });
}

/** Whole numbers from 1, as ranges. */
class Numbers {
  /** Ascending, apart from each other, both ends included. */
  readonly #ranges: [number, number][] = [];

  add(n: number): void {
    const ranges = this.#ranges;
    // Nearly always the newest.
    let at = ranges.length;
    while (at > 0 && ranges[at - 1]![0] > n) at--;
    const before = ranges[at - 1];
    const after = ranges[at];
    if (before !== undefined && n <= before[1]) return;
    const joinsBefore = before !== undefined && before[1] + 1 === n;
    const joinsAfter = after !== undefined && after[0] - 1 === n;
    if (joinsBefore && joinsAfter) {
      before[1] = after[1];
      ranges.splice(at, 1);
    } else if (joinsBefore) before[1] = n;
    else if (joinsAfter) after[0] = n;
    else ranges.splice(at, 0, [n, n]);
  }

  gaps(): [number, number][] {
    const gaps: [number, number][] = [];
    let next = 1;
    for (const [first, last] of this.#ranges) {
      if (first > next) gaps.push([next, first - 1]);
      next = last + 1;
    }
    return gaps;
  }
}

/** Runs of equal answers, as the contract wants them: whole items, or parts of one. */
export function runsOf(items: readonly (readonly Judged[])[]): ItemResult[] {
  const runs: ItemResult[] = [];
  items.forEach((parts, index) => {
    const [first] = parts;
    const isWhole = parts.every(({ verdict }) => same(verdict, first!.verdict));
    for (let from = 0; from < parts.length;) {
      const { verdict } = parts[from]!;
      let to = from + 1;
      while (to < parts.length && same(parts[to]!.verdict, verdict)) to++;
      runs.push({
        firstItem: index,
        items: 1,
        disposition: `DISPOSITION_${verdict.disposition}`,
        reason: `QUARANTINE_REASON_${verdict.reason ?? 'UNSPECIFIED'}` as NonNullable<ItemResult['reason']>,
        explanation: verdict.explanation ?? '',
        firstReading: isWhole ? 0 : from,
        readings: isWhole ? 0 : to - from,
      });
      from = to;
    }
  });
  return runs;
}

const same = (a: Verdict, b: Verdict): boolean =>
  a.disposition === b.disposition && a.reason === b.reason && a.explanation === b.explanation;
