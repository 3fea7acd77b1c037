import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { GroupCommit } from '../../../api/ingest/commit.ts';
import { Archive } from '../../../api/ingest/archive.ts';
import type { FrameArchive } from '../../../domain/ports-ingest.ts';
import { createFakeIngestStores } from '../../../models/fake-inbox.ts';
import { createFakeStores } from '../../../models/fake-stores.ts';
import type { PublishOnceResponse__Output } from '../../../proto/gen/tocsin/v1/PublishOnceResponse.ts';
import { bulletin, fillStores, openDoor, reading } from '../../support/door.ts';
import { quiet } from '../../support/quiet.ts';

/** Frames that are written only while the gate is open. */
function gated(inner: FrameArchive): { frames: FrameArchive; open: () => void } {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { frames: { ...inner, append: async (frames) => opened.then(() => inner.append(frames)) }, open };
}

const words = ({ result }: PublishOnceResponse__Output): string[] =>
  result!.items.flatMap((run) => Array<string>(run.items).fill(run.disposition.replace('DISPOSITION_', '')));

describe('a door with too much to do', () => {
  it('asks again for what no condition hears, and takes what is detected', async () => {
    const stores = createFakeStores();
    await fillStores(stores);
    const sensor = { vendor: 'gasworks', tenant: 'city', site: 'tower', low: 0, high: 100, position: null };
    await stores.sites.putSensor({ ...sensor, id: 'city/gasworks/quiet', channel: 'humidity', unit: '%' });
    const ingest = createFakeIngestStores();
    const gate = gated(ingest.frames);
    const door = await openDoor({
      stores,
      ingest: { ...ingest, frames: gate.frames },
      limits: { pendingBytesAtMost: 2_400, retryAfterMs: 70 },
    });
    const unheard = (sequence: number) => reading(sequence, { sensor: 'quiet', value: 40 });
    assert.deepEqual(words(await soon(door.publishOnce([reading(1), unheard(1)]), gate.open)), [
      'ACCEPTED',
      'ACCEPTED',
    ]);

    const again = gated(ingest.frames);
    Object.assign(gate.frames, again.frames);
    const waiting = door.publishOnce([reading(2)]);
    while (door.server.status().pendingBytes === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    const mixed = door.publishOnce([unheard(2), unheard(3), reading(3), bulletin('1'), unheard(4)]);
    const answered = await soon(mixed, again.open);
    assert.deepEqual(words(answered), ['RETRY_LATER', 'RETRY_LATER', 'ACCEPTED', 'ACCEPTED', 'RETRY_LATER']);
    assert.equal(answered.result!.items[0]!.retryAfterMs, 70);
    assert.deepEqual(words(await waiting), ['ACCEPTED']);
    assert.deepEqual(
      words(await door.publishOnce([unheard(2), unheard(3), unheard(4)])),
      Array(3).fill('ACCEPTED'),
    );
    await door.stop();
  });

  it('archives no faster than detection follows', async () => {
    const { frames, checkpoints, quarantine } = createFakeIngestStores();
    const archive = new Archive({ frames, checkpoints, writer: 'w' });
    await archive.recover();
    let goOn = (): void => {};
    let ask = (): void => {};
    const asked = new Promise<void>((resolve) => (ask = resolve));
    const commit = new GroupCommit({
      archive,
      quarantine,
      log: quiet,
      now: () => 0,
      mayGoOn: () => {
        ask();
        return new Promise((resolve) => (goOn = resolve));
      },
    });
    const committed = commit.submit([
      {
        kind: 'readings',
        tenant: 'city',
        vendor: 'gasworks',
        clockMs: 0,
        sensor: 'a',
        boot: '',
        firstSequence: 1,
        atMs: Float64Array.of(0),
        values: Float64Array.of(1),
        flags: Uint8Array.of(0),
      },
    ]);
    await asked;
    assert.equal(archive.head, 0);
    goOn();
    assert.equal(await committed, 1);
    assert.equal((await archive.blocks(1))!.length, 1);
  });
});

/** Opens the gate a little later. */
async function soon<T>(answer: Promise<T>, open: () => void): Promise<T> {
  setTimeout(open, 50);
  return answer;
}
