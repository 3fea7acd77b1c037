import { createHash } from 'node:crypto';
import { canonicalJson } from '../../domain/canonical.ts';
import type { Conversion } from '../../domain/ingest/units.ts';
import { conversionOf } from '../../domain/ingest/units.ts';
import type { Sensor } from '../../domain/ports.ts';
import type { QuarantinedItem } from '../../domain/ports-ingest.ts';
import type { ClockKind, DurationMs, EpochMs } from '../../domain/units.ts';
import { fromWire } from '../../proto/map.ts';
import type { BulletinItem, ReadingsItem, WaveformItem } from '../../proto/map.ts';
import type { Gap } from '../../proto/gen/tocsin/v1/Gap.ts';
import type { Item__Output } from '../../proto/gen/tocsin/v1/Item.ts';
import type { ItemResult } from '../../proto/gen/tocsin/v1/ItemResult.ts';
import { identityKey, sensorKey } from './dedup.ts';
import type { Dedup, Taken } from './dedup.ts';
import { FLAG } from './frame.ts';
import type { Block, RunsBlock, StoredBlock } from './frame.ts';
import type { IngestLimits } from './limits.ts';
import type { Sender } from './sender.ts';
import { Lane } from './columns-lane.ts';
import type { ColumnDecoder } from './columns.ts';
import type { NameTable } from './columns-names.ts';
import { itemOf } from './message.ts';
import type { Message } from './message.ts';

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

export interface Counts {
  accepted: number;
  duplicate: number;
  readonly quarantined: Map<Reason, number>;
}

/** What one message means: what to make durable, and what to answer once it is. */
export interface Taking {
  readonly blocks: readonly StoredBlock[];
  readonly quarantined: readonly QuarantinedItem[];
  readonly results: readonly ItemResult[];
  /** Of each sensor that it numbered readings of, once. */
  readonly gaps: readonly Gap[];
  /** Gaps that were left out of them. */
  readonly moreGaps: number;
  readonly counts: Counts;
  /** Readings, samples and bulletins in it. */
  readonly size: number;
  /** Some of it was not taken: it is only archived, and there is too much to do. */
  readonly asksAgain: boolean;
}

export interface IntakeOptions {
  readonly dedup: Dedup;
  readonly sensorOf: (sender: Sender, name: string) => Sensor | undefined;
  /** Grows whenever `sensorOf` may answer differently. */
  readonly revision: () => number;
  /** Whether any condition hears a sensor: what no condition hears is only archived. @default all are heard */
  readonly hears?: (tenant: string, sensor: string) => boolean;
  /** By which clock a tenant's lateness is judged. */
  readonly clockOf: (tenant: string) => ClockKind;
  readonly limits: IngestLimits;
}

export interface Intake {
  /** The sender's sensors, by which messages are read as columns. */
  namesOf(sender: Sender): NameTable;
  /**
   * Judges the items of one message. `nowMs` is the server's time of arrival.
   *
   * @param sheds what no condition hears is not taken now, but asked for again. @default false
   */
  take(sender: Sender, message: Message, nowMs: EpochMs, sheds?: boolean): Taking;
}

/**
 * Decides item by item what is accepted, what is a duplicate and what goes to quarantine. An accepted item is
 * remembered at once, so it must be made durable, and nothing may be answered before it is.
 */
