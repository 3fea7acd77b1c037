import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Item } from '../../proto/gen/tocsin/v1/Item.ts';
import { WireClient, withKey } from '../../vendor/conformance/wire-client.ts';
import { startMockServer, VendorClient } from '../../vendor/index.ts';

const SENSOR = { sensor: 'a', site: 'tower', channel: 'methane', unit: '%LEL', low: 0, high: 100 };
const reading = (sequence: number, value = 1): Item => ({
  reading: { sensor: 'a', boot: 'b', sequence, observedAtMs: Date.now(), value },
});

/** Mulberry32. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

describe('the mock server', () => {
  it("finds nothing to complain of in the kit's client, however much trouble it makes", async () => {
    const server = await startMockServer({
      lose: 0.02,
      retryLater: 0.05,
      retryAfterMs: 20,
      delayMs: 2,
      random: seeded(11),
    });
    const client = new VendorClient({ address: server.address, key: 'k', reconnectAfterMs: 50 });
    await client.describe([SENSOR]);
    const receipts = await Promise.all(
      Array.from({ length: 300 }, (_, n) => client.publish([reading(n + 1), reading(n + 1)])),
    );
    assert.ok(receipts.every(({ accepted, duplicate }) => accepted + duplicate === 2));
    const report = server.report();
    client.close();
    await server.stop();
    assert.deepEqual(report.lost, []);
    assert.deepEqual(report.missing, []);
    assert.deepEqual(report.violations, []);
    assert.ok(report.retryLater > 0 && report.unanswered > 0, JSON.stringify(report));
  });

  it('names what a careless client lost, repeated and did against the contract', async () => {
    const server = await startMockServer({ retryLater: 1, retryAfterMs: 60_000 });
    const client = new WireClient(server.address);
    const key = withKey('k');
    await client.describe([SENSOR], key);
    assert.deepEqual(await client.once([reading(1)], key), ['RETRY_LATER']);
    await client.once([reading(1)], key);
    const hasty = server.report();
    assert.deepEqual(hasty.lost, ['a|b|1']);
    assert.deepEqual(
      hasty.violations.map(({ kind }) => kind),
      ['retry-too-early'],
    );
    client.close();
    await server.stop();

    const calm = await startMockServer();
    const careless = new WireClient(calm.address);
    await careless.describe([SENSOR], key);
    await careless.once([reading(1, NaN)], key);
    await careless.once([reading(1, NaN)], key).catch(() => undefined);
    const stream = careless.open(key);
    stream.send([reading(4)]);
    await stream.answered(1);
    stream.send([reading(4)]);
    await stream.answered(2);
    stream.send([reading(5)], { sequence: 9 });
    await stream.ended;
    const report = calm.report();
    assert.equal(report.needless, 1);
    assert.deepEqual(report.missing, [{ sensor: 'a', boot: 'b', first: 1, last: 3 }]);
    assert.ok(report.violations.some(({ kind }) => kind === 'sequence'));
    careless.close();
    await calm.stop();
  });
});
