import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  calibrate,
  fitCalibration,
  fitIsotonic,
  fitSigmoid,
  isotonic,
  reliability,
  sigmoid,
} from '../../../domain/classify/calibration.ts';
import { createRandom } from '../../../domain/random.ts';

const examples = fc.array(fc.tuple(fc.float({ min: -5, max: 5, noNaN: true }), fc.boolean()), {
  minLength: 2,
  maxLength: 60,
});

describe('an isotonic curve', () => {
  it('never falls and stays between 0 and 1', () => {
    fc.assert(
      fc.property(examples, (pairs) => {
        const curve = fitIsotonic(
          pairs.map(([s]) => s),
          pairs.map(([, hit]) => hit),
        );
        const values = Array.from({ length: 121 }, (_, i) => isotonic(curve, -6 + i / 10));
        for (const [i, value] of values.entries()) {
          assert.ok(value >= 0 && value <= 1);
          assert.ok(i === 0 || value >= values[i - 1]! - 1e-12);
        }
      }),
    );
  });

  it('is the closest non-decreasing curve to the examples', () => {
    const curve = fitIsotonic([1, 2, 3, 4], [true, false, false, true]);
    assert.deepEqual(
      [1, 2, 3, 4].map((score) => isotonic(curve, score)),
      [1 / 3, 1 / 3, 1 / 3, 1],
    );
  });

  it('gives equal scores one answer', () => {
    const curve = fitIsotonic([2, 2, 2, 2], [true, false, false, false]);
    assert.equal(isotonic(curve, 2), 0.25);
  });
});

describe('a sigmoid', () => {
  it('finds the curve that the examples came from', () => {
    const random = createRandom(4);
    const scores = Array.from({ length: 20_000 }, () => 3 * random.normal());
    const hits = scores.map((score) => random.unit() < 1 / (1 + Math.exp(-1.5 * score + 0.7)));
    const { a, b } = fitSigmoid(scores, hits);
    assert.ok(Math.abs(a + 1.5) < 0.1 && Math.abs(b - 0.7) < 0.1, `a ${a}, b ${b}`);
  });

  it('is never certain of what it saw a few times', () => {
    const curve = fitSigmoid([-3, -2, 2, 3], [false, false, true, true]);
    assert.ok(sigmoid(curve, 3) < 0.95 && sigmoid(curve, -3) > 0.05);
  });
});

describe('calibrated probabilities', () => {
  it('sum to 1, whichever curves were fitted', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('platt' as const, 'isotonic' as const),
        fc.integer({ min: 0, max: 1e6 }),
        (method, seed) => {
          const random = createRandom(seed);
          const y = Array.from({ length: 50 }, (_, i) => i % 3);
          const shares = new Float64Array(150);
          for (let r = 0; r < 50; r++) {
            const raw = [random.unit(), random.unit(), random.unit()];
            const sum = raw[0]! + raw[1]! + raw[2]!;
            raw.forEach((value, k) => (shares[3 * r + k] = value / sum));
          }
          const calibration = fitCalibration(method, shares, y, 3);
          for (let r = 0; r < 50; r++) {
            const out = calibrate(calibration, shares.slice(3 * r, 3 * r + 3));
            assert.ok(Math.abs(out[0]! + out[1]! + out[2]! - 1) < 1e-9);
            assert.ok(out.every((p) => p >= 0 && p <= 1));
          }
        },
      ),
    );
  });
});

describe('the reliability of answers', () => {
  it('has no error where confidence comes true', () => {
    const right = Array.from({ length: 100 }, (_, i) => i < 75);
    assert.equal(reliability(new Array<number>(100).fill(0.75), right).expectedCalibrationError, 0);
  });

  it('shows overconfidence as the gap between what is said and what happens', () => {
    const right = Array.from({ length: 100 }, (_, i) => i < 50);
    const { expectedCalibrationError, bins } = reliability(new Array<number>(100).fill(0.95), right);
    assert.ok(Math.abs(expectedCalibrationError - 0.45) < 1e-9);
    assert.deepEqual([bins[9]!.count, bins[9]!.accuracy, bins[0]!.accuracy], [100, 0.5, null]);
  });
});
