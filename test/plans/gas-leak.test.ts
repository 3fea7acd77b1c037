import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createWatch } from '../../domain/detect/watch.ts';
import type { Found } from '../../domain/detect/watch.ts';
import { PLACES, SENSORS } from '../../exercise/places.ts';
import { gasLeak } from '../../plans/index.ts';
import { beginsOf } from './begins.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

/** Every sensor reads once a second what `level` says, %LEL. */
function watched(minutes: number, level: (sensor: number, atMs: number) => number): Found[] {
  const watch = createWatch({
    tenant: 'demo',
    plans: [{ document: gasLeak, hash: 'f'.repeat(64) }],
    places: PLACES,
    sensors: SENSORS,
  });
  const found: Found[] = [];
  for (let atMs = 0; atMs < minutes * MINUTE; atMs += SECOND) {
    for (const [index, { id }] of SENSORS.entries()) {
      const values = [level(index, atMs)];
      found.push(...watch.acceptReadings({ sensor: id, atMs: [atMs], values, receivedAtMs: atMs }));
    }
  }
  return found;
}

test('half a minute over 10 %LEL on one sensor opens one incident, and no rule of the scale holds', () => {
  const found = watched(5, (sensor) => (sensor === 0 ? 12 : 0.5));
  assert.equal(found.filter(({ kind }) => kind === 'detection').length, 1);
  assert.deepEqual(beginsOf(found, SECOND), { detect: 30 });
});

test('twenty-nine seconds are no leak', () => {
  const found = watched(2, (sensor, atMs) => (sensor === 0 && atMs < 29 * SECOND ? 40 : 0.5));
  assert.deepEqual(
    found.filter(({ kind }) => kind === 'detection'),
    [],
  );
});

test('two sensors over 20 %LEL make it major half a minute later', () => {
  const found = watched(3, (sensor, atMs) => (sensor > 1 ? 0.5 : atMs < MINUTE ? 12 : 25));
  assert.equal(beginsOf(found, SECOND)['classify.scale.0.when'], 90);
});

test('two sensors that stay over 10 %LEL for ten minutes escalate', () => {
  const found = watched(12, (sensor) => (sensor < 2 ? 12 : 0.5));
  assert.equal(beginsOf(found, SECOND)['evaluate.escalateWhen'], 600);
});

test('fifteen minutes below 5 %LEL on every sensor end it, and a sensor in between does not', () => {
  const found = watched(40, (sensor, atMs) =>
    sensor === 0 && atMs < MINUTE ? 12 : sensor === 3 && atMs < 10 * MINUTE ? 7 : 0.5,
  );
  assert.equal(beginsOf(found, SECOND)['evaluate.resolvedWhen'], 25 * 60);
});
