import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { AR_AIC_FOR_LOCAL_EARTHQUAKES, burg, pickArAic } from '../../../../domain/detect/seismic/ar-aic.ts';
import { pickBaer } from '../../../../domain/detect/seismic/baer.ts';
import { createOnlinePicker } from '../../../../domain/detect/seismic/online-pick.ts';
import { candidatesOf } from '../../../../domain/detect/seismic/p-candidates.ts';
import { pickP } from '../../../../domain/detect/seismic/p-pick.ts';
import { likelihoods, trainRanking } from '../../../../domain/detect/seismic/rank.ts';
import { RANKING } from '../../../../domain/detect/seismic/ranking.ts';
import { createRandom } from '../../../../domain/random.ts';

const TRACES = '../shared/data/seismic-traces';
const skip = fs.existsSync(TRACES) ? false : `${TRACES} is absent`;
const column = (text: string): Float32Array => Float32Array.from(text.trim().split(/\s+/), Number);

const RATE_HZ = 100;
const AR = { rateHz: 200, ...AR_AIC_FOR_LOCAL_EARTHQUAKES };

/** Noise, a P wave mostly up and down, and a greater S wave mostly sideways. */
function earthquake({
  p,
  s,
  seed = 1,
  seconds = 40,
}: {
  p: number;
  s: number;
  seed?: number;
  seconds?: number;
}) {
  const random = createRandom(seed);
  const wave = (onset: number, hz: number, i: number): number => {
    const t = i / RATE_HZ - onset;
    return t < 0 ? 0 : Math.exp(-t / 4) * Math.sin(2 * Math.PI * hz * t + 3 * Math.sin(9 * t));
  };
  const component = (pShare: number, sShare: number): Float64Array =>
    Float64Array.from(
      { length: seconds * RATE_HZ },
      (_, i) => random.normal() + 20 * pShare * wave(p, 9, i) + 60 * sShare * wave(s, 4, i),
    );
  return { vertical: component(1, 0.4), horizontals: [component(0.4, 1), component(0.3, 0.9)] };
}

test("Baer and Kradolfer's picker finds the arrival that ObsPy finds", { skip }, () => {
  const trace = column(gunzipSync(fs.readFileSync(`${TRACES}/manz_waldk.a01.gz`)).toString());
  const pick = pickBaer(trace, {
    rateHz: 200,
    downSamples: 20,
    upSamples: 60,
    trigger: 7,
    update: 12,
    presetSamples: 100,
  });
  // ObsPy counts from 1: 17545.
  assert.deepEqual(pick, { sample: 17_544, firstMotion: 'up' });
});

test("Akazawa's picker finds P and S where ObsPy finds them, at any amplitude", { skip }, () => {
  const [vertical, north, east] = ['z', 'n', 'e'].map((name) =>
    column(fs.readFileSync(`${TRACES}/loc_RJOB20050801145719850.${name}`, 'utf8')),
  ) as [Float32Array, Float32Array, Float32Array];
  for (const scale of [1, 1e-6]) {
    const scaled = [vertical, north, east].map((trace) => Float64Array.from(trace, (x) => x * scale));
    const { pSeconds, sSeconds } = pickArAic(
      { vertical: scaled[0]!, north: scaled[1]!, east: scaled[2]! },
      AR,
    );
    assert.ok(Math.abs(pSeconds! - 30.635) <= 1e-5, `P at ${pSeconds}`);
    assert.ok(Math.abs(sSeconds! - 31.165) <= 1e-5, `S at ${sSeconds}`);
  }
});

test("Akazawa's picker refuses components of different length and finds nothing in silence", () => {
  const trace = new Float64Array(1_000);
  assert.throws(
    () => pickArAic({ vertical: trace, north: trace, east: trace.subarray(1) }, AR),
    /equal length/,
  );
  assert.deepEqual(pickArAic({ vertical: trace, north: trace, east: trace }, AR), {
    pSeconds: null,
    sSeconds: null,
  });
});

