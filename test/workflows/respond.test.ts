import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApplicationFailure } from '@temporalio/common';
import type { Outcome } from '../../domain/situation.ts';
import type { ClockAnswer } from '../../workflows/contract.ts';
import * as names from '../../workflows/contract.ts';
import {
  HOUR,
  MAJOR_LEAF,
  MINUTE,
  SECOND,
  T0,
  agreed,
  disagreed,
  gasPlan,
  gasPlanWith,
  methaneReading,
  notice,
  quakePlan,
} from '../support/plans.ts';
import type { Incident, IncidentOptions } from './incidents.ts';
import { openIncident, refusalOf } from './incidents.ts';

const openMajorLeak = (options: IncidentOptions = {}): Promise<Incident> =>
  openIncident(gasPlan, [methaneReading('detect', true), methaneReading(MAJOR_LEAF, true)], options);

const VALVE = 'major.0.1';
const EVACUATION = 'major.0.0';
const HAZMAT = 'major.0.2';

test('goes through the five stages and closes when the plan says that it is over', async () => {
  const incident = await openIncident(quakePlan, [notice({ mmi: 4 })]);
  await incident.sandbox.advance(6 * HOUR);

  const outcome = incident.sandbox.result() as Outcome;
  assert.equal(outcome.result, 'resolved');
  assert.equal(outcome.severity, 'felt');
  assert.deepEqual(
    (await incident.kinds()).filter((kind) => kind !== 'reviewed'),
    [
      'detected',
      'voted',
      'assessed',
      'step-started',
      'notified',
      'step-done',
      'resolved',
      'measured',
      'evaluated',
      'closed',
    ],
  );
  assert.deepEqual(
    incident.outside.evaluations.map(({ incidentId, severity, planHash }) => [
      incidentId,
      severity,
      planHash,
    ]),
    [[incident.sandbox.workflowId, 'felt', 'f'.repeat(64)]],
  );
  const [closed] = await incident.factsOf('closed');
  assert.equal(closed?.atMs, T0 + 6 * HOUR);
});

test('numbers its facts without a gap and shows the last situation', async () => {
  const incident = await openIncident(quakePlan, [notice({ mmi: 4 })]);
  await incident.sandbox.advance(6 * HOUR);

  const facts = await incident.facts();
  assert.deepEqual(
    facts.map((fact) => fact.seq),
    facts.map((_, index) => index),
  );
  const view = await incident.outside.stores.incidents.get(incident.sandbox.workflowId);
  assert.equal(view?.phase, 'closed');
  assert.equal(view?.situation.factCount, facts.length);
});

test('shows its level as a search attribute, and the worse one after an escalation', async () => {
  const incident = await openIncident(quakePlan, [notice({ mmi: 4 })]);
  assert.deepEqual(incident.sandbox.searchAttributes[names.SEARCH_ATTRIBUTES.level], [3]);
  await incident.hear(notice({ id: 'n2', atMs: T0 + MINUTE, magnitude: 6.5, mmi: 7 }));
  assert.deepEqual(incident.sandbox.searchAttributes[names.SEARCH_ATTRIBUTES.level], [2]);
});

test('joins each piece of evidence once, however often it is sent', async () => {
  const incident = await openIncident(quakePlan, [notice()]);
  const aftershock = notice({ id: 'n2', atMs: T0 + MINUTE, magnitude: 3, mmi: 2 });
  await incident.hear(aftershock, aftershock);
  await incident.hear(aftershock, notice());

  assert.equal((await incident.situation()).evidenceCount, 2);
  assert.equal((await incident.factsOf('evidence-joined')).length, 1);
});

test('keeps open for as long as the sequence goes on', async () => {
  const incident = await openIncident(quakePlan, [notice()]);
  await incident.sandbox.advance(5 * HOUR);
  await incident.hear(notice({ id: 'n2', atMs: T0 + 5 * HOUR, magnitude: 3, mmi: 2 }));
  await incident.sandbox.advance(5 * HOUR);
  assert.equal((await incident.situation()).phase, 'responding');
  await incident.sandbox.advance(HOUR);
  assert.equal((incident.sandbox.result() as Outcome).result, 'resolved');
});

