import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { measure, percentile } from '../../../domain/evaluate/measures.ts';
import type { Mission, OrderState, Situation } from '../../../domain/situation.ts';

type Answered = Pick<Situation, 'orders' | 'missions'>;

const order = (id: string, changes: Partial<OrderState> = {}): OrderState => ({
  id,
  incidentId: 'incident/1',
  tenant: 'demo',
  district: 'd',
  capability: 'hazmat',
  count: 1,
  place: {
    id: 'p',
    name: { en: 'p', zh: 'p' },
    kind: 'building',
    district: 'd',
    population: 0,
    latitudeDeg: 0,
    longitudeDeg: 0,
  },
  level: 'II',
  orderedAtMs: 1_000,
  deadlineMs: 481_000,
  state: 'met',
  ...changes,
});

const mission = (orderId: string, unit: string, onSceneMs?: number): Mission => ({
  id: `mission/incident/1/${orderId}/${unit}`,
  orderId,
  unit,
  epoch: 1,
  capability: 'hazmat',
  grantedAtMs: 1_000,
  travelMs: 1,
  status: onSceneMs === undefined ? 'stood-down' : 'on-scene',
  times: onSceneMs === undefined ? {} : { 'on-scene': onSceneMs },
});

const situation = (orders: OrderState[], missions: Mission[]): Answered => ({
  orders: Object.fromEntries(orders.map((one) => [one.id, one])),
  missions: Object.fromEntries(missions.map((one) => [one.id, one])),
});

const WITHIN_8_MINUTES = {
  measure: 'arrival',
  capability: 'hazmat',
  percentile: 90,
  goalMs: 480_000,
} as const;

test('the interval runs from the order to the arrival on scene', () => {
  const answered = situation([order('a')], [mission('a', 'h1', 301_000)]);
  assert.deepEqual(measure(WITHIN_8_MINUTES, answered), {
    goalMs: 480_000,
    valueMs: 300_000,
    met: true,
    count: 1,
  });
});

test('the 90th percentile of two arrivals is the later one', () => {
  const answered = situation(
    [order('a', { count: 2 })],
    [mission('a', 'h1', 101_000), mission('a', 'h2', 601_000)],
  );
  assert.deepEqual(measure(WITHIN_8_MINUTES, answered), {
    goalMs: 480_000,
    valueMs: 600_000,
    met: false,
    count: 2,
  });
});

test('other capabilities do not count, and with no order nothing is measured', () => {
  const answered = situation([order('a', { capability: 'medical' })], [mission('a', 'm1', 2_000)]);
  assert.deepEqual(measure(WITHIN_8_MINUTES, answered), {
    goalMs: 480_000,
    valueMs: null,
    met: null,
    count: 0,
  });
});

test('a unit that never came for a missed order counts as later than any goal', () => {
  const answered = situation([order('a', { count: 2, state: 'missed' })], [mission('a', 'h1', 2_000)]);
  assert.deepEqual(measure(WITHIN_8_MINUTES, answered), {
    goalMs: 480_000,
    valueMs: null,
    met: false,
    count: 2,
  });
});

test('a unit called off because it was no longer needed does not count', () => {
  const answered = situation([order('a', { state: 'released' })], [mission('a', 'h1')]);
  assert.equal(measure(WITHIN_8_MINUTES, answered).met, null);
});

test('nearest rank: at least that share of the values lies at or below it, and no smaller value will do', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(100), { minLength: 1 }),
      fc.integer({ min: 1, max: 100 }),
      (values, percent) => {
        const value = percentile(values, percent);
        const share = (limit: number): number => values.filter((one) => one <= limit).length / values.length;
        assert.ok(values.includes(value));
        assert.ok(share(value) >= percent / 100 - 1e-9);
        const smaller = values.filter((one) => one < value);
        assert.ok(smaller.every((one) => share(one) < percent / 100 - 1e-9));
      },
    ),
  );
});

test('an empty list and a percentage outside 0..100 are refused', () => {
  assert.throws(() => percentile([], 50), RangeError);
  for (const percent of [0, 101, Number.NaN]) assert.throws(() => percentile([1], percent), RangeError);
});
