import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bandPass, createCascade, filtered } from '../../../../domain/detect/seismic/butterworth.ts';
import type { Sections } from '../../../../domain/detect/seismic/butterworth.ts';

const RATE_HZ = 100;

/** Amplitude of a long sine behind the filter. */
function gainAt(hz: number, sections: Sections): number {
  const sine = Float64Array.from({ length: 4_000 }, (_, i) => Math.sin((2 * Math.PI * hz * i) / RATE_HZ));
  const settled = filtered(sine, sections).subarray(2_000);
  return Math.sqrt((2 * settled.reduce((sum, x) => sum + x * x, 0)) / settled.length);
}

test('a band-pass passes its band, halves the power at its corners and stops the rest', () => {
  for (const corners of [1, 2, 3, 4]) {
    const sections = bandPass({ rateHz: RATE_HZ, lowHz: 4, highHz: 12, corners });
    assert.ok(Math.abs(gainAt(7, sections) - 1) < 0.05, `corners ${corners}`);
    for (const corner of [4, 12]) {
      assert.ok(Math.abs(gainAt(corner, sections) - Math.SQRT1_2) < 0.01, `corners ${corners}, ${corner} Hz`);
    }
    const octaveBelow = gainAt(1, sections);
    assert.ok(octaveBelow < 0.5 ** corners, `corners ${corners}: ${octaveBelow} at 1 Hz`);
  }
});

test('a constant does not pass', () => {
  const out = filtered(
    new Float64Array(3_000).fill(980),
    bandPass({ rateHz: RATE_HZ, lowHz: 1, highHz: 20 }),
  );
  assert.ok(Math.abs(out.at(-1)!) < 1e-6);
});

test('a band that reaches beyond half the rate is a high-pass', () => {
  const sections = bandPass({ rateHz: RATE_HZ, lowHz: 10, highHz: 80, corners: 3 });
  assert.ok(Math.abs(gainAt(40, sections) - 1) < 0.01);
  assert.ok(Math.abs(gainAt(10, sections) - Math.SQRT1_2) < 0.01);
  assert.ok(gainAt(2, sections) < 0.02);
});

test('a filter taken up from a saved state goes on as if it had never stopped', () => {
  const sections = bandPass({ rateHz: RATE_HZ, lowHz: 2, highHz: 30 });
  const samples = Float64Array.from({ length: 200 }, (_, i) => Math.sin(i * i));
  const whole = filtered(samples, sections);
  const first = createCascade(sections);
  for (const x of samples.subarray(0, 77)) first.push(x);
  const second = createCascade(sections);
  second.restore(first.save());
  assert.deepEqual(Float64Array.from(samples.subarray(77), second.push), whole.subarray(77));
});

test('a band that makes no sense is refused', () => {
  for (const band of [
    { lowHz: 0, highHz: 10 },
    { lowHz: 10, highHz: 5 },
    { lowHz: 60, highHz: 70 },
  ]) {
    assert.throws(() => bandPass({ rateHz: RATE_HZ, ...band }), RangeError);
  }
});