test('closes a blast report sooner than an earthquake, and sends nobody', async () => {
  const incident = await openIncident(quakePlan, [notice({ magnitude: 2.1, mmi: 2 })], {
    vote: () => agreed('quarry-blast'),
  });
  await incident.sandbox.advance(10 * MINUTE);
  const outcome = incident.sandbox.result() as Outcome;
  assert.equal(outcome.severity, 'report');
  assert.equal(outcome.falseAlarm, true);
  assert.deepEqual(incident.outside.orders, []);
});

test('asks the duty officer when the recognisers disagree, and takes the answer', async () => {
  const incident = await openIncident(quakePlan, [notice({ mmi: 7 })], { vote: () => disagreed });
  const { questions, phase } = await incident.situation();
  assert.equal(phase, 'classifying');
  assert.deepEqual(questions['classify/1']?.choices, ['earthquake', 'quarry-blast', 'explosion']);
  assert.equal(incident.outside.asked.length, 1);

  await incident.answer('classify/1', 'quarry-blast');
  const { assessment } = await incident.situation();
  assert.equal(assessment?.decidedBy, 'human');
  assert.equal(assessment?.severity, 'report');
  assert.equal(assessment?.doubt, disagreed.doubt);
});

test('asks the duty officer when the recognisers disagree, and goes on with what the plan declared after two minutes', async () => {
  const incident = await openIncident(quakePlan, [notice({ mmi: 7 })], { vote: () => disagreed });
  await incident.sandbox.advance(2 * MINUTE - 1);
  assert.equal((await incident.situation()).assessment, null);
  await incident.sandbox.advance(1);

  const { assessment } = await incident.situation();
  assert.equal(assessment?.decidedBy, 'otherwise');
  assert.equal(assessment?.type, 'earthquake');
  assert.equal(assessment?.severity, 'damaging');
  assert.deepEqual(await refusalOf(incident.answer('classify/1', 'quarry-blast')), 'QUESTION_CLOSED');
});

test('records what was voted on, and shadow votes beside the votes, and acts on the votes alone', async () => {
  const [first] = agreed().votes;
  const shadow = { ...first!, hash: 'f'.repeat(64), label: 'quarry-blast' };
  const input = { key: 'usgs|n1', vendor: 'vendor-quakes', observedAtMs: T0, row: { magnitude: 6.4 } };
  const incident = await openIncident(quakePlan, [notice({ mmi: 7 })], {
    vote: () => ({ ...agreed(), shadows: [shadow], input }),
  });
  const [voted] = await incident.factsOf('voted');
  assert.deepEqual(
    (voted?.data['shadows'] as { hash: string; label: string }[]).map(({ hash, label }) => [hash, label]),
    [[shadow.hash, 'quarry-blast']],
  );
  assert.deepEqual(voted?.data['input'], input);
  const { assessment } = await incident.situation();
  assert.equal(assessment?.type, 'earthquake');
  assert.ok(assessment?.votes.every(({ hash }) => hash !== shadow.hash));
});

test('takes recognisers that fail as a doubt for a human, never as silence', async () => {
  const incident = await openIncident(quakePlan, [notice({ mmi: 7 })], {
    vote: () => {
      throw new Error('out of memory');
    },
  });
  await incident.sandbox.advance(MINUTE);
  const attempts = incident.sandbox.activityCalls.filter((call) => call.name === 'assessNotice');
  assert.equal(attempts.length, 5);
  assert.deepEqual(Object.keys((await incident.situation()).questions), ['classify/1']);
  const [voted] = await incident.factsOf('voted');
  assert.equal(voted?.data['doubt'], 'The recognisers could not vote (RECOGNITION_FAILED).');
});

test('keeps the code of a refusal that an activity met', async () => {
  const incident = await openIncident(quakePlan, [notice({ mmi: 7 })], {
    vote: () => {
      throw ApplicationFailure.nonRetryable('no such recogniser', 'RECOGNISER_UNKNOWN');
    },
  });
  const [voted] = await incident.factsOf('voted');
  assert.equal(voted?.data['doubt'], 'The recognisers could not vote (RECOGNISER_UNKNOWN).');
});