export function createIntake(options: IntakeOptions): Intake {
  const { dedup, sensorOf, revision, hears = () => true, clockOf, limits } = options;
  const lanes = new Map<string, Lane>();
  let laneRevision = revision();

  function laneOf(sender: Sender): Lane {
    if (laneRevision !== revision()) {
      lanes.clear();
      laneRevision = revision();
    }
    const key = `${sender.tenant}|${sender.vendor}`;
    const known = lanes.get(key);
    if (known !== undefined) return known;
    const lane = new Lane({ sender, sensorOf, dedup, limits });
    lanes.set(key, lane);
    return lane;
  }

  function take(sender: Sender, message: Message, nowMs: EpochMs, sheds = false): Taking {
    if (message.kind === 'malformed') {
      const taking = new Collected(sender, 0, nowMs, nowMs);
      taking.begin(0, Buffer.from(message.bytes.subarray(0, 1_000)).toString('base64'));
      taking.refuse('MALFORMED', 'These bytes are not a message of tocsin.v1.');
      return taking.end(dedup);
    }
    const feed = clockOf(sender.tenant) === 'feed';
    const { sentAtMs } = message.kind === 'columns' ? message.columns : message;
    const taking = new Collected(sender, sentAtMs, nowMs, feed ? sentAtMs : nowMs);
    taking.sheds = sheds;
    if (message.kind === 'columns') takeColumns(taking, message.columns, feed);
    else message.items.forEach((wire, index) => takeItem(taking, wire, index, feed));
    return taking.end(dedup);
  }

  /** Items with nothing unusual about them by the quick way, the others by the ordinary one, in their order. */
  function takeColumns(taking: Collected, columns: ColumnDecoder, feed: boolean): void {
    const lane = laneOf(taking.sender);
    const { clockMs, sentAtMs } = taking;
    const isQuick = !feed || sentAtMs > 0;
    const keep = (block: RunsBlock | null): void => {
      if (block !== null) taking.keep(block);
    };
    for (let index = 0; index < columns.items; index++) {
      const sensor = taking.sheds ? lane.sensorOf(columns, index) : null;
      if (sensor !== null && !hears(taking.sender.tenant, sensor)) {
        taking.askAgain(index, limits.retryAfterMs);
        continue;
      }
      const taken = isQuick ? lane.take(columns, index, clockMs) : null;
      if (taken === null) {
        keep(lane.block(clockMs, sentAtMs));
        takeItem(taking, itemOf(columns, index), index, feed);
      } else {
        const readings = columns.readingsEnd[index]! - (index === 0 ? 0 : columns.readingsEnd[index - 1]!);
        taking.answerQuick(taken, index, readings);
      }
    }
    keep(lane.block(clockMs, sentAtMs));
  }

  function takeItem(taking: Collected, wire: Item__Output, index: number, feed: boolean): void {
    taking.begin(index, wire);
    if (index >= limits.itemsAtMost) {
      return taking.refuse('OVERSIZED', `More than ${limits.itemsAtMost} items in one message.`);
    }
    // A recorded feed says what time it is: without that nothing in it can be judged.
    if (feed && !(taking.sentAtMs > 0)) return taking.refuse('MALFORMED', 'sent_at_ms is missing.');
    const item = fromWire(wire);
    if (taking.sheds && (item.kind === 'readings' || item.kind === 'waveform')) {
      const sensor = sensorOf(taking.sender, item.sensor);
      if (sensor !== undefined && !hears(taking.sender.tenant, sensor.id)) {
        return taking.askAgain(index, limits.retryAfterMs);
      }
    }
    switch (item.kind) {
      case 'refused':
        return taking.refuse(item.reason, item.explanation);
      case 'readings':
        return takeReadings(taking, item);
      case 'waveform':
        return takeWaveform(taking, item);
      case 'bulletin':
        return takeBulletin(taking, item);
      default:
        return item satisfies never;
    }
  }

  function takeReadings(taking: Collected, item: ReadingsItem): void {
    const known = sensorFor(taking, item);
    if (known === null) return;
    const { sensor, conversion } = known;
    if (conversion !== null) convert(item.values, conversion);
    const n = item.values.length;
    const verdicts = new Array<Verdict>(n);
    const flags = new Uint8Array(n);
    const { clockMs, sender } = taking;
    const { low, high } = sensor;
    let clean = true;
    for (let i = 0; i < n; i++) {
      const value = item.values[i]!;
      const aheadMs = item.atMs[i]! - clockMs;
      const reason = !Number.isFinite(value)
        ? 'NOT_FINITE'
        : value < low || value > high
          ? 'RANGE'
          : untimely(aheadMs);
      verdicts[i] = reason ?? 'new';
      if (reason !== null) clean = false;
      flags[i] = flagsOf(aheadMs, limits.readingTriggersWithinMs);
    }
    const key = sensorKey(sender.tenant, sender.vendor, sensor.id);
    const newestMs = item.atMs[n - 1]!;
    // Numbers are taken only for readings that are archived: a corrected one may come again under its number.
    for (let from = 0; from < n;) {
      let to = from;
      while (to < n && verdicts[to] === 'new') to++;
      if (to === from) {
        from++;
        continue;
      }
      if (item.firstSequence === 0) {
        for (let i = from; i < to; i++) {
          verdicts[i] = verdictOf(dedup.takeContent(key, item.atMs[i]!, item.values[i]!));
        }
      } else {
        const taken = dedup.takeNumbers(key, item.boot, item.firstSequence + from, to - from, newestMs);
        for (const part of taken) {
          if (part.seen === 'new') continue;
          clean = false;
          verdicts.fill(
            verdictOf(part.seen),
            part.first - item.firstSequence,
            part.first - item.firstSequence + part.count,
          );
        }
      }
      from = to;
    }
    const origin = {
      kind: 'readings',
      tenant: sender.tenant,
      vendor: sender.vendor,
      clockMs,
      ...taking.sent,
      sensor: sensor.id,
      boot: item.boot,
    } as const;
    if (clean && item.firstSequence !== 0) {
      taking.accept(n, {
        ...origin,
        firstSequence: item.firstSequence,
        atMs: item.atMs,
        values: item.values,
        flags,
      });
    } else {
      for (let from = 0; from < n;) {
        const verdict = verdicts[from]!;
        let to = from + 1;
        while (to < n && verdicts[to] === verdict) to++;
        if (verdict === 'new') {
          taking.keep({
            ...origin,
            firstSequence: item.firstSequence === 0 ? 0 : item.firstSequence + from,
            atMs: item.atMs.slice(from, to),
            values: item.values.slice(from, to),
            flags: flags.slice(from, to),
          });
        }
        const explanation = explain(verdict, item, sensor, from, clockMs);
        taking.answerPart(verdict, from, to - from, n, explanation);
        from = to;
      }
    }
    if (item.firstSequence !== 0) taking.numbered(key, item);
  }

  function takeWaveform(taking: Collected, item: WaveformItem): void {
    const known = sensorFor(taking, item);
    if (known === null) return;
    const { sensor, conversion } = known;
    const { samples, startedAtMs, rateHz } = item;
    if (conversion !== null) convert(samples, conversion);
    const n = samples.length;
    const bad = samples.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) return taking.refuse('NOT_FINITE', `Sample ${bad} is ${samples[bad]}.`, n);
    const outside = samples.findIndex((value) => value < sensor.low || value > sensor.high);
    if (outside >= 0) {
      return taking.refuse(
        'RANGE',
        `Sample ${outside} is ${samples[outside]} ${sensor.unit}, outside ${sensor.low} to ${sensor.high}.`,
        n,
      );
    }
    const endedAtMs = startedAtMs + (n * 1_000) / rateHz;
    const aheadMs = endedAtMs - taking.clockMs;
    const reason = untimely(aheadMs);
    if (reason !== null) return taking.refuse(reason, timing(reason, aheadMs), n);
    const { tenant, vendor } = taking.sender;
    const key = sensorKey(tenant, vendor, sensor.id);
    const parts = dedup.takeNumbers(key, item.boot, item.firstSequence, n, endedAtMs);
    taking.numbered(key, item);
    for (const part of parts) {
      const from = part.first - item.firstSequence;
      const verdict = verdictOf(part.seen);
      if (part.seen === 'new') {
        taking.keep({
          kind: 'waveform',
          tenant,
          vendor,
          clockMs: taking.clockMs,
          ...taking.sent,
          sensor: sensor.id,
          boot: item.boot,
          firstSequence: part.first,
          startedAtMs: startedAtMs + (from * 1_000) / rateHz,
          rateHz,
          flags: flagsOf(aheadMs, limits.readingTriggersWithinMs),
          samples: samples.slice(from, from + part.count),
        });
      }
      taking.answerPart(verdict, from, part.count, n, verdict === 'SEQUENCE' ? UNPROVABLE : '');
    }
  }

  function takeBulletin(taking: Collected, { bulletin }: BulletinItem): void {
    const aheadMs = bulletin.observedAtMs - taking.clockMs;
    const reason = untimely(aheadMs);
    if (reason !== null) return taking.refuse(reason, timing(reason, aheadMs));
    const contentHash = createHash('sha256').update(canonicalJson(bulletin)).digest('hex').slice(0, 32);
    const { tenant, vendor } = taking.sender;
    const { seen, revision } = dedup.takeRevision(
      identityKey(tenant, vendor, bulletin.source, bulletin.id),
      contentHash,
      bulletin.observedAtMs,
    );
    if (seen === 'unprovable') return taking.refuse('SEQUENCE', 'Too many revisions of one bulletin.');
    if (seen === 'before') return taking.answer('DUPLICATE', 1);
    taking.accept(1, {
      kind: 'bulletin',
      tenant,
      vendor,
      clockMs: taking.clockMs,
      ...taking.sent,
      bulletin,
      revision,
      contentHash,
      flags: flagsOf(aheadMs, limits.bulletinTriggersWithinMs),
    });
  }

  /** `conversion`: null when the item is in the registered unit already. */
  function sensorFor(
    taking: Collected,
    item: ReadingsItem | WaveformItem,
  ): { readonly sensor: Sensor; readonly conversion: Conversion | null } | null {
    const size = item.kind === 'readings' ? item.values.length : item.samples.length;
    const sensor = sensorOf(taking.sender, item.sensor);
    if (sensor === undefined) {
      taking.refuse(
        'UNKNOWN_SENSOR',
        `This vendor has not registered a sensor "${item.sensor}" with Describe.`,
        size,
      );
      return null;
    }
    if (item.unit === '' || item.unit === sensor.unit) return { sensor, conversion: null };
    const conversion = conversionOf(item.unit, sensor.unit, sensor.channel);
    if (conversion === null) {
      taking.refuse(
        'UNIT',
        `"${item.unit.slice(0, 40)}" cannot be converted to ${sensor.unit}, as this sensor is registered.`,
        size,
      );
      return null;
    }
    return { sensor, conversion };
  }

  function untimely(aheadMs: DurationMs): 'FUTURE' | 'TOO_LATE' | null {
    if (aheadMs > limits.futureAtMostMs) return 'FUTURE';
    return -aheadMs > limits.lateAtMostMs ? 'TOO_LATE' : null;
  }

  const flagsOf = (aheadMs: DurationMs, triggersWithinMs: DurationMs): number =>
    (aheadMs > limits.skewAfterMs ? FLAG.skew : 0) | (-aheadMs > triggersWithinMs ? FLAG.late : 0);

  return { take, namesOf: (sender) => laneOf(sender).names };
}

