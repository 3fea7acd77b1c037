import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { readForecaster, readSeries, writeForecaster } from '../../../bin/forecast/files.ts';
import { parseRecipe } from '../../../domain/clean/recipe.ts';
import type { Series } from '../../../domain/clean/series.ts';
import { decodeForecaster, encodeForecaster } from '../../../domain/forecast/artefact.ts';
import { evaluateForecaster, forecastFrom, trainForecaster } from '../../../domain/forecast/forecaster.ts';
import type { TrainForecaster } from '../../../domain/forecast/forecaster.ts';
import { createRandom } from '../../../domain/random.ts';

const folder = await mkdtemp(path.join(os.tmpdir(), 'forecast-'));
after(() => rm(folder, { recursive: true }));

const EVERY_MS = 1_800_000;

function series(n: number, next: (i: number, before: number, normal: () => number) => number): Series {
  const random = createRandom(9);
  let value = 0;
  return {
    timesMs: Float64Array.from({ length: n }, (_, i) => i * EVERY_MS),
    values: Float64Array.from({ length: n }, (_, i) => (value = next(i, value, random.normal))),
  };
}

const reverting = series(1200, (_, before, normal) => 0.6 * before + normal());
const walk = series(600, (_, before, normal) => before + normal());
const daily = series(1200, (i, _, normal) => 50 + 10 * Math.sin((2 * Math.PI * i) / 48) ** 3 + 2 * normal());

const days: Series = { timesMs: daily.timesMs.slice(0, 400), values: daily.values.slice(0, 400) };

const options: TrainForecaster = { channel: 'gas', kind: 'auto', horizonMs: 4 * EVERY_MS };

test('the simplest kind that is not beaten is chosen, and the card says why', () => {
  const walking = trainForecaster(walk, options).card;
  assert.equal(walking.kind, 'persistence');
  assert.match(walking.why, /^persistence is the simplest kind that is not beaten/);
  const quick = { ...options, among: ['persistence', 'seasonal-naive', 'ar', 'seasonal'] } as const;
  const back = trainForecaster(reverting, quick).card;
  assert.equal(back.kind, 'ar');
  assert.match(back.why, /simpler ones are beaten \(persistence, seasonal-naive\)/);
  assert.equal(trainForecaster(daily, quick).card.kind, 'seasonal');
  const skill = back.validated.find(({ kind }) => kind === 'ar')!.skill;
  assert.ok(skill > 0.2, `skill ${skill}`);
});

test('intervals hold about the share they promise on values never seen', () => {
  const half = (from: number, to: number): Series => ({
    timesMs: reverting.timesMs.slice(from, to),
    values: reverting.values.slice(from, to),
  });
  const forecaster = trainForecaster(half(0, 800), { ...options, kind: 'ar', level: 0.8 });
  const { coverage, adaptiveCoverage, skill, origins } = evaluateForecaster(forecaster, half(800, 1200));
  assert.ok(origins > 350);
  assert.ok(Math.abs(coverage - 0.8) < 0.1, `${coverage}`);
  assert.ok(Math.abs(adaptiveCoverage - 0.8) < 0.07, `${adaptiveCoverage}`);
  assert.ok(skill > 0.2);
});

test('a forecaster restored from its bytes forecasts the same, and training again gives the same bytes', () => {
  for (const kind of ['persistence', 'seasonal-naive', 'ar', 'seasonal', 'lstm'] as const) {
    const train = (): Uint8Array => encodeForecaster(trainForecaster(days, { ...options, kind, seed: 3 }));
    const bytes = train();
    assert.deepEqual(train(), bytes, kind);
    const restored = decodeForecaster(bytes);
    assert.deepEqual(encodeForecaster(restored), bytes, kind);
    const forecast = forecastFrom(restored, days);
    assert.equal(forecast.points.length, 4);
    assert.ok(forecast.points.every(({ low, value, high }) => low <= value && value <= high));
    const near = forecast.probabilityAbove(20, 2 * EVERY_MS);
    const far = forecast.probabilityAbove(70, 2 * EVERY_MS);
    assert.ok(near > 0.9 && far < 0.1, `${kind}: ${near}, ${far}`);
  }
});