for (const [refusal, given] of [
  ['ROLE_REQUIRED', { questionId: VALVE, choice: 'approve', by: 'wu', roles: ['viewer'] }],
  ['QUESTION_UNKNOWN', { questionId: 'major.9', choice: 'approve', by: 'lin', roles: ['duty-officer'] }],
  ['CHOICE_INVALID', { questionId: VALVE, choice: 'perhaps', by: 'lin', roles: ['duty-officer'] }],
] as const) {
  test(`refuses an answer with ${refusal} and changes nothing`, async () => {
    const incident = await openMajorLeak();
    const before = await incident.situation();
    const update = await incident.sandbox.update(names.APPROVE, { ...given, reason: '' });
    assert.equal(update.status, 'rejected');
    assert.equal(await refusalOf(Promise.reject(update.failure as Error)), refusal);
    assert.deepEqual(await incident.situation(), before);
    assert.deepEqual(incident.outside.actuations, []);
  });
}

test('authorises the act once: a second answer is refused and does nothing', async () => {
  const incident = await openMajorLeak();
  assert.deepEqual(await incident.answer(VALVE, 'approve'), {
    questionId: VALVE,
    choice: 'approve',
    atMs: T0,
  });
  assert.equal(await refusalOf(incident.answer(VALVE, 'approve', 'wu')), 'ALREADY_ANSWERED');
  assert.equal(await refusalOf(incident.answer(VALVE, 'refuse', 'wu')), 'ALREADY_ANSWERED');
  await incident.sandbox.advance(5 * MINUTE);

  assert.deepEqual(
    incident.outside.actuations.map(({ device, action }) => [device, action]),
    [['riverside/building-main', 'close-valve']],
  );
  const [actuated] = await incident.factsOf('actuated');
  assert.equal(actuated?.data['authorisedBy'], 'lin');
});

test('counts only the first of two answers that arrive together', async () => {
  const incident = await openMajorLeak();
  const given = { questionId: VALVE, by: 'lin', roles: ['duty-officer'], reason: '' };
  const first = incident.sandbox.postUpdate(names.APPROVE, { ...given, choice: 'approve' });
  const second = incident.sandbox.postUpdate(names.APPROVE, { ...given, choice: 'refuse', by: 'wu' });
  await incident.sandbox.settle();
  assert.equal(first.status, 'completed');
  assert.equal(second.status, 'rejected');
  assert.equal(incident.outside.actuations.length, 1);
});

test('does not act when the answer is no', async () => {
  const incident = await openMajorLeak();
  await incident.answer(VALVE, 'refuse');
  await incident.sandbox.advance(5 * MINUTE);
  assert.deepEqual(incident.outside.actuations, []);
  assert.equal((await incident.situation()).steps[VALVE]?.state, 'held');
});

test('applies what the plan declared when nobody answers in a minute: one proceeds, the other holds', async () => {
  const incident = await openMajorLeak();
  await incident.sandbox.advance(MINUTE - 1);
  assert.deepEqual(incident.outside.actuations, []);
  await incident.sandbox.advance(1);

  assert.deepEqual(
    incident.outside.actuations.map(({ action }) => action),
    ['close-valve'],
  );
  const { steps } = await incident.situation();
  assert.equal(steps[VALVE]?.state, 'done');
  assert.equal(steps[EVACUATION]?.state, 'held');
  const [actuated] = await incident.factsOf('actuated');
  assert.equal(actuated?.data['authorisedBy'], 'otherwise');
  assert.equal(await refusalOf(incident.answer(EVACUATION, 'approve')), 'QUESTION_CLOSED');
});

test('waits for a deadline with one durable timer of its length', async () => {
  const incident = await openIncident(quakePlan, [notice()], { vote: () => disagreed });
  assert.equal(incident.sandbox.nextDueMs(), T0 + 2 * MINUTE);
});

