import { randomBytes } from 'node:crypto';
import type { Connection, mongo } from 'mongoose';
import { backendOf } from './backend.ts';
import type { Backend } from './backend.ts';
import { isDuplicateKey, storeFailure } from './failure.ts';

/** How many of as many contenders did what only one should. */
export interface Race {
  readonly contenders: number;
  readonly winners: number;
}

/** What the store at the other end really does, found out by doing it. */
export interface StoreCapabilities {
  readonly backend: Backend;
  /** True when exactly one of many inserts of one `_id` wins: all that Tocsin needs. */
  readonly usable: boolean;
  readonly insertRace: Race;
  /** Guarded updates of one document: more than one winner means that no update may be trusted as a lock. */
  readonly compareAndSet: Race;
  /** Where a counter stands after that many concurrent `$inc` by one. */
  readonly increment: { readonly calls: number; readonly result: number };
  readonly transactions: boolean;
  /** Reading one document by exact `_id` and ten by a range of `_id`, among `documents`: medians, ms. */
  readonly reads: {
    readonly documents: number;
    readonly exactMs: number;
    readonly rangeMs: number;
    /** The range came by index and not by reading everything. */
    readonly rangeByIndex: boolean;
  };
  /** Values that the store refused, of `NaN`, `nested array`, `dotted key`, `dollar key`. */
  readonly refuses: readonly string[];
  /** Store's clock minus ours, ms; half a round trip uncertain. */
  readonly clockAheadMs: number;
  readonly elapsedMs: number;
  /** What could not be tried within the time limit. */
  readonly skipped: readonly string[];
}

export interface ProbeOptions {
  /** No new step starts later than this. @default 2_000 */
  readonly limitMs?: number;
}

const CONTENDERS = 20;
const INCREMENTS = 30;
const DOCUMENTS = 1_500;
const READS = 5;

type Probed = mongo.Collection<{
  _id: string;
  n?: number;
  state?: string;
  contender?: number;
  payload?: string;
  value?: unknown;
}>;

/**
 * Tries on the real endpoint what the documents promise, in a collection of its own that it drops again.
 *
 * @throws TocsinError STORE_UNAVAILABLE when the store does not answer
 */
export async function probeStore(
  connection: Connection,
  { limitMs = 2_000 }: ProbeOptions = {},
): Promise<StoreCapabilities> {
  const startedMs = performance.now();
  const skipped: string[] = [];
  const database = connection.getClient().db(connection.name);
  const probed: Probed = database.collection(`probe_${randomBytes(6).toString('hex')}`);
  /** What a step finds, or `otherwise` when its turn comes too late. */
  async function step<T>(name: string, otherwise: T, work: () => Promise<T>): Promise<T> {
    if (performance.now() - startedMs <= limitMs) return work();
    skipped.push(name);
    return otherwise;
  }
  try {
    const backend = await backendOf(connection);
    const { clockAheadMs, hasTransactions } = await greet(connection);
    const insertRace = await raceInserts(probed);
    const compareAndSet = await step('compare-and-set', NO_RACE, () => raceUpdates(probed));
    const increment = await step('increment', { calls: 0, result: 0 }, () => raceIncrements(probed));
    const refuses = await step('values', [], () => refusedValues(probed));
    const transactions = await step('transactions', false, async () =>
      hasTransactions ? tryTransaction(connection, probed) : false,
    );
    const reads = await step('reads', NO_READS, () => timeReads(probed));
    return {
      backend,
      usable: insertRace.winners === 1,
      insertRace,
      compareAndSet,
      increment,
      transactions,
      reads,
      refuses,
      clockAheadMs,
      elapsedMs: Math.round(performance.now() - startedMs),
      skipped,
    };
  } catch (error) {
    throw storeFailure(error);
  } finally {
    await probed.drop().catch(() => false);
  }
}

const NO_RACE: Race = { contenders: 0, winners: 0 };
const NO_READS = { documents: 0, exactMs: 0, rangeMs: 0, rangeByIndex: false };

