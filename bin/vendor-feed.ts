import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import readline from 'node:readline';
import type { Bulletin } from '../domain/evidence.ts';
import type { EpochMs } from '../domain/units.ts';
import { CommandFailed, EXIT } from './exit-codes.ts';

export type FeedFormat = 'csv' | 'jsonl' | 'geojson';

/** Which column means what. Names as in the heading (CSV), or keys (JSON lines). */
export interface FeedMapping {
  /** @default by the name of the column: time, timestamp, datetime, date, ts, t */
  readonly time?: string | undefined;
  /** Columns with values; one sensor each, when there are several. @default `value`, else every number */
  readonly channels?: readonly string[] | undefined;
  /** Column that names the sensor. */
  readonly sensorColumn?: string | undefined;
  /** Name of the sensor, or what its names begin with. @default the name of the file */
  readonly sensor?: string | undefined;
  /** Column with the samples a second, when values are arrays. @default by its name: sr, rate, rate_hz, sampling_hz */
  readonly rate?: string | undefined;
}

/** Values of one sensor at one time: one, or a block of evenly spaced ones. */
export interface FeedValues {
  readonly sensor: string;
  /** Column that it came from. */
  readonly column: string;
  readonly atMs: EpochMs;
  readonly values: readonly number[];
  /** Samples a second; 0 for a single value. */
  readonly rateHz: number;
}

/** One line of a feed. */
export type FeedRow =
  | {
      readonly kind: 'values';
      readonly line: number;
      readonly bytes: number;
      readonly values: readonly FeedValues[];
    }
  | { readonly kind: 'bulletin'; readonly line: number; readonly bytes: number; readonly bulletin: Bulletin }
  | { readonly kind: 'bad'; readonly bytes: number; readonly problem: FeedProblem };

export interface FeedProblem {
  readonly line: number;
  /** Column by its name; empty when it is the whole line. */
  readonly column: string;
  readonly message: string;
}

const TIME_NAMES = ['time', 'timestamp', 'datetime', 'date', 'ts', 't', 'observedatms', 'device_t'];
const SENSOR_NAMES = ['sensor', 'sensor_id', 'device_id', 'device', 'station'];
const RATE_NAMES = ['sr', 'rate', 'rate_hz', 'ratehz', 'sampling_hz', 'samplinghz'];

/** By the name of the file, else by how it begins. @throws CommandFailed */
export function formatOf(file: string): FeedFormat {
  const extension = path.extname(file).toLowerCase();
  if (['.csv', '.tsv', '.txt'].includes(extension)) return 'csv';
  if (['.jsonl', '.ndjson'].includes(extension)) return 'jsonl';
  if (extension === '.geojson') return 'geojson';
  const beginning = readBeginning(file);
  if (!beginning.trimStart().startsWith('{')) return 'csv';
  return /"type"\s*:\s*"FeatureCollection"/.test(beginning) ? 'geojson' : 'jsonl';
}

function readBeginning(file: string): string {
  const handle = openFile(file);
  try {
    const bytes = Buffer.alloc(4_096);
    return bytes.toString('utf8', 0, fs.readSync(handle, bytes));
  } finally {
    fs.closeSync(handle);
  }
}

function openFile(file: string): number {
  try {
    return fs.openSync(file, 'r');
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw new CommandFailed(
      isMissing ? EXIT.notFound : EXIT.usage,
      'FEED_UNREADABLE',
      isMissing ? `There is no file ${file}.` : `${file} cannot be read: ${(error as Error).message}`,
      { cause: error },
    );
  }
}

/** First 12 hex digits of the SHA-256 of a file: the same content is the same feed. */
export async function contentHash(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of fs.createReadStream('', { fd: openFile(file) })) hash.update(chunk as Buffer);
  return hash.digest('hex').slice(0, 12);
}

/** The lines of a CSV or JSON lines file, one at a time. @throws CommandFailed when the heading cannot be used */
export async function* readRows(
  file: string,
  format: 'csv' | 'jsonl',
  mapping: FeedMapping,
): AsyncGenerator<FeedRow> {
  const lines = readline.createInterface({
    input: fs.createReadStream('', { fd: openFile(file) }),
    crlfDelay: Infinity,
  });
  const prefix = mapping.sensor ?? slug(path.basename(file, path.extname(file)));
  let line = 0;
  let csv: CsvLayout | null = null;
  try {
    for await (const raw of lines) {
      line += 1;
      const text = line === 1 ? raw.replace(/^\uFEFF/, '') : raw;
      const bytes = Buffer.byteLength(raw) + 1;
      if (text.trim() === '') continue;
      if (format === 'jsonl') yield { ...fromJson(text, line, prefix, mapping), bytes };
      else if (csv === null) csv = layoutOf(text, mapping, file);
      else yield { ...fromCsv(text, line, prefix, csv), bytes };
    }
  } finally {
    lines.close();
  }
}

