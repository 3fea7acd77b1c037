import type { Bulletin } from '../domain/evidence.ts';
import type { EpochMs, Position } from '../domain/units.ts';
import type { Bulletin__Output } from './gen/tocsin/v1/Bulletin.ts';
import type { Columns__Output } from './gen/tocsin/v1/Columns.ts';
import type { Item, Item__Output } from './gen/tocsin/v1/Item.ts';
import type { Position__Output } from './gen/tocsin/v1/Position.ts';
import type { Reading__Output } from './gen/tocsin/v1/Reading.ts';
import type { Waveform__Output } from './gen/tocsin/v1/Waveform.ts';

/** The only place that knows both the wire and the domain. */

/** Readings of one sensor in a row; values as they came, NaN included. */
export interface ReadingsItem {
  readonly kind: 'readings';
  readonly sensor: string;
  readonly boot: string;
  /** Of the first reading; 0: the device does not count. */
  readonly firstSequence: number;
  readonly atMs: Float64Array;
  readonly values: Float64Array;
  /** Empty: the registered unit. */
  readonly unit: string;
}

export interface WaveformItem {
  readonly kind: 'waveform';
  readonly sensor: string;
  readonly boot: string;
  readonly firstSequence: number;
  readonly startedAtMs: EpochMs;
  readonly rateHz: number;
  readonly samples: Float32Array;
  readonly unit: string;
}

export interface BulletinItem {
  readonly kind: 'bulletin';
  readonly bulletin: Bulletin;
}

/** An item that is no item: what is wrong with it. */
export interface RefusedItem {
  readonly kind: 'refused';
  readonly reason: 'MALFORMED' | 'OVERSIZED' | 'NOT_FINITE' | 'SEQUENCE';
  readonly explanation: string;
}

export type IncomingItem = ReadingsItem | WaveformItem | BulletinItem;

export const COLUMN_READINGS_AT_MOST = 10_000;
export const WAVEFORM_SAMPLES_AT_MOST = 20_000;
const FIELDS_AT_MOST = 64;
const FIELD_TEXT_AT_MOST = 1_000;
const BULLETIN_TEXT_AT_MOST = 16_000;

const SENSOR = /^[A-Za-z0-9._:/-]{1,128}$/;
// `|` separates the parts of keys.
const BOOT = /^[A-Za-z0-9._:-]{0,64}$/;
const IDENTITY = /^[^|\p{Cc}\p{Bidi_Control}]{1,256}$/u;
const TYPE = /^[a-z][a-z0-9-]{0,63}$/;
const FIELD = /^[A-Za-z][A-Za-z0-9]{0,63}$/;
const LATEST_MS = 8_640_000_000_000_000;

/** True for a name that a sensor may have. */
export const isSensorName = (name: string): boolean => SENSOR.test(name);

/** True for a name that a boot may have; empty is one. */
export const isBootName = (name: string): boolean => BOOT.test(name);

/** One item of a message as the domain sees it, or what is wrong with it. */
export function fromWire(item: Item__Output): IncomingItem | RefusedItem {
  if (item.reading) return fromReading(item.reading);
  if (item.columns) return fromColumns(item.columns);
  if (item.waveform) return fromWaveform(item.waveform);
  if (item.bulletin) return fromBulletin(item.bulletin);
  return malformed('The item is empty.');
}

function fromReading(reading: Reading__Output): ReadingsItem | RefusedItem {
  const head = headOf(reading.sensor, reading.boot, reading.sequence, 1);
  if ('reason' in head) return head;
  const atMs = timeOf(reading.observedAtMs);
  if (atMs === null) return malformed(`"${reading.observedAtMs}" is not a time.`);
  return {
    kind: 'readings',
    ...head,
    atMs: Float64Array.of(atMs),
    values: Float64Array.of(reading.value),
    unit: reading.unit,
  };
}

function fromColumns(columns: Columns__Output): ReadingsItem | RefusedItem {
  const n = columns.values.length;
  if (n === 0) return malformed('The columns hold no readings.');
  if (n > COLUMN_READINGS_AT_MOST) return oversized(n, COLUMN_READINGS_AT_MOST, 'readings');
  const head = headOf(columns.sensor, columns.boot, columns.firstSequence, n);
  if ('reason' in head) return head;
  const firstMs = timeOf(columns.firstObservedAtMs);
  if (firstMs === null) return malformed(`"${columns.firstObservedAtMs}" is not a time.`);
  const { offsetsMs, intervalMs } = columns;
  if (offsetsMs.length !== n && !(offsetsMs.length === 0 && (n === 1 || intervalMs > 0))) {
    return malformed(`${offsetsMs.length} offsets for ${n} readings, and interval ${intervalMs} ms.`);
  }
  const atMs = new Float64Array(n);
  for (let i = 0; i < n; i++) atMs[i] = firstMs + (offsetsMs.length === 0 ? i * intervalMs : offsetsMs[i]!);
  for (let i = 1; i < n; i++) {
    if (atMs[i]! < atMs[i - 1]!) return malformed(`Reading ${i} is older than the one before it.`);
  }
  return { kind: 'readings', ...head, atMs, values: Float64Array.from(columns.values), unit: columns.unit };
}

