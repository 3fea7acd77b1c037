import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createFakeIngestStores } from '../../models/fake-inbox.ts';
import { createFakeStores } from '../../models/fake-stores.ts';
import { readFrame } from '../../api/ingest/frame.ts';
import type { IngestStores } from '../../domain/ports-ingest.ts';
import { VendorClient } from '../../vendor/client.ts';
import { bulletin, fillStores, openDoor, reading, VENDOR_KEY } from '../support/door.ts';

const numbers = async (ingest: IngestStores): Promise<number[]> => {
  const all: number[] = [];
  for (let seq = 1; ; seq++) {
    const frame = await ingest.frames.read(seq);
    if (frame === null) return all.sort((a, b) => a - b);
    for (const block of readFrame(frame.bytes)) {
      if (block.kind === 'readings') all.push(...Array.from(block.values, (_, n) => block.firstSequence + n));
    }
  }
};

describe("a vendor's client", () => {
  it('gets a receipt for each message once it is stored', async () => {
    const door = await openDoor();
    const client = new VendorClient({ address: door.address, key: VENDOR_KEY });
    const receipts = await Promise.all([
      client.publish([reading(1), reading(2), bulletin('b')]),
      client.publish([reading(2), reading(3, { value: NaN }), reading(5)]),
      client.publish([]),
    ]);
    assert.deepEqual(
      receipts.map(({ accepted, duplicate, quarantined }) => [accepted, duplicate, quarantined]),
      [
        [3, 0, 0],
        [1, 1, 1],
        [0, 0, 0],
      ],
    );
    const [refusal] = receipts[1].refusals;
    assert.deepEqual([refusal!.firstItem, refusal!.reason], [1, 'NOT_FINITE']);
    assert.deepEqual(receipts[1].gaps, [{ sensor: 'a', boot: 'b1', firstSequence: 3, lastSequence: 4 }]);
    assert.ok(receipts[0].archivedThrough >= 1);
    assert.equal(
      await client.describe([{ sensor: 'x', site: 'tower', channel: 'wind', unit: 'm/s', low: 0, high: 9 }]),
      1,
    );
    client.close();
    await door.stop();
  });

  it('sends what was not acknowledged again when the server comes back, and nothing is stored twice', async () => {
    const stores = createFakeStores();
    await fillStores(stores);
    const ingest = createFakeIngestStores();
    let door = await openDoor({ stores, ingest });
    const port = Number(door.address.split(':')[1]);
    let reconnections = 0;
    const client = new VendorClient({
      address: door.address,
      key: VENDOR_KEY,
      reconnectAfterMs: 20,
      random: () => 0.5,
      onReconnect: () => void reconnections++,
    });
    const count = 2_000;
    const receipts = Array.from({ length: count }, (_, n) => client.publish([reading(n + 1)]));
    await receipts[100];
    await door.stop();
    await new Promise((resolve) => setTimeout(resolve, 100));
    door = await openDoor({ stores, ingest, port });
    const all = await Promise.all(receipts);
    assert.equal(all.filter(({ accepted, duplicate }) => accepted + duplicate === 1).length, count);
    assert.ok(reconnections > 0);
    assert.deepEqual(
      await numbers(ingest),
      Array.from({ length: count }, (_, n) => n + 1),
    );
    client.close();
    await door.stop();
  });

  it('comes back by itself after a stream that the server ended for its silence', async () => {
    const door = await openDoor({ limits: { silentStreamAfterMs: 60 } });
    const client = new VendorClient({ address: door.address, key: VENDOR_KEY });
    for (let n = 1; n <= 3; n++) {
      assert.equal((await client.publish([reading(n)])).accepted, 1);
      await new Promise((resolve) => setTimeout(resolve, 150));
    }
    client.close();
    await door.stop();
  });

  it('sends again what the server had no time for', async () => {
    const inner = createFakeIngestStores();
    let open = (): void => {};
    const gate = new Promise<void>((resolve) => (open = resolve));
    const frames = {
      ...inner.frames,
      append: async (batch: Parameters<typeof inner.frames.append>[0]) =>
        gate.then(() => inner.frames.append(batch)),
    };
    const door = await openDoor({
      ingest: { ...inner, frames },
      limits: { pendingBytesAtMost: 100, retryAfterMs: 10 },
    });
    const client = new VendorClient({ address: door.address, key: VENDOR_KEY });
    const receipts = [1, 2, 3].map((n) => client.publish([reading(n)]));
    await new Promise((resolve) => setTimeout(resolve, 100));
    open();
    assert.deepEqual(
      (await Promise.all(receipts)).map(({ accepted }) => accepted),
      [1, 1, 1],
    );
    client.close();
    await door.stop();
  });

  it('gives up at once where trying again cannot help', async () => {
    const door = await openDoor();
    const stranger = new VendorClient({ address: door.address, key: 'unknown' });
    await assert.rejects(stranger.publish([reading(1)]), /UNAUTHENTICATED/);
    await assert.rejects(stranger.describe([]), /UNAUTHENTICATED/);
    stranger.close();
    const client = new VendorClient({ address: door.address, key: VENDOR_KEY });
    await assert.rejects(
      client.publish([bulletin('x', { fields: { place: { text: 'x'.repeat(300_000) } } })]),
      /larger than max/,
    );
    assert.equal((await client.publish([reading(1)])).accepted, 1);
    client.close();
    await assert.rejects(client.publish([reading(2)]), /closed/);
    await door.stop();
  });

  it('rejects what is unanswered when it is closed', async () => {
    const client = new VendorClient({ address: '127.0.0.1:1', key: VENDOR_KEY, reconnectAfterMs: 10 });
    const receipt = client.publish([reading(1)]);
    setTimeout(() => client.close(), 50);
    await assert.rejects(receipt, /closed before the answer/);
  });
});
