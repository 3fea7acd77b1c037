import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  cancel,
  commit,
  enqueue,
  initialDesk,
  orderKey,
  plan,
  release,
  solve,
} from '../../../domain/dispatch/desk.ts';
import type { Committed, DeskProblem, DeskSolution, DeskState } from '../../../domain/dispatch/desk.ts';
import type { Unit } from '../../../domain/ports.ts';
import type { Mission, Order } from '../../../domain/situation.ts';
import type { Level } from '../../../domain/units.ts';
import { LEVELS } from '../../../domain/units.ts';

/** A unit on the equator, `km` east of the origin. */
const unitAt = (id: string, km: number, ...capabilities: string[]): Unit => ({
  id,
  name: { en: id, zh: id },
  district: 'd',
  capabilities: capabilities.length === 0 ? ['rescue'] : capabilities,
  home: { latitudeDeg: 0, longitudeDeg: km / 111.195 },
  speedKmh: 50,
  fictional: true,
});

const orderAt = (incident: string, km: number, changes: Partial<Order> = {}): Order => ({
  id: 'major.0',
  incidentId: `incident/${incident}`,
  tenant: 'demo',
  district: 'd',
  capability: 'rescue',
  count: 1,
  place: {
    id: incident,
    name: { en: incident, zh: incident },
    kind: 'place-of-care',
    district: 'd',
    population: 0,
    latitudeDeg: 0,
    longitudeDeg: km / 111.195,
  },
  level: 'II',
  orderedAtMs: 0,
  deadlineMs: 600_000,
  ...changes,
});

const turn = (state: DeskState, nowMs = 0): Committed => commit(state, solve(plan(state)), nowMs);
const afterAll = (state: DeskState, ...orders: Order[]): Committed => turn(orders.reduce(enqueue, state));

/** `incident: unit, unit` of each grant. */
const summary = ({ grants }: Committed): Record<string, string> =>
  Object.fromEntries(
    grants.map(({ incidentId, missions }) => [
      incidentId.replace('incident/', ''),
      missions
        .map(({ unit }) => unit)
        .sort()
        .join(' '),
    ]),
  );

test('sends the units that are least on the road in sum, not each incident its nearest', () => {
  const desk = initialDesk([unitAt('near', 10), unitAt('far', 35)]);
  // Alone, both would choose `near`.
  const committed = afterAll(desk, orderAt('a', 20), orderAt('b', 0));
  assert.deepEqual(summary(committed), { a: 'far', b: 'near' });
  assert.deepEqual(committed.queued, []);
});

test('a mission says who goes under which epoch and how long the road is', () => {
  const { grants, state } = turn(enqueue(initialDesk([unitAt('r1', 10)]), orderAt('a', 0)), 5_000);
  const mission = grants[0]!.missions[0]!;
  assert.deepEqual(
    { ...mission, travelMs: 0 },
    {
      id: 'mission/incident/a/major.0/r1',
      orderId: 'major.0',
      unit: 'r1',
      epoch: 1,
      capability: 'rescue',
      grantedAtMs: 5_000,
      travelMs: 0,
      status: 'granted',
      times: { granted: 5_000 },
    },
  );
  // 80 s turnout, then 10 km * 1.4 at 50 km/h.
  assert.ok(Math.abs(mission.travelMs - (80_000 + 0.28 * 3_600_000)) < 2_000);
  assert.equal(state.units[0]!.heldBy, orderKey(orderAt('a', 0)));
});

test('the more serious level chooses first, however far its unit is', () => {
  const desk = initialDesk([unitAt('r1', 0)]);
  const committed = afterAll(desk, orderAt('a', 0, { level: 'III' }), orderAt('b', 300, { level: 'I' }));
  assert.deepEqual(summary(committed), { b: 'r1' });
  assert.deepEqual(
    committed.queuedOrders.map(({ incidentId }) => incidentId),
    ['incident/a'],
  );
});

test('within one level the earlier deadline is served when there are too few units', () => {
  const committed = afterAll(
    initialDesk([unitAt('r1', 0)]),
    orderAt('a', 0, { deadlineMs: 900 }),
    orderAt('b', 50, { deadlineMs: 800 }),
  );
  assert.deepEqual(summary(committed), { b: 'r1' });
});

