import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createDeviceClock } from '../../../../domain/detect/seismic/clock.ts';
import { createRandom } from '../../../../domain/random.ts';

/** Packets a second apart that take 0.15 s at best, some of them far longer. */
function watch(errorSeconds: number, packets = 100, seed = 1) {
  const clock = createDeviceClock();
  const random = createRandom(seed);
  let worst = 0;
  for (let i = 0; i < packets; i++) {
    const taken = 1_000 + i;
    const delay = 0.15 + 0.2 * random.unit() + (random.unit() < 0.1 ? 3 : 0);
    clock.observe(taken + errorSeconds, taken + delay);
    if (i >= 10)
      worst = Math.max(worst, Math.abs(clock.trueTime(taken + errorSeconds, taken + delay) - taken));
  }
  return { ...clock.estimate(), worst };
}

test('a clock that is right is believed, however late some packets are', () => {
  const { believed, reason, worst } = watch(0);
  assert.equal(believed, true);
  assert.equal(reason, null);
  assert.equal(worst, 0);
});

test('a clock that is wrong is not believed and its packets are timed by their arrival to a third of a second', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.double({ min: 3, max: 5_000, noNaN: true }),
        fc.double({ min: -5_000, max: -3, noNaN: true }),
      ),
      fc.integer(),
      (errorSeconds, seed) => {
        const { believed, worst } = watch(errorSeconds, 60, seed);
        assert.equal(believed, false);
        assert.ok(worst < 0.35, `off by ${worst} s with an error of ${errorSeconds} s`);
      },
    ),
    { numRuns: 40 },
  );
});

test('the reason says which way the clock is wrong', () => {
  assert.match(watch(200).reason!, /ahead/);
  assert.match(watch(-200).reason!, /behind/);
});

test('a clock that is set while it is watched is not believed, and is followed', () => {
  for (const step of [-600, 600]) {
    const clock = createDeviceClock();
    for (let i = 0; i < 60; i++) clock.observe(1_000 + i, 1_000.2 + i);
    assert.equal(clock.estimate().believed, true);
    for (let i = 60; i < 80; i++) clock.observe(1_000 + i + step, 1_000.2 + i);
    assert.equal(clock.estimate().believed, false);
    assert.ok(Math.abs(clock.trueTime(1_080 + step, 1_080.2) - 1_080) < 0.3, `after a step of ${step} s`);
  }
});

test('a clock that nobody has heard is not believed', () => {
  const { believed, reason } = createDeviceClock().estimate();
  assert.equal(believed, false);
  assert.match(reason!, /no packet/);
});
