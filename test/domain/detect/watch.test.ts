import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createWatch, openIncidentOf } from '../../../domain/detect/watch.ts';
import type { Found, PinnedPlan, Watch, WatchOptions, WatchState } from '../../../domain/detect/watch.ts';
import type { Place } from '../../../domain/evidence.ts';
import type { Sensor } from '../../../domain/ports.ts';
import { gasPlan, hilltop, HOUR, MINUTE, quakePlan, riverside, SECOND, T0 } from '../../support/plans.ts';

const tower: Place = { ...riverside, id: 'tower', kind: 'building' };
const sensors = ['a', 'b', 'c'].map((id): Sensor => ({
  id,
  vendor: 'gasworks',
  tenant: 'city',
  site: 'tower',
  channel: 'methane',
  unit: '%LEL',
  low: 0,
  high: 100,
  position: null,
}));
const quake: PinnedPlan = { document: quakePlan, hash: 'q1' };
const gas: PinnedPlan = { document: gasPlan, hash: 'g1' };

const watching = (change: Partial<WatchOptions> = {}): Watch =>
  createWatch({
    tenant: 'city',
    plans: [quake, gas],
    places: [riverside, hilltop, tower],
    sensors,
    ...change,
  });

interface Notice {
  readonly id?: string;
  readonly hour?: number;
  readonly magnitude?: number | null;
  /** North of Riverside. */
  readonly km?: number;
  readonly late?: boolean;
  readonly located?: boolean;
}
const notice = (
  watch: Watch,
  { id = '1', hour = 0, magnitude = 5, km = 10, late = false, located = true }: Notice,
): Found[] => {
  const position = { ...riverside, latitudeDeg: riverside.latitudeDeg - km / 111.195 };
  const observedAtMs = T0 + hour * HOUR;
  return watch.acceptBulletin({
    key: `net|${id}`,
    vendor: 'net',
    late,
    receivedAtMs: observedAtMs + MINUTE,
    bulletin: {
      source: 'net',
      id,
      type: 'earthquake-notice',
      observedAtMs,
      position: located ? { latitudeDeg: position.latitudeDeg, longitudeDeg: position.longitudeDeg } : null,
      fields: { magnitude, depthKm: 10 },
    },
  });
};
/** One value of each sensor every 5 s from `fromS` to `toS`. */
const sweep = (watch: Watch, fromS: number, toS: number, values: readonly number[]): Found[] => {
  const found: Found[] = [];
  for (let second = fromS; second <= toS; second += 5) {
    values.forEach((value, index) => {
      const atMs = T0 + second * SECOND;
      found.push(
        ...watch.acceptReadings({
          sensor: sensors[index]!.id,
          atMs: [atMs],
          values: [value],
          receivedAtMs: atMs + 1,
        }),
      );
    });
  }
  return found;
};
const summary = (found: readonly Found[]): string[] =>
  found.map((one) => {
    switch (one.kind) {
      case 'detection':
        return `opens ${one.detection.hazard}/${one.detection.cell}/${one.detection.window} with ${one.detection.evidence.length}`;
      case 'evidence':
        return `${one.incidentId} gets ${one.evidence.kind === 'readings' ? `${one.evidence.leaf} ${one.evidence.holds}` : one.evidence.key}`;
      case 'suppressed':
        return `suppressed ${one.rule}: ${one.reason}`;
      case 'doubt':
        return `doubts ${one.doubt.sensor}`;
      default:
        return one satisfies never;
    }
  });

