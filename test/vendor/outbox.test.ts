import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, it } from 'node:test';
import type { TestContext } from 'node:test';
import { createFakeIngestStores } from '../../models/fake-inbox.ts';
import { createFakeStores } from '../../models/fake-stores.ts';
import { readFrame } from '../../api/ingest/frame.ts';
import type { IngestStores } from '../../domain/ports-ingest.ts';
import { Batcher, Outbox, packReadings, VendorClient } from '../../vendor/index.ts';
import type { Receipt } from '../../vendor/index.ts';
import { fillStores, openDoor, reading, VENDOR_KEY } from '../support/door.ts';

async function archived(ingest: IngestStores): Promise<number[]> {
  const all: number[] = [];
  for (let seq = 1; ; seq++) {
    const frame = await ingest.frames.read(seq);
    if (frame === null) return all.sort((a, b) => a - b);
    for (const block of readFrame(frame.bytes)) {
      if (block.kind === 'readings') all.push(...Array.from(block.values, (_, n) => block.firstSequence + n));
    }
  }
}

function directory(t: TestContext): string {
  const made = fs.mkdtempSync(path.join(os.tmpdir(), 'tocsin-outbox-'));
  t.after(() => fs.rmSync(made, { recursive: true, force: true }));
  return made;
}

const upTo = (n: number): number[] => Array.from({ length: n }, (_, index) => index + 1);

describe('the outbox', () => {
  it('carries everything through an outage and a restart of the sender, once', async (t) => {
    const at = directory(t);
    const stores = createFakeStores();
    await fillStores(stores);
    const ingest = createFakeIngestStores();
    const nobody = new VendorClient({ address: '127.0.0.1:1', key: VENDOR_KEY, reconnectAfterMs: 10 });
    const before = await Outbox.open({ client: nobody, directory: at });
    for (let n = 1; n <= 300; n += 3) await before.put([reading(n), reading(n + 1), reading(n + 2)]);
    assert.equal(before.state.waiting, 100);
    await assert.rejects(Outbox.open({ client: nobody, directory: at }), /has the spool/);
    await before.close();
    nobody.close();

    const door = await openDoor({ stores, ingest });
    const client = new VendorClient({ address: door.address, key: VENDOR_KEY });
    const receipts: Receipt[] = [];
    const outbox = await Outbox.open({ client, directory: at, onReceipt: (one) => receipts.push(one) });
    await outbox.put([reading(301), reading(302, { value: NaN })]);
    await outbox.drained();
    assert.deepEqual(await archived(ingest), upTo(301));
    const { waiting, accepted, duplicate, quarantined } = outbox.state;
    assert.deepEqual([waiting, accepted, duplicate, quarantined], [0, 301, 0, 1]);
    assert.equal(receipts.flatMap(({ refusals }) => refusals)[0]?.reason, 'NOT_FINITE');
    await outbox.close();

    const idle = await Outbox.open({ client, directory: at });
    await idle.drained();
    assert.equal(idle.state.accepted + idle.state.duplicate, 0);
    await idle.close();
    client.close();
    await door.stop();
  });

  it('stops where no repetition helps, says why, and keeps everything', async (t) => {
    const at = directory(t);
    const door = await openDoor();
    const stranger = new VendorClient({ address: door.address, key: 'unknown' });
    let told: Error | null = null;
    const outbox = await Outbox.open({
      client: stranger,
      directory: at,
      onStopped: (error) => (told = error),
    });
    await outbox.put([reading(1)]);
    await assert.rejects(outbox.drained(), /UNAUTHENTICATED/);
    assert.match(String(told), /UNAUTHENTICATED/);
    assert.equal(outbox.state.waiting, 1);
    await outbox.close();
    stranger.close();
    const client = new VendorClient({ address: door.address, key: VENDOR_KEY });
    const again = await Outbox.open({ client, directory: at });
    await again.drained();
    assert.deepEqual(await archived(door.ingest), [1]);
    await again.close();
    client.close();
    await door.stop();
  });

  it('refuses what fits into no message', async (t) => {
    const client = new VendorClient({ address: '127.0.0.1:1', key: VENDOR_KEY });
    const outbox = await Outbox.open({ client, directory: directory(t) });
    await assert.rejects(outbox.put(upTo(1_001).map((n) => reading(n))), /At most 1000 items/);
    await assert.rejects(
      outbox.put([{ bulletin: { source: 's', id: 'x'.repeat(300_000), type: 't' } }]),
      /bytes at once/,
    );
    await outbox.close();
    client.close();
  });
});

describe('the batcher', () => {
  it('sends single items together, and answers each', async () => {
    const door = await openDoor();
    const client = new VendorClient({ address: door.address, key: VENDOR_KEY });
    const sizes: number[] = [];
    const counting = {
      publishEncoded: (items: readonly Uint8Array[], readings: number) => {
        sizes.push(items.length);
        return client.publishEncoded(items, readings);
      },
    };
    const batcher = new Batcher({ client: counting, itemsAtMost: 40 });
    const answers = await Promise.all([
      ...upTo(100).map((n) => batcher.send(reading(n))),
      batcher.send(reading(5)),
      batcher.send(reading(200, { value: 1e9 })),
    ]);
    assert.deepEqual(sizes, [40, 40, 22]);
    assert.ok(answers.slice(0, 100).every(({ disposition }) => disposition === 'accepted'));
    assert.deepEqual(
      answers.slice(100).map(({ disposition, reason }) => [disposition, reason]),
      [
        ['duplicate', ''],
        ['quarantined', 'RANGE'],
      ],
    );
    client.close();
    await door.stop();
  });

  it('packs readings into columns without changing who they are', async () => {
    const door = await openDoor();
    const client = new VendorClient({ address: door.address, key: VENDOR_KEY });
    const atMs = Date.now() - 60_000;
    const readings = upTo(50).flatMap((n) =>
      ['a', 'b'].map((sensor) => ({ sensor, boot: 'p', sequence: n, observedAtMs: atMs + n * 10, value: n })),
    );
    const packed = packReadings(readings);
    assert.equal(packed.length, 2);
    assert.equal((await client.publish(packed)).accepted, 2);
    const singly = await client.publish(readings.map((one) => ({ reading: one })));
    assert.deepEqual([singly.accepted, singly.duplicate], [0, 100]);
    const gapped = packReadings([
      { sensor: 'a', boot: 'q', sequence: 1, observedAtMs: 5, value: 1 },
      { sensor: 'a', boot: 'q', sequence: 3, observedAtMs: 6, value: 1 },
      { sensor: 'a', boot: 'q', sequence: 4, observedAtMs: 4, value: 1 },
    ]);
    assert.deepEqual(
      gapped.map((item) => item.reading?.sequence),
      [1, 3, 4],
    );
    client.close();
    await door.stop();
  });
});
