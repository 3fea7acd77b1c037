import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { Keeper } from '../../../api/ingest/keeper.ts';
import { TocsinError } from '../../../domain/errors.ts';
import type { AsideRecord, Delivery } from '../../../domain/ports-ingest.ts';
import { createFakeIngestStores } from '../../../models/fake-inbox.ts';
import { quiet } from '../../support/quiet.ts';

const delivery = (seq: number, n = 0): Delivery =>
  ({
    id: `evidence|${seq}|${n}`,
    seq,
    n,
    kind: 'evidence',
    incidentId: 'incident/city/gas/tower/1',
  }) as Delivery;
const aside = (id: string): AsideRecord => ({
  id,
  kind: 'doubt',
  tenant: 'city',
  about: id,
  reason: 'silent',
  atMs: 0,
  evidence: {},
});

/** A keeper of stores that do one thing at a time, when they are told to. */
function keeping(untoldAtMostMs = 0) {
  const stores = createFakeIngestStores();
  const log: string[] = [];
  const kept: number[] = [];
  const held: (() => void)[] = [];
  let isHeld = false;
  const step = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
    log.push(what);
    if (isHeld) await new Promise<void>((resolve) => held.push(resolve));
    return work();
  };
  const keeper = new Keeper({
    stores: {
      inbox: {
        ...stores.inbox,
        put: (some) => step(`inbox ${some.map(({ seq }) => seq).join()}`, () => stores.inbox.put(some)),
      },
      asides: {
        ...stores.asides,
        put: (some) => step(`asides ${some.map(({ id }) => id).join()}`, () => stores.asides.put(some)),
      },
      checkpoints: {
        ...stores.checkpoints,
        save: (name, value) =>
          step(`${name} ${JSON.stringify(value)}`, () => stores.checkpoints.save(name, value)),
      },
    },
    log: quiet,
    onKept: () => kept.push(keeper.kept),
    untoldAtMostMs,
  });
  return {
    ...{ keeper, stores, log, kept },
    hold: () => void (isHeld = true),
    /** Lets go what is held, and what comes after it. */
    async letGo() {
      isHeld = false;
      for (const resolve of held.splice(0)) resolve();
      await settled();
    },
    inbox: async () => (await stores.inbox.pending()).map(({ id }) => id),
  };
}

const LONG_MS = 60_000;

async function settled(): Promise<void> {
  for (let n = 0; n < 20; n++) await nextTurn();
}

