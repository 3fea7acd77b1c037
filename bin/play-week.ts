import { Client, Connection } from '@temporalio/client';
import { Metadata, credentials as channel } from '@grpc/grpc-js';
import { conduct } from '../exercise/conductor.ts';
import type { Conducted, Progress } from '../exercise/conductor.ts';
import { createApiDoor } from '../exercise/crew-door.ts';
import { patiently } from '../exercise/patience.ts';
import { createTemporalClock } from '../exercise/temporal-clock.ts';
import type { StatusResponse__Output } from '../proto/gen/tocsin/v1/StatusResponse.ts';
import { OperationsService } from '../proto/load.ts';
import { readBookmark, writeBookmark } from './bookmark.ts';
import type { Credentials } from './credentials.ts';
import { CommandFailed, EXIT } from './exit-codes.ts';
import { say, timeText } from './output.ts';
import type { Running } from './running.ts';
import { openVendorDoor } from './vendor-door.ts';
import { gasSensors, weekFeed } from './week-feed.ts';

export interface PlayWeekOptions {
  readonly running: Running;
  readonly credentials: Credentials;
  readonly speed: number | 'max';
  /** How long the clock of the week stands still for a person who is asked something, ms. */
  readonly holdMs: number;
  readonly signal: AbortSignal;
  /** Where it keeps how far it came, so that the next start takes it up there. */
  readonly bookmark: string;
}

/** Plays the week through the doors of a running Tocsin, in its own time, until every incident has closed. */
export async function playWeek(options: PlayWeekOptions): Promise<Conducted> {
  const { running, credentials, speed, holdMs, signal, bookmark } = options;
  const quakes = openVendorDoor({ key: keyOf(credentials, 'vendor-quakes'), grpc: running.grpc });
  const gas = openVendorDoor({ key: keyOf(credentials, 'vendor-gas'), grpc: running.grpc });
  const patient = <T>(work: () => Promise<T>): Promise<T> => patiently(work, isPassing, signal);
  const operations = openOperations(running.grpc, keyOf(credentials, 'admin'), signal);
  const api = createApiDoor({ baseUrl: running.http, crewKey: keyOf(credentials, 'crew'), signal });
  const connection = await Connection.connect({ address: running.temporal });
  const clock = createTemporalClock(new Client({ connection, namespace: running.namespace }), signal);
  const feed = await weekFeed(quakes, gas, patient);
  const before = readBookmark(bookmark, feed.length);
  try {
    await patient(() => gas.describe(gasSensors));
    return await conduct({
      feed,
      speed,
      holdMs,
      signal,
      ...(before === null ? {} : { from: before.event, fromMs: before.feedMs }),
      progress: reportProgress(bookmark),
      doors: {
        ...clock,
        report: api.report,
        openIncidents: api.openIncidents,
        relayed: () => operations.relayed(() => api.openIncidents()),
      },
    });
  } finally {
    quakes.close();
    gas.close();
    operations.close();
    await connection.close();
  }
}

function keyOf(credentials: Credentials, principal: string): string {
  const key = credentials[principal];
  if (key !== undefined) return key;
  throw new CommandFailed(
    EXIT.usage,
    'CREDENTIAL_UNKNOWN',
    `There is no key for ${principal} in the credentials. Start Tocsin again: it makes those that are missing.`,
  );
}

const isPassing = (error: unknown): boolean =>
  error instanceof CommandFailed && error.exitCode === EXIT.unavailable;

const RELAYED_WITHIN_MS = 30_000;

interface Operations {
  /** Waits until everything archived has reached its incident; names the incidents touched since the last call. */
  relayed(openIncidents: () => Promise<readonly string[]>): Promise<readonly string[]>;
  close(): void;
}

function openOperations(address: string, key: string, signal: AbortSignal): Operations {
  const metadata = new Metadata();
  metadata.set('authorization', `Bearer ${key}`);
  const client = new OperationsService(address, channel.createInsecure());
  let process = '';
  let touches = 0;

  const ask = (relayedThrough: string, touchedAfter: number): Promise<StatusResponse__Output> =>
    new Promise((resolve, reject) => {
      const deadline = Date.now() + RELAYED_WITHIN_MS + 5_000;
      client.status(
        { relayedThrough, waitMs: RELAYED_WITHIN_MS, touchedAfter },
        metadata,
        { deadline },
        (error, answer) => (error ? reject(error) : resolve(answer!)),
      );
    });

  const drained = async (): Promise<StatusResponse__Output> => {
    // Through the end of the archive: the server waits for what it has, whatever the number.
    const status = await ask(String(Number.MAX_SAFE_INTEGER), touches);
    if (BigInt(status.relayedThrough) < BigInt(status.archivedThrough) || status.inboxDepth > 0) {
      throw new CommandFailed(
        EXIT.unavailable,
        'RELAY_BEHIND',
        'What was acknowledged has not reached its incidents yet.',
      );
    }
    return status;
  };

  return {
    async relayed(openIncidents) {
      const status = await patiently(drained, () => true, signal);
      const isAnother = status.process !== process;
      const missed = process !== '' && (isAnother || !status.touchedComplete);
      // Another process counts from 0: whatever is open may have been touched by the one before.
      const touched = missed ? [...(await ask('0', 0)).touched, ...(await openIncidents())] : status.touched;
      process = status.process;
      touches = Number(status.touches);
      return [...new Set(touched)];
    },
    close: () => client.close(),
  };
}

const BOOKMARK_EVERY_MS = 1_000;
const SAY_EVERY_MS = 10_000;

function reportProgress(bookmark: string): (progress: Progress) => void {
  let markedAt = 0;
  let saidAt = performance.now();
  return (progress) => {
    const now = performance.now();
    const isLast = progress.event === progress.events && progress.openIncidents === 0;
    if (isLast || now - markedAt > BOOKMARK_EVERY_MS) {
      markedAt = now;
      writeBookmark(bookmark, progress);
    }
    if (isLast || now - saidAt > SAY_EVERY_MS) {
      saidAt = now;
      say(
        `${timeText(progress.feedMs)}  ${progress.event} of ${progress.events} messages, ${progress.openIncidents} open incidents`,
      );
    }
  };
}
