import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseRecipe } from '../../../domain/clean/recipe.ts';
import type { Series } from '../../../domain/clean/series.ts';
import { applySteps, denormalise, fitSteps } from '../../../domain/clean/steps.ts';
import { denoiseBlock } from '../../../domain/clean/wavelet.ts';
import { createRandom } from '../../../domain/random.ts';

const series = (values: readonly number[], everyMs = 60_000): Series => ({
  timesMs: Float64Array.from(values, (_, i) => i * everyMs),
  values: Float64Array.from(values),
});

const measured = fc
  .array(
    fc.oneof(
      { weight: 9, arbitrary: fc.double({ min: -1e3, max: 1e3, noNaN: true }) },
      fc.constant(Number.NaN),
    ),
    {
      minLength: 1,
      maxLength: 60,
    },
  )
  .map((values) => series(values));

const STEPS = [
  'range:-50..50',
  'unit:2:3:kPa',
  'outliers:7:3',
  'fill:3',
  'median:5',
  'haar:8',
  'db4:8',
  'range:-500..500,outliers:5:2,fill:4,db4:8',
];

test('what a step makes of a value never depends on later values: training and serving cannot differ', () => {
  fc.assert(
    fc.property(measured, fc.constantFrom(...STEPS), fc.nat(), (whole, text, cut) => {
      const steps = parseRecipe(text);
      const n = 1 + (cut % whole.values.length);
      const early = { timesMs: whole.timesMs.slice(0, n), values: whole.values.slice(0, n) };
      assert.deepEqual(applySteps(steps, early).values, applySteps(steps, whole).values.slice(0, n));
    }),
  );
});

test('range, filling, outliers of a cleaned constant, and resampling at the same step change nothing the second time', () => {
  fc.assert(
    fc.property(measured, fc.constantFrom('range:-50..50', 'resample:60', 'resample:300'), (whole, text) => {
      const steps = parseRecipe(text);
      const once = applySteps(steps, whole);
      assert.deepEqual(applySteps(steps, once), once);
    }),
  );
  const once = applySteps(parseRecipe('fill:100'), series([1, NaN, NaN, 4, NaN]));
  assert.deepEqual([...once.values], [1, 1, 1, 4, 4]);
  assert.deepEqual(applySteps(parseRecipe('fill:100'), once), once);
});

test('steps do what their names say', () => {
  const cleaned = (text: string, values: readonly number[]): number[] => [
    ...applySteps(parseRecipe(text), series(values)).values,
  ];
  assert.deepEqual(cleaned('range:0..10', [-1, 5, 11, NaN]), [NaN, 5, NaN, NaN]);
  assert.deepEqual(cleaned('unit:1.8:32:degF', [0, 100]), [32, 212]);
  assert.deepEqual(cleaned('fill:1', [1, NaN, NaN, 2]), [1, 1, NaN, 2]);
  assert.deepEqual(cleaned('median:3', [1, 9, 1, 1]), [1, 9, 1, 1]);
  assert.deepEqual(cleaned('resample:120', [1, 3, NaN, 5, NaN, NaN]), [2, 5, NaN]);
  const spike = [1, 1.1, 0.9, 1, 50, 1.1, 0.9];
  assert.ok(cleaned('outliers:5:3', spike)[4]! < 2, 'the spike is its median');
  assert.deepEqual(cleaned('outliers:5:3', spike).slice(5), [1.1, 0.9], 'what follows stays');
});

test('wavelets keep what is constant and lessen the error of what suits them', () => {
  const flat = new Float64Array(32).fill(7);
  for (const wavelet of ['haar', 'db4'] as const) {
    denoiseBlock(flat, wavelet).forEach((value) => assert.ok(Math.abs(value - 7) < 1e-9));
    const random = createRandom(4);
    let before = 0;
    let after = 0;
    for (let repeat = 0; repeat < 20; repeat++) {
      const truth = Float64Array.from({ length: 64 }, (_, i) =>
        wavelet === 'db4' ? 5 * Math.sin((2 * Math.PI * i) / 64) : i < 32 ? 0 : 10,
      );
      const noisy = truth.map((value) => value + random.normal());
      const clean = denoiseBlock(noisy, wavelet);
      truth.forEach((value, i) => {
        before += (noisy[i]! - value) ** 2;
        after += (clean[i]! - value) ** 2;
      });
    }
    assert.ok(after < before, `${wavelet}: ${after} against ${before}`);
  }
});

test('normalising is learnt from training data, kept as plain data and undone', () => {
  for (const method of ['standard', 'robust']) {
    const training = series([2, 4, 6, 8, 10]);
    const fitted = fitSteps(parseRecipe(`unit:10:0:mV,normalise:${method}`), training);
    assert.deepEqual(JSON.parse(JSON.stringify(fitted)), fitted);
    const [value] = applySteps(fitted, series([7])).values;
    assert.ok(Math.abs(denormalise(fitted, value!) - 70) < 1e-9);
  }
  const still = fitSteps(parseRecipe('normalise:standard'), series([5, 5, 5]));
  assert.deepEqual(
    [...applySteps(still, series([5, 6])).values],
    [0, 1],
    'a constant channel keeps its unit',
  );
  assert.throws(() => applySteps(parseRecipe('normalise:standard'), series([1])), {
    code: 'CLEAN_STEP_INVALID',
  });
  assert.throws(() => fitSteps(parseRecipe('range:0..1,normalise:robust'), series([5, 6])), {
    code: 'CLEAN_STEP_INVALID',
  });
});

test('a recipe with a mistake is refused with the step', () => {
  const mistakes = [
    'smooth:3',
    'range:5',
    'range:9..1',
    'range:a..b',
    'fill:0',
    'fill:1.5',
    'median:2',
    'haar:12',
    'outliers:7',
    'outliers:7:-1',
    'unit:0:1:x',
    'normalise:max',
    'resample:0',
    'median:5,,fill:2',
  ];
  for (const text of mistakes) {
    assert.throws(
      () => parseRecipe(text),
      (error: { code?: string; message: string }) =>
        error.code === 'CLEAN_STEP_INVALID' && /step \d/.test(error.message),
      text,
    );
  }
  assert.deepEqual(parseRecipe(' '), []);
});
