import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Order } from '../../domain/situation.ts';
import type { DeskSituation, GrantedMessage } from '../../workflows/contract.ts';
import { DESK, GRANTED, RELEASED, REQUESTED, SITUATION } from '../../workflows/contract.ts';
import type { Outside } from '../support/outside.ts';
import { createOutside } from '../support/outside.ts';
import { HOUR, T0, riverside, unitsOf } from '../support/plans.ts';
import type { Sandbox, SandboxActivity } from '../support/sandbox.ts';
import { createSandbox } from '../support/sandbox.ts';

interface DeskUnderTest {
  readonly sandbox: Sandbox;
  readonly outside: Outside;
  /** What each incident was told, in order. */
  readonly told: (GrantedMessage & { readonly incidentId: string })[];
  situation(): Promise<DeskSituation>;
}

async function openDesk(
  options: {
    readonly ambulances?: number;
    readonly gone?: ReadonlySet<string>;
    readonly activities?: (outside: Outside) => Readonly<Record<string, SandboxActivity>>;
  } = {},
): Promise<DeskUnderTest> {
  const outside = await createOutside({ units: unitsOf('east', { medical: options.ambulances ?? 2 }) });
  const told: DeskUnderTest['told'] = [];
  const sandbox = await createSandbox({
    workflow: DESK,
    args: [{ tenant: 'demo', district: 'east' }],
    activities: { ...outside.activities, ...options.activities?.(outside) },
    startMs: T0,
    workflowId: 'desk/demo/east',
    signalExternal(incidentId, signal, [message]) {
      assert.equal(signal, GRANTED);
      if (options.gone?.has(incidentId)) return false;
      told.push({ incidentId, ...(message as GrantedMessage) });
      return true;
    },
  });
  return {
    sandbox,
    outside,
    told,
    situation: async () => (await sandbox.query(SITUATION)) as DeskSituation,
  };
}

const order = (incidentId: string, count = 1, more: Partial<Order> = {}): Order => ({
  id: 'major.0',
  incidentId,
  tenant: 'demo',
  district: 'east',
  capability: 'medical',
  count,
  place: riverside,
  level: 'II',
  orderedAtMs: T0,
  deadlineMs: T0 + HOUR,
  ...more,
});

const heldBy = ({ units }: DeskSituation): (string | null)[] => units.map((unit) => unit.heldBy);

test('grants units with a new epoch and tells the incident', async () => {
  const desk = await openDesk();
  await desk.sandbox.signal(REQUESTED, { order: order('a', 2) });
  assert.deepEqual(desk.told[0]?.missions.map(({ unit, epoch, status }) => [unit, epoch, status]).sort(), [
    ['east-medical-1', 1, 'granted'],
    ['east-medical-2', 1, 'granted'],
  ]);
  const situation = await desk.situation();
  assert.deepEqual(heldBy(situation), ['a/major.0', 'a/major.0']);
  assert.equal(situation.busy, false);
});

test('tells an incident that its order waits, and grants it when a unit comes back', async () => {
  const desk = await openDesk({ ambulances: 1 });
  await desk.sandbox.signal(REQUESTED, { order: order('a') });
  await desk.sandbox.signal(REQUESTED, { order: order('b') });
  assert.deepEqual(
    desk.told.map(({ incidentId, missions }) => [incidentId, missions.length]),
    [
      ['a', 1],
      ['b', 0],
    ],
  );
  assert.deepEqual((await desk.situation()).queued, ['b/major.0']);

  const returned = { incidentId: 'a', unit: 'east-medical-1', epoch: 1, atMs: T0 + HOUR };
  await desk.sandbox.signal(RELEASED, returned);
  await desk.sandbox.signal(RELEASED, returned);
  assert.deepEqual(
    desk.told.slice(2).map(({ incidentId, missions, atMs }) => [incidentId, missions[0]?.epoch, atMs]),
    [['b', 2, T0 + HOUR]],
  );
});