describe('what detection found', () => {
  it('counts when it is durable, what is put aside before what is delivered', async () => {
    const { keeper, log, kept, hold, letGo } = keeping();
    hold();
    keeper.add(1, [delivery(1)], [aside('a')]);
    assert.deepEqual([keeper.kept, kept], [0, []]);
    await letGo();
    assert.deepEqual([keeper.kept, kept], [1, [1]]);
    assert.deepEqual(log, ['asides a', 'inbox 1', 'relay {"throughFrame":1}']);
  });

  it('is written together when it came while something else was written', async () => {
    const { keeper, log, kept, hold, letGo } = keeping();
    hold();
    keeper.add(1, [delivery(1)], []);
    keeper.add(2, [], []);
    keeper.add(3, [delivery(3), delivery(3, 1)], []);
    keeper.add(4, [delivery(4)], []);
    keeper.add(5, [], []);
    await letGo();
    assert.equal(log[0], 'inbox 1');
    assert.deepEqual(
      log.filter((line) => line.startsWith('inbox')),
      ['inbox 1', 'inbox 3,3,4'],
    );
    assert.deepEqual(kept, [1, 2, 5]);
  });

  it('is nothing for most frames, which count at once', () => {
    const { keeper, kept, hold } = keeping();
    hold();
    keeper.add(1, [], []);
    assert.deepEqual([keeper.kept, kept], [1, [1]]);
  });

  it('never enters the inbox when it reaches its incident in time, and counts then', async () => {
    const { keeper, log, kept } = keeping(LONG_MS);
    const [first, second] = [delivery(1), delivery(2)];
    keeper.add(1, [first], []);
    keeper.add(2, [second], []);
    keeper.add(3, [], []);
    await keeper.told(first, []);
    assert.deepEqual([keeper.kept, kept], [1, [1]]);
    await keeper.told(second, []);
    await keeper.reached(3);
    assert.deepEqual(
      log.filter((line) => !line.startsWith('relay')),
      [],
    );
  });

  it('goes into the inbox when its incident takes too long, and leaves it when that has it', async () => {
    const { keeper, log, inbox } = keeping(20);
    const one = delivery(1);
    keeper.add(1, [one], []);
    await keeper.reached(1);
    assert.equal(log[0], 'inbox 1');
    assert.deepEqual(await inbox(), [one.id]);
    await keeper.told(one, []);
    assert.deepEqual(await inbox(), []);
  });

  it('leaves the inbox too when it reached its incident on the way there', async () => {
    const { keeper, hold, letGo, inbox } = keeping();
    const one = delivery(1);
    hold();
    keeper.add(1, [one], []);
    const told = keeper.told(one, []);
    await letGo();
    await told;
    assert.deepEqual(await inbox(), []);
    assert.equal(keeper.kept, 1);
  });

  it('is not forgotten before what follows from it is in the inbox', async () => {
    const { keeper, hold, letGo, inbox } = keeping(LONG_MS);
    const one = delivery(1);
    keeper.add(1, [one], []);
    hold();
    const told = keeper.told(one, [delivery(1, 7)]);
    await settled();
    assert.equal(keeper.kept, 0);
    await letGo();
    await told;
    assert.equal(keeper.kept, 1);
    assert.deepEqual(await inbox(), [delivery(1, 7).id]);
  });

  it('goes into the inbox at once when there is much of it', async () => {
    const { keeper, log } = keeping(LONG_MS);
    const storm = Array.from({ length: 100 }, (_, n) => delivery(1, n));
    keeper.add(1, storm, []);
    await keeper.reached(1);
    assert.equal(log[0], `inbox ${storm.map(() => 1).join()}`);
  });

  it('has reached its incident or is in the inbox before it counts, whatever comes when', async () => {
    const steps = fc.array(fc.tuple(fc.nat(2), fc.nat(1), fc.nat(3), fc.nat(2)), { maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(steps, fc.constantFrom(0, 1, LONG_MS), async (frames, untoldAtMostMs) => {
        const { keeper, stores, hold, letGo, inbox } = keeping(untoldAtMostMs);
        const found: Delivery[] = [];
        const told = new Set<string>();
        const telling: Promise<void>[] = [];
        const isSafe = async (): Promise<void> => {
          const position = await stores.checkpoints.load<{ throughFrame: number }>('relay');
          const { kept } = keeper;
          assert.ok((position?.throughFrame ?? 0) <= kept);
          const safe = new Set([...(await inbox()), ...told]);
          for (const { id, seq } of found) assert.ok(seq > kept || safe.has(id), `${id} of ${kept}`);
        };
        for (const [n, [deliveries, asides, turns, tells]] of frames.entries()) {
          if (turns === 0) hold();
          const some = Array.from({ length: deliveries }, (_, m) => delivery(n + 1, m));
          found.push(...some);
          keeper.add(n + 1, some, asides === 1 ? [aside(`${n}`)] : []);
          for (const one of found.filter(({ id }) => !told.has(id)).slice(0, tells)) {
            told.add(one.id);
            telling.push(keeper.told(one, []));
          }
          if (turns > 1) await letGo();
          await isSafe();
        }
        await letGo();
        await Promise.all(telling);
        await keeper.stop(1_000);
        await isSafe();
        assert.equal(keeper.kept, frames.length);
        assert.deepEqual(
          await inbox(),
          found.map(({ id }) => id).filter((id) => !told.has(id)),
        );
        if (frames.length > 0) {
          assert.deepEqual(await stores.checkpoints.load('relay'), { throughFrame: frames.length });
        }
      }),
      { numRuns: 100 },
    );
  });

  it('makes detection wait when too much of it waits', async () => {
    const { keeper, hold, letGo } = keeping();
    hold();
    keeper.add(1, [delivery(1)], []);
    for (let frame = 2; keeper.hasRoom; frame++) keeper.add(frame, [delivery(frame)], []);
    let isThrough = false;
    const room = keeper.room().then(() => (isThrough = true));
    await settled();
    assert.equal(isThrough, false);
    await letGo();
    await room;
    assert.equal(keeper.hasRoom, true);
  });

  it('stops everything when it can never be written, and says why', async () => {
    const { stores } = keeping();
    const refusal = new TocsinError('ARCHIVE_CONFLICT', 'no', { retryable: false });
    const inbox = { ...stores.inbox, put: () => Promise.reject(refusal) };
    const keeper = new Keeper({
      stores: { ...stores, inbox },
      log: quiet,
      onKept: () => undefined,
      untoldAtMostMs: 0,
    });
    keeper.add(1, [delivery(1)], []);
    await assert.rejects(keeper.reached(1), refusal);
    assert.throws(() => keeper.add(2, [], []), refusal);
    assert.equal(keeper.kept, 0);
    assert.equal(await stores.checkpoints.load('relay'), null);
  });

  it('is taken up behind the saved position', async () => {
    const { keeper, stores } = keeping();
    await stores.checkpoints.save('relay', { throughFrame: 7 });
    assert.equal(await keeper.load(), 7);
    keeper.begin(7);
    assert.equal(keeper.kept, 7);
  });
});
