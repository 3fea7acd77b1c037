import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ChannelCredentials } from '@grpc/grpc-js';
import type { EpochMs, Position } from '../domain/units.ts';
import { bulletinToWire } from '../proto/map.ts';
import type { Item } from '../proto/gen/tocsin/v1/Item.ts';
import { packReadings, VendorClient } from '../vendor/index.ts';
import type { PlainReading, Receipt } from '../vendor/index.ts';
import { CommandFailed, EXIT } from './exit-codes.ts';
import { readNotices } from './notices-file.ts';
import { contentHash, readRows } from './vendor-feed.ts';
import type { FeedFormat, FeedMapping, FeedProblem, FeedRow, FeedValues } from './vendor-feed.ts';

export interface ReplayOptions {
  readonly file: string;
  readonly format: FeedFormat;
  readonly mapping: FeedMapping;
  readonly address: string;
  readonly key: string | (() => string);
  /** @default insecure, for loopback */
  readonly connection?: ChannelCredentials | undefined;
  /** How much faster than it was recorded. */
  readonly speed: number | 'max';
  /** Moves all times so that the first, or the last, is now. @default as recorded */
  readonly shift?: 'begin' | 'end' | undefined;
  /** Refuse the feed, before anything is sent, when a line of it is malformed. */
  readonly strict: boolean;
  /** Registers the feed's sensors at this place first. @default they are registered already */
  readonly site?: string | undefined;
  readonly channel?: string | undefined;
  /** Where they stand. @default where the place is */
  readonly position?: Position | undefined;
  readonly unit?: string | undefined;
  /** Smallest and largest value of the sensors. @default those of the feed */
  readonly low?: number | undefined;
  readonly high?: number | undefined;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: Replayed & { readonly share: number }) => void;
  readonly onReconnect: (reason: string) => void;
}

/** Readings, samples and bulletins by what became of them. */
export interface Replayed {
  sent: number;
  accepted: number;
  duplicate: number;
  quarantined: number;
  /** Reason to how many, with the first explanation. */
  readonly reasons: Record<string, { count: number; example: string }>;
  /** Lines that are no rows of this feed, and the first of them. */
  malformed: number;
  readonly problems: FeedProblem[];
  interrupted: boolean;
}

const PROBLEMS_KEPT = 20;
const READINGS_A_MESSAGE = 500;
/** Lateness is judged by a feed's own clock message by message: a message must not span more. */
const SPAN_AT_MOST_MS = 30_000;

interface Survey {
  readonly hash: string;
  readonly bytes: number;
  readonly first: EpochMs;
  readonly last: EpochMs;
  readonly sensors: ReadonlyMap<string, { readonly column: string; low: number; high: number }>;
}

/**
 * Sends a recorded feed. The numbers of its readings are counted in the file, under a boot that is the hash of its
 * content: a second run, or one that takes up an interrupted one, is answered DUPLICATE for what is stored already.
 *
 * @throws CommandFailed, VendorError
 */
export async function replayFeed(options: ReplayOptions): Promise<Replayed> {
  const done: Replayed = {
    sent: 0,
    accepted: 0,
    duplicate: 0,
    quarantined: 0,
    reasons: {},
    malformed: 0,
    problems: [],
    interrupted: false,
  };
  const survey = await surveyFeed(options, done);
  if (options.strict && done.malformed > 0) {
    const [{ line, column, message }] = done.problems as [FeedProblem];
    throw new CommandFailed(
      EXIT.refused,
      'FEED_REFUSED',
      `${options.file}: line ${line}${column === '' ? '' : `, ${column}`}: ${message}. ${done.malformed} lines are malformed, and nothing was sent.`,
    );
  }
  const client = new VendorClient({
    address: options.address,
    key: options.key,
    ...(options.connection === undefined ? {} : { channel: options.connection }),
    onReconnect: options.onReconnect,
  });
  const stop = (): void => {
    done.interrupted = true;
    client.close();
  };
  options.signal.addEventListener('abort', stop, { once: true });
  try {
    if (options.site !== undefined) await describeSensors(client, options, options.site, survey);
    await sendFeed(client, options, survey, done);
  } catch (error) {
    if (!done.interrupted) throw error;
  } finally {
    options.signal.removeEventListener('abort', stop);
    client.close();
  }
  return done;
}

