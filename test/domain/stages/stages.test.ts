import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Fact, FactKind, VoteResult } from '../../../domain/situation.ts';
import {
  HOUR,
  MAJOR_LEAF,
  MINUTE,
  T0,
  agreed,
  disagreed,
  gasPlan,
  gasPlanWith,
  methaneReading,
  notice,
  quakePlan,
  unitsOf,
} from '../../support/plans.ts';
import type { Happening } from '../../support/script.ts';
import { rehearseOne } from '../../support/script.ts';

const leak = [methaneReading('detect', true), methaneReading(MAJOR_LEAF, true)];
const safe = (atMs: number): Happening => ({
  atMs,
  tag: '',
  evidence: [methaneReading('evaluate.resolvedWhen', true, atMs)],
});
const when = (facts: readonly Fact[], kind: FactKind): number[] =>
  facts.filter((fact) => fact.kind === kind).map((fact) => fact.atMs - T0);
const about = (facts: readonly Fact[], kind: FactKind, key: string): unknown[] =>
  facts.filter((fact) => fact.kind === kind).map((fact) => fact.data[key]);

test('asks the duty officer when the recognisers disagree, and goes on with what the plan declared after two minutes', async () => {
  const { facts, situation } = await rehearseOne(quakePlan, [notice({ mmi: 7 })], { vote: () => disagreed });
  assert.deepEqual(when(facts, 'asked'), [0]);
  assert.deepEqual(when(facts, 'unanswered'), [2 * MINUTE]);
  assert.deepEqual(when(facts, 'assessed'), [2 * MINUTE]);
  assert.equal(situation.assessment?.decidedBy, 'otherwise');
  assert.equal(situation.assessment?.severity, 'damaging');
});

test('takes the duty officer’s word over the recognisers’', async () => {
  const { facts, situation } = await rehearseOne(quakePlan, [notice({ mmi: 7 })], {
    vote: () => disagreed,
    answer: () => ({ choice: 'quarry-blast', afterMs: 30_000 }),
  });
  assert.deepEqual(when(facts, 'assessed'), [30_000]);
  assert.equal(situation.assessment?.severity, 'report');
  assert.deepEqual(when(facts, 'closed'), [10 * MINUTE]);
});

test('takes a confidence below the plan’s as a doubt, and says so to the human', async () => {
  const { questions, facts } = await rehearseOne(quakePlan, [notice()], {
    vote: () => agreed('earthquake', 0.79),
  });
  assert.equal(questions.length, 1);
  assert.match(questions[0]!.text.en, /Confidence 0\.79 is below 0\.8\./);
  assert.deepEqual(about(facts, 'assessed', 'decidedBy'), ['otherwise']);
});

test('writes into the record why this severity: each question with its answer', async () => {
  const { situation } = await rehearseOne(quakePlan, [notice({ mmi: 7 })]);
  assert.deepEqual(
    situation.assessment?.path.map(({ answer }) => answer),
    ['earthquake', 'no', 'yes: damaging'],
  );
});

test('recognises again when the strongest evidence changes, and only then', async () => {
  const voted: string[] = [];
  const vote = (request: { evidence: { key: string } }): VoteResult => {
    voted.push(request.evidence.key);
    return agreed();
  };
  const hear = (id: string, minutes: number, magnitude: number): Happening => ({
    atMs: T0 + minutes * MINUTE,
    tag: '',
    evidence: [notice({ id, atMs: T0 + minutes * MINUTE, magnitude })],
  });
  await rehearseOne(quakePlan, [notice({ magnitude: 5 })], {
    vote,
    happenings: [hear('weaker', 10, 4), hear('stronger', 20, 6), hear('equal', 30, 6)],
  });
  assert.deepEqual(voted, ['quakes|n1', 'quakes|stronger']);
});

test('tells the province when the rescue teams are not on scene in 30 minutes', async () => {
  const { facts } = await rehearseOne(quakePlan, [notice({ mmi: 7 })], {
    units: unitsOf('east', { medical: 1 }),
  });
  assert.deepEqual(when(facts, 'step-missed'), [30 * MINUTE]);
  assert.deepEqual(about(facts, 'notified', 'to'), ['county', 'province']);
});

test('tells the supervisor when the hospital does not acknowledge in 3 minutes, and not when it does', async () => {
  const severe = [notice({ mmi: 8.5, magnitude: 7 })];
  const silent = await rehearseOne(quakePlan, severe);
  assert.ok(about(silent.facts, 'notified', 'to').includes('ems-supervisor'));
  const heard = await rehearseOne(quakePlan, severe, {
    answer: ({ about: kind }) =>
      kind === 'acknowledgement' ? { choice: 'acknowledge', afterMs: 2 * MINUTE } : undefined,
  });
  assert.deepEqual(about(heard.facts, 'notified', 'to'), ['hospital']);
});

