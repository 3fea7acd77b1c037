import type { Metadata } from '@grpc/grpc-js';
import type { Item } from '../../proto/gen/tocsin/v1/Item.ts';
import type { WireClient } from './wire-client.ts';

/** What a check has to work with. */
export interface Bench {
  /** A connection of its own. */
  readonly connect: () => WireClient;
  readonly key: Metadata;
  /** The key of another vendor; null when none was given. */
  readonly otherKey: Metadata | null;
  readonly site: string;
  /** Name of a sensor that is registered for this run: channel `conformance`, unit `%`, 0 to 100. */
  readonly sensor: string;
  /** Different each time it is asked: boots and bulletins that no earlier run used. */
  readonly fresh: (name: string) => string;
  /** Kills and restarts the server; null when it was not told how. */
  readonly restart: (() => Promise<void>) | null;
}

export interface Check {
  /** `ack-contiguous` */
  readonly name: string;
  /** What a server must do, in a sentence. */
  readonly expected: string;
  /** @throws Mismatch with what came instead; NotApplicable */
  readonly run: (bench: Bench) => Promise<void>;
}

/** The server did something else than it must. */
export class Mismatch extends Error {}

/** The check needs something that was not given. */
export class NotApplicable extends Error {}

export function must(holds: boolean, came: string): asserts holds {
  if (!holds) throw new Mismatch(came);
}

/** Says where two lists of verdicts differ, in words. */
export function mustEqual(
  came: readonly string[],
  expected: readonly string[],
  what: (n: number) => string,
): void {
  for (let n = 0; n < expected.length; n++) {
    must(came[n] === expected[n], `${what(n)}: expected ${expected[n]}, got ${came[n] ?? 'nothing'}`);
  }
}

export const reading = (
  { sensor }: Pick<Bench, 'sensor'>,
  boot: string,
  sequence: number,
  change: Partial<NonNullable<Item['reading']>> = {},
): Item => ({ reading: { sensor, boot, sequence, observedAtMs: Date.now(), value: 1, ...change } });

/** A bulletin of a type that no plan knows. */
export const bulletin = (id: string, change: Partial<NonNullable<Item['bulletin']>> = {}): Item => ({
  bulletin: {
    source: 'conformance',
    id,
    type: 'conformance-check',
    observedAtMs: Date.now(),
    fields: { run: { text: id } },
    ...change,
  },
});