async function greet(connection: Connection): Promise<{ clockAheadMs: number; hasTransactions: boolean }> {
  const sentMs = Date.now();
  const hello = await connection.getClient().db('admin').command({ hello: 1 });
  const middleMs = (sentMs + Date.now()) / 2;
  const theirsMs = hello['localTime'] instanceof Date ? hello['localTime'].getTime() : middleMs;
  return {
    clockAheadMs: Math.round(theirsMs - middleMs),
    // Only members of a replica set and mongos have transactions.
    hasTransactions: hello['setName'] !== undefined || hello['msg'] === 'isdbgrid',
  };
}

async function raceInserts(probed: Probed): Promise<Race> {
  const outcomes = await Promise.all(
    Array.from({ length: CONTENDERS }, async (_, contender) => {
      try {
        await probed.insertOne({ _id: 'race', contender });
        return true;
      } catch (error) {
        if (isDuplicateKey(error)) return false;
        throw error;
      }
    }),
  );
  return { contenders: CONTENDERS, winners: outcomes.filter(Boolean).length };
}

async function raceUpdates(probed: Probed): Promise<Race> {
  await probed.insertOne({ _id: 'lock', state: 'free' });
  const outcomes = await Promise.allSettled(
    Array.from({ length: CONTENDERS }, (_, contender) =>
      probed.findOneAndUpdate({ _id: 'lock', state: 'free' }, { $set: { state: `taken by ${contender}` } }),
    ),
  );
  const winners = outcomes.filter((outcome) => outcome.status === 'fulfilled' && outcome.value !== null);
  return { contenders: CONTENDERS, winners: winners.length };
}

async function raceIncrements(probed: Probed): Promise<{ calls: number; result: number }> {
  await probed.insertOne({ _id: 'counter', n: 0 });
  await Promise.allSettled(
    Array.from({ length: INCREMENTS }, () => probed.updateOne({ _id: 'counter' }, { $inc: { n: 1 } })),
  );
  const counter = await probed.findOne({ _id: 'counter' });
  return { calls: INCREMENTS, result: counter?.n ?? 0 };
}

async function refusedValues(probed: Probed): Promise<string[]> {
  const values: Readonly<Record<string, object>> = {
    NaN: { value: Number.NaN },
    'nested array': { value: [[1]] },
    'dotted key': { value: { 'a.b': 1 } },
    'dollar key': { value: { $a: 1 } },
  };
  const refused: string[] = [];
  for (const [name, value] of Object.entries(values)) {
    await probed.insertOne({ _id: `value ${name}`, ...value }).catch(() => refused.push(name));
  }
  return refused;
}

async function tryTransaction(connection: Connection, probed: Probed): Promise<boolean> {
  const session = await connection.startSession();
  try {
    await session.withTransaction(() => probed.insertOne({ _id: 'transaction' }, { session }));
    return true;
  } catch {
    return false;
  } finally {
    await session.endSession();
  }
}

async function timeReads(probed: Probed): Promise<StoreCapabilities['reads']> {
  const idOf = (i: number): string => `read/${String(i).padStart(5, '0')}`;
  await probed.insertMany(
    Array.from({ length: DOCUMENTS }, (_, i) => ({ _id: idOf(i), payload: 'x'.repeat(200) })),
    { ordered: false },
  );
  // From the far end: a scan that stops at the first match would look like an index at the near end.
  const last = DOCUMENTS - 1;
  const exactMs = await medianMs(() => probed.findOne({ _id: idOf(last) }));
  const rangeMs = await medianMs(() =>
    probed.find({ _id: { $gte: idOf(last - 9), $lt: idOf(last + 1) } }).toArray(),
  );
  return { documents: DOCUMENTS, exactMs, rangeMs, rangeByIndex: rangeMs < 5 * exactMs };
}

async function medianMs(read: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < READS; i++) {
    const startMs = performance.now();
    await read();
    times.push(performance.now() - startMs);
  }
  const median = times.sort((a, b) => a - b)[READS >> 1]!;
  return Math.round(median * 100) / 100;
}
