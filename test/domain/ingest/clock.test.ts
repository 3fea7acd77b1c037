import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ClockEstimator } from '../../../domain/ingest/clock.ts';
import { createRandom } from '../../../domain/random.ts';

const T0 = Date.UTC(2026, 0, 1);

/** Messages of a device whose clock is off, through a gateway with a clock of its own, over a way with delays. */
function heard(options: {
  readonly messages: number;
  readonly deviceMs?: number;
  readonly gatewayMs?: number;
  readonly says?: boolean;
  readonly seed?: number;
}): ClockEstimator {
  const { messages, deviceMs = 0, gatewayMs = 0, says = true, seed = 7 } = options;
  const random = createRandom(seed);
  const clock = new ClockEstimator();
  for (let n = 0; n < messages; n++) {
    const observed = T0 + n * 5_000;
    const sent = observed + 20 + random.unit() * 400;
    // Now and then the way takes half a minute.
    const received = sent + 15 + random.unit() ** 4 * 900 + (n % 17 === 3 ? 30_000 : 0);
    clock.take(observed + deviceMs, says ? sent + gatewayMs : undefined, received);
  }
  return clock;
}

describe("the estimate of a device's clock", () => {
  it('finds how far device and gateway are off together, within the shortest way', () => {
    for (const offMs of [-240_000, -3_000, 0, 4_000, 90_000]) {
      const clock = heard({ messages: 300, deviceMs: offMs, gatewayMs: offMs });
      const { offsetMs, spreadMs, messages } = clock.estimate()!;
      assert.ok(Math.abs(offsetMs - offMs) < 100, `${offsetMs} for ${offMs}`);
      assert.ok(spreadMs < 100, `scatters by ${spreadMs}`);
      assert.equal(messages, 300);
      assert.ok(Math.abs(clock.correction('network') - offMs) < 100);
    }
  });

  it('sees a device that is ahead of its gateway, and one that is ahead without a word of when it was sent', () => {
    for (const says of [true, false]) {
      const clock = heard({ messages: 300, deviceMs: 20_000, says });
      assert.ok(Math.abs(clock.correction('free') - 20_000) < 200);
    }
  });

  it('leaves alone what delays explain, and what is too little to matter', () => {
    for (const gatewayMs of [-700, 0, 300]) {
      assert.equal(heard({ messages: 300, deviceMs: gatewayMs, gatewayMs }).correction('network'), 0);
    }
    assert.equal(heard({ messages: 300, deviceMs: -50_000, says: false }).correction('network'), 0);
  });

  it('waits for some messages before it moves anything', () => {
    assert.equal(new ClockEstimator().estimate(), null);
    assert.equal(heard({ messages: 7, deviceMs: 90_000 }).correction(undefined), 0);
    assert.notEqual(heard({ messages: 8, deviceMs: 90_000 }).correction(undefined), 0);
  });

  it('believes a satellite clock, unless it is ahead of us', () => {
    assert.equal(heard({ messages: 99, deviceMs: -9_000, gatewayMs: -9_000 }).correction('satellite'), 0);
    assert.ok(heard({ messages: 99, deviceMs: 9_000, gatewayMs: 9_000 }).correction('satellite') > 8_000);
  });

  it('is not moved by a single absurd time', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1e12, max: 1e12 }), fc.integer({ min: 0, max: 99 }), (absurd, seed) => {
        const clock = heard({ messages: 200, deviceMs: 6_000, gatewayMs: 6_000, seed });
        clock.take(T0 + absurd, T0 + absurd, T0);
        assert.ok(Math.abs(clock.correction('network') - 6_000) < 100);
      }),
    );
  });

  it('goes on from its state as if it had never stopped', () => {
    const whole = heard({ messages: 100, deviceMs: 5_000, gatewayMs: 5_000 });
    const again = new ClockEstimator(
      JSON.parse(JSON.stringify(whole.state())) as ReturnType<typeof whole.state>,
    );
    for (const clock of [whole, again]) {
      for (let n = 0; n < 50; n++) clock.take(n, n + 1, n + 7 * (n % 3));
    }
    assert.deepEqual(again.estimate(), whole.estimate());
  });
});
