import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Grid } from '../../../domain/clean/series.ts';
import { fitOrder } from '../../../domain/forecast/autoregression.ts';
import {
  absoluteAt,
  AdaptiveMiss,
  conformalHalfWidth,
  probabilityOfExceeding,
} from '../../../domain/forecast/conformal.ts';
import { continuePath, FORECAST_KINDS, learn } from '../../../domain/forecast/learnt.ts';
import { lstmLoss, trainLstm } from '../../../domain/forecast/lstm.ts';
import { createRandom } from '../../../domain/random.ts';

const gridOf = (values: Float64Array, everyMs = 1_800_000): Grid => ({ startMs: 0, everyMs, values });

function noisyDays(n: number, seed: number): Float64Array {
  const random = createRandom(seed);
  let rest = 0;
  return Float64Array.from({ length: n }, (_, i) => {
    rest = 0.7 * rest + 0.3 * random.normal();
    return Math.sin((2 * Math.PI * i) / 48) + rest;
  });
}

test('the AR(1) baseline finds intercept, weight and mean squared error of the process behind', () => {
  const random = createRandom(1);
  let y = 0;
  const values = Float64Array.from({ length: 20_000 }, () => (y = 2 + 0.8 * y + 0.5 * random.normal()));
  const ar = fitOrder(values, 1)!;
  assert.ok(Math.abs(ar.weights[0]! - 0.8) < 0.02);
  assert.ok(Math.abs(ar.intercept - 2) < 0.2);
  assert.ok(Math.abs(ar.meanSquaredError - 0.25) < 0.01);
});

test('gaps are left out of the fit, and nothing goes on from one', () => {
  const values = noisyDays(400, 2);
  for (let i = 50; i < 60; i++) values[i] = Number.NaN;
  const grid = gridOf(values);
  for (const kind of FORECAST_KINDS) {
    const learnt = learn(kind, grid, { steps: 4, seed: 1 })!;
    assert.equal(
      continuePath(learnt, grid, 55, new Float64Array(4)) && kind !== 'seasonal-naive',
      false,
      kind,
    );
    assert.equal(continuePath(learnt, grid, 300, new Float64Array(4)), true, kind);
  }
});

test('no kind looks beyond the origin', () => {
  const values = noisyDays(500, 3);
  const grid = gridOf(values);
  const origin = 400;
  for (const kind of FORECAST_KINDS) {
    const learnt = learn(kind, { ...grid, values: values.subarray(0, 300) }, { steps: 6, seed: 1 })!;
    const known = new Float64Array(6);
    const cut = new Float64Array(6);
    continuePath(learnt, grid, origin, known);
    continuePath(learnt, { ...grid, values: values.slice(0, origin + 1) }, origin, cut);
    assert.deepEqual(known, cut, kind);
  }
});

test("the LSTM's gradient is that of finite differences", () => {
  const grid = gridOf(noisyDays(60, 5));
  const random = createRandom(8);
  const shape = { hidden: 3, length: 6, outputs: 2 };
  const weights = Float64Array.from({ length: 4 * 3 * (4 + 3 + 1) + 2 * 4 }, () => 0.5 * random.normal());
  const lstm = { ...shape, weights };
  const gradient = new Float64Array(weights.length);
  lstmLoss(lstm, grid, 30, gradient);
  const step = 1e-5;
  for (let i = 0; i < weights.length; i++) {
    const at = (delta: number): number => {
      const moved = weights.slice();
      moved[i]! += delta;
      return lstmLoss({ ...shape, weights: moved }, grid, 30, new Float64Array(weights.length));
    };
    const difference = (at(step) - at(-step)) / (2 * step);
    assert.ok(Math.abs(difference - gradient[i]!) < 1e-6 * Math.max(1, Math.abs(difference)), `weight ${i}`);
  }
});

