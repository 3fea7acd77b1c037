import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { captureSnapshot, loadSnapshot, saveSnapshot } from '../../../api/ingest/snapshot.ts';
import type { PartsHead } from '../../../api/ingest/parts.ts';
import type { WatchState } from '../../../domain/detect/watch.ts';
import type { HealthState } from '../../../domain/ingest/health-book.ts';
import type { CheckpointStore } from '../../../domain/ports-ingest.ts';
import { createFakeIngestStores } from '../../../models/fake-inbox.ts';

const piece = (site: string): WatchState => ({
  open: [],
  channels: { [`plan|${site}`]: {} },
  transitions: { [`plan|${site}`]: {} },
});
const of = <S>(...pieces: S[]) => ({
  *capture() {
    for (const piece of pieces) yield () => piece;
  },
});
const sensor = (name: string): HealthState => ({ [name]: { status: 'ok' } }) as unknown as HealthState;

const save = async (
  checkpoints: CheckpointStore,
  throughFrame: number,
  last: PartsHead | null,
  sites: string[],
) => {
  const watches = new Map([['city', of(...sites.map(piece))]]);
  const books = new Map([['city', of(sensor('a'), sensor(`b${throughFrame}`))]]);
  return saveSnapshot(checkpoints, throughFrame, last, await captureSnapshot(watches, books));
};

describe('a snapshot of detection', () => {
  it('is put together from its parts', async () => {
    const { checkpoints } = createFakeIngestStores();
    assert.equal(await loadSnapshot(checkpoints), null);
    await save(checkpoints, 7, null, ['east', 'west']);
    const loaded = await loadSnapshot(checkpoints);
    assert.deepEqual(loaded, {
      parts: { throughFrame: 7, set: 0, parts: 4 },
      snapshot: {
        throughFrame: 7,
        tenants: {
          city: {
            open: [],
            channels: { 'plan|east': {}, 'plan|west': {} },
            transitions: { 'plan|east': {}, 'plan|west': {} },
          },
        },
        health: { city: { a: { status: 'ok' }, b7: { status: 'ok' } } },
      },
    });
  });

  it('is the last whole one when the next was cut off anywhere', async () => {
    const { checkpoints } = createFakeIngestStores();
    await save(checkpoints, 7, null, ['east', 'west']);
    const before = await loadSnapshot(checkpoints);
    for (let cut = 0; cut < 5; cut++) {
      let writes = 0;
      const breaking: CheckpointStore = {
        load: (name) => checkpoints.load(name),
        save: (name, value) =>
          writes++ === cut ? Promise.reject(new Error('gone')) : checkpoints.save(name, value),
      };
      await assert.rejects(save(breaking, 9, before!.parts, ['north', 'south']), /gone/);
      assert.deepEqual(await loadSnapshot(checkpoints), before);
    }
    await save(checkpoints, 9, before!.parts, ['north']);
    const after = await loadSnapshot(checkpoints);
    assert.deepEqual([after?.parts?.set, after?.snapshot.throughFrame], [1, 9]);
    assert.deepEqual(Object.keys(after!.snapshot.tenants['city']!.channels), ['plan|north']);
  });

  it('is what was remembered when it was captured, whatever is detected while it is saved', async () => {
    const { checkpoints } = createFakeIngestStores();
    const state = { city: 'as it was' };
    const watch = {
      *capture() {
        const captured = { ...state };
        yield () => piece(captured.city);
      },
    };
    const captured = await captureSnapshot(new Map([['city', watch]]), new Map());
    state.city = 'as it is now';
    await saveSnapshot(checkpoints, 7, null, captured);
    const loaded = await loadSnapshot(checkpoints);
    assert.deepEqual(Object.keys(loaded!.snapshot.tenants['city']!.channels), ['plan|as it was']);
  });

  it('is read as it was saved when parts were text', async () => {
    const { checkpoints } = createFakeIngestStores();
    await checkpoints.save('watch|0|0', JSON.stringify({ tenant: 'city', watch: piece('east') }));
    await checkpoints.save('watch', { throughFrame: 3, set: 0, parts: 1 });
    const loaded = await loadSnapshot(checkpoints);
    assert.deepEqual(loaded?.snapshot.tenants, { city: piece('east') });
  });

  it('is read as the first releases saved it', async () => {
    const { checkpoints } = createFakeIngestStores();
    const old = { throughFrame: 3, tenants: { city: piece('east') } };
    await checkpoints.save('watch', old);
    assert.deepEqual((await loadSnapshot(checkpoints))?.snapshot, old);
  });
});
