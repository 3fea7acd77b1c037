import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Registry } from 'prom-client';
import { readFrame } from '../../../api/ingest/frame.ts';
import type { IngestStores } from '../../../domain/ports-ingest.ts';
import { createRandom } from '../../../domain/random.ts';
import { createFakeIngestStores } from '../../../models/fake-inbox.ts';
import { createFakeStores } from '../../../models/fake-stores.ts';
import type { Item } from '../../../proto/gen/tocsin/v1/Item.ts';
import { bulletin, fillStores, openDoor, OTHER_TENANT_KEY, reading, VENDOR_KEY } from '../../support/door.ts';

/** 10,000 take some minutes: `TOCSIN_REPLAYS=10000`. */
const REPLAYS = Number(process.env['TOCSIN_REPLAYS'] ?? 300);
const DAY_MS = 86_400_000;

/** Rows of the archive as `tenant|what`, counted. */
async function archived(ingest: IngestStores): Promise<Map<string, number>> {
  const rows = new Map<string, number>();
  for (let seq = 1; ; seq++) {
    const frame = await ingest.frames.read(seq);
    if (frame === null) return rows;
    for (const block of readFrame(frame.bytes)) {
      const names =
        block.kind === 'readings'
          ? Array.from(block.values, (_, n) => `${block.sensor}#${block.boot}#${block.firstSequence + n}`)
          : [block.kind === 'bulletin' ? block.bulletin.id : block.sensor];
      for (const name of names) {
        const row = `${block.tenant}|${name}`;
        rows.set(row, (rows.get(row) ?? 0) + 1);
      }
    }
  }
}

describe('a captured batch', () => {
  it(`changes nothing when it is sent again, ${REPLAYS} times, on other streams, days and tenants`, async () => {
    const stores = createFakeStores();
    await fillStores(stores);
    const ingest = createFakeIngestStores();
    let nowMs = Date.now();
    let door = await openDoor({ stores, ingest, now: () => nowMs });
    const random = createRandom(11);
    const batches: Item[][] = Array.from({ length: 20 }, (_, batch) =>
      Array.from({ length: 20 }, (__, n) =>
        reading(batch * 20 + n + 1, {
          boot: `capture-${batch % 3}`,
          sensor: 'abc'[n % 3]!,
          observedAtMs: nowMs,
        }),
      ),
    );
    batches[0]!.push(bulletin('CANARY-CITY', { observedAtMs: nowMs - 1_000 }));
    for (const items of batches) await door.publishOnce(items);
    const before = await archived(ingest);
    assert.equal(before.size, 401);

    const started = nowMs;
    for (let n = 0; n < REPLAYS; n++) {
      const items = batches[random.integer(batches.length)]!;
      // Another day: within what is remembered, and after it.
      nowMs = started + Math.floor((n / REPLAYS) * 6) * DAY_MS;
      if (n === Math.floor(REPLAYS / 2)) {
        await door.stop();
        door = await openDoor({ stores, ingest, now: () => nowMs });
      }
      const toOther = random.unit() < 0.3;
      const { result } = await door.publishOnce(
        toOther ? items.filter((item) => item.bulletin === undefined) : items,
        { key: toOther ? OTHER_TENANT_KEY : VENDOR_KEY, sentAtMs: nowMs },
      );
      for (const run of result!.items) {
        assert.ok(run.disposition !== 'DISPOSITION_ACCEPTED', JSON.stringify(run));
      }
    }
    assert.deepEqual(await archived(ingest), before);
    for (const row of before.keys()) assert.ok(row.startsWith('city|'));
    await door.stop();
  });

  it('belongs to the tenant of the key, whoever was meant, and is not seen by another', async () => {
    const metrics = new Registry();
    const door = await openDoor({ metrics });
    const secret = 'CANARY-7f3a';
    const items = [
      bulletin(secret),
      reading(1, { sensor: secret }),
      reading(2, { boot: secret, unit: secret }),
    ];
    await door.publishOnce(items);
    const answer = await door.publishOnce([bulletin('own'), reading(1), reading(2, { boot: 'own' })], {
      key: OTHER_TENANT_KEY,
    });
    await door.publishOnce([bulletin(secret)], { key: OTHER_TENANT_KEY });
    // The same name under another key is another thing of another tenant.
    assert.deepEqual(
      [...(await archived(door.ingest)).keys()].sort(),
      [`city|${secret}`, 'village|own', `village|${secret}`].sort(),
    );
    const seen = [JSON.stringify(answer), await metrics.metrics(), ...door.complaints];
    for (const text of seen) assert.ok(!text.includes(secret));
    await door.stop();
  });
});
