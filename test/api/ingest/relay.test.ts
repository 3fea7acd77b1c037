import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { TocsinError } from '../../../domain/errors.ts';
import type { Delivery, IngestStores } from '../../../domain/ports-ingest.ts';
import { createFakeIngestStores } from '../../../models/fake-inbox.ts';
import { createFakeStores } from '../../../models/fake-stores.ts';
import {
  activate,
  bulletin,
  createFakeIncidents,
  fillStores,
  openDoor,
  reading,
} from '../../support/door.ts';
import type { Door, FakeIncidents } from '../../support/door.ts';
import { eventually } from '../../support/eventually.ts';
import { gasPlan, T0 } from '../../support/plans.ts';

const HOUR = 3_600_000;
const feed = { clockOf: () => 'feed' as const, refreshEveryMs: 50 };

/** A notice of hour `hour` of the feed, 10 km from Riverside. */
const notice = (
  id: string,
  hour: number,
  magnitude = 5,
  latitudeDeg = 23.91,
): [ReturnType<typeof bulletin>, number] => {
  const observedAtMs = T0 + hour * HOUR;
  return [
    bulletin(id, {
      observedAtMs,
      position: { latitudeDeg, longitudeDeg: 121.6 },
      fields: { magnitude: { number: magnitude }, depthKm: { number: 10 } },
    }),
    observedAtMs + 300_000,
  ];
};

async function send(door: Door, ...notices: ReturnType<typeof notice>[]): Promise<void> {
  for (const [item, sentAtMs] of notices) await door.publishOnce([item], { sentAtMs });
}

/** Waits until everything archived was relayed, and gives the touched incidents. */
async function drained(door: Door): Promise<string[]> {
  const seen = await door.status({ relayedThrough: Number.MAX_SAFE_INTEGER, waitMs: 5_000 });
  assert.equal(seen.relayedThrough, seen.archivedThrough, 'the relay did not drain');
  return seen.touched;
}

const QUAKE = 'incident/city/earthquake/riverside/20260101T000000Z';