function convert(values: Float64Array | Float32Array, { scale, offset }: Conversion): void {
  for (let i = 0; i < values.length; i++) values[i] = values[i]! * scale + offset;
}

/** Of one message, and of one response, as they are told. */
export const GAPS_AT_MOST = 1_000;
const GAPS_OF_A_SENSOR = 10;
/** Runs of a message that are explained: the later ones only have a reason. */
const EXPLAINED_AT_MOST = 100;

type Verdict = 'new' | 'DUPLICATE' | Reason;

const UNPROVABLE =
  'It cannot be told whether this was sent before: too many gaps, boots or unnumbered readings.';

const verdictOf = (seen: Taken['seen']): Verdict =>
  seen === 'new' ? 'new' : seen === 'before' ? 'DUPLICATE' : 'SEQUENCE';

const timing = (reason: 'FUTURE' | 'TOO_LATE', aheadMs: DurationMs): string =>
  reason === 'FUTURE'
    ? `Observed ${Math.round(aheadMs / 1_000)} s in the future.`
    : `Observed ${Math.round(-aheadMs / 3_600_000)} hours ago.`;

function explain(verdict: Verdict, item: ReadingsItem, sensor: Sensor, at: number, clockMs: EpochMs): string {
  switch (verdict) {
    case 'NOT_FINITE':
      return `${item.values[at]} is not a number of ${sensor.unit}.`;
    case 'RANGE':
      return `${item.values[at]} ${sensor.unit} is outside ${sensor.low} to ${sensor.high}.`;
    case 'FUTURE':
    case 'TOO_LATE':
      return timing(verdict, item.atMs[at]! - clockMs);
    case 'SEQUENCE':
      return UNPROVABLE;
    default:
      return '';
  }
}