test('an order for several units gets all of them or waits', () => {
  const units = [unitAt('r1', 0), unitAt('r2', 1), unitAt('r3', 2)];
  const first = afterAll(initialDesk(units), orderAt('a', 0, { count: 2 }), orderAt('b', 0, { count: 2 }));
  assert.deepEqual(summary(first), { a: 'r1 r2' });
  assert.deepEqual(
    first.queuedOrders.map(({ incidentId }) => incidentId),
    ['incident/b'],
  );
  const [given] = first.grants[0]!.missions;
  const freed = release(first.state, { incidentId: 'incident/a', unit: given!.unit, epoch: given!.epoch });
  assert.deepEqual(summary(turn(freed)), { b: `${given!.unit} r3` });
});

test('a waiting serious order keeps free units from less serious ones', () => {
  const busy = afterAll(initialDesk([unitAt('r1', 0), unitAt('r2', 1)]), orderAt('a', 0));
  const waiting = afterAll(
    busy.state,
    orderAt('b', 0, { count: 2, level: 'I' }),
    orderAt('c', 0, { level: 'III' }),
  );
  assert.deepEqual(waiting.grants, []);
  assert.equal(waiting.queued.length, 2);
});

test('where the district never has enough, what there is goes at once and the rest stays queued', () => {
  const committed = afterAll(initialDesk([unitAt('r1', 0)]), orderAt('a', 0, { count: 3 }));
  assert.deepEqual(summary(committed), { a: 'r1' });
  assert.deepEqual(committed.queued, ['major.0']);
  const { unit, epoch } = committed.grants[0]!.missions[0]!;
  const freed = release(committed.state, { incidentId: 'incident/a', unit, epoch });
  assert.deepEqual(freed.queue, [], 'an order that gives its units back does not get them again');
});

test('an order that nobody in the district can fulfil waits and grants nothing', () => {
  const committed = afterAll(initialDesk([unitAt('r1', 0)]), orderAt('a', 0, { capability: 'hazmat' }));
  assert.deepEqual(committed.grants, []);
  assert.deepEqual(committed.queued, ['major.0']);
});

test('a unit with two capabilities goes where only it can help', () => {
  const desk = initialDesk([unitAt('both', 0, 'rescue', 'hazmat'), unitAt('plain', 90)]);
  const committed = afterAll(desk, orderAt('a', 0), orderAt('b', 0, { capability: 'hazmat' }));
  assert.deepEqual(summary(committed), { a: 'plain', b: 'both' });
});

test('a repeated request is not a second order, and a granted one is told its grant again', () => {
  const first = afterAll(initialDesk([unitAt('r1', 0), unitAt('r2', 1)]), orderAt('a', 0), orderAt('a', 0));
  assert.equal(first.grants.length, 1);
  const again = afterAll(first.state, orderAt('a', 0), orderAt('a', 0));
  assert.deepEqual(again.grants, first.grants);
  assert.deepEqual(again.state.units, first.state.units);
  assert.deepEqual(turn(again.state).grants, []);
});

test('a grant that was given back is not told again', () => {
  const first = afterAll(initialDesk([unitAt('r1', 0)]), orderAt('a', 0));
  const freed = release(first.state, { incidentId: 'incident/a', unit: 'r1', epoch: 1 });
  assert.deepEqual(afterAll(freed, orderAt('a', 0)).grants, []);
});

test('orders of two incidents under one order id are two orders', () => {
  const committed = afterAll(
    initialDesk([unitAt('r1', 0), unitAt('r2', 1)]),
    orderAt('a', 0),
    orderAt('b', 1),
  );
  assert.deepEqual(summary(committed), { a: 'r1', b: 'r2' });
});

test('a withdrawn order is not granted, even when the solver chose before', () => {
  const asked = enqueue(initialDesk([unitAt('r1', 0)]), orderAt('a', 0));
  const solution = solve(plan(asked));
  const withdrawn = cancel(asked, { incidentId: 'incident/a', orderId: 'major.0' });
  assert.deepEqual(commit(withdrawn, solution, 0).grants, []);
});