function fromWaveform(waveform: Waveform__Output): WaveformItem | RefusedItem {
  const n = waveform.samples.length;
  if (n === 0) return malformed('The waveform holds no samples.');
  if (n > WAVEFORM_SAMPLES_AT_MOST) return oversized(n, WAVEFORM_SAMPLES_AT_MOST, 'samples');
  const head = headOf(waveform.sensor, waveform.boot, waveform.firstSequence, n);
  if ('reason' in head) return head;
  if (head.firstSequence === 0) return refused('SEQUENCE', 'A waveform must number its samples, from 1.');
  const startedAtMs = timeOf(waveform.startedAtMs);
  if (startedAtMs === null) return malformed(`"${waveform.startedAtMs}" is not a time.`);
  const { rateHz } = waveform;
  if (!(rateHz >= 0.001 && rateHz <= 1_000_000)) return malformed(`A rate of ${rateHz} Hz.`);
  return {
    kind: 'waveform',
    ...head,
    startedAtMs,
    rateHz,
    samples: Float32Array.from(waveform.samples),
    unit: waveform.unit,
  };
}

function fromBulletin(wire: Bulletin__Output): BulletinItem | RefusedItem {
  if (!IDENTITY.test(wire.source) || !IDENTITY.test(wire.id)) {
    return malformed('source and id must have 1 to 256 characters, no control characters and no "|".');
  }
  if (!TYPE.test(wire.type)) return malformed(`"${wire.type.slice(0, 80)}" is not a bulletin type.`);
  const observedAtMs = timeOf(wire.observedAtMs);
  if (observedAtMs === null) return malformed(`"${wire.observedAtMs}" is not a time.`);
  const position = fromPosition(wire.position);
  if (position === undefined) return malformed('The position is not on Earth.');
  const entries = Object.entries(wire.fields);
  if (entries.length > FIELDS_AT_MOST) return oversized(entries.length, FIELDS_AT_MOST, 'fields');
  const fields: Record<string, number | string | null> = {};
  let characters = 0;
  for (const [name, field] of entries.sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (!FIELD.test(name)) return malformed(`"${name.slice(0, 80)}" is not a field name.`);
    const value = field.value === 'number' ? field.number! : field.value === 'text' ? field.text! : null;
    if (typeof value === 'number' && !Number.isFinite(value)) {
      return refused('NOT_FINITE', `${name} is ${value}.`);
    }
    if (typeof value === 'string' && value.length > FIELD_TEXT_AT_MOST) {
      return oversized(value.length, FIELD_TEXT_AT_MOST, `characters in ${name}`);
    }
    characters += name.length + (typeof value === 'string' ? value.length : 8);
    fields[name] = value;
  }
  if (characters > BULLETIN_TEXT_AT_MOST) return oversized(characters, BULLETIN_TEXT_AT_MOST, 'characters');
  return {
    kind: 'bulletin',
    bulletin: { source: wire.source, id: wire.id, type: wire.type, observedAtMs, position, fields },
  };
}

/** null: none was given. undefined: it is no position. */
export function fromPosition(wire: Position__Output | null | undefined): Position | null | undefined {
  if (wire === null || wire === undefined) return null;
  const { latitudeDeg, longitudeDeg } = wire;
  return Math.abs(latitudeDeg) <= 90 && Math.abs(longitudeDeg) <= 180
    ? { latitudeDeg, longitudeDeg }
    : undefined;
}

function headOf(
  sensor: string,
  boot: string,
  sequence: string,
  count: number,
): Pick<ReadingsItem, 'sensor' | 'boot' | 'firstSequence'> | RefusedItem {
  if (!SENSOR.test(sensor)) return malformed(`"${sensor.slice(0, 80)}" is not a sensor name.`);
  if (!BOOT.test(boot)) return malformed(`"${boot.slice(0, 80)}" is not a boot name.`);
  const firstSequence = Number(sequence);
  if (!Number.isSafeInteger(firstSequence + count)) return refused('SEQUENCE', `Number ${sequence}.`);
  return { sensor, boot, firstSequence };
}

function timeOf(text: string): EpochMs | null {
  const ms = Number(text);
  return Math.abs(ms) <= LATEST_MS ? ms : null;
}

const refused = (reason: RefusedItem['reason'], explanation: string): RefusedItem => ({
  kind: 'refused',
  reason,
  explanation,
});
const malformed = (explanation: string): RefusedItem => refused('MALFORMED', explanation);
const oversized = (is: number, most: number, what: string): RefusedItem =>
  refused('OVERSIZED', `${is} ${what}; at most ${most} are allowed.`);

/** A bulletin as a vendor sends it. Fields that are null were not measured and stay unset. */
export function bulletinToWire(bulletin: Bulletin): Item {
  return {
    bulletin: {
      source: bulletin.source,
      id: bulletin.id,
      type: bulletin.type,
      observedAtMs: bulletin.observedAtMs,
      position: bulletin.position,
      fields: Object.fromEntries(
        Object.entries(bulletin.fields).map(([name, value]) => [
          name,
          typeof value === 'number' ? { number: value } : typeof value === 'string' ? { text: value } : {},
        ]),
      ),
    },
  };
}

/** Readings of one sensor as a vendor sends them: one as a reading, more as columns. */
export function readingsToWire(readings: {
  readonly sensor: string;
  readonly boot: string;
  readonly firstSequence: number;
  readonly atMs: ArrayLike<number>;
  readonly values: ArrayLike<number>;
  readonly unit?: string;
}): Item {
  const { sensor, boot, firstSequence, unit = '' } = readings;
  const [firstMs = 0] = Array.from(readings.atMs);
  if (readings.values.length === 1) {
    return {
      reading: {
        sensor,
        boot,
        sequence: firstSequence,
        observedAtMs: firstMs,
        value: readings.values[0]!,
        unit,
      },
    };
  }
  return {
    columns: {
      sensor,
      boot,
      firstSequence,
      firstObservedAtMs: firstMs,
      offsetsMs: Array.from(readings.atMs, (atMs) => atMs - firstMs),
      values: Array.from(readings.values),
      unit,
    },
  };
}