test('sends units through the desk, follows them to the scene and gives them back', async () => {
  const incident = await openMajorLeak();
  assert.deepEqual(
    incident.outside.orders.map(({ id, capability, count, deadlineMs }) => [
      id,
      capability,
      count,
      deadlineMs,
    ]),
    [[HAZMAT, 'hazmat', 2, T0 + 8 * MINUTE]],
  );
  const missions = await incident.grant(HAZMAT, 'h1', 'h2');
  assert.equal((await incident.factsOf('transmitted')).length, 2);
  for (const [status, afterMs] of [
    ['acknowledged', 30 * SECOND],
    ['en-route', MINUTE],
    ['on-scene', 4 * MINUTE],
  ] as const) {
    await incident.sandbox.advance(afterMs);
    for (const mission of missions) await incident.report(mission, status);
  }
  const underWay = await incident.situation();
  assert.equal(underWay.orders[HAZMAT]?.state, 'met');
  assert.equal(underWay.steps[HAZMAT]?.state, 'done');

  await incident.report(missions[0]!, 'done');
  assert.deepEqual(
    incident.outside.releases.map(({ unit, epoch }) => [unit, epoch]),
    [['h1', 1]],
  );
  await incident.hear(methaneReading('evaluate.resolvedWhen', true, incident.sandbox.now()));
  const outcome = incident.sandbox.result() as Outcome;
  assert.deepEqual(outcome.measures['hazmatOnScene'], {
    goalMs: 8 * MINUTE,
    valueMs: 5.5 * MINUTE,
    met: true,
    count: 2,
  });
  assert.deepEqual(
    incident.outside.releases.map(({ unit }) => unit),
    ['h1', 'h2'],
  );
});

test('tells the county when the hazmat crew is not on scene in 8 minutes, and still takes a late crew', async () => {
  const incident = await openMajorLeak();
  await incident.sandbox.advance(8 * MINUTE);
  assert.equal((await incident.situation()).steps[HAZMAT]?.state, 'missed');
  assert.deepEqual(
    incident.outside.notices.map(({ to }) => to),
    ['county-dispatch', 'hospital'],
  );
  await incident.grant(HAZMAT, 'h1');
  assert.equal((await incident.factsOf('transmitted')).length, 1);
});

test('counts units that a missed order still waited for as never arrived', async () => {
  const incident = await openMajorLeak();
  await incident.sandbox.advance(9 * MINUTE);
  await incident.hear(methaneReading('evaluate.resolvedWhen', true, incident.sandbox.now()));
  const { hazmatOnScene } = (incident.sandbox.result() as Outcome).measures;
  assert.deepEqual(hazmatOnScene, { goalMs: 8 * MINUTE, valueMs: null, met: false, count: 2 });
});

test('ignores reports of another epoch, of another unit and steps back', async () => {
  const incident = await openMajorLeak();
  const [mission] = await incident.grant(HAZMAT, 'h1');
  await incident.report(mission!, 'en-route');
  await incident.report({ ...mission!, epoch: 0 }, 'on-scene');
  await incident.report({ ...mission!, unit: 'h2' }, 'on-scene');
  await incident.report(mission!, 'acknowledged');
  assert.equal((await incident.situation()).missions[mission!.id]?.status, 'en-route');
  assert.equal((await incident.factsOf('mission-status')).length, 1);
});

test('does not transmit under an epoch that was fenced off, and gives the unit back', async () => {
  const incident = await openMajorLeak();
  await incident.outside.activities.fenceOff({ unit: 'h1', epoch: 1, atMs: T0 });
  const [mission] = await incident.grant(HAZMAT, 'h1');
  assert.equal((await incident.situation()).missions[mission!.id]?.status, 'stood-down');
  assert.deepEqual(await incident.factsOf('transmitted'), []);
  assert.deepEqual(
    incident.outside.releases.map(({ unit, epoch }) => [unit, epoch]),
    [['h1', 1]],
  );
});