interface CsvLayout {
  readonly separator: string;
  readonly names: readonly string[];
  readonly time: number;
  readonly sensor: number;
  /** null: whatever is a number in the first row. */
  channels: readonly number[] | null;
}

function layoutOf(heading: string, mapping: FeedMapping, file: string): CsvLayout {
  const separator = [';', '\t', ','].find((one) => heading.includes(one)) ?? ',';
  const names = splitCsv(heading, separator)?.map((name) => name.trim()) ?? [];
  const place = (name: string | undefined, option: string, known: readonly string[]): number => {
    const at =
      name === undefined ? names.findIndex((one) => known.includes(one.toLowerCase())) : names.indexOf(name);
    if (name !== undefined && at < 0) throw noColumn(file, name, option, names);
    return at;
  };
  const time = place(mapping.time, '--time', TIME_NAMES);
  if (time < 0) throw noColumn(file, 'time', '--time', names);
  const sensor = place(mapping.sensorColumn, '--sensor-column', []);
  const value = names.findIndex((name) => name.toLowerCase() === 'value');
  const channels =
    mapping.channels?.map((name) => place(name, '--channels', [])) ?? (value >= 0 ? [value] : null);
  return { separator, names, time, sensor, channels };
}

const noColumn = (file: string, name: string, option: string, names: readonly string[]): CommandFailed =>
  new CommandFailed(
    EXIT.usage,
    'FEED_REFUSED',
    `${file} has no column ${name}; it has ${names.join(', ')}. Say which with ${option}.`,
  );

type Row = { [K in FeedRow as K['kind']]: Omit<K, 'bytes'> }[FeedRow['kind']];

const bad = (line: number, column: string, message: string): Row => ({
  kind: 'bad',
  problem: { line, column, message },
});

function fromCsv(text: string, line: number, prefix: string, layout: CsvLayout): Row {
  const { names, separator, time, sensor } = layout;
  const cells = splitCsv(text, separator);
  if (cells === null) return bad(line, '', 'a quote is not closed');
  if (cells.length !== names.length) {
    return bad(line, '', `${cells.length} cells where the heading has ${names.length}`);
  }
  const atMs = parseTime(cells[time]!);
  if (atMs === null) return bad(line, names[time]!, `"${short(cells[time]!)}" is not a time`);
  layout.channels ??= names.flatMap((_, n) => (n !== time && n !== sensor && isNumber(cells[n]!) ? [n] : []));
  const name = sensor < 0 ? prefix : slug(cells[sensor]!);
  if (name === '') return bad(line, names[sensor]!, 'the sensor has no name');
  const { channels } = layout;
  const values: FeedValues[] = [];
  for (const n of channels) {
    const cell = cells[n]!.trim();
    // An empty cell is a value that was not measured.
    if (cell === '') continue;
    if (!isNumber(cell)) return bad(line, names[n]!, `"${short(cell)}" is not a number`);
    const column = names[n]!;
    values.push({
      sensor: channels.length > 1 ? `${name}.${slug(column)}` : name,
      column,
      atMs,
      values: [Number(cell)],
      rateHz: 0,
    });
  }
  return { kind: 'values', line, values };
}