test('assigns what came together in one turn: the more serious level first', async () => {
  const desk = await openDesk({ ambulances: 1 });
  desk.sandbox.postSignal(REQUESTED, { order: order('mild', 1, { level: 'III' }) });
  desk.sandbox.postSignal(REQUESTED, { order: order('serious', 1, { level: 'I' }) });
  await desk.sandbox.settle();
  assert.deepEqual(
    desk.told.map(({ incidentId, missions }) => [incidentId, missions.length]),
    [
      ['serious', 1],
      ['mild', 0],
    ],
  );
  assert.equal(desk.sandbox.activityCalls.filter((call) => call.name === 'solveDesk').length, 1);
});

test('takes a repeated request as the same order', async () => {
  const desk = await openDesk();
  await desk.sandbox.signal(REQUESTED, { order: order('a') });
  await desk.sandbox.signal(REQUESTED, { order: order('a') });
  assert.deepEqual(heldBy(await desk.situation()), ['a/major.0', null]);
  assert.equal(desk.told.length, 2);
  assert.deepEqual(desk.told[1]?.missions, desk.told[0]?.missions);
});

test('grants no unit twice when a release and a request come while it solves', async () => {
  let solveNow: () => void = () => {};
  let isHeld = false;
  const desk = await openDesk({
    ambulances: 1,
    activities: ({ activities }) => ({
      solveDesk: async (input) => {
        if (isHeld) await new Promise<void>((resolve) => (solveNow = resolve));
        return activities.solveDesk(input as never);
      },
    }),
  });
  await desk.sandbox.signal(REQUESTED, { order: order('a') });
  isHeld = true;
  await desk.sandbox.signal(RELEASED, { incidentId: 'a', unit: 'east-medical-1', epoch: 1, atMs: T0 });
  await desk.sandbox.signal(REQUESTED, { order: order('b') });
  isHeld = false;
  await desk.sandbox.signal(REQUESTED, { order: order('c') });
  solveNow();
  await desk.sandbox.settle();

  const granted = desk.told.filter(({ missions }) => missions.length > 0);
  assert.deepEqual(
    granted.map(({ incidentId, missions }) => [incidentId, missions[0]?.epoch]),
    [
      ['a', 1],
      ['b', 2],
    ],
  );
  assert.deepEqual((await desk.situation()).queued, ['c/major.0']);
});

test('takes units back from an incident that is gone, and forgets its waiting orders', async () => {
  const desk = await openDesk({ ambulances: 1, gone: new Set(['gone']) });
  await desk.sandbox.signal(REQUESTED, { order: order('gone') });
  await desk.sandbox.signal(REQUESTED, { order: order('a') });
  await desk.sandbox.signal(REQUESTED, { order: order('gone', 1, { id: 'major.9' }) });
  const situation = await desk.situation();
  assert.deepEqual(heldBy(situation), ['a/major.0']);
  assert.deepEqual(situation.queued, []);
});

test('fences a released epoch, so that nobody transmits under it any more', async () => {
  const desk = await openDesk();
  await desk.sandbox.signal(REQUESTED, { order: order('a') });
  await desk.sandbox.signal(RELEASED, { incidentId: 'a', unit: 'east-medical-1', epoch: 1, atMs: T0 });
  assert.equal(await desk.outside.stores.fence.holder('east-medical-1', 1), 'tombstone');
});

test('carries its state and what it was just told over continue-as-new', async () => {
  const desk = await openDesk({ ambulances: 1 });
  await desk.sandbox.signal(REQUESTED, { order: order('a') });
  for (let round = 0; round < 10; round += 1) {
    desk.sandbox.historyLength = 2_001;
    await desk.sandbox.signal(REQUESTED, { order: order(`waiting-${round}`) });
  }
  assert.equal(desk.sandbox.runs.length, 11);
  const situation = await desk.situation();
  assert.deepEqual(heldBy(situation), ['a/major.0']);
  assert.equal(situation.queued.length, 10);
  assert.equal(desk.sandbox.activityCalls.filter((call) => call.name === 'loadRoster').length, 1);
});
