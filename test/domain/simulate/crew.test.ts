import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { crewReports } from '../../../domain/simulate/crew.ts';
import type { Mission } from '../../../domain/situation.ts';

const mission = (id: string, travelMs: number): Mission => ({
  id,
  orderId: 'o',
  unit: 'u',
  epoch: 1,
  capability: 'medical',
  grantedAtMs: 0,
  travelMs,
  status: 'granted',
  times: {},
});

test('a crew reports its steps in order, and arrives near the estimate', () => {
  fc.assert(
    fc.property(fc.string(), fc.integer({ min: 0, max: 7_200_000 }), (id, travelMs) => {
      const reports = crewReports(mission(id, travelMs), 1_000);
      assert.deepEqual(
        reports.map((report) => report.status),
        ['acknowledged', 'en-route', 'on-scene', 'done'],
      );
      const times = reports.map((report) => report.atMs);
      assert.deepEqual(
        times,
        [...times].sort((a, b) => a - b),
      );
      const driveMs = times[2]! - times[1]!;
      assert.ok(driveMs >= 0.9 * travelMs - 1 && driveMs <= 1.2 * travelMs + 1, `${driveMs} of ${travelMs}`);
    }),
  );
});

test('the same mission always has the same crew; another one has another', () => {
  const once = crewReports(mission('a', 600_000), 0);
  assert.deepEqual(crewReports(mission('a', 600_000), 0), once);
  assert.notDeepEqual(crewReports(mission('b', 600_000), 0), once);
});