describe('watching bulletins', () => {
  it('opens an incident at the most affected place of care, with the bulletin as its evidence', () => {
    const [found] = notice(watching(), {});
    assert.equal(found?.kind, 'detection');
    assert.deepEqual(
      { ...(found.kind === 'detection' && found.detection), evidence: null, place: null },
      {
        tenant: 'city',
        planId: 'test-earthquake',
        hazard: 'earthquake',
        place: null,
        cell: 'riverside',
        window: '20260101T000000Z',
        atMs: T0,
        receivedAtMs: T0 + MINUTE,
        evidence: null,
      },
    );
  });

  it('stays silent about what meets no plan', () => {
    assert.deepEqual(notice(watching(), { magnitude: 1.9 }), []);
    assert.deepEqual(notice(watching(), { magnitude: null }), []);
    assert.deepEqual(notice(watching(), { km: 500 }), []);
  });

  it('joins an aftershock to the open incident, even one too weak to open any', () => {
    const watch = watching();
    notice(watch, {});
    assert.deepEqual(summary(notice(watch, { id: '2', hour: 1, magnitude: 1 })), [
      'incident/city/earthquake/riverside/20260101T000000Z gets net|2',
    ]);
  });

  it('joins a main shock to its foreshock, and then reaches as far as the main shock does', () => {
    const watch = watching();
    notice(watch, { magnitude: 4, km: 10 });
    assert.match(
      summary(notice(watch, { id: 'main', hour: 30, magnitude: 6.5, km: 55 }))[0]!,
      /gets net\|main/,
    );
    assert.match(
      summary(notice(watch, { id: 'after', hour: 31, magnitude: 3, km: 105 }))[0]!,
      /gets net\|after/,
    );
  });

  it('opens another incident beyond the sequence, in distance or in time', () => {
    const watch = watching();
    notice(watch, {});
    assert.match(summary(notice(watch, { id: '2', hour: 1, km: -60 }))[0]!, /^opens/);
    assert.match(summary(notice(watch, { id: '3', hour: 80 }))[0]!, /^opens/);
  });

  it('opens another incident once the first is closed', () => {
    const watch = watching();
    const [first] = notice(watch, {});
    assert.ok(first?.kind === 'detection');
    watch.closed('incident/city/earthquake/riverside/20260101T000000Z');
    assert.match(summary(notice(watch, { id: '2', hour: 1 }))[0]!, /^opens/);
  });

  it('keeps on record what came too late to open anything, and lets it join what is open', () => {
    const watch = watching();
    assert.deepEqual(summary(notice(watch, { late: true })), ['suppressed test-earthquake@q1: too-late']);
    notice(watch, { id: '2', hour: 1 });
    assert.match(summary(notice(watch, { id: '3', hour: 0.5, late: true }))[0]!, /gets net\|3/);
  });

  it('ignores a strong event that nobody can place', () => {
    assert.deepEqual(notice(watching(), { located: false, magnitude: 9 }), []);
  });

  it('reconsiders what met a closed incident: strong enough, it opens a new one', () => {
    const watch = watching();
    notice(watch, {});
    const [joined] = notice(watch, { id: '2', hour: 2 });
    assert.ok(joined?.kind === 'evidence');
    watch.closed(joined.incidentId);
    assert.deepEqual(summary(watch.reconsider(joined.evidence)), [
      'opens earthquake/riverside/20260101T020000Z with 1',
    ]);
  });

  it('takes up an incident that was open before', () => {
    const before = watching();
    const [found] = notice(before, {});
    assert.ok(found?.kind === 'detection');
    const watch = watching();
    watch.opened(
      openIncidentOf({
        incidentId: 'incident/city/earthquake/riverside/x',
        hazard: 'earthquake',
        place: riverside,
        planId: 'test-earthquake',
        planHash: 'q1',
        situation: { evidence: found.detection.evidence },
      }),
      quake,
    );
    assert.deepEqual(summary(notice(watch, { id: '2', hour: 3 })), [
      'incident/city/earthquake/riverside/x gets net|2',
    ]);
  });
});

