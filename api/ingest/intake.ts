import { canonicalJson } from '../../domain/canonical.ts';
import type { Conversion } from '../../domain/ingest/units.ts';
import { conversionOf } from '../../domain/ingest/units.ts';
import { SensorNumbers } from '../../domain/ingest/sensor-numbers.ts';
import type { Sensor } from '../../domain/ports.ts';
import type { ClockKind, DurationMs, EpochMs } from '../../domain/units.ts';
import { fromWire } from '../../proto/map.ts';
import type { BulletinItem, ReadingsItem, WaveformItem } from '../../proto/map.ts';
import type { Item__Output } from '../../proto/gen/tocsin/v1/Item.ts';
import { sha256Hex } from '../hash.ts';
import { identityKey, sensorKey } from './dedup.ts';
import type { Dedup, Taken } from './dedup.ts';
import { FLAG } from './frame.ts';
import type { IngestLimits } from './limits.ts';
import type { Sender } from './sender.ts';
import { Lane } from './columns-lane.ts';
import type { ColumnDecoder } from './columns.ts';
import type { NameTable } from './columns-names.ts';
import { itemOf } from './message.ts';
import type { Message } from './message.ts';
import { Taking } from './taking.ts';
import type { Verdict as AnyVerdict } from './taking.ts';

type Verdict = Exclude<AnyVerdict, 'RETRY_LATER'>;

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
  /** Numbers for the sensors in blocks. @default its own */
  readonly numbers?: SensorNumbers;
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
  const { numbers = new SensorNumbers() } = options;
  const lanes = new Map<string, Lane>();
  /** The same by the stream that asks: it is asked for every message. */
  let laneOfSender = new WeakMap<Sender, Lane>();
  let laneRevision = revision();

  function laneOf(sender: Sender): Lane {
    if (laneRevision !== revision()) {
      lanes.clear();
      laneOfSender = new WeakMap();
      laneRevision = revision();
    }
    const known = laneOfSender.get(sender);
    if (known !== undefined) return known;
    const key = `${sender.tenant}|${sender.vendor}`;
    let lane = lanes.get(key);
    if (lane === undefined) lanes.set(key, (lane = new Lane({ sender, sensorOf, dedup, limits, numbers })));
    laneOfSender.set(sender, lane);
    return lane;
  }

  function take(sender: Sender, message: Message, nowMs: EpochMs, sheds = false): Taking {
    if (message.kind === 'malformed') {
      const taking = new Taking(sender, 0, nowMs, nowMs);
      taking.begin(0, Buffer.from(message.bytes.subarray(0, 1_000)).toString('base64'));
      taking.refuse('MALFORMED', 'These bytes are not a message of tocsin.v1.');
      return taking.end(dedup);
    }
    const feed = clockOf(sender.tenant) === 'feed';
    const { sentAtMs } = message.kind === 'columns' ? message.columns : message;
    const taking = new Taking(sender, sentAtMs, nowMs, feed ? sentAtMs : nowMs);
    if (message.kind === 'columns') takeColumns(taking, message.columns, feed, sheds);
    else message.items.forEach((wire, index) => takeItem(taking, wire, index, feed, sheds));
    return taking.end(dedup);
  }

  /** Items with nothing unusual about them by the quick way, the others by the ordinary one, in their order. */
  function takeColumns(taking: Taking, columns: ColumnDecoder, feed: boolean, sheds: boolean): void {
    const lane = laneOf(taking.sender);
    const isQuick = !feed || taking.sentAtMs > 0;
    for (let index = 0; index < columns.items; index++) {
      const sensor = sheds ? lane.sensorOf(columns, index) : null;
      if (sensor !== null && !hears(taking.sender.tenant, sensor)) {
        taking.askAgain(index, limits.retryAfterMs);
        continue;
      }
      const taken = isQuick ? lane.take(taking, columns, index) : null;
      if (taken === null) {
        lane.endBlock(taking);
        takeItem(taking, itemOf(columns, index), index, feed, sheds);
      } else {
        const readings = columns.readingsEnd[index]! - (index === 0 ? 0 : columns.readingsEnd[index - 1]!);
        taking.answerQuick(taken === 'new' ? 'new' : 'DUPLICATE', index, readings);
      }
    }
    lane.endBlock(taking);
  }

  function takeItem(taking: Taking, wire: Item__Output, index: number, feed: boolean, sheds: boolean): void {
    taking.begin(index, wire);
    if (index >= limits.itemsAtMost) {
      return taking.refuse('OVERSIZED', `More than ${limits.itemsAtMost} items in one message.`);
    }
    // A recorded feed says what time it is: without that nothing in it can be judged.
    if (feed && !(taking.sentAtMs > 0)) return taking.refuse('MALFORMED', 'sent_at_ms is missing.');
    const item = fromWire(wire);
    if (sheds && (item.kind === 'readings' || item.kind === 'waveform')) {
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

  function takeReadings(taking: Taking, item: ReadingsItem): void {
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

  function takeWaveform(taking: Taking, item: WaveformItem): void {
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

  function takeBulletin(taking: Taking, { bulletin }: BulletinItem): void {
    const aheadMs = bulletin.observedAtMs - taking.clockMs;
    const reason = untimely(aheadMs);
    if (reason !== null) return taking.refuse(reason, timing(reason, aheadMs));
    const contentHash = sha256Hex(canonicalJson(bulletin)).slice(0, 32);
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
    taking: Taking,
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