/** Reads it once without sending: its content's hash, its times, its sensors, its malformed lines. */
async function surveyFeed(options: ReplayOptions, done: Replayed): Promise<Survey> {
  const sensors = new Map<string, { column: string; low: number; high: number }>();
  const range = { bytes: 0, first: Infinity, last: -Infinity };
  for await (const row of rowsOf(options)) {
    range.bytes += row.bytes;
    if (row.kind === 'bad') {
      done.malformed += 1;
      if (done.problems.length < PROBLEMS_KEPT) done.problems.push(row.problem);
      continue;
    }
    const times = row.kind === 'bulletin' ? [row.bulletin.observedAtMs] : row.values.map(endOf);
    for (const ms of times) {
      range.first = Math.min(range.first, ms);
      range.last = Math.max(range.last, ms);
    }
    for (const { sensor, column, values } of row.kind === 'values' ? row.values : []) {
      const known = sensors.get(sensor) ?? { column, low: Infinity, high: -Infinity };
      for (const value of values) {
        if (value < known.low) known.low = value;
        if (value > known.high) known.high = value;
      }
      sensors.set(sensor, known);
    }
  }
  return { hash: await contentHash(options.file), ...range, sensors };
}

async function* rowsOf({ file, format, mapping }: ReplayOptions): AsyncGenerator<FeedRow> {
  if (format !== 'geojson') return yield* readRows(file, format, mapping);
  const problems: FeedProblem[] = [];
  const notices = readNotices(file, (feature, field, message) =>
    problems.push({ line: feature + 1, column: `features.${feature}.${field}`, message }),
  );
  for (const problem of problems) yield { kind: 'bad', bytes: 1, problem };
  for (const [n, bulletin] of notices.entries()) yield { kind: 'bulletin', line: n + 1, bytes: 1, bulletin };
}

const endOf = ({ atMs, values, rateHz }: FeedValues): EpochMs =>
  rateHz > 0 ? atMs + ((values.length - 1) * 1_000) / rateHz : atMs;

async function describeSensors(
  client: VendorClient,
  { channel, unit, low, high, position }: ReplayOptions,
  site: string,
  { sensors }: Survey,
): Promise<void> {
  const described = [...sensors].map(([sensor, seen]) => {
    // A sensor that showed one value only must have a range all the same.
    const [from, to] = seen.low < seen.high ? [seen.low, seen.high] : [seen.low - 1, seen.low + 1];
    return {
      sensor,
      site,
      channel: channel ?? channelNamed(seen.column),
      unit: unit ?? '1',
      low: low ?? from,
      high: high ?? to,
      ...(position === undefined ? {} : { position }),
    };
  });
  for (let n = 0; n < described.length; n += 1_000) await client.describe(described.slice(n, n + 1_000));
}

const channelNamed = (column: string): string =>
  column
    .replace(/[^A-Za-z0-9]+(.)?/g, (_, next: string | undefined) => next?.toUpperCase() ?? '')
    .replace(/^[^A-Za-z]+/, '') || 'value';