test('stands units down that are granted while the response is being withdrawn', async () => {
  let answerNow: () => void = () => {};
  const learning = new Promise<void>((resolve) => (answerNow = resolve));
  const incident = await openMajorLeak({ activities: { learn: () => learning } });
  await incident.command('close');
  assert.equal(incident.sandbox.ending().status, 'running');
  await incident.grant(HAZMAT, 'h1', 'h2');
  answerNow();
  await incident.sandbox.settle();

  assert.equal((incident.sandbox.result() as Outcome).result, 'closed-by-command');
  assert.deepEqual(await incident.factsOf('transmitted'), []);
  assert.deepEqual(
    incident.outside.releases.map(({ unit }) => unit),
    ['h1', 'h2'],
  );
});

test('asks the duty officer when a step fails, and the next step still runs', async () => {
  const plan = gasPlanWith([
    { do: 'procedure', id: 'major.0', name: 'flush', codeHash: 'c', arguments: { doors: 2 } },
    { do: 'notify', id: 'major.1', to: 'hospital' },
  ]);
  const incident = await openIncident(
    plan,
    [methaneReading('detect', true), methaneReading(MAJOR_LEAF, true)],
    {
      children: {
        'procedure.flush': () => {
          throw ApplicationFailure.nonRetryable('pump broken');
        },
      },
    },
  );
  const { questions, steps } = await incident.situation();
  assert.equal(steps['major.0']?.state, 'failed');
  assert.equal(questions['major.0/failed']?.role, 'duty-officer');
  await incident.answer('major.0/failed', 'acknowledge');
  assert.deepEqual(
    incident.outside.notices.map(({ to }) => to),
    ['hospital'],
  );
});

test('escalates when worse evidence arrives, runs the worse steps once, and never grows milder by itself', async () => {
  const incident = await openIncident(quakePlan, [notice({ mmi: 4 })]);
  await incident.hear(notice({ id: 'n2', atMs: T0 + MINUTE, magnitude: 6.5, mmi: 7 }));
  const escalated = await incident.situation();
  assert.equal(escalated.assessment?.severity, 'damaging');
  assert.equal(escalated.highestLevel, 'II');
  assert.equal(incident.outside.orders.length, 1);

  await incident.hear(notice({ id: 'n3', atMs: T0 + 2 * MINUTE, magnitude: 6.6, mmi: 4 }));
  await incident.hear(notice({ id: 'n4', atMs: T0 + 3 * MINUTE, magnitude: 6.7, mmi: 7 }));
  assert.equal((await incident.situation()).assessment?.severity, 'damaging');
  assert.equal(incident.outside.orders.length, 1);
  assert.equal((await incident.factsOf('escalated')).length, 1);
});

test('escalates when the plan’s escalation condition begins to hold', async () => {
  const incident = await openIncident(gasPlan, [methaneReading('detect', true)]);
  assert.equal((await incident.situation()).assessment?.severity, 'minor');
  await incident.hear(methaneReading('evaluate.escalateWhen', true, T0 + 30 * SECOND));
  assert.equal((await incident.situation()).assessment?.severity, 'major');
});

test('escalates and closes on command, and refuses commands that cannot be carried out', async () => {
  const incident = await openIncident(quakePlan, [notice({ mmi: 4 })]);
  assert.equal(await refusalOf(incident.command('escalate', 'enormous')), 'CHOICE_INVALID');
  await incident.command('escalate', 'damaging');
  const { assessment } = await incident.situation();
  assert.equal(assessment?.severity, 'damaging');
  assert.equal(incident.outside.orders.length, 1);

  await incident.command('stand-down');
  assert.equal((incident.sandbox.result() as Outcome).result, 'stood-down');
  assert.equal((await incident.factsOf('commanded')).length, 2);
});

test('raises a doubt once when the data goes stale', async () => {
  const incident = await openIncident(gasPlan, [methaneReading('detect', true)]);
  await incident.sandbox.advance(20 * MINUTE);
  assert.deepEqual(Object.keys((await incident.situation()).questions), ['evaluate/stale']);
  assert.equal(incident.outside.asked.length, 1);
});