/** Everything one message led to. */
class Collected {
  readonly sender: Sender;
  readonly clockMs: EpochMs;
  /** When the vendor sent it, where it said so. */
  readonly sent: { readonly sentAtMs?: EpochMs };
  sheds = false;
  #asksAgain = false;
  readonly sentAtMs: EpochMs;
  readonly #nowMs: EpochMs;
  readonly #blocks: StoredBlock[] = [];
  readonly #quarantined: {
    readonly index: number;
    readonly item: QuarantinedItem;
    /** Readings of the same item that were refused for the same reason later in it. */
    alike: number;
  }[] = [];
  readonly #results: ItemResult[] = [];
  /** Sensors, each since a boot, of which there may be gaps: by their key. */
  readonly #numbered = new Map<
    string,
    { readonly key: string; readonly sensor: string; readonly boot: string }
  >();
  readonly #counts: Counts = { accepted: 0, duplicate: 0, quarantined: new Map() };
  #size = 0;
  #index = 0;
  #item: unknown = null;

  constructor(sender: Sender, sentAtMs: EpochMs, nowMs: EpochMs, clockMs: EpochMs) {
    this.sender = sender;
    this.sentAtMs = sentAtMs;
    this.#nowMs = nowMs;
    this.clockMs = clockMs;
    this.sent = sentAtMs > 0 ? { sentAtMs } : {};
  }

  begin(index: number, item: unknown): void {
    this.#index = index;
    this.#item = item;
  }

  /** The whole item is new. */
  accept(size: number, block: Block): void {
    this.keep(block);
    this.answer('new', size);
  }

  /** The whole item is refused. */
  refuse(reason: Reason, explanation: string, size = 1): void {
    this.answer(reason, size, explanation);
  }

  /** Items of which nothing needs to be said: the same run goes on for as long as they are answered alike. */
  answerQuick(taken: 'new' | 'before', index: number, readings: number): void {
    const disposition = taken === 'new' ? 'DISPOSITION_ACCEPTED' : 'DISPOSITION_DUPLICATE';
    const last = this.#results.at(-1);
    if (last !== undefined && last.disposition === disposition && last.readings === 0) {
      this.#size += readings;
      if (taken === 'new') this.#counts.accepted += readings;
      else this.#counts.duplicate += readings;
      last.items! += 1;
      return;
    }
    this.begin(index, null);
    this.answer(taken === 'new' ? 'new' : 'DUPLICATE', readings);
  }

  /** The item was not taken. */
  askAgain(index: number, retryAfterMs: DurationMs): void {
    this.#asksAgain = true;
    const last = this.#results.at(-1);
    if (last?.disposition === 'DISPOSITION_RETRY_LATER') {
      last.items! += 1;
      return;
    }
    const run = { firstItem: index, items: 1, firstReading: 0, readings: 0, explanation: '', retryAfterMs };
    const reason = 'QUARANTINE_REASON_UNSPECIFIED';
    this.#results.push({ ...run, reason, disposition: 'DISPOSITION_RETRY_LATER' });
  }

  keep(block: StoredBlock): void {
    this.#blocks.push(block);
  }

  answer(verdict: Verdict, size: number, explanation = ''): void {
    this.#count(verdict, size, explanation);
    const last = this.#results.at(-1);
    const result = this.#resultOf(verdict, explanation);
    // Neighbours that are answered alike are one run.
    if (
      last !== undefined &&
      last.readings === 0 &&
      last.disposition === result.disposition &&
      last.reason === result.reason &&
      last.explanation === result.explanation
    ) {
      last.items! += 1;
      return;
    }
    this.#results.push({ ...result, firstItem: this.#index, items: 1, firstReading: 0, readings: 0 });
  }

  /** Some readings of an item of `whole` readings. */
  answerPart(verdict: Verdict, from: number, count: number, whole: number, explanation: string): void {
    if (count === whole) return this.answer(verdict, whole, explanation);
    this.#count(verdict, count, explanation);
    this.#results.push({
      ...this.#resultOf(verdict, explanation),
      firstItem: this.#index,
      items: 1,
      firstReading: from,
      readings: count,
    });
  }

  /** An item with numbers was judged. */
  numbered(key: string, { sensor, boot }: { readonly sensor: string; readonly boot: string }): void {
    this.#numbered.set(`${key}|${boot}`, { key, sensor, boot });
  }

  end(dedup: Dedup): Taking {
    const gaps: Gap[] = [];
    let missing = 0;
    for (const { key, sensor, boot } of this.#numbered.values()) {
      const room = Math.min(GAPS_OF_A_SENSOR, GAPS_AT_MOST - gaps.length);
      for (const { first, last } of dedup.gaps(key, boot, room)) {
        gaps.push({ sensor, boot, firstSequence: first, lastSequence: last });
      }
      missing += dedup.gapCount(key, boot);
    }
    return {
      blocks: this.#blocks,
      quarantined: this.#quarantined.map(({ item, alike }) =>
        alike === 0
          ? item
          : {
              ...item,
              explanation: `${item.explanation} And ${alike} more of this item for the same reason.`,
            },
      ),
      results: this.#results,
      gaps,
      moreGaps: missing - gaps.length,
      counts: this.#counts,
      size: this.#size,
      asksAgain: this.#asksAgain,
    };
  }

  #resultOf(verdict: Verdict, explanation: string): ItemResult & { explanation: string } {
    const isTaken = verdict === 'new' || verdict === 'DUPLICATE';
    return {
      disposition: isTaken
        ? verdict === 'new'
          ? 'DISPOSITION_ACCEPTED'
          : 'DISPOSITION_DUPLICATE'
        : 'DISPOSITION_QUARANTINED',
      reason: isTaken ? 'QUARANTINE_REASON_UNSPECIFIED' : `QUARANTINE_REASON_${verdict}`,
      explanation: this.#results.length < EXPLAINED_AT_MOST ? explanation : '',
      retryAfterMs: 0,
    };
  }

  #count(verdict: Verdict, size: number, explanation: string): void {
    this.#size += size;
    if (verdict === 'new') this.#counts.accepted += size;
    else if (verdict === 'DUPLICATE') this.#counts.duplicate += size;
    else {
      this.#counts.quarantined.set(verdict, (this.#counts.quarantined.get(verdict) ?? 0) + size);
      this.#quarantine(verdict, size, explanation);
    }
  }

  /** Kept once for each reason of an item, whatever the number of its bad readings. */
  #quarantine(reason: Reason, size: number, explanation: string): void {
    for (let n = this.#quarantined.length - 1; n >= 0 && this.#quarantined[n]!.index === this.#index; n--) {
      const known = this.#quarantined[n]!;
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
    this.#quarantined.push({ index: this.#index, item, alike: 0 });
  }
}

const ITEM_TEXT_AT_MOST = 2_000;

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