async function sendFeed(
  client: VendorClient,
  options: ReplayOptions,
  { hash, bytes, first, last }: Survey,
  done: Replayed,
): Promise<void> {
  const { speed, shift } = options;
  const startedAt = Date.now();
  const shiftMs = shift === undefined ? 0 : Math.round(startedAt - (shift === 'begin' ? first : last));
  const boot = `file-${hash}`;
  const counters = new Map<string, number>();
  const failures: unknown[] = [];
  const underWay = new Set<Promise<void>>();
  let readings: PlainReading[] = [];
  let firstMs = 0;
  let bytesRead = 0;

  const progress = (): void => options.onProgress({ ...done, share: bytesRead / Math.max(1, bytes) });
  const take = (sensor: string, count: number): number => {
    const next = counters.get(sensor) ?? 1;
    counters.set(sensor, next + count);
    return next;
  };
  const send = async (items: readonly Item[], feedMs: EpochMs): Promise<void> => {
    if (failures.length > 0) throw failures[0];
    await client.room();
    const sizes = items.map(sizeOf);
    done.sent += sizes.reduce((sum, size) => sum + size, 0);
    const answered = client.publish(items, shift === undefined ? feedMs : undefined).then(
      (receipt) => {
        count(done, receipt, sizes);
        progress();
      },
      (error: unknown) => void failures.push(error),
    );
    underWay.add(answered);
    void answered.then(() => underWay.delete(answered));
  };
  const flush = async (): Promise<void> => {
    if (readings.length === 0) return;
    const items = packReadings(readings);
    const newestMs = readings.reduce((newest, one) => Math.max(newest, one.observedAtMs), -Infinity);
    readings = [];
    await send(items, newestMs);
  };
  /** Until the feed's clock is there. */
  const until = async (feedMs: EpochMs): Promise<void> => {
    if (speed === 'max') return;
    const dueMs = startedAt + (feedMs - first) / speed;
    if (dueMs <= Date.now() + 5) return;
    await flush();
    await sleep(dueMs - Date.now(), undefined, { signal: options.signal });
  };

  for await (const row of rowsOf(options)) {
    bytesRead += row.bytes;
    if (row.kind === 'bad') continue;
    if (row.kind === 'bulletin') {
      const { bulletin } = row;
      await until(bulletin.observedAtMs);
      const observedAtMs = bulletin.observedAtMs + shiftMs;
      await send([bulletinToWire({ ...bulletin, observedAtMs })], observedAtMs);
      continue;
    }
    for (const values of row.values) {
      await until(endOf(values));
      const atMs = values.atMs + shiftMs;
      if (values.rateHz > 0) {
        const { sensor, rateHz } = values;
        const firstSequence = take(sensor, values.values.length);
        const samples = [...values.values];
        await send(
          [{ waveform: { sensor, boot, firstSequence, startedAtMs: atMs, rateHz, samples } }],
          endOf(values) + shiftMs,
        );
        continue;
      }
      const isByFeed = shift === undefined;
      if (readings.length > 0 && isByFeed && Math.abs(atMs - firstMs) > SPAN_AT_MOST_MS) await flush();
      if (readings.length === 0) firstMs = atMs;
      const { sensor } = values;
      readings.push({
        sensor,
        boot,
        sequence: take(sensor, 1),
        observedAtMs: atMs,
        value: values.values[0]!,
      });
      if (readings.length >= READINGS_A_MESSAGE) await flush();
    }
  }
  await flush();
  await Promise.all(underWay);
  if (failures.length > 0) throw failures[0];
  progress();
}

const sizeOf = (item: Item): number => item.columns?.values?.length ?? item.waveform?.samples?.length ?? 1;

/** Adds what became of a message, reading by reading. */
function count(done: Replayed, { answers, parts }: Receipt, sizes: readonly number[]): void {
  const add = (
    disposition: 'accepted' | 'duplicate' | 'quarantined',
    n: number,
    reason: string,
    why: string,
  ): void => {
    done[disposition] += n;
    if (disposition !== 'quarantined') return;
    const known = (done.reasons[reason] ??= { count: 0, example: why });
    known.count += n;
  };
  const inParts = new Set(parts.map(({ item }) => item));
  for (const { disposition, readings, reason, explanation } of parts)
    add(disposition, readings, reason, explanation);
  answers.forEach(({ disposition, reason, explanation }, n) => {
    if (!inParts.has(n)) add(disposition, sizes[n]!, reason, explanation);
  });
}

/** What to try when much was refused. */
export function adviceFor({ reasons, sent }: Replayed, { file }: Pick<ReplayOptions, 'file'>): string[] {
  const advice: string[] = [];
  const many = (reason: string): boolean => (reasons[reason]?.count ?? 0) > sent / 2;
  if (many('TOO_LATE')) {
    advice.push(
      'It was recorded long ago: --shift end moves it to now, or let Tocsin run by the feed with TOCSIN_CLOCK=feed.',
    );
  }
  if (many('FUTURE')) advice.push('It lies ahead of the server: --shift end moves its last time to now.');
  if (many('UNKNOWN_SENSOR')) {
    advice.push(
      `Its sensors are not registered: name their place with --site, as in: tocsin vendor replay ${path.basename(file)} --site riverside-tower`,
    );
  }
  return advice;
}
