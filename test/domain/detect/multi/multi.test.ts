import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { detectorNamed } from '../../../../domain/detect/detectors.ts';
import { eigenOfSymmetric } from '../../../../domain/detect/multi/eigen.ts';
import {
  CHANGE_PROFILES,
  metronome,
  scoreChanges,
  scoreOutliers,
} from '../../../../domain/detect/multi/skab-score.ts';
import { createRandom } from '../../../../domain/random.ts';

/** Three channels that move together, at one row a second; the third breaks away at row 600. */
function plant(breaksAway: boolean): number[][] {
  const random = createRandom(5);
  return Array.from({ length: 900 }, (_, i) => {
    const load = random.normal();
    const step = breaksAway && i >= 600 ? 4 : 0;
    return [
      load + 0.1 * random.normal(),
      2 * load + 0.1 * random.normal(),
      50 - load + 0.1 * random.normal() + step,
    ];
  });
}

test('T² and Q stay quiet while channels move together and alarm when one breaks away', () => {
  for (const breaksAway of [false, true]) {
    const detector = detectorNamed('pca').create(3);
    const alarms = plant(breaksAway).map((row, i) => detector.push(i * 1000, row).alarm);
    assert.equal(alarms.indexOf(true), breaksAway ? alarms.findIndex((alarm, i) => alarm && i >= 600) : -1);
    assert.equal(alarms.slice(620).every(Boolean), breaksAway);
  }
});

test('a detector restored from its state, at any row, goes on as if it had never stopped', () => {
  const rows = plant(true);
  fc.assert(
    fc.property(fc.constantFrom('pca', 'level-change'), fc.integer({ min: 1, max: 899 }), (name, at) => {
      const named = detectorNamed(name, { training: 300 });
      const whole = named.create(3);
      let parted = named.create(3);
      for (const [i, row] of rows.entries()) {
        if (i === at) parted = named.create(3, JSON.parse(JSON.stringify(parted.save())) as never);
        assert.deepEqual({ ...parted.push(i * 1000, row) }, { ...whole.push(i * 1000, row) });
      }
    }),
    { numRuns: 20 },
  );
});

test('missing values, constant channels and late rows neither alarm nor crash', () => {
  const detector = detectorNamed('pca', { training: 100 }).create(3);
  const random = createRandom(2);
  for (let i = 0; i < 400; i++) {
    const row = [i % 7 === 0 ? Number.NaN : random.normal(), 5, i % 11 === 0 ? Number.NaN : random.normal()];
    const { alarm, score } = detector.push(i * 1000, row);
    assert.equal(alarm, false);
    assert.ok(score >= 0 && score <= 1);
  }
  assert.equal(detector.push(0, [100, 100, 100]).alarm, false, 'a row from the past is ignored');
  const last = detector.push(400_000, [Number.NaN, Number.NaN, Number.NaN]);
  assert.equal(last.alarm, false);
});

test('a level that steps is named once, one that keeps moving again after the refractory time', () => {
  const random = createRandom(3);
  const detector = detectorNamed('level-change').create(1);
  const named: number[] = [];
  for (let i = 0; i < 1000; i++) {
    const level = i < 500 ? 0 : Math.min(i - 500, 120) / 4;
    if (detector.push(i * 1000, [level + random.normal()]).begins) named.push(i);
  }
  const near = named.filter((row) => row >= 500);
  assert.ok(near[0]! < 540, `named ${named.join(', ')}`);
  assert.ok(near.length >= 2 && near.length <= 3, `named ${named.join(', ')}`);
  assert.ok(near[1]! - near[0]! >= 60);
});

test('eigenvectors rebuild the matrix they came from', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 12 }), fc.integer(), (n, seed) => {
      const random = createRandom(seed);
      const matrix = new Float64Array(n * n);
      for (let i = 0; i < n; i++)
        for (let j = 0; j <= i; j++) matrix[i * n + j] = matrix[j * n + i] = random.normal();
      const { values, vectors } = eigenOfSymmetric(matrix, n);
      for (let i = 0; i < n; i++) {
        for (let j = 0; j < n; j++) {
          const sum = vectors.reduce((total, vector, k) => total + values[k]! * vector[i]! * vector[j]!, 0);
          assert.ok(Math.abs(sum - matrix[i * n + j]!) < 1e-9);
        }
      }
      assert.deepEqual(
        [...values],
        [...values].sort((a, b) => b - a),
      );
    }),
  );
});

const recording = (named: readonly number[]) => ({
  timesMs: Float64Array.from({ length: 500 }, (_, i) => i * 1000),
  anomaly: Uint8Array.from({ length: 500 }, (_, i) => (i >= 200 && i < 300 ? 1 : 0)),
  alarm: Uint8Array.from({ length: 500 }, (_, i) => (i >= 250 && i < 350 ? 1 : 0)),
  changes: [200, 300],
  named,
});

test('outliers are scored by rows: F1, false and missed alarms', () => {
  assert.deepEqual(scoreOutliers([recording([])]), {
    f1: 0.5,
    falseAlarmRate: 50 / 400,
    missedAlarmRate: 0.5,
  });
});

test('changes score 100 when named at once, 0 when nothing is, and less the later they are', () => {
  const score = (named: readonly number[]): number =>
    scoreChanges([recording(named)], { windowMs: 60_000, profile: CHANGE_PROFILES.standard });
  assert.equal(score([]), 0);
  assert.ok(Math.abs(score([200, 300]) - 100) < 1e-9);
  assert.ok(score([210, 300]) > score([240, 300]));
  assert.ok(Math.abs(score([10, 200, 300]) - (100 - 0.11 * 25)) < 1e-9, 'one in vain costs 0.11');
  assert.equal(metronome(recording([]).timesMs, 60_000).length, 9);
});