test('the LSTM learns what repeats, and the same seed gives the same bytes', () => {
  const values = Float64Array.from({ length: 600 }, (_, i) => Math.sin((2 * Math.PI * i) / 12));
  const grid = gridOf(values);
  const options = { outputs: 3, samples: 300, epochs: 8, seed: 4 };
  const lstm = trainLstm(grid, options)!;
  assert.deepEqual(trainLstm(grid, options)!.weights, lstm.weights);
  assert.notDeepEqual(trainLstm(grid, { ...options, seed: 5 })!.weights, lstm.weights);
  let own = 0;
  let still = 0;
  const path = new Float64Array(3);
  for (let origin = 450; origin < 590; origin++) {
    continuePath({ kind: 'lstm', lstm }, grid, origin, path);
    own += (values[origin + 3]! - path[2]!) ** 2;
    still += (values[origin + 3]! - values[origin]!) ** 2;
  }
  assert.ok(own < 0.05 * still, `${own} against ${still}`);
  assert.equal(trainLstm(gridOf(values.slice(0, 40)), options), null, 'too few values');
});

test('on exchangeable data the conformal interval holds the share it promises', () => {
  const random = createRandom(11);
  for (const miss of [0.05, 0.1, 0.3]) {
    let covered = 0;
    const trials = 3000;
    for (let i = 0; i < trials; i++) {
      const heavy = Float64Array.from({ length: 60 }, () =>
        Math.abs(random.normal() / (0.1 + random.unit())),
      );
      const truth = heavy[0]!;
      if (truth <= conformalHalfWidth(heavy.slice(1).sort(), miss)) covered++;
    }
    const share = covered / trials;
    assert.ok(share > 1 - miss - 0.02 && share < 1 - miss + 0.04, `${share} for ${1 - miss}`);
  }
  assert.equal(conformalHalfWidth(Float64Array.of(1, 2, 3), 0.1), Infinity, 'three values promise no 90 %');
});

test('a smaller miss never makes a narrower interval', () => {
  fc.assert(
    fc.property(
      fc.float64Array({ min: 0, max: 1e6, noNaN: true, minLength: 1 }),
      fc.double({ min: 0.01, max: 0.99, noNaN: true }),
      fc.double({ min: 0.01, max: 0.99, noNaN: true }),
      (residuals, a, b) => {
        const sorted = residuals.sort();
        assert.ok(conformalHalfWidth(sorted, Math.min(a, b)) >= conformalHalfWidth(sorted, Math.max(a, b)));
      },
    ),
  );
});

test('the adaptive interval wins back its coverage when errors double', () => {
  const random = createRandom(3);
  const sorted = Float64Array.from({ length: 500 }, () => Math.abs(random.normal())).sort();
  const adaptive = new AdaptiveMiss(0.2, sorted.length);
  let fixed = 0;
  let adapted = 0;
  for (let i = 0; i < 4000; i++) {
    const error = Math.abs(1.6 * random.normal());
    const holds = error <= conformalHalfWidth(sorted, adaptive.current);
    adaptive.see(holds);
    if (error <= conformalHalfWidth(sorted, 0.2)) fixed++;
    if (holds) adapted++;
  }
  assert.ok(fixed / 4000 < 0.65);
  assert.ok(Math.abs(adapted / 4000 - 0.8) < 0.03, `${adapted / 4000}`);
});

test('the probability of exceeding falls with the level, rises with the time, and is never 0 or 1', () => {
  const random = createRandom(6);
  const residuals = { steps: 5, values: Float64Array.from({ length: 500 }, () => random.normal()) };
  assert.equal(absoluteAt(residuals, 5).length, 100);
  const path = Float64Array.of(0, 0.2, 0.4, 0.6, 0.8);
  fc.assert(
    fc.property(
      fc.double({ min: -5, max: 5, noNaN: true }),
      fc.integer({ min: 1, max: 4 }),
      (level, within) => {
        const p = probabilityOfExceeding(path, residuals, level, within);
        assert.ok(p > 0 && p < 1);
        assert.ok(probabilityOfExceeding(path, residuals, level + 0.5, within) <= p);
        assert.ok(probabilityOfExceeding(path, residuals, level, within + 1) >= p);
      },
    ),
  );
});