describe('the relay', () => {
  it('opens one incident for a sequence, and says which incidents it touched', async () => {
    const door = await openDoor(feed);
    await send(door, notice('1', 0), notice('2', 1, 1), notice('weak', 2, 1.5, 30));
    assert.deepEqual(await drained(door), [QUAKE]);
    assert.deepEqual(door.incidents.log, [`start ${QUAKE}`, `join ${QUAKE} net|2`]);
    const { touches } = await door.status();
    assert.equal(touches, '2');
    assert.deepEqual((await door.status({ touchedAfter: 2 })).touched, []);
    await send(door, notice('3', 3));
    await drained(door);
    assert.deepEqual((await door.status({ touchedAfter: 2 })).touched, [QUAKE]);
    await door.stop();
  });

  it('hands a revision of a bulletin to the incident as evidence of its own', async () => {
    const door = await openDoor(feed);
    await send(door, notice('1', 0), notice('1', 0, 5.4), notice('1', 0, 5.4));
    await drained(door);
    assert.deepEqual([...door.incidents.evidence.get(QUAKE)!.keys()], ['net|1', 'net|1@2']);
    await door.stop();
  });

  it('answers at once when nothing waits, and in time when something does not come', async () => {
    const door = await openDoor(feed);
    assert.deepEqual(await drained(door), []);
    door.incidents.down = new TocsinError('BACKEND_UNAVAILABLE', 'away', { retryable: true });
    await send(door, notice('1', 0));
    const startedAt = performance.now();
    const seen = await door.status({ relayedThrough: 1, waitMs: 200 });
    assert.ok(performance.now() - startedAt < 2_000);
    assert.deepEqual([seen.relayedThrough, seen.archivedThrough, seen.inboxDepth], ['0', '1', 1]);
    await door.stop();
  });

  it('goes on detecting while incidents cannot be reached, and delivers when they can', async () => {
    const door = await openDoor(feed);
    door.incidents.down = new TocsinError('BACKEND_UNAVAILABLE', 'away', { retryable: true });
    await send(door, notice('1', 0), notice('2', 1), notice('far', 2, 5, 24.9));
    await eventually('three wait in the inbox', async () => (await door.ingest.inbox.pending()).length === 3);
    assert.equal((await door.status()).inboxDepth, 3);
    door.incidents.down = null;
    await drained(door);
    assert.equal(door.incidents.log.length, 3);
    assert.deepEqual(await door.ingest.inbox.pending(), []);
    await door.stop();
  });

  it('goes on detecting while what it found can neither be delivered nor kept, and says so', async () => {
    const ingest = createFakeIngestStores();
    const framesOfPuts: number[][] = [];
    let release = (): void => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    const inbox = {
      ...ingest.inbox,
      async put(deliveries: readonly Delivery[]) {
        framesOfPuts.push(deliveries.map(({ seq }) => seq));
        await released;
        await ingest.inbox.put(deliveries);
      },
    };
    const door = await openDoor({ ...feed, ingest: { ...ingest, inbox } });
    door.incidents.down = new TocsinError('BACKEND_UNAVAILABLE', 'away', { retryable: true });
    // Each in a frame of its own.
    await send(door, notice('0', 0));
    await eventually('the first goes into the inbox', () => framesOfPuts.length > 0);
    await send(door, ...Array.from({ length: 7 }, (_, n) => notice(String(n + 1), n + 1)));
    await eventually('all eight wait', async () => (await door.status()).inboxDepth === 8);
    const { relayedThrough, archivedThrough } = await door.status();
    assert.deepEqual([relayedThrough, archivedThrough, door.incidents.log], ['0', '8', []]);
    release();
    door.incidents.down = null;
    await drained(door);
    assert.deepEqual(framesOfPuts[0], [1]);
    assert.equal(door.incidents.log.length, 8);
    assert.deepEqual(await ingest.inbox.pending(), []);
    await door.stop();
  });

  it('spares the inbox what reaches its incident at once', async () => {
    const ingest = createFakeIngestStores();
    let puts = 0;
    const put = (deliveries: readonly Delivery[]): Promise<void> => {
      puts += 1;
      return ingest.inbox.put(deliveries);
    };
    const door = await openDoor({ ...feed, ingest: { ...ingest, inbox: { ...ingest.inbox, put } } });
    await send(door, ...Array.from({ length: 8 }, (_, n) => notice(String(n), n)));
    await drained(door);
    assert.equal(door.incidents.log.length, 8);
    assert.equal(puts, 0);
    await door.stop();
  });

  it('keeps evidence that came after its incident closed, and opens a new one when it is worth one', async () => {
    const door = await openDoor(feed);
    await send(door, notice('1', 0));
    await drained(door);
    door.incidents.closed.add(QUAKE);
    await send(door, notice('weak', 1, 1));
    assert.deepEqual(await drained(door), [QUAKE]);
    await send(door, notice('strong', 2, 5));
    await drained(door);
    const late = await door.ingest.asides.list('late');
    assert.deepEqual(
      late.map(({ about, reason }) => [about, reason]),
      [[QUAKE, 'incident-closed']],
    );
    assert.deepEqual(door.incidents.log.slice(1), [
      'start incident/city/earthquake/riverside/20260101T020000Z',
    ]);
    await door.stop();
  });

  it('opens a new incident for the very evidence that found its incident closed', async () => {
    const door = await openDoor(feed);
    await send(door, notice('1', 0));
    await drained(door);
    door.incidents.closed.add(QUAKE);
    await send(door, notice('strong', 2, 6));
    assert.deepEqual((await drained(door)).slice(1), ['incident/city/earthquake/riverside/20260101T020000Z']);
    assert.equal((await door.ingest.asides.list('late')).length, 1);
    await door.stop();
  });

  it('records what matches a plan and came too late to open anything', async () => {
    const door = await openDoor(feed);
    const [item] = notice('1', 0);
    await door.publishOnce([item], { sentAtMs: T0 + 2 * HOUR });
    await drained(door);
    const [record] = await door.ingest.asides.list('suppressed');
    assert.equal(record?.reason, 'too-late');
    assert.match(record.about, /^test-earthquake@/);
    assert.deepEqual(door.incidents.log, []);
    await door.stop();
  });

  it('archives late readings without letting them hold a condition', async () => {
    const door = await openDoor(feed);
    const at = (second: number, sensor: string, n: number): ReturnType<typeof reading> =>
      reading(n, { sensor, value: 50, observedAtMs: T0 + second * 1_000 });
    for (let n = 1; n <= 20; n++) {
      await door.publishOnce([at(n * 5, 'a', n), at(n * 5, 'b', n)], { sentAtMs: T0 + n * 5_000 + 121_000 });
    }
    assert.deepEqual(await drained(door), []);
    assert.equal((await door.ingest.asides.list('late')).length, 40);
    await door.stop();
  });

  it('sees a plan that is activated while it runs', async () => {
    const stores = createFakeStores();
    await fillStores(stores);
    const door = await openDoor({ ...feed, stores });
    const wary = {
      ...gasPlan,
      detect: { ...gasPlan.detect, threshold: 2, onSensors: 1, forMs: 0 },
    } as typeof gasPlan;
    await activate(stores, wary);
    await new Promise((resolve) => setTimeout(resolve, 200));
    await door.publishOnce([reading(1, { value: 3, observedAtMs: T0 })], { sentAtMs: T0 });
    assert.deepEqual(await drained(door), ['incident/city/gas-leak/tower/20260101T000000Z']);
    await door.stop();
  });

  it('puts aside what an incident can never take, and goes on', async () => {
    const door = await openDoor(feed);
    door.incidents.down = new TocsinError('BACKEND_UNAVAILABLE', 'refused for good', { retryable: false });
    await send(door, notice('1', 0));
    await drained(door);
    assert.deepEqual(
      (await door.ingest.asides.list('late')).map(({ reason }) => reason),
      ['undeliverable'],
    );
    assert.match(door.complaints.join(), /cannot be delivered/);
    await door.stop();
  });
});