test('records every decision before it acts on it', async () => {
  const incident = await openMajorLeak();
  await incident.answer(VALVE, 'approve');
  const recorded = (upTo: number): string[] =>
    incident.sandbox.activityCalls
      .slice(0, upTo)
      .filter((call) => call.name === 'recordFacts')
      .flatMap((call) => (call.input as { facts: { kind: string }[] }).facts.map((fact) => fact.kind));
  const before = (activity: string): string[] =>
    recorded(incident.sandbox.activityCalls.findIndex((call) => call.name === activity));

  assert.ok(before('requestUnits').includes('ordered'));
  assert.ok(before('askHuman').includes('asked'));
  assert.ok(before('actuate').includes('answered'));
});

test('loses no fact when several verbs wait for a store that answers late', async () => {
  const held: (() => void)[] = [];
  let isSlow = false;
  const outsideRecord: unknown[] = [];
  const incident = await openMajorLeak({
    activities: {
      recordFacts: async (input: { facts: unknown[] }) => {
        if (isSlow) await new Promise<void>((resolve) => held.push(resolve));
        outsideRecord.push(...input.facts);
      },
    },
  });
  isSlow = true;
  const [mission] = await incident.grant(HAZMAT, 'h1');
  await incident.answer(VALVE, 'approve');
  await incident.answer(EVACUATION, 'approve');
  await incident.report(mission!, 'en-route');
  assert.deepEqual(incident.outside.actuations, [], 'acted before it was recorded');
  while (held.length > 0) {
    held.shift()!();
    await incident.sandbox.settle();
  }

  assert.equal(incident.outside.actuations.length, 2);
  const seqs = outsideRecord.map((fact) => (fact as { seq: number }).seq);
  assert.deepEqual(
    seqs,
    seqs.map((_, index) => index),
  );
});

test('tries again for as long as the store is away', async () => {
  let isAway = true;
  const incident = await openIncident(quakePlan, [notice()], {
    activities: {
      recordFacts: () => {
        if (isAway) throw new Error('the store is away');
      },
    },
  });
  await incident.sandbox.advance(MINUTE);
  assert.equal((await incident.situation()).assessment, null);
  isAway = false;
  await incident.sandbox.advance(10 * SECOND);
  assert.equal((await incident.situation()).assessment?.severity, 'felt');
});

test('continues as new with everything it knew, when nothing is in flight', async () => {
  const incident = await openIncident(quakePlan, [notice({ mmi: 4 })]);
  const before = await incident.situation();
  incident.sandbox.historyLength = 2_001;
  await incident.sandbox.advance(HOUR);

  assert.equal(incident.sandbox.runs.length, 2);
  const after = await incident.situation();
  assert.deepEqual(after.assessment, before.assessment);
  assert.equal(after.evidenceCount, 1);
  assert.deepEqual(
    incident.outside.notices.map(({ to }) => to),
    ['county'],
  );
  await incident.sandbox.advance(5 * HOUR);
  assert.equal((incident.sandbox.result() as Outcome).result, 'resolved');
  const seqs = (await incident.facts()).map((fact) => fact.seq);
  assert.deepEqual(
    seqs,
    seqs.map((_, index) => index),
  );
});

test('does not continue as new while a step is under way', async () => {
  const incident = await openMajorLeak();
  incident.sandbox.historyLength = 2_001;
  await incident.sandbox.advance(30 * SECOND);
  await incident.hear(methaneReading('evaluate.escalateWhen', true, incident.sandbox.now()));
  assert.equal(incident.sandbox.runs.length, 1);
});

test('loses no evidence that arrives while it continues as new', async () => {
  const incident = await openIncident(quakePlan, [notice({ mmi: 4 })]);
  for (let round = 1; round <= 20; round += 1) {
    const atMs = incident.sandbox.now();
    incident.sandbox.historyLength = 2_001;
    incident.sandbox.postSignal(names.EVIDENCE, {
      evidence: [notice({ id: `a${round}`, atMs, magnitude: 3, mmi: 2 })],
    });
    incident.sandbox.postSignal(names.EVIDENCE, {
      evidence: [notice({ id: `b${round}`, atMs, magnitude: 3, mmi: 2 })],
    });
    await incident.sandbox.advance(MINUTE);
  }
  assert.equal(incident.sandbox.runs.length, 21);
  assert.equal((await incident.situation()).evidenceCount, 41);
  assert.equal((await incident.factsOf('evidence-joined')).length, 40);
});