test('sends assessment to each affected place, most affected first, each by its own district', async () => {
  const { situation } = await rehearseOne(quakePlan, [notice({ mmi: 8.5, magnitude: 7 })]);
  const orders = Object.values(situation.orders).filter((order) => order.capability === 'assessment');
  assert.deepEqual(
    orders.map(({ id, district }) => [id, district]),
    [
      ['severe.2.0#riverside', 'east'],
      ['severe.2.0#hilltop', 'west'],
    ],
  );
});

test('runs steps together, and the next one only when all of them have ended', async () => {
  const { facts } = await rehearseOne(gasPlan, leak, { happenings: [safe(T0 + 2 * HOUR)] });
  const started = facts
    .filter((fact) => fact.kind === 'step-started')
    .map((fact) => [fact.data['step'], fact.atMs]);
  const startOf = new Map(started as [string, number][]);
  assert.equal(startOf.get('major.0.0'), T0);
  assert.equal(startOf.get('major.0.2'), T0);
  // The slowest of them is the order that is missed after eight minutes.
  assert.deepEqual(when(facts, 'step-missed'), [8 * MINUTE]);
  assert.equal(startOf.get('major.1'), T0 + 8 * MINUTE);
});

test('does not take silence for consent once the incident is over', async () => {
  const { facts, questions } = await rehearseOne(gasPlan, leak, { happenings: [safe(T0 + 30_000)] });
  assert.deepEqual(
    questions.map(({ otherwise }) => otherwise),
    ['hold', 'proceed'],
  );
  assert.deepEqual(about(facts, 'actuated', 'step'), []);
  assert.deepEqual(about(facts, 'closed', 'result'), ['resolved']);
});

test('gives every unit back, whatever its crew was doing when the incident ended', async () => {
  const { situation } = await rehearseOne(gasPlan, leak, { happenings: [safe(T0 + 10 * MINUTE)] });
  const missions = Object.values(situation.missions);
  assert.equal(missions.length, 2);
  for (const mission of missions) {
    assert.equal(mission.status, 'stood-down');
    assert.equal(mission.releasedAtMs, T0 + 10 * MINUTE);
  }
});

test('starts a step only when the one before has ended', async () => {
  const plan = gasPlanWith([
    { do: 'send', id: 'major.0', capability: 'hazmat', count: 1, withinMs: 30 * MINUTE },
    { do: 'notify', id: 'major.1', to: 'hospital' },
  ]);
  const { facts } = await rehearseOne(plan, leak, { happenings: [safe(T0 + HOUR)] });
  assert.deepEqual(about(facts, 'notified', 'to'), ['hospital']);
  assert.ok(when(facts, 'notified')[0]! > 10 * MINUTE);
});

test('escalates once when the plan’s condition holds, however often it is read', async () => {
  const at = (minutes: number): Happening => ({
    atMs: T0 + minutes * MINUTE,
    tag: '',
    evidence: [methaneReading('evaluate.escalateWhen', true, T0 + minutes * MINUTE)],
  });
  const { facts, situation } = await rehearseOne(gasPlan, [methaneReading('detect', true)], {
    happenings: [at(2.5), at(3.5), at(4.5), safe(T0 + HOUR)],
  });
  assert.deepEqual(when(facts, 'escalated'), [2.5 * MINUTE]);
  assert.equal(situation.highestLevel, 'II');
  assert.equal(situation.outcome?.falseAlarm, false);
});

test('reviews as often as the plan says, and doubts data that has gone stale once', async () => {
  const { facts, questions } = await rehearseOne(gasPlan, [methaneReading('detect', true)], {
    happenings: [safe(T0 + 10.5 * MINUTE)],
  });
  assert.equal(when(facts, 'reviewed').length, 10);
  assert.deepEqual(
    questions.map(({ id, askedAtMs }) => [id, askedAtMs - T0]),
    [['evaluate/stale', 6 * MINUTE]],
  );
});

test('calls an incident that never needed anybody a false alarm', async () => {
  const { evaluations } = await rehearseOne(quakePlan, [notice({ magnitude: 2, mmi: 2 })], {
    vote: () => agreed('explosion'),
  });
  assert.equal(evaluations.length, 1);
  assert.equal(evaluations[0]!.outcome.falseAlarm, true);
  assert.equal(evaluations[0]!.unitsSent, 0);
});

test('hands to refinement what opened the incident and what it took', async () => {
  const { evaluations } = await rehearseOne(quakePlan, [notice({ mmi: 8.5, magnitude: 7 })]);
  const [evaluation] = evaluations;
  assert.equal(evaluation?.trigger[0]?.key, 'quakes|n1');
  assert.equal(evaluation?.highestLevel, 'I');
  assert.equal(evaluation?.unitsSent, 3);
  assert.equal(evaluation?.humansAsked, 2);
});
