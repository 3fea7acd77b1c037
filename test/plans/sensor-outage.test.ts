import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createWatch } from '../../domain/detect/watch.ts';
import type { Found } from '../../domain/detect/watch.ts';
import { doubtsSensor } from '../../domain/ingest/health-book.ts';
import { checkPlan } from '../../domain/plan/check.ts';
import { PLACES, SENSORS } from '../../exercise/places.ts';
import { sensorOutage } from '../../plans/index.ts';
import { beginsOf } from './begins.ts';

const STEP = 30_000;
const MINUTE = 60_000;
const counter = doubtsSensor('demo', SENSORS[0]!.site);

/** Every half minute the counter of one site says how many of its sensors are in doubt. */
function watched(minutes: number, doubtful: (atMs: number) => number): Found[] {
  const watch = createWatch({
    tenant: 'demo',
    plans: [{ document: sensorOutage, hash: 'f'.repeat(64) }],
    places: PLACES,
    sensors: [counter],
  });
  const found: Found[] = [];
  for (let atMs = 0; atMs <= minutes * MINUTE; atMs += STEP) {
    const values = [doubtful(atMs)];
    found.push(...watch.acceptReadings({ sensor: counter.id, atMs: [atMs], values, receivedAtMs: atMs }));
  }
  return found;
}

test('a sensor in doubt for ten minutes opens one incident, and no page is sent twice for it', () => {
  const found = watched(60, () => 1);
  assert.equal(found.filter(({ kind }) => kind === 'detection').length, 1);
  assert.deepEqual(beginsOf(found, MINUTE), { detect: 10 });
});

test('a sensor that falters for nine minutes at a time opens none', () => {
  const found = watched(120, (atMs) => ((atMs / MINUTE) % 10 < 9.5 ? 1 : 0));
  assert.deepEqual(
    found.filter(({ kind }) => kind === 'detection'),
    [],
  );
});

test('three sensors of a site make it blind, also when they fail one after another', () => {
  const found = watched(60, (atMs) => Math.min(3, 1 + Math.floor(atMs / (15 * MINUTE))));
  assert.deepEqual(beginsOf(found, MINUTE), {
    detect: 10,
    'classify.scale.0.when': 40,
    'evaluate.escalateWhen': 40,
  });
});

test('it is over when none was in doubt for five minutes', () => {
  const found = watched(60, (atMs) => Number(atMs < 20 * MINUTE || atMs === 22 * MINUTE));
  assert.deepEqual(beginsOf(found, MINUTE), { detect: 10, 'evaluate.resolvedWhen': 27.5 });
});

test('nothing is found against the plan, and every severity is told to the officer on duty', () => {
  assert.deepEqual(checkPlan(sensorOutage, { units: [], recognisers: [] }), []);
  for (const [step] of Object.values(sensorOutage.dispatch)) {
    assert.ok(step?.do === 'notify' && step.to === 'duty-officer' && step.otherwise !== undefined);
  }
});
