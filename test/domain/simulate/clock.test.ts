import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { VirtualClock } from '../../../domain/simulate/clock.ts';

test('runs events at their time, in order of time', async () => {
  const clock = new VirtualClock(100);
  const seen: [string, number][] = [];
  clock.at(300, () => seen.push(['late', clock.now()]));
  clock.at(200, () => seen.push(['early', clock.now()]));
  assert.equal(await clock.run(() => seen.length === 2), true);
  assert.deepEqual(seen, [
    ['early', 200],
    ['late', 300],
  ]);
});

test('keeps the order of events of one instant', async () => {
  const clock = new VirtualClock(0);
  const seen: number[] = [];
  for (let event = 0; event < 20; event += 1) clock.at(10, () => seen.push(event));
  await clock.run(() => seen.length === 20);
  assert.deepEqual(
    seen,
    seen.map((_, index) => index),
  );
});

test('refuses to run backwards: what should have happened before happens now', async () => {
  const clock = new VirtualClock(1_000);
  const seen: number[] = [];
  clock.at(5, () => seen.push(clock.now()));
  await clock.run(() => seen.length === 1);
  assert.deepEqual(seen, [1_000]);
});

test('time never decreases, whatever is scheduled when', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({ atMs: fc.integer({ min: 0, max: 1_000 }), then: fc.integer({ min: -500, max: 500 }) }),
        {
          maxLength: 12,
        },
      ),
      async (events) => {
        const clock = new VirtualClock(0);
        const times: number[] = [];
        for (const { atMs, then } of events) {
          clock.at(atMs, () => {
            times.push(clock.now());
            clock.at(clock.now() + then, () => times.push(clock.now()));
          });
        }
        await clock.run(() => times.length === 2 * events.length);
        assert.equal(times.length, 2 * events.length);
        assert.deepEqual(
          times,
          [...times].sort((a, b) => a - b),
        );
      },
    ),
    { numRuns: 50 },
  );
});

test('wakes a waiter at its deadline, and before when the condition holds', async () => {
  const clock = new VirtualClock(0);
  let isTrue = false;
  const woken: [string, boolean, number][] = [];
  void clock.until(() => isTrue, 100).then((holds) => woken.push(['in time', holds, clock.now()]));
  void clock.until(() => false, 200).then((holds) => woken.push(['deadline', holds, clock.now()]));
  clock.at(50, () => (isTrue = true));
  await clock.run(() => woken.length === 2);
  assert.deepEqual(woken, [
    ['in time', true, 50],
    ['deadline', false, 200],
  ]);
});

test('a waiter sees each event of an instant, not only the last', async () => {
  const clock = new VirtualClock(0);
  let value = 0;
  const seen: number[] = [];
  void (async () => {
    for (let expected = 1; expected <= 3; expected += 1) {
      await clock.until(() => value >= expected, null);
      seen.push(value);
    }
  })();
  for (let event = 1; event <= 3; event += 1) clock.at(10, () => (value = event));
  await clock.run(() => seen.length === 3);
  assert.deepEqual(seen, [1, 2, 3]);
});

test('says so when nothing is left that could ever happen', async () => {
  const clock = new VirtualClock(0);
  void clock.until(() => false, null);
  assert.equal(await clock.run(() => false), false);
});