test('a stale, foreign or repeated release changes nothing', () => {
  const { state } = afterAll(initialDesk([unitAt('r1', 0)]), orderAt('a', 0));
  for (const given of [
    { incidentId: 'incident/a', unit: 'r1', epoch: 0 },
    { incidentId: 'incident/a', unit: 'r1', epoch: 2 },
    { incidentId: 'incident/b', unit: 'r1', epoch: 1 },
    { incidentId: 'incident/a', unit: 'r9', epoch: 1 },
  ]) {
    assert.equal(release(state, given), state);
  }
  const freed = release(state, { incidentId: 'incident/a', unit: 'r1', epoch: 1 });
  assert.equal(freed.units[0]!.heldBy, null);
  assert.equal(release(freed, { incidentId: 'incident/a', unit: 'r1', epoch: 1 }), freed);
});

test('a whole solution turned stale during the solve grants nothing and stays queued', () => {
  const asked = enqueue(initialDesk([unitAt('r1', 0), unitAt('r2', 1)]), orderAt('a', 0, { count: 2 }));
  const solution = solve(plan(asked));
  // Another commit took r1 meanwhile and it came back: free again, under a later epoch.
  const other = commit(
    enqueue(asked, orderAt('b', 0)),
    { pairings: [pairOf('incident/b/major.0', 'r1', 0)] },
    1,
  );
  const back = release(other.state, { incidentId: 'incident/b', unit: 'r1', epoch: 1 });
  const committed = commit(back, solution, 2);
  assert.deepEqual(committed.grants, []);
  assert.equal(committed.queued.length, 1);
});

const pairOf = (key: string, unit: string, epoch: number): DeskSolution['pairings'][number] => ({
  key,
  fewerWillDo: false,
  units: [{ unit, epoch, travelMs: 1 }],
});

test('problem and solution survive JSON, and the desk of 400 units fits into 128 KiB', () => {
  const units = Array.from({ length: 400 }, (_, i) =>
    unitAt(`hualien-search-rescue-${i}`, i, 'search-rescue'),
  );
  let state = initialDesk(units);
  for (let i = 0; i < 80; i++) {
    const order = orderAt(`demo/earthquake/hualien-${i}/20180204T131252Z`, i, {
      capability: 'search-rescue',
    });
    state = turn(enqueue(state, order)).state;
  }
  const open = enqueue(state, orderAt('x', 0, { capability: 'search-rescue' }));
  const problem = plan(open);
  const solution = solve(JSON.parse(JSON.stringify(problem)) as DeskProblem);
  assert.deepEqual(solution, solve(problem));
  assert.deepEqual(JSON.parse(JSON.stringify(solution)), solution);
  assert.ok(JSON.stringify(open).length < 128 * 1024, `${JSON.stringify(open).length} bytes`);
});

test('the joint choice is the cheapest of all, as trying every way shows', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 100 }), { minLength: 1, maxLength: 5 }),
      fc.array(fc.integer({ min: 0, max: 100 }), { minLength: 5, maxLength: 6 }),
      (orders, units) => {
        const desk = initialDesk(units.map((km, i) => unitAt(`u${i}`, km)));
        const state = orders.map((km, i) => orderAt(`i${i}`, km)).reduce(enqueue, desk);
        const granted = turn(state).grants.flatMap(({ missions }) => missions);
        assert.equal(granted.length, orders.length);
        const roadKm = granted.reduce(
          (sum, { travelMs }) => sum + (travelMs - 80_000) * (50 / 1.4 / 3_600_000),
          0,
        );
        assert.ok(Math.abs(roadKm - leastKm(orders, units)) < 0.01);
      },
    ),
  );
});

function leastKm(orders: readonly number[], units: readonly number[]): number {
  const [first, ...rest] = orders;
  if (first === undefined) return 0;
  return Math.min(
    ...units.map(
      (km, i) =>
        Math.abs(km - first) +
        leastKm(
          rest,
          units.filter((_, other) => other !== i),
        ),
    ),
  );
}

/** What a sequence of messages may contain; releases and cancels name an earlier grant or order by number. */
type Message =
  | {
      readonly do: 'order';
      readonly incident: number;
      readonly step: number;
      readonly count: number;
      readonly level: Level;
      readonly capability: string;
    }
  | { readonly do: 'release'; readonly which: number; readonly epochOff: number }
  | { readonly do: 'cancel'; readonly which: number }
  | { readonly do: 'solve' }
  | { readonly do: 'commit'; readonly which: number };

