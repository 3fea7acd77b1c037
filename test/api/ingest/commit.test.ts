import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Archive, ORPHANS_AT_MOST } from '../../../api/ingest/archive.ts';
import { GroupCommit } from '../../../api/ingest/commit.ts';
import type { Block } from '../../../api/ingest/frame.ts';
import type { ArchivedFrame } from '../../../domain/ports-ingest.ts';
import { createFakeIngestStores } from '../../../models/fake-inbox.ts';
import { archiveConflict } from '../../../models/frames.ts';
import { quiet } from '../../support/quiet.ts';

const readings = (firstSequence: number, count = 1): Block => ({
  kind: 'readings',
  tenant: 'city',
  vendor: 'gasworks',
  clockMs: 0,
  sensor: 'a',
  boot: '',
  firstSequence,
  atMs: new Float64Array(count),
  values: new Float64Array(count),
  flags: new Uint8Array(count),
});

interface Insert {
  readonly seqs: readonly number[];
  readonly frames: readonly ArchivedFrame[];
  succeed(): Promise<void>;
  fail(error: Error): void;
}

/** A door's archive on a store that answers each insert when the test says so. */
async function gated() {
  const stores = createFakeIngestStores();
  const inserts: Insert[] = [];
  const frames = {
    ...stores.frames,
    append: (batch: readonly ArchivedFrame[]) =>
      new Promise<void>((resolve, reject) =>
        inserts.push({
          seqs: batch.map(({ seq }) => seq),
          frames: batch,
          succeed: () => stores.frames.append(batch).then(resolve),
          fail: reject,
        }),
      ),
  };
  const archive = new Archive({ frames, checkpoints: stores.checkpoints, writer: 'w' });
  await archive.recover();
  const commit = new GroupCommit({ archive, quarantine: stores.quarantine, log: quiet, now: () => 0 });
  const told: number[] = [];
  const submit = (n: number, blocks: readonly Block[] = [readings(n)]): Promise<unknown> =>
    commit.submit(blocks).then(
      () => told.push(n),
      (error: unknown) => error,
    );
  const inserted = async (count: number): Promise<void> => {
    while (inserts.length < count) await sleep(1);
  };
  return { stores, archive, commit, inserts, inserted, submit, told };
}

/** Two groups under way, of which the second waits: together they would be more frames than may be. */
async function oneTooMany() {
  const door = await gated();
  const huge = Array.from({ length: ORPHANS_AT_MOST - 4 }, (_, n) => readings(1 + n * 6_000, 6_000));
  const first = door.submit(1, huge);
  await door.inserted(1);
  const second = door.submit(2, huge.slice(0, 10));
  await sleep(20);
  return { door, first, second };
}

describe('groups on their way to the archive', () => {
  it('are two at a time; what comes then waits for the next', async () => {
    const door = await gated();
    const first = door.submit(1);
    await door.inserted(1);
    const second = door.submit(2);
    await door.inserted(2);
    const later = [door.submit(3), door.submit(4)];
    await sleep(20);
    assert.deepEqual(
      door.inserts.map(({ seqs }) => seqs),
      [[1], [2]],
    );
    await door.inserts[0]!.succeed();
    await first;
    await door.inserted(3);
    await door.inserts[1]!.succeed();
    await door.inserts[2]!.succeed();
    await Promise.all([second, ...later]);
    assert.deepEqual(door.told, [1, 2, 3, 4]);
    assert.equal(door.inserts.length, 3);
    assert.equal(door.archive.head, 3);
    assert.equal(door.commit.pending.memoryBytes, 0);
  });

  it('are not told before those that have earlier numbers', async () => {
    const door = await gated();
    const first = door.submit(1);
    await door.inserted(1);
    const second = door.submit(2);
    await door.inserted(2);
    await door.inserts[1]!.succeed();
    await sleep(20);
    assert.deepEqual(door.told, []);
    assert.equal(door.archive.head, 0);
    await door.inserts[0]!.succeed();
    await Promise.all([first, second]);
    assert.deepEqual(door.told, [1, 2]);
    assert.equal(door.archive.head, 2);
  });

  it('keep their numbers while an insert is repeated', async () => {
    const door = await gated();
    const first = door.submit(1);
    await door.inserted(1);
    const second = door.submit(2);
    await door.inserted(2);
    door.inserts[0]!.fail(new Error('no answer'));
    await door.inserted(3);
    assert.deepEqual(door.inserts[2]!.seqs, [1]);
    await door.inserts[2]!.succeed();
    await door.inserts[1]!.succeed();
    await Promise.all([first, second]);
    assert.deepEqual(door.told, [1, 2]);
  });

  it('fail together with the one before, and nothing is taken any more', async () => {
    const door = await gated();
    const first = door.submit(1);
    await door.inserted(1);
    const second = door.submit(2);
    await door.inserted(2);
    const waiting = door.submit(3);
    await door.inserts[1]!.succeed();
    door.inserts[0]!.fail(archiveConflict('1'));
    const answers = await Promise.all([first, second, waiting, door.submit(4)]);
    assert.deepEqual(
      answers.map((answer) => (answer as { code?: string }).code),
      Array(4).fill('ARCHIVE_CONFLICT'),
    );
    assert.deepEqual(door.told, []);
    assert.equal(door.archive.head, 0);
  });

  it('leave no gap that the next start does not find', async () => {
    const door = await gated();
    const large = Array.from({ length: 20 }, (_, n) => readings(1 + n * 6_000, 6_000));
    void door.submit(1, large);
    await door.inserted(1);
    void door.submit(2, large);
    await door.inserted(2);
    const underWay = door.inserts.flatMap(({ seqs }) => seqs);
    assert.ok(underWay.length <= ORPHANS_AT_MOST, String(underWay.length));
    // The process dies when only the last of all frames has become durable.
    const last = door.inserts.at(-1)!.frames.at(-1)!;
    await door.stores.frames.append([last]);
    const next = new Archive({
      frames: door.stores.frames,
      checkpoints: door.stores.checkpoints,
      writer: 'x',
    });
    await next.recover();
    assert.equal(next.head, last.seq);
  });

  it('wait for the one before when together they would be more frames than that', async () => {
    const { door, first, second } = await oneTooMany();
    assert.equal(door.inserts.length, 1);
    await door.inserts[0]!.succeed();
    await door.inserted(2);
    await door.inserts[1]!.succeed();
    await door.inserted(3);
    await door.inserts[2]!.succeed();
    await Promise.all([first, second]);
    assert.deepEqual(door.told, [1, 2]);
  });

  it('write nothing when the one they waited for is refused', async () => {
    const { door, first, second } = await oneTooMany();
    const refusal = archiveConflict('1');
    door.inserts[0]!.fail(refusal);
    assert.equal(await first, refusal);
    await sleep(20);
    assert.equal(door.inserts.length, 1);
    assert.equal(await second, refusal);
  });
});
