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
function keeping() {
  const stores = createFakeIngestStores();
  const log: string[] = [];
  const kept: string[] = [];
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
    onKept: (deliveries) => kept.push(`${keeper.kept}: ${deliveries.map(({ seq }) => seq).join()}`),
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
  };
}

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
    assert.deepEqual([keeper.kept, kept], [1, ['1: 1']]);
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
    assert.deepEqual(log, ['inbox 1', 'relay {"throughFrame":1}', 'inbox 3,3,4']);
    assert.deepEqual(kept, ['1: 1', '5: 3,3,4']);
  });

  it('is nothing for most frames, which count at once', () => {
    const { keeper, kept, hold } = keeping();
    hold();
    keeper.add(1, [], []);
    assert.deepEqual([keeper.kept, kept], [1, ['1: ']]);
  });

  it('never is behind a saved position, and is told in order, whatever comes when', async () => {
    const steps = fc.array(fc.tuple(fc.nat(2), fc.nat(1), fc.nat(3)), { maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(steps, async (frames) => {
        const { keeper, stores, kept, hold, letGo } = keeping();
        const expected: number[] = [];
        for (const [n, [deliveries, asides, turns]] of frames.entries()) {
          if (turns === 0) hold();
          const found = Array.from({ length: deliveries }, (_, m) => delivery(n + 1, m));
          expected.push(...found.map(({ seq }) => seq));
          keeper.add(n + 1, found, asides === 1 ? [aside(`${n}`)] : []);
          const position = await stores.checkpoints.load<{ throughFrame: number }>('relay');
          assert.ok((position?.throughFrame ?? 0) <= keeper.kept);
          if (turns > 1) await letGo();
        }
        await letGo();
        await keeper.stop(1_000);
        assert.equal(keeper.kept, frames.length);
        const told = kept.flatMap((text) => text.split(': ')[1]!.split(',').filter(Boolean).map(Number));
        assert.deepEqual(told, expected);
        assert.deepEqual(
          (await stores.inbox.pending()).map(({ seq }) => seq),
          expected,
        );
        if (frames.length > 0) {
          assert.deepEqual(await stores.checkpoints.load('relay'), { throughFrame: frames.length });
        }
      }),
      { numRuns: 60 },
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
    const keeper = new Keeper({ stores: { ...stores, inbox }, log: quiet, onKept: () => undefined });
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