describe('watching channels', () => {
  it('opens one incident a leak, and hands it every turn of every condition of its plan', () => {
    const watch = watching();
    const id = 'incident/city/gas-leak/tower/20260101T000050Z';
    assert.deepEqual(summary(sweep(watch, 0, 15, [1, 1, 1])), []);
    assert.deepEqual(summary(sweep(watch, 20, 300, [12, 12, 1])), [
      'opens gas-leak/tower/20260101T000050Z with 1',
    ]);
    assert.deepEqual(summary(sweep(watch, 305, 305, [16, 12, 1])), [`${id} gets classify.scale.0.when true`]);
    assert.deepEqual(summary(sweep(watch, 310, 340, [25, 12, 1])), [`${id} gets evaluate.escalateWhen true`]);
    assert.deepEqual(summary(sweep(watch, 345, 345 + 15 * 60, [1, 1, 1])), [
      `${id} gets detect false`,
      `${id} gets classify.scale.0.when false`,
      `${id} gets evaluate.escalateWhen false`,
      `${id} gets evaluate.resolvedWhen true`,
    ]);
  });

  it('opens nothing for a whiff at one sensor, however strong', () => {
    assert.deepEqual(summary(sweep(watching(), 0, 600, [40, 1, 1])), []);
  });

  it('begins an incident with every condition that turned at the same reading', () => {
    const loud: PinnedPlan = {
      hash: 'g2',
      document: {
        ...gasPlan,
        detect: { when: 'atLeast', channel: 'methane', threshold: 10, unit: '%LEL', forMs: 0, onSensors: 1 },
      },
    };
    const [found, ...more] = sweep(watching({ plans: [loud] }), 0, 0, [50]);
    assert.deepEqual(more, []);
    assert.ok(found?.kind === 'detection');
    assert.deepEqual(
      found.detection.evidence.map((item) => item.kind === 'readings' && item.leaf),
      ['classify.scale.0.when', 'detect'],
    );
  });

  it('keeps to the plan that the incident is pinned to when another version is activated', () => {
    const first = watching();
    sweep(first, 0, 60, [12, 12, 1]);
    const newer: PinnedPlan = { document: { ...gasPlan, title: { en: 'New', zh: '新' } }, hash: 'g9' };
    const watch = watching({ plans: [quake, newer], pinned: [gas], state: first.state() });
    const found = sweep(watch, 65, 400, [30, 30, 1]);
    assert.ok(found.length > 0);
    assert.ok(
      summary(found).every((line) => line.startsWith('incident/city/gas-leak/tower/20260101T000030Z gets ')),
    );
  });

  it('says so when a leak is at a site that nobody entered as a place', () => {
    const watch = watching({ places: [riverside] });
    assert.deepEqual(summary(sweep(watch, 0, 60, [12, 12, 1])), [
      'suppressed test-gas-leak@g1: site-unknown',
    ]);
  });

  it('does not mix units', () => {
    const watch = watching({ sensors: sensors.map((sensor) => ({ ...sensor, unit: 'ppm' })) });
    assert.deepEqual(sweep(watch, 0, 600, [90, 90, 90]), []);
  });

  it('ignores sensors that it does not know', () => {
    assert.deepEqual(
      watching().acceptReadings({ sensor: 'x', atMs: [T0], values: [99], receivedAtMs: T0 }),
      [],
    );
  });

  it('opens a new incident for a leak that goes on after its incident was closed, when it turns again', () => {
    const watch = watching();
    sweep(watch, 0, 60, [12, 12, 1]);
    watch.closed('incident/city/gas-leak/tower/20260101T000030Z');
    assert.deepEqual(summary(sweep(watch, 65, 100, [12, 12, 1])), []);
    sweep(watch, 105, 105, [1, 1, 1]);
    assert.deepEqual(summary(sweep(watch, 110, 150, [12, 12, 1])), [
      'opens gas-leak/tower/20260101T000220Z with 1',
    ]);
  });
});

describe('a watch', () => {
  const step = fc.oneof(
    fc.record({ magnitude: fc.integer({ min: 1, max: 7 }), km: fc.integer({ min: -100, max: 100 }) }),
    fc.record({ values: fc.array(fc.constantFrom(1, 12, 25), { minLength: 3, maxLength: 3 }) }),
    fc.record({ close: fc.nat(3) }),
  );
  type Step =
    | { readonly magnitude: number; readonly km: number }
    | { readonly values: readonly number[] }
    | { readonly close: number };
  const run = (watch: Watch, steps: readonly Step[], from: number): string[] =>
    steps.flatMap((one, n) => {
      const index = from + n;
      if ('magnitude' in one) return summary(notice(watch, { id: String(index), hour: index, ...one }));
      if ('values' in one) return summary(sweep(watch, index * 40, index * 40 + 35, one.values));
      const open = watch.state().open[one.close];
      if (open !== undefined) watch.closed(open.incidentId);
      return [];
    });

  it('goes on from a saved state as if it had never stopped', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), fc.nat(30), (steps, cut) => {
        const whole = run(watching(), steps, 0);
        const first = watching();
        const before = run(first, steps.slice(0, cut), 0);
        const state = JSON.parse(JSON.stringify(first.state())) as WatchState;
        const after = run(watching({ state }), steps.slice(cut), Math.min(cut, steps.length));
        assert.deepEqual([...before, ...after], whole);
      }),
      { numRuns: 50 },
    );
  });
});
