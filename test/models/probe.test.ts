import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { TocsinError } from '../../domain/errors.ts';
import { connectStore } from '../../models/connect.ts';
import { probeStore } from '../../models/probe.ts';
import { breakWritesOf, startEmbeddedStore } from '../support/store.ts';

const store = await startEmbeddedStore();
after(() => store.stop());

test('the probe finds the embedded store usable, names its backend and leaves nothing behind', async () => {
  const connection = await store.connect();
  const found = await probeStore(connection);
  assert.equal(found.usable, true);
  assert.deepEqual(found.insertRace, { contenders: 20, winners: 1 });
  assert.match(found.backend.kind, /^(ferretdb|mongodb)$/);
  assert.match(found.backend.version, /^\d+\.\d+/);
  assert.ok(found.compareAndSet.winners >= 1);
  assert.ok(found.increment.result >= 1 && found.increment.result <= found.increment.calls);
  assert.ok(Math.abs(found.clockAheadMs) < 5_000);
  assert.ok(found.reads.exactMs > 0 && found.reads.rangeMs > 0);
  assert.deepEqual(found.skipped, []);
  assert.ok(found.elapsedMs < 3_000, `${found.elapsedMs} ms`);
  assert.deepEqual(await connection.listCollections(), []);
});

test('the probe knows which backend refuses what a plan may hold', async () => {
  const found = await probeStore(await store.connect());
  const expected =
    found.backend.kind === 'ferretdb' ? ['NaN', 'nested array', 'dotted key', 'dollar key'] : [];
  assert.deepEqual(found.refuses, expected);
});

test('out of time, the probe says what it did not try', async () => {
  const found = await probeStore(await store.connect(), { limitMs: 0 });
  assert.equal(found.usable, true);
  assert.deepEqual(found.skipped, ['compare-and-set', 'increment', 'values', 'transactions', 'reads']);
});

test(
  'a probe whose connection breaks while it is written to fails in time',
  { timeout: 20_000 },
  async () => {
    const { connection, close } = await connectStore(store.uri, {
      dbName: 'broken',
      serverSelectionTimeoutMs: 500,
      answerTimeoutMs: 500,
    });
    const line = breakWritesOf('contender');
    const startMs = performance.now();
    try {
      await assert.rejects(
        probeStore(connection),
        (error) => error instanceof TocsinError && error.code === 'STORE_UNAVAILABLE' && error.retryable,
      );
    } finally {
      line.mend();
    }
    assert.ok(performance.now() - startMs < 5_000);
    assert.ok(line.broken() > 0);
    await close();
  },
);
