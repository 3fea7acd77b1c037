import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { advance, isFinal, refusalOf } from '../../../domain/dispatch/mission.ts';
import type { Mission, MissionStatus } from '../../../domain/situation.ts';
import { MISSION_STATUSES } from '../../../domain/situation.ts';

const mission = (status: MissionStatus = 'granted'): Mission => ({
  id: 'mission/incident/1/major.0/r1',
  orderId: 'major.0',
  unit: 'r1',
  epoch: 3,
  capability: 'rescue',
  grantedAtMs: 100,
  travelMs: 60_000,
  status,
  times: { granted: 100 },
});

test('a mission goes from granted to done step by step, with the time of each', () => {
  const going = mission();
  for (const [i, status] of (['acknowledged', 'en-route', 'on-scene', 'done'] as const).entries())
    assert.equal(advance(going, status, 200 + i), true);
  assert.deepEqual(going.times, {
    granted: 100,
    acknowledged: 200,
    'en-route': 201,
    'on-scene': 202,
    done: 203,
  });
});

test('an arrival counts although nobody pressed the buttons before it', () => {
  const going = mission();
  assert.equal(advance(going, 'on-scene', 500), true);
  assert.deepEqual(going.times, { granted: 100, 'on-scene': 500 });
});

test('it can be stood down from anywhere before its end, and not after', () => {
  for (const status of MISSION_STATUSES) {
    assert.equal(advance(mission(status), 'stood-down', 200), !isFinal(status), status);
  }
});

for (const [from, to, code] of [
  ['en-route', 'acknowledged', 'MISSION_STATUS_BACKWARDS'],
  ['on-scene', 'granted', 'MISSION_STATUS_BACKWARDS'],
  ['granted', 'done', 'MISSION_NOT_ON_SCENE'],
  ['en-route', 'done', 'MISSION_NOT_ON_SCENE'],
  ['done', 'on-scene', 'MISSION_OVER'],
  ['done', 'stood-down', 'MISSION_OVER'],
  ['stood-down', 'on-scene', 'MISSION_OVER'],
] as const) {
  test(`${from} does not become ${to}`, () => {
    const going = mission(from);
    assert.equal(refusalOf(going, { status: to, epoch: 3 })?.code, code);
    assert.equal(advance(going, to, 900), false);
    assert.deepEqual(going, mission(from));
  });
}

test('a report under another epoch is refused', () => {
  for (const epoch of [2, 4])
    assert.equal(refusalOf(mission(), { status: 'on-scene', epoch })?.code, 'MISSION_EPOCH');
});

test('repeating a report is neither refused nor a change', () => {
  for (const status of MISSION_STATUSES) {
    const going = mission(status);
    assert.equal(refusalOf(going, { status, epoch: 3 }), null);
    assert.equal(advance(going, status, 900), false);
  }
});

test('a report dated before the step it follows takes that step’s time', () => {
  const going = mission();
  advance(going, 'en-route', 400);
  advance(going, 'on-scene', 50);
  assert.equal(going.times['on-scene'], 400);
});

test('whatever crews report, status only moves forward, times never run back and an end is an end', () => {
  const reports = fc.array(fc.tuple(fc.constantFrom(...MISSION_STATUSES), fc.nat(1_000)));
  fc.assert(
    fc.property(reports, (list) => {
      const going = mission();
      for (const [status, atMs] of list) {
        const before = structuredClone(going);
        const isChanged = advance(going, status, atMs);
        if (isFinal(before.status)) assert.equal(isChanged, false);
        if (isChanged) assert.ok(MISSION_STATUSES.indexOf(status) > MISSION_STATUSES.indexOf(before.status));
        else assert.deepEqual(going, before);
      }
      const times = MISSION_STATUSES.map((status) => going.times[status]).filter((at) => at !== undefined);
      assert.deepEqual(
        times,
        [...times].sort((a, b) => a - b),
      );
    }),
  );
});
