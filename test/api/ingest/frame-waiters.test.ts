import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FrameWaiters } from '../../../api/ingest/frame-waiters.ts';

describe('those who wait for a frame', () => {
  it('go on when it has been relayed, and not before', async () => {
    const waiters = new FrameWaiters();
    const wentOn: number[] = [];
    const waiting = [3, 1, 2].map((n) => waiters.until(n, 60_000).then(() => wentOn.push(n)));
    waiters.settle(2);
    await Promise.all([waiting[1], waiting[2]]);
    assert.deepEqual(wentOn, [1, 2]);
    waiters.settle(Infinity);
    await Promise.all(waiting);
    assert.deepEqual(wentOn, [1, 2, 3]);
  });

  it('go on when their time is over, each by itself', async () => {
    const waiters = new FrameWaiters();
    const wentOn: string[] = [];
    const long = waiters.until(1, 60_000).then(() => wentOn.push('long'));
    await waiters.until(1, 1);
    assert.deepEqual(wentOn, []);
    waiters.settle(1);
    await long;
    assert.deepEqual(wentOn, ['long']);
  });
});