test('cleaning is learnt once, kept in the artefact and done again when serving', () => {
  const spiky = { ...daily, values: daily.values.map((v, i) => (i % 97 === 50 ? 1000 : v)) };
  const clean = parseRecipe('range:0..100,fill:5,median:3');
  const { clean: fitted, bounds } = trainForecaster(spiky, { ...options, kind: 'ar', clean });
  assert.deepEqual(
    fitted.map((step) => step.do),
    ['range', 'resample', 'fill', 'denoise', 'normalise'],
  );
  assert.ok(bounds.high < 5, 'no spike is left');
});

test('an artefact that was cut or altered anywhere is refused', async () => {
  const file = path.join(folder, 'a.forecast');
  const hash = await writeForecaster(file, trainForecaster(reverting, { ...options, kind: 'ar' }));
  assert.equal((await readForecaster(file)).hash, hash);
  const bytes = await readFile(file);
  for (const at of [0, 9, 40, bytes.length >> 1, bytes.length - 1]) {
    const altered = Buffer.from(bytes);
    altered[at]! ^= 1;
    await writeFile(file, altered);
    await assert.rejects(readForecaster(file), { code: 'FORECASTER_DAMAGED' }, `byte ${at}`);
  }
  await writeFile(file, bytes.subarray(0, bytes.length - 100));
  await assert.rejects(readForecaster(file), { code: 'FORECASTER_DAMAGED' });
  const newer = Uint8Array.from(bytes.subarray(0, -32));
  newer[8] = 9;
  assert.throws(() => decodeForecaster(newer), { code: 'FORECASTER_NEWER' });
  for (const cut of [0, 10, 30, 400]) {
    assert.throws(() => decodeForecaster(bytes.subarray(0, cut)), { code: 'FORECASTER_DAMAGED' });
  }
});

test('values that cannot be forecast are refused with a reason', async () => {
  const short = { timesMs: walk.timesMs.slice(0, 30), values: walk.values.slice(0, 30) };
  assert.throws(() => trainForecaster(short, options), { code: 'FORECAST_DATA_INVALID' });
  assert.throws(
    () => trainForecaster(walk, { ...options, horizonMs: 400 * EVERY_MS }),
    /give 1 to 288 steps/,
  );
  const empty = { ...walk, values: walk.values.map(() => Number.NaN) };
  assert.throws(() => trainForecaster(empty, options), { code: 'CLEAN_STEP_INVALID' });
  const still = { ...walk, values: walk.values.map(() => 5) };
  const constant = forecastFrom(trainForecaster(still, { ...options, kind: 'ar' }), still);
  assert.ok(constant.points.every(({ value, low, high }) => value === 5 && low === 5 && high === 5));
  const forecaster = trainForecaster(walk, { ...options, kind: 'ar' });
  const gap = { ...walk, values: walk.values.map((v, i) => (i > 590 ? Number.NaN : v)) };
  assert.throws(() => forecastFrom(forecaster, gap), /a gap too long to fill/);
  const file = path.join(folder, 'x.csv');
  await writeFile(file, 'at,gas\n2020-01-01 00:00:00,1\n2020-01-01 01:00:00,x\n');
  await assert.rejects(readSeries(file, 'at', 'gas'), /x\.csv, line 3, column gas/);
  await assert.rejects(readSeries(file, 'at', 'smoke'), { code: 'TABLE_COLUMN_UNKNOWN' });
  await writeFile(file, 'at,gas\n2020-01-01 01:00:00,1\n2020-01-01 00:00:00,2\n');
  await assert.rejects(readSeries(file, 'at', 'gas'), /x\.csv, line 3, column at: a time before/);
});