function fromJson(text: string, line: number, prefix: string, mapping: FeedMapping): Row {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return bad(line, '', `not JSON: ${(error as Error).message}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return bad(line, '', 'not an object');
  }
  const object = value as Record<string, unknown>;
  const keyOf = (name: string | undefined, known: readonly string[]): string | undefined =>
    name ?? Object.keys(object).find((key) => known.includes(key.toLowerCase()));
  const timeKey = keyOf(mapping.time, TIME_NAMES);
  if (timeKey === undefined) return bad(line, '', 'there is no time; say which with --time');
  const atMs = parseTime(object[timeKey]);
  if (atMs === null)
    return bad(line, timeKey, `${short(JSON.stringify(object[timeKey]) ?? 'nothing')} is not a time`);
  if (typeof object['source'] === 'string' && typeof object['id'] === 'string') {
    return bulletinFrom(object, line, atMs);
  }
  const sensorKey = keyOf(mapping.sensorColumn, SENSOR_NAMES);
  const named = sensorKey === undefined ? '' : slug(String(object[sensorKey] ?? ''));
  const name = [mapping.sensor, named].filter(Boolean).join('.') || prefix;
  const rateKey = keyOf(mapping.rate, RATE_NAMES);
  const isMeasured = (one: unknown): boolean => typeof one === 'number' || Array.isArray(one);
  const channels =
    mapping.channels ??
    ('value' in object
      ? ['value']
      : Object.keys(object).filter(
          (key) => ![timeKey, sensorKey, rateKey].includes(key) && isMeasured(object[key]),
        ));
  const values: FeedValues[] = [];
  for (const column of channels) {
    const one = object[column];
    if (one === null || one === undefined) continue;
    const list = Array.isArray(one) ? (one as unknown[]) : [one];
    const wrong = list.find((each) => typeof each !== 'number');
    if (wrong !== undefined) return bad(line, column, `${short(JSON.stringify(wrong))} is not a number`);
    const rateHz = Array.isArray(one) ? Number(rateKey === undefined ? NaN : object[rateKey]) : 0;
    if (Array.isArray(one) && !(rateHz > 0)) {
      return bad(line, rateKey ?? column, 'values without a rate; say which key has it with --rate');
    }
    const sensor = channels.length > 1 ? `${name}.${slug(column)}` : name;
    if (list.length > 0) values.push({ sensor, column, atMs, values: list as number[], rateHz });
  }
  return { kind: 'values', line, values };
}

const POSITION_KEYS = ['latitudeDeg', 'longitudeDeg'];

function bulletinFrom(object: Record<string, unknown>, line: number, atMs: EpochMs): Row {
  const { source, id, type = '', position = null, fields = {} } = object;
  if (typeof type !== 'string' || type === '') return bad(line, 'type', 'a bulletin has a type');
  if (typeof fields !== 'object' || fields === null) return bad(line, 'fields', 'fields are an object');
  for (const [name, value] of Object.entries(fields)) {
    if (value !== null && typeof value !== 'number' && typeof value !== 'string') {
      return bad(line, `fields.${name}`, 'neither a number nor a text');
    }
  }
  const isPosition =
    position === null ||
    (typeof position === 'object' &&
      POSITION_KEYS.every((key) => typeof (position as Record<string, unknown>)[key] === 'number'));
  if (!isPosition) return bad(line, 'position', 'latitudeDeg and longitudeDeg are numbers');
  return {
    kind: 'bulletin',
    line,
    bulletin: {
      source: source as string,
      id: id as string,
      // The prefix that makes a type unique in CloudEvents is not part of ours.
      type: type.split('.').at(-1)!,
      observedAtMs: atMs,
      position: position as Bulletin['position'],
      fields: fields as Bulletin['fields'],
    },
  };
}

/** ISO 8601 (without an offset: UTC), or a number: seconds since 1970, or ms when it is over 10^11. */
export function parseTime(value: unknown): EpochMs | null {
  if (typeof value === 'number' || (typeof value === 'string' && isNumber(value))) {
    const number = Number(value);
    if (!Number.isFinite(number)) return null;
    return Math.round(Math.abs(number) > 1e11 ? number : number * 1_000);
  }
  if (typeof value !== 'string') return null;
  const match =
    /^\s*(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?))?\s*(Z|[+-]\d{2}:?\d{2})?\s*$/i.exec(
      value,
    );
  if (match === null) return null;
  const [, day, time = '00:00', offset = 'Z'] = match;
  const ms = Date.parse(`${day}T${time.replace(',', '.')}${offset.replace(/^([+-]\d{2})(\d{2})$/, '$1:$2')}`);
  return Number.isNaN(ms) ? null : ms;
}

/** Cells of a line, quotes removed; null when a quote is not closed. */
function splitCsv(line: string, separator: string): string[] | null {
  if (!line.includes('"')) return line.split(separator);
  const cells: string[] = [];
  for (let at = 0; at <= line.length;) {
    if (line[at] !== '"') {
      const end = line.indexOf(separator, at);
      cells.push(line.slice(at, end < 0 ? line.length : end));
      at = (end < 0 ? line.length : end) + 1;
      continue;
    }
    let cell = '';
    for (at += 1; ; at++) {
      const end = line.indexOf('"', at);
      if (end < 0) return null;
      cell += line.slice(at, end);
      at = end + 1;
      if (line[at] !== '"') break;
      cell += '"';
    }
    cells.push(cell);
    at += 1;
  }
  return cells;
}

const isNumber = (text: string): boolean =>
  (text.trim() !== '' && !Number.isNaN(Number(text))) || /^\s*nan\s*$/i.test(text);

const short = (text: string): string => (text.length > 40 ? `${text.slice(0, 40)}…` : text);

/** What a sensor may be called. */
const slug = (text: string): string =>
  text
    .trim()
    .replace(/[^A-Za-z0-9._:/-]+/g, '-')
    .slice(0, 100);
