import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  classicStaLta,
  createRecursiveStaLta,
  recursiveStaLta,
  triggerOnsets,
} from '../../../../domain/detect/seismic/sta-lta.ts';
import { createRandom } from '../../../../domain/random.ts';

const noise = (n: number, seed = 1): Float64Array => {
  const random = createRandom(seed);
  return Float64Array.from({ length: n }, () => random.normal());
};

test('the recursive ratio agrees with its definition written out as weighted sums', () => {
  const samples = noise(400);
  const average = (end: number, length: number): number => {
    let sum = 0;
    for (let i = 1; i <= end; i++) sum += samples[i]! ** 2 * (1 / length) * (1 - 1 / length) ** (end - i);
    return sum;
  };
  const ratio = recursiveStaLta(samples, { sta: 5, lta: 50 });
  for (const [i, value] of ratio.entries()) {
    const plain = i < 50 ? 0 : average(i, 5) / average(i, 50);
    assert.ok(Math.abs(value - plain) <= 1e-8, `sample ${i}: ${value} and ${plain}`);
  }
});

test('the classic ratio agrees with means taken window by window', () => {
  const samples = noise(200);
  const mean = (end: number, length: number): number =>
    samples.slice(end - length, end).reduce((sum, x) => sum + x * x, 0) / length;
  const ratio = classicStaLta(samples, { sta: 7, lta: 40 });
  for (const [i, value] of ratio.entries()) {
    const plain = i < 39 ? 0 : mean(i + 1, 7) / mean(i + 1, 40);
    assert.ok(Math.abs(value - plain) <= 1e-9, `sample ${i}: ${value} and ${plain}`);
  }
});

test('a ratio taken up from a saved state goes on as if it had never stopped', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 299 }), fc.integer(), (cut, seed) => {
      const samples = noise(300, seed);
      const whole = recursiveStaLta(samples, { sta: 3, lta: 30 });
      const first = createRecursiveStaLta({ sta: 3, lta: 30 });
      for (const x of samples.subarray(0, cut)) first.push(x);
      const second = createRecursiveStaLta({ sta: 3, lta: 30 });
      second.restore(first.save());
      assert.deepEqual(
        Array.from(samples.subarray(cut), (x) => second.push(x)),
        [...whole.subarray(cut)],
      );
    }),
    { numRuns: 30 },
  );
});

test('a silent channel has a finite ratio', () => {
  assert.ok(recursiveStaLta(new Float64Array(100), { sta: 2, lta: 10 }).every(Number.isFinite));
  assert.ok(classicStaLta(new Float64Array(100), { sta: 2, lta: 10 }).every(Number.isFinite));
});

test('windows that make no sense are refused', () => {
  for (const windows of [
    { sta: 0, lta: 10 },
    { sta: 10, lta: 10 },
    { sta: Number.NaN, lta: 10 },
  ]) {
    assert.throws(() => recursiveStaLta([1, 2, 3], windows), RangeError);
  }
});

test('a trigger begins above one threshold and ends before it falls to the other', () => {
  const ratio = [0, 1, 3, 2.5, 1.5, 1.2, 0.9, 3, 0.5, 4];
  assert.deepEqual(triggerOnsets(ratio, { on: 2, off: 1 }), [
    { on: 2, off: 5 },
    { on: 7, off: 7 },
    { on: 9, off: 9 },
  ]);
});

test('a trigger that is too long is cut, or dropped where that was asked for', () => {
  const ratio = [0, 3, 3, 3, 3, 3, 0, 3, 0];
  assert.deepEqual(triggerOnsets(ratio, { on: 2, off: 1, maxSamples: 2 }), [
    { on: 1, off: 3 },
    { on: 7, off: 7 },
  ]);
  assert.deepEqual(triggerOnsets(ratio, { on: 2, off: 1, maxSamples: 2, dropLong: true }), [
    { on: 7, off: 7 },
  ]);
});

test('eight triggers are found in four runs of a sine, as ObsPy finds them', () => {
  const run = Array.from({ length: 158 }, (_, i) => Math.sin(i / 10));
  const ratio = [1, 2.1, 0.4, 1].flatMap((offset) => run.map((x) => x + offset));
  const onsets = triggerOnsets(ratio, { on: 1.5, off: 1, maxSamples: 50 });
  assert.deepEqual(
    onsets.map(({ on, off }) => [on, off]),
    [
      [6, 31],
      [69, 94],
      [131, 181],
      [215, 265],
      [278, 315],
      [480, 505],
      [543, 568],
      [605, 631],
    ],
  );
});