/** Stores that stop working at the n-th write, as if the process had been killed there. */
function mortal(ingest: IngestStores, writes: number): { stores: IngestStores; isDead: () => boolean } {
  let left = writes;
  const spend =
    <A extends unknown[], R>(write: (...args: A) => Promise<R>) =>
    (...args: A): Promise<R> =>
      left-- > 0 ? write(...args) : new Promise<R>(() => undefined);
  return {
    isDead: () => left < 0,
    stores: {
      frames: { ...ingest.frames, append: spend(ingest.frames.append) },
      quarantine: ingest.quarantine,
      inbox: { ...ingest.inbox, put: spend(ingest.inbox.put), remove: spend(ingest.inbox.remove) },
      asides: { ...ingest.asides, put: spend(ingest.asides.put) },
      checkpoints: { ...ingest.checkpoints, save: spend(ingest.checkpoints.save) },
    },
  };
}

const everything = (incidents: FakeIncidents): Record<string, string[]> =>
  Object.fromEntries([...incidents.evidence].map(([id, evidence]) => [id, [...evidence.keys()].sort()]));

describe('a crash at any write', () => {
  const HOURS = 6;
  const story = async (door: Door, from = 0, isDead = (): boolean => false): Promise<number> => {
    // A foreshock, a leak in between, the main shock, and aftershocks.
    for (let step = from; step < HOURS * 4; step++) {
      const hour = step / 4;
      const atMs = T0 + hour * HOUR;
      const items =
        step % 4 === 0
          ? [notice(String(step), hour, 3 + (step % 3))[0]]
          : ['a', 'b', 'c'].map((sensor) =>
              reading(step, { sensor, observedAtMs: atMs, value: step < 12 ? 1 : 40 }),
            );
      const answered = door.publishOnce(items, { sentAtMs: atMs + 1_000 });
      let isAnswered = false;
      answered.then(
        () => (isAnswered = true),
        () => undefined,
      );
      while (!isAnswered && !isDead()) await new Promise((resolve) => setTimeout(resolve, 1));
      if (!isAnswered) return step;
    }
    return HOURS * 4;
  };
  const noHold = { ...gasPlan, detect: { ...gasPlan.detect, forMs: 0 } } as typeof gasPlan;

  const tell = async (deaths: readonly number[]): Promise<Record<string, string[]>> => {
    const stores = createFakeStores();
    await fillStores(stores);
    await activate(stores, noHold);
    const ingest = createFakeIngestStores();
    const incidents = createFakeIncidents();
    let next = 0;
    for (const writes of deaths) {
      const { stores: dying, isDead } = mortal(ingest, writes);
      const door = await openDoor({ ...feed, stores, ingest: dying, incidents });
      next = await story(door, next, isDead);
      void door.stop().catch(() => undefined);
      // What was not acknowledged is sent again.
      next = Math.max(0, next - 1);
    }
    const door = await openDoor({ ...feed, stores, ingest, incidents });
    await story(door, next);
    await drained(door);
    assert.deepEqual(
      (await ingest.inbox.pending()).map(({ id }: Delivery) => id),
      [],
    );
    await door.stop();
    return everything(incidents);
  };

  it('loses no evidence, opens nothing twice', async () => {
    const whole = await tell([]);
    assert.equal(Object.keys(whole).length, 2);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 60 }), { minLength: 1, maxLength: 3 }),
        async (deaths) => {
          assert.deepEqual(await tell(deaths), whole);
        },
      ),
      { numRuns: 25, endOnFailure: true },
    );
  });
});
