import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as contract from '../../workflows/contract.ts';
import { openIncident } from './incidents.ts';
import {
  MAJOR_LEAF,
  T0,
  gasPlan,
  inputFor,
  methaneReading,
  notice,
  quakePlan,
  unitsOf,
} from '../support/plans.ts';
import { createOutside } from '../support/outside.ts';
import { createSandbox } from '../support/sandbox.ts';

/** What histories already contain. A name may be added here; one that is here may never change or go. */
const GOLDEN = {
  TASK_QUEUE_PLANS: 'tocsin-plans',
  TASK_QUEUE_RECOGNITION: 'tocsin-recognition',
  TASK_QUEUE_TRAINING: 'tocsin-training',
  RESPOND: 'respond',
  DESK: 'desk',
  REFINE_PLAN: 'refinePlan',
  RETRAIN_RECOGNISER: 'retrainRecogniser',
  EVIDENCE: 'evidence',
  UNIT_STATUS: 'unitStatus',
  REQUESTED: 'requested',
  GRANTED: 'granted',
  RELEASED: 'released',
  APPROVE: 'approve',
  ANSWER: 'answer',
  COMMAND: 'command',
  CLOCK: 'clock',
  DECIDE: 'decide',
  SITUATION: 'situation',
  SEARCH_ATTRIBUTES: {
    tenant: 'TocsinTenant',
    hazard: 'TocsinHazard',
    level: 'TocsinLevel',
    plan: 'TocsinPlan',
    mode: 'TocsinMode',
  },
};

const GOLDEN_ACTIVITIES = [
  'actuate',
  'applyDecision',
  'askHuman',
  'assessNotice',
  'draftProposal',
  'fenceOff',
  'learn',
  'loadRoster',
  'notify',
  'observeSources',
  'prepareRetraining',
  'recordFacts',
  'recordRetraining',
  'releaseUnits',
  'requestUnits',
  'solveDesk',
  'trainCandidate',
  'transmitOrder',
];

test('keeps every durable name of the contract', () => {
  assert.deepEqual({ ...contract }, GOLDEN);
});

test('keeps every activity name that a history may hold', async () => {
  const { createActivities } = await import('../../activities/index.ts');
  const outside = await createOutside();
  const nothing = (): never => {
    throw new Error('not called here');
  };
  const { plans, cpu, training } = createActivities({
    stores: outside.stores,
    desks: { request: nothing, release: nothing },
    refinement: { consider: nothing },
    channels: { notify: nothing, actuate: nothing, ask: nothing },
    lastHeard: nothing,
    pool: { assess: nothing } as never,
    hashOf: nothing,
    clock: nothing,
  });
  const names = [plans, cpu, training].flatMap((activities) => Object.keys(activities));
  assert.deepEqual(names.sort(), GOLDEN_ACTIVITIES);
});

test('the bundle has a workflow under each name, and no other', async () => {
  const registry = await import('../../workflows/index.ts');
  assert.deepEqual(Object.keys(registry).sort(), ['desk', 'refinePlan', 'respond', 'retrainRecogniser']);
  for (const name of [contract.RESPOND, contract.DESK, contract.REFINE_PLAN, contract.RETRAIN_RECOGNISER]) {
    const sandbox = await createSandbox({
      workflow: name,
      args: [
        name === contract.RESPOND
          ? inputFor(quakePlan, [notice()])
          : { tenant: 'demo', district: 'east', planId: 'test-earthquake', n: 1 },
      ],
      activities: (await createOutside({ units: unitsOf('east', {}) })).activities,
      startMs: T0,
    });
    assert.notEqual(sandbox.ending().status, 'failed');
    await sandbox.dispose();
  }
});

test('a name that is not registered is refused', async () => {
  await assert.rejects(
    createSandbox({ workflow: 'respondTwice', args: [], activities: {} }),
    /no such function is exported/,
  );
});

test('twenty incidents in one VM share nothing', async () => {
  const incidents = await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      index % 2 === 0
        ? openIncident(quakePlan, [notice({ id: `n${index}`, mmi: 4 })], { tag: `-${index}` })
        : openIncident(gasPlan, [methaneReading('detect', true), methaneReading(MAJOR_LEAF, true)], {
            tag: `-${index}`,
          }),
    ),
  );
  for (const [index, incident] of incidents.entries()) {
    for (let extra = 0; extra < index; extra += 1) {
      await incident.hear(notice({ id: `extra-${index}-${extra}`, magnitude: 3, mmi: 2 }));
    }
  }
  for (const [index, incident] of incidents.entries()) {
    const situation = await incident.situation();
    const opened = index % 2 === 0 ? 1 : 2;
    assert.equal(situation.incidentId, incident.sandbox.workflowId);
    assert.equal(situation.evidenceCount, opened + index);
    assert.equal(situation.hazard, index % 2 === 0 ? 'earthquake' : 'gas-leak');
    assert.equal((await incident.facts()).length, situation.factCount);
  }
});