const message: fc.Arbitrary<Message> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('order' as const),
      incident: fc.nat(5),
      step: fc.nat(3),
      count: fc.integer({ min: 1, max: 3 }),
      level: fc.constantFrom(...LEVELS),
      capability: fc.constantFrom('rescue', 'hazmat', 'medical'),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('release' as const),
      which: fc.nat(30),
      epochOff: fc.constantFrom(0, 0, 0, -1, 1),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('cancel' as const), which: fc.nat(30) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('solve' as const) }) },
  // Any earlier solution, also one that is long stale or was committed before.
  { weight: 4, arbitrary: fc.record({ do: fc.constant('commit' as const), which: fc.nat(3) }) },
);

test('whatever comes in whatever order, no unit is ever held twice, epochs only grow, each grant ends once', () => {
  fc.assert(
    fc.property(fc.array(message, { maxLength: 60 }), (messages) => {
      const roster = [
        unitAt('r1', 0),
        unitAt('r2', 10),
        unitAt('h1', 5, 'hazmat'),
        unitAt('rh', 20, 'rescue', 'hazmat'),
        unitAt('m1', 3, 'medical'),
      ];
      let state = initialDesk(roster);
      let nowMs = 0;
      const orders: Order[] = [];
      const solutions: DeskSolution[] = [];
      const granted: { mission: Mission; incidentId: string }[] = [];
      /** Who holds each unit, kept apart from the desk's own books. */
      const held = new Map<string, Mission>();
      const lastEpoch = new Map<string, number>();
      const wanted = new Map<string, number>();

      for (const step of messages) {
        nowMs++;
        switch (step.do) {
          case 'order': {
            const { incident, count, level, capability } = step;
            const order = orderAt(`i${incident}`, incident * 7, {
              id: `s${step.step}`,
              count,
              level,
              capability,
              orderedAtMs: nowMs,
            });
            if (!wanted.has(orderKey(order))) wanted.set(orderKey(order), count);
            orders.push(order);
            state = enqueue(state, order);
            break;
          }
          case 'release': {
            const chosen = granted[step.which % Math.max(1, granted.length)];
            if (chosen === undefined) break;
            const { mission, incidentId } = chosen;
            const epoch = mission.epoch + step.epochOff;
            const isHeld =
              held.get(mission.unit)?.epoch === epoch &&
              held.get(mission.unit)!.id.includes(`${incidentId}/`);
            const before = state;
            state = release(state, { incidentId, unit: mission.unit, epoch });
            assert.equal(state !== before, isHeld, 'frees a unit exactly when this grant holds it');
            if (isHeld) held.delete(mission.unit);
            break;
          }
          case 'cancel': {
            const order = orders[step.which % Math.max(1, orders.length)];
            if (order !== undefined)
              state = cancel(state, { incidentId: order.incidentId, orderId: order.id });
            break;
          }
          case 'solve':
            solutions.push(solve(plan(state)));
            break;
          case 'commit': {
            const solution = solutions.at(-1 - step.which);
            if (solution === undefined) break;
            const committed = commit(state, solution, nowMs);
            state = committed.state;
            for (const grant of committed.grants) {
              for (const mission of grant.missions) {
                const holder = held.get(mission.unit);
                if (holder?.epoch === mission.epoch) {
                  assert.deepEqual(mission, holder, 'told again exactly as granted');
                  continue;
                }
                assert.equal(holder, undefined, 'a held unit is not granted');
                assert.ok(mission.epoch > (lastEpoch.get(mission.unit) ?? 0), 'epochs strictly increase');
                const able = roster.find(({ id }) => id === mission.unit)!.capabilities;
                assert.ok(able.includes(mission.capability));
                held.set(mission.unit, mission);
                lastEpoch.set(mission.unit, mission.epoch);
                granted.push({ mission, incidentId: grant.incidentId });
              }
            }
            break;
          }
          default:
            step satisfies never;
        }
        const books = state.units.filter(({ heldBy }) => heldBy !== null).map(({ id, epoch }) => [id, epoch]);
        assert.deepEqual(
          new Map(books as [string, number][]),
          new Map([...held].map(([unit, { epoch }]) => [unit, epoch])),
        );
        for (const [key, count] of wanted) {
          const now = [...held.values()].filter(
            ({ id, orderId }) =>
              id.startsWith(`mission/${key.slice(0, -orderId.length)}`) && key.endsWith(orderId),
          );
          assert.ok(now.length <= count, 'never more units than ordered');
        }
      }
    }),
    { numRuns: 1_500 },
  );
});
