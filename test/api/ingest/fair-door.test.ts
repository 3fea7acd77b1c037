import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Registry } from 'prom-client';
import { readFrame } from '../../../api/ingest/frame.ts';
import { createFakeIngestStores } from '../../../models/fake-inbox.ts';
import { createFakeStores } from '../../../models/fake-stores.ts';
import type { PublishResponse__Output } from '../../../proto/gen/tocsin/v1/PublishResponse.ts';
import { delay, honestVendor } from '../../support/abuse.ts';
import { fillStores, openDoor, OTHER_VENDOR_KEY, withKey } from '../../support/door.ts';

describe('a vendor beside one that floods the door', () => {
  it('is acknowledged within a second, loses nothing, and the flood is told RETRY_LATER', async (t) => {
    const stores = createFakeStores();
    await fillStores(stores);
    const flooding = { vendor: 'other', tenant: 'city', site: 'tower', low: 0, high: 100, position: null };
    await stores.sites.putSensor({ ...flooding, id: 'city/other/f', channel: 'methane', unit: '%LEL' });
    const inner = createFakeIngestStores();
    // About 60,000 readings a second, one insert after the other.
    let free: Promise<unknown> = Promise.resolve();
    const append: typeof inner.frames.append = async (frames) => {
      const blocks = frames.flatMap(({ bytes }) => readFrame(bytes));
      const readings = blocks.reduce(
        (sum, block) => sum + (block.kind === 'readings' ? block.values.length : 0),
        0,
      );
      const before = free;
      free = before.then(() => delay(readings / 60));
      await free;
      return inner.frames.append(frames);
    };
    const metrics = new Registry();
    const door = await openDoor({
      stores,
      ingest: { ...inner, frames: { ...inner.frames, append } },
      metrics,
    });
    t.after(() => door.stop());

    const accepted = new Set<string>();
    let later = 0;
    const streams = Array.from({ length: 4 }, (_, n) => {
      const call = door.client.Publish(withKey(OTHER_VENDOR_KEY));
      const sent = new Map<number, string>();
      call.on('error', () => undefined);
      call.on('data', ({ results }: PublishResponse__Output) => {
        for (const { sequence, items } of results) {
          const key = sent.get(Number(sequence))!;
          if (items[0]?.disposition === 'DISPOSITION_ACCEPTED') accepted.add(key);
          if (items[0]?.disposition === 'DISPOSITION_RETRY_LATER') later += 1;
        }
      });
      return { call, sent, boot: `flood-${n}` };
    });
    let goesOn = true;
    const flood = (async () => {
      for (let sequence = 1; goesOn; sequence++) {
        for (const { call, sent, boot } of streams) {
          const first = (sequence - 1) * 10_000 + 1;
          sent.set(sequence, `${boot}#${first}`);
          const values = Array<number>(10_000).fill(1);
          const columns = {
            sensor: 'f',
            boot,
            firstSequence: first,
            firstObservedAtMs: Date.now() - 11_000,
            intervalMs: 1,
            values,
          };
          call.write({ sequence, sentAtMs: Date.now(), items: [{ columns }] });
        }
        await delay(50);
      }
    })();
    await delay(500);
    const honest = honestVendor(door, 'honest');
    await delay(3_000);
    const waits = await honest.stop();
    goesOn = false;
    await flood;
    for (const { call } of streams) call.cancel();
    while (door.server.status().pendingBytes > 0) await delay(20);

    const p99 = waits[Math.ceil(waits.length * 0.99) - 1]!;
    assert.ok(p99 <= 2_000, `${p99} ms`);
    assert.ok(waits[waits.length >> 1]! <= 1_000, `${waits[waits.length >> 1]} ms`);
    assert.ok(later > 0 && accepted.size > 0);
    const stored = new Set<string>();
    let fromHonest = 0;
    for (let seq = 1; ; seq++) {
      const frame = await inner.frames.read(seq);
      if (frame === null) break;
      for (const block of readFrame(frame.bytes)) {
        if (block.kind !== 'readings') continue;
        if (block.boot === 'honest') fromHonest += block.values.length;
        else stored.add(`${block.boot}#${block.firstSequence}`);
      }
    }
    assert.equal(fromHonest, waits.length);
    for (const key of accepted) assert.ok(stored.has(key), key);
    const text = await metrics.metrics();
    assert.match(text, /retry_later_total\{tenant="city",vendor="other",cause="share"\} [1-9]/);
    assert.match(text, /lag_seconds\{tenant="city",vendor="gasworks"\} \d/);
    assert.match(text, /blind_seconds_total\{cause="share"\} \d/);
    assert.doesNotMatch(text, /retry_later_total\{tenant="city",vendor="gasworks"/);
  });
});
