import { randomBytes } from 'node:crypto';
import type { ChannelCredentials } from '@grpc/grpc-js';
import { VendorError } from '../failure.ts';
import { Mismatch, NotApplicable } from './check.ts';
import type { Bench, Check } from './check.ts';
import { checksOfAccess } from './checks-of-access.ts';
import { checksOfContent } from './checks-of-content.ts';
import { checksOfDelivery } from './checks-of-delivery.ts';
import { nameOf, WireClient, withKey } from './wire-client.ts';

export interface ConformanceOptions {
  readonly address: string;
  /** Empty: none is sent, the certificate says it all. */
  readonly key: string;
  /** Of another vendor, for the check that vendors do not see each other. */
  readonly otherKey?: string;
  /** A place that the server knows: the run registers one sensor there. */
  readonly site: string;
  /** @default insecure */
  readonly channel?: ChannelCredentials;
  /** Kills the server and starts it again; resolves when it serves. */
  readonly restart?: () => Promise<void>;
  /** Only checks whose name contains this. */
  readonly only?: string;
  readonly onOutcome?: (outcome: Outcome) => void;
}

export interface Outcome {
  readonly name: string;
  readonly status: 'passed' | 'failed' | 'skipped';
  readonly expected: string;
  /** What happened instead; empty when it passed. */
  readonly came: string;
  readonly ms: number;
}

export interface ConformanceReport {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly outcomes: readonly Outcome[];
}

const CHECK_WITHIN_MS = 60_000;

/** Every check, in the order they run. */
export const CHECKS: readonly Check[] = [...checksOfAccess, ...checksOfDelivery, ...checksOfContent];

/**
 * Runs the checks against a server, one after the other. They send readings of one sensor of the channel
 * `conformance`, which is retired at the end, and bulletins of the type `conformance-check`: no plan looks at either.
 *
 * @throws VendorError when not even the sensor can be registered
 */
export async function runConformance(options: ConformanceOptions): Promise<ConformanceReport> {
  const { address, channel, site, otherKey, restart = null, only = '', onOutcome } = options;
  const run = randomBytes(4).toString('hex');
  const clients = new Set<WireClient>();
  let made = 0;
  const bench: Bench = {
    connect: () => {
      const client = new WireClient(address, channel);
      clients.add(client);
      return client;
    },
    key: withKey(options.key === '' ? null : options.key),
    otherKey: otherKey === undefined ? null : withKey(otherKey),
    site,
    // Of this run alone: a server remembers so many boots of a sensor and no more.
    sensor: `conformance-${run}`,
    fresh: (name) => `${name}-${run}-${++made}`,
    restart,
  };
  const sensor = { sensor: bench.sensor, site, channel: 'conformance', unit: '%', low: 0, high: 100 };
  await bench.connect().describe([sensor], bench.key);
  const outcomes: Outcome[] = [];
  for (const check of CHECKS.filter(({ name }) => name.includes(only))) {
    const startedAt = performance.now();
    const { status, came } = await outcomeOf(check, bench);
    const outcome = {
      name: check.name,
      status,
      expected: check.expected,
      came,
      ms: Math.round(performance.now() - startedAt),
    };
    outcomes.push(outcome);
    onOutcome?.(outcome);
    for (const client of clients) client.close();
    clients.clear();
  }
  // A server that is not there any more has been told of: by the checks.
  await bench
    .connect()
    .describe([{ ...sensor, retired: true }], bench.key)
    .catch(() => undefined);
  for (const client of clients) client.close();
  const count = (status: Outcome['status']): number => outcomes.filter((one) => one.status === status).length;
  return { passed: count('passed'), failed: count('failed'), skipped: count('skipped'), outcomes };
}

async function outcomeOf(check: Check, bench: Bench): Promise<Pick<Outcome, 'status' | 'came'>> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Mismatch(`it was not over after ${CHECK_WITHIN_MS / 1_000} s`)),
      CHECK_WITHIN_MS,
    );
  });
  try {
    await Promise.race([check.run(bench), late]);
    return { status: 'passed', came: '' };
  } catch (error) {
    if (error instanceof NotApplicable) return { status: 'skipped', came: error.message };
    return {
      status: 'failed',
      came: error instanceof VendorError ? nameOf(error) : (error as Error).message,
    };
  } finally {
    clearTimeout(timer);
  }
}
