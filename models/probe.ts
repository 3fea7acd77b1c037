import { randomBytes } from 'node:crypto';
import type { Connection, mongo } from 'mongoose';
import { TocsinError } from '../domain/errors.ts';
import { backendOf } from './backend.ts';
import type { Backend } from './backend.ts';
import { answered } from './deadline.ts';
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

/** One call to the store, which is given up when its time is up. */
type Within = <T>(call: () => PromiseLike<T>, answers?: number) => Promise<T>;

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
  const within: Within = (call, answers) => answered(connection, call, answers);
  /** What a step finds, or `otherwise` when its turn comes too late. */
  async function step<T>(name: string, otherwise: T, work: () => Promise<T>): Promise<T> {
    if (performance.now() - startedMs <= limitMs) return work();
    skipped.push(name);
    return otherwise;
  }
  try {
    const backend = await backendOf(connection);
    const { clockAheadMs, hasTransactions } = await greet(connection, within);
    const insertRace = await raceInserts(probed, within);
    const compareAndSet = await step('compare-and-set', NO_RACE, () => raceUpdates(probed, within));
    const increment = await step('increment', { calls: 0, result: 0 }, () => raceIncrements(probed, within));
    const refuses = await step('values', [], () => refusedValues(probed, within));
    const transactions = await step('transactions', false, async () =>
      hasTransactions ? tryTransaction(connection, probed, within) : false,
    );
    const reads = await step('reads', NO_READS, () => timeReads(probed, within));
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
    await within(() => probed.drop()).catch(() => false);
  }
}

const NO_RACE: Race = { contenders: 0, winners: 0 };
const NO_READS = { documents: 0, exactMs: 0, rangeMs: 0, rangeByIndex: false };

async function greet(
  connection: Connection,
  within: Within,
): Promise<{ clockAheadMs: number; hasTransactions: boolean }> {
  const sentMs = Date.now();
  const hello = await within(() => connection.getClient().db('admin').command({ hello: 1 }));
  const middleMs = (sentMs + Date.now()) / 2;
  const theirsMs = hello['localTime'] instanceof Date ? hello['localTime'].getTime() : middleMs;
  return {
    clockAheadMs: Math.round(theirsMs - middleMs),
    // Only members of a replica set and mongos have transactions.
    hasTransactions: hello['setName'] !== undefined || hello['msg'] === 'isdbgrid',
  };
}

async function raceInserts(probed: Probed, within: Within): Promise<Race> {
  const outcomes = await Promise.all(
    Array.from({ length: CONTENDERS }, async (_, contender) => {
      try {
        await within(() => probed.insertOne({ _id: 'race', contender }));
        return true;
      } catch (error) {
        if (isDuplicateKey(error)) return false;
        throw error;
      }
    }),
  );
  return { contenders: CONTENDERS, winners: outcomes.filter(Boolean).length };
}

async function raceUpdates(probed: Probed, within: Within): Promise<Race> {
  await within(() => probed.insertOne({ _id: 'lock', state: 'free' }));
  const outcomes = await Promise.allSettled(
    Array.from({ length: CONTENDERS }, (_, contender) =>
      within(() =>
        probed.findOneAndUpdate({ _id: 'lock', state: 'free' }, { $set: { state: `taken by ${contender}` } }),
      ),
    ),
  );
  const winners = outcomes.filter((outcome) => outcome.status === 'fulfilled' && outcome.value !== null);
  return { contenders: CONTENDERS, winners: winners.length };
}

async function raceIncrements(probed: Probed, within: Within): Promise<{ calls: number; result: number }> {
  await within(() => probed.insertOne({ _id: 'counter', n: 0 }));
  await Promise.allSettled(
    Array.from({ length: INCREMENTS }, () =>
      within(() => probed.updateOne({ _id: 'counter' }, { $inc: { n: 1 } })),
    ),
  );
  const counter = await within(() => probed.findOne({ _id: 'counter' }));
  return { calls: INCREMENTS, result: counter?.n ?? 0 };
}

async function refusedValues(probed: Probed, within: Within): Promise<string[]> {
  const values: Readonly<Record<string, object>> = {
    NaN: { value: Number.NaN },
    'nested array': { value: [[1]] },
    'dotted key': { value: { 'a.b': 1 } },
    'dollar key': { value: { $a: 1 } },
  };
  const refused: string[] = [];
  for (const [name, value] of Object.entries(values)) {
    try {
      await within(() => probed.insertOne({ _id: `value ${name}`, ...value }));
    } catch (error) {
      // FerretDB hangs up on some: only what stays unanswered is no refusal.
      if (error instanceof TocsinError) throw error;
      refused.push(name);
    }
  }
  return refused;
}

async function tryTransaction(connection: Connection, probed: Probed, within: Within): Promise<boolean> {
  const attempt = async (): Promise<void> => {
    const session = await connection.startSession();
    try {
      await session.withTransaction(() => probed.insertOne({ _id: 'transaction' }, { session }));
    } finally {
      await session.endSession();
    }
  };
  try {
    // The insert, the commit and the end of the session.
    await within(attempt, 3);
    return true;
  } catch (error) {
    if (error instanceof TocsinError) throw error;
    return false;
  }
}

async function timeReads(probed: Probed, within: Within): Promise<StoreCapabilities['reads']> {
  const idOf = (i: number): string => `read/${String(i).padStart(5, '0')}`;
  const documents = Array.from({ length: DOCUMENTS }, (_, i) => ({ _id: idOf(i), payload: 'x'.repeat(200) }));
  await within(() => probed.insertMany(documents, { ordered: false }));
  // From the far end: a scan that stops at the first match would look like an index at the near end.
  const last = DOCUMENTS - 1;
  const exactMs = await medianMs(() => within(() => probed.findOne({ _id: idOf(last) })));
  const rangeMs = await medianMs(() =>
    within(() => probed.find({ _id: { $gte: idOf(last - 9), $lt: idOf(last + 1) } }).toArray()),
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