test('remembers answers and approvals over continue-as-new', async () => {
  const incident = await openMajorLeak();
  await incident.answer(VALVE, 'approve');
  await incident.answer(EVACUATION, 'refuse');
  const [first, second] = await incident.grant(HAZMAT, 'h1', 'h2');
  for (const mission of [first!, second!]) await incident.report(mission, 'on-scene');
  incident.sandbox.historyLength = 2_001;
  await incident.sandbox.advance(MINUTE);
  assert.equal(incident.sandbox.runs.length, 2);

  assert.equal(await refusalOf(incident.answer(VALVE, 'approve', 'wu')), 'ALREADY_ANSWERED');
  await incident.report(first!, 'done');
  assert.deepEqual(
    incident.outside.releases.map(({ unit }) => unit),
    ['h1'],
  );
  assert.equal(incident.outside.actuations.length, 1);
});

const clockAt = async (incident: Incident, atMs: number): Promise<ClockAnswer> =>
  (await incident.sandbox.execute(names.CLOCK, { atMs })) as ClockAnswer;

test('on a feed clock lets deadlines pass only when it is told the time', async () => {
  const incident = await openIncident(quakePlan, [notice({ mmi: 4 })], {
    clock: 'feed',
    vote: () => disagreed,
  });
  await incident.sandbox.advance(24 * HOUR);
  assert.equal((await incident.situation()).assessment, null);

  const asked = await clockAt(incident, T0);
  assert.deepEqual(asked.openQuestions, ['classify/1']);
  assert.equal(asked.wakeAtMs, T0 + 2 * MINUTE);

  const decided = await clockAt(incident, T0 + 2 * MINUTE);
  assert.equal(decided.nowMs, T0 + 2 * MINUTE);
  assert.deepEqual(decided.openQuestions, []);
  assert.equal((await incident.situation()).assessment?.decidedBy, 'otherwise');
});

test('on a feed clock answers only when it has done all it can', async () => {
  let voteNow: () => void = () => {};
  const voting = new Promise<void>((resolve) => (voteNow = resolve));
  const incident = await openIncident(quakePlan, [notice({ mmi: 7 })], {
    clock: 'feed',
    vote: async () => {
      await voting;
      return agreed();
    },
  });
  const update = await incident.sandbox.update(names.CLOCK, { atMs: T0 });
  assert.equal(update.status, 'accepted');
  voteNow();
  await incident.sandbox.settle();
  // It ordered units, and waits for the desk's word.
  assert.equal(update.status, 'accepted');
  assert.equal(incident.outside.orders.length, 1);
  await incident.sandbox.signal(names.GRANTED, { orderId: 'damaging.1', missions: [], atMs: T0 });
  assert.equal(update.status, 'completed');
  const answer = update.result as ClockAnswer;
  assert.equal(answer.queuedOrders, 1);
  assert.equal(answer.wakeAtMs, T0 + 30 * MINUTE);
});

test('on a feed clock says when it next wants to wake, until it closes', async () => {
  const incident = await openIncident(quakePlan, [notice({ mmi: 4 })], { clock: 'feed' });
  let answer = await clockAt(incident, T0);
  const woken: number[] = [];
  while (answer.wakeAtMs !== null) {
    woken.push((answer.wakeAtMs - T0) / HOUR);
    answer = await clockAt(incident, answer.wakeAtMs);
  }
  assert.deepEqual(woken, [1, 2, 3, 4, 5, 6]);
  assert.equal(answer.phase, 'closed');
  assert.equal((incident.sandbox.result() as Outcome).result, 'resolved');
});

test('on a feed clock never runs backwards', async () => {
  const incident = await openIncident(quakePlan, [notice({ mmi: 4 })], { clock: 'feed' });
  await clockAt(incident, T0 + MINUTE);
  assert.equal((await clockAt(incident, T0)).nowMs, T0 + MINUTE);
});