test("Burg's method recovers the coefficients of an autoregression", () => {
  const random = createRandom(3);
  const samples = new Float64Array(20_000);
  for (let i = 2; i < samples.length; i++) {
    samples[i] = 1.3 * samples[i - 1]! - 0.6 * samples[i - 2]! + random.normal();
  }
  const [first, second] = burg(samples, 2);
  assert.ok(Math.abs(first! - 1.3) < 0.02 && Math.abs(second! + 0.6) < 0.02, `${first}, ${second}`);
});

test('the P wave is picked to a tenth of a second, not the greater S wave after it', () => {
  for (const seed of [1, 2, 3, 4, 5]) {
    const record = earthquake({ p: 15 + seed, s: 24 + seed, seed });
    for (const horizontals of [record.horizontals, []]) {
      const pick = pickP({ rateHz: RATE_HZ, vertical: record.vertical, horizontals });
      const error = pick!.sample / RATE_HZ - 15 - seed;
      assert.ok(Math.abs(error) <= 0.1, `seed ${seed}, ${horizontals.length} horizontals: off by ${error} s`);
      assert.ok(pick!.likelihood > 0.3 && pick!.likelihood <= 1);
    }
  }
});

test('neither scale nor offset nor a gap filled with zeros moves a pick', () => {
  const { vertical } = earthquake({ p: 20, s: 28 });
  const pick = pickP({ rateHz: RATE_HZ, vertical, horizontals: [] })!.sample;
  const changed = vertical.map((x) => 1e-4 * x + 7);
  assert.equal(pickP({ rateHz: RATE_HZ, vertical: changed, horizontals: [] })!.sample, pick);
  const gap = Float64Array.from(vertical);
  gap.fill(0, 0, 700);
  assert.ok(Math.abs(pickP({ rateHz: RATE_HZ, vertical: gap, horizontals: [] })!.sample - pick) <= 10);
});

test('a record that does not move has no pick', () => {
  const flat = new Float64Array(3_000);
  assert.equal(pickP({ rateHz: RATE_HZ, vertical: flat, horizontals: [] }), null);
});

test('candidates lie apart, in time order, with as many features as the ranking knows', () => {
  const { vertical, horizontals } = earthquake({ p: 12, s: 18 });
  const candidates = candidatesOf({ rateHz: RATE_HZ, vertical, horizontals });
  for (const [i, { sample, features }] of candidates.entries()) {
    assert.equal(features.length, RANKING.features.length);
    assert.ok(features.every(Number.isFinite));
    assert.ok(i === 0 || sample - candidates[i - 1]!.sample >= 0.4 * RATE_HZ);
  }
  const total = likelihoods(candidates, RANKING).reduce((sum, x) => sum + x, 0);
  assert.ok(Math.abs(total - 1) < 1e-12);
});

test('a ranking learns what is right, the same each time', () => {
  const random = createRandom(9);
  const records = Array.from({ length: 60 }, () => {
    const candidates = Array.from({ length: 5 }, (_, i) => ({
      sample: 100 * i,
      features: RANKING.features.map(() => random.normal()),
    }));
    // The right one is the one with the most of the fourth feature.
    const best = Math.max(...candidates.map(({ features }) => features[3]!));
    return { candidates, right: candidates.map(({ features }) => features[3] === best) };
  });
  const ranking = trainRanking(records, 'a test');
  assert.deepEqual(trainRanking(records, 'a test'), ranking);
  const heaviest = ranking.weight.indexOf(Math.max(...ranking.weight));
  assert.equal(heaviest, 3);
});

test('on a live stream the P wave is picked within a second of its arrival', () => {
  const { vertical } = earthquake({ p: 15, s: 24 });
  const picker = createOnlinePicker(RATE_HZ);
  const pick = Array.from(vertical, (sample) => picker.push(sample)).find((given) => given !== null);
  assert.ok(Math.abs(pick!.sample / RATE_HZ - 15) <= 0.2, `picked at sample ${pick!.sample}`);
  assert.ok(pick!.givenAtSample - pick!.sample <= RATE_HZ);
});
