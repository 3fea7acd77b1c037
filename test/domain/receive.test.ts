import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { TocsinError } from '../../domain/errors.ts';
import {
  checkAnswer,
  openSituation,
  receiveAnswer,
  receiveCommand,
  receiveEvidence,
  receiveGrants,
  receiveStatus,
  strongestBulletin,
} from '../../domain/receive.ts';
import type { Mission, Order, Question, Situation } from '../../domain/situation.ts';
import { MISSION_STATUSES } from '../../domain/situation.ts';
import {
  MINUTE,
  T0,
  detectionOf,
  gasPlan,
  methaneReading,
  notice,
  quakePlan,
  riverside,
} from '../support/plans.ts';

const open = (): Situation =>
  openSituation(
    detectionOf(quakePlan, [notice()]),
    { document: quakePlan, hash: 'f'.repeat(64) },
    { mode: 'exercise', clock: 'feed', nowMs: T0 },
  );

const question: Question = {
  id: 'severe.0',
  about: 'approval',
  role: 'duty-officer',
  text: { en: 'Stop the trains?', zh: '停运列车？' },
  choices: ['approve', 'refuse'],
  askedAtMs: T0,
  deadlineMs: T0 + MINUTE,
  otherwise: 'proceed',
};

const order: Order = {
  id: 'severe.1',
  incidentId: 'incident/demo/earthquake/riverside/20260101T000000Z',
  tenant: 'demo',
  district: 'east',
  capability: 'medical',
  count: 1,
  place: riverside,
  level: 'I',
  orderedAtMs: T0,
  deadlineMs: T0 + 20 * MINUTE,
};

const mission = (unit: string, epoch = 1): Mission => ({
  id: `mission/${order.incidentId}/${order.id}/${unit}`,
  orderId: order.id,
  unit,
  epoch,
  capability: 'medical',
  grantedAtMs: T0,
  travelMs: MINUTE,
  status: 'granted',
  times: { granted: T0 },
});

const withOrder = (): Situation => {
  const situation = open();
  situation.orders[order.id] = { ...order, state: 'requested' };
  return situation;
};

const refusal = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    if (error instanceof TocsinError) return error.code;
    throw error;
  }
  throw new Error('nothing was refused');
};

test('the first evidence is what was detected, what follows joins', () => {
  const situation = open();
  const facts = receiveEvidence(situation, [notice(), notice({ id: 'n2' })]);
  assert.deepEqual(
    facts.map((fact) => fact.kind),
    ['detected', 'evidence-joined'],
  );
});

test('evidence joins once, in whatever order and however often it comes', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 200 }), (ids) => {
      const situation = open();
      const facts = ids.flatMap((id) => receiveEvidence(situation, [notice({ id: `n${id}` })]));
      assert.equal(situation.evidenceCount, new Set(ids).size);
      assert.equal(facts.length, new Set(ids).size);
    }),
  );
});

test('of very much evidence the trigger, the strongest and the newest stay', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0, max: 9, noNaN: true }), { minLength: 61, maxLength: 300 }),
      (sizes) => {
        const situation = open();
        const all = sizes.map((magnitude, index) => notice({ id: `n${index}`, magnitude }));
        for (const item of all) receiveEvidence(situation, [item]);
        assert.equal(situation.evidence.length, 60);
        assert.equal(situation.evidence[0], all[0]);
        assert.equal(situation.evidence.at(-1), all.at(-1));
        const strongest = Math.max(...sizes);
        assert.equal(strongestBulletin(situation.evidence)?.bulletin.fields['magnitude'], strongest);
        assert.equal(situation.evidenceCount, sizes.length);
      },
    ),
    { numRuns: 30 },
  );
});

test('of two transitions of a channel condition the later by its own time counts', () => {
  const situation = open();
  receiveEvidence(situation, [
    methaneReading('detect', false, T0 + MINUTE),
    methaneReading('detect', true, T0),
  ]);
  assert.deepEqual(situation.leaves['detect'], { holds: false, sinceMs: T0 + MINUTE });
});

for (const [code, given, prepare] of [
  ['QUESTION_UNKNOWN', { questionId: 'severe.9' }, () => {}],
  ['ROLE_REQUIRED', { roles: ['viewer'] }, () => {}],
  ['CHOICE_INVALID', { choice: 'maybe' }, () => {}],
  [
    'ALREADY_ANSWERED',
    {},
    (asked: Question) => (asked.answer = { choice: 'approve', by: 'wu', atMs: T0, reason: '' }),
  ],
  ['QUESTION_CLOSED', {}, (asked: Question) => (asked.expiredAtMs = T0 + MINUTE)],
] as const) {
  test(`an answer is refused with ${code} and changes nothing`, () => {
    const situation = open();
    const asked = { ...question };
    prepare(asked);
    situation.questions[asked.id] = asked;
    const before = structuredClone(situation);
    const answer = {
      questionId: asked.id,
      choice: 'approve',
      by: 'lin',
      roles: ['duty-officer'],
      reason: '',
      ...given,
    };
    assert.equal(
      refusal(() => receiveAnswer(situation, answer, T0)),
      code,
    );
    assert.deepEqual(situation, before);
  });
}

test('an admin may answer for any role, and the answer keeps who gave it', () => {
  const situation = open();
  situation.questions[question.id] = { ...question };
  const answer = { questionId: question.id, choice: 'refuse', by: 'root', roles: ['admin'], reason: 'drill' };
  assert.equal(checkAnswer(situation, answer).id, question.id);
  const [fact] = receiveAnswer(situation, answer, T0 + 1);
  assert.deepEqual(situation.questions[question.id]?.answer, {
    choice: 'refuse',
    by: 'root',
    atMs: T0 + 1,
    reason: 'drill',
  });
  assert.equal(fact?.kind, 'answered');
});

test('a grant is taken once, a newer epoch replaces an older one', () => {
  const situation = withOrder();
  const grant = (epoch: number) =>
    receiveGrants(situation, { orderId: order.id, missions: [mission('m1', epoch)] });
  assert.equal(grant(2).length, 1);
  assert.equal(grant(2).length, 0);
  assert.equal(grant(1).length, 0);
  assert.equal(situation.missions[mission('m1').id]?.epoch, 2);
  assert.equal(grant(3).length, 1);
  assert.equal(situation.orders[order.id]?.state, 'granted');
});

test('an empty grant queues an order that was just asked for, and only that', () => {
  const situation = withOrder();
  const nobody = { orderId: order.id, missions: [] };
  assert.deepEqual(
    receiveGrants(situation, nobody).map((fact) => fact.kind),
    ['queued'],
  );
  assert.deepEqual(receiveGrants(situation, nobody), []);
  assert.deepEqual(receiveGrants(situation, { orderId: 'severe.9', missions: [] }), []);
});

test('whatever a crew reports, its mission never goes back and its order is met at most once', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...MISSION_STATUSES), { maxLength: 20 }), (reports) => {
      const situation = withOrder();
      receiveGrants(situation, { orderId: order.id, missions: [mission('m1')] });
      const { id: missionId, unit, epoch } = mission('m1');
      const seen: number[] = [];
      for (const [index, status] of reports.entries()) {
        const atMs = T0 + index;
        receiveStatus(situation, { missionId, unit, epoch, status, atMs, by: 'crew' });
        seen.push(MISSION_STATUSES.indexOf(situation.missions[missionId]!.status));
      }
      assert.deepEqual(
        seen,
        [...seen].sort((a, b) => a - b),
      );
      const wasThere = situation.missions[missionId]!.times['on-scene'] !== undefined;
      assert.equal(situation.orders[order.id]?.state, wasThere ? 'met' : 'granted');
    }),
  );
});

test('commands are numbered; one for a closed incident or an unknown severity is refused', () => {
  const situation = open();
  const close = { kind: 'close', by: 'lin', reason: 'over' } as const;
  receiveCommand(gasPlan, situation, close, T0);
  receiveCommand(gasPlan, situation, { ...close, kind: 'escalate', severity: 'major' }, T0);
  assert.deepEqual(
    situation.commands.map(({ id }) => id),
    ['command/1', 'command/2'],
  );
  const unknown = { ...close, kind: 'escalate', severity: 'toString' } as const;
  assert.equal(
    refusal(() => receiveCommand(gasPlan, situation, unknown, T0)),
    'CHOICE_INVALID',
  );
  situation.phase = 'closed';
  assert.equal(
    refusal(() => receiveCommand(gasPlan, situation, close, T0)),
    'INCIDENT_CLOSED',
  );
  assert.equal(situation.commands.length, 2);
});

test('names from outside never reach what every object inherits', () => {
  const situation = open();
  const answer = { questionId: 'constructor', choice: 'approve', by: 'lin', roles: ['admin'], reason: '' };
  assert.equal(
    refusal(() => receiveAnswer(situation, answer, T0)),
    'QUESTION_UNKNOWN',
  );
  assert.deepEqual(receiveGrants(situation, { orderId: 'constructor', missions: [] }), []);
  const report = { missionId: '__proto__', unit: 'u', epoch: 1, status: 'done', atMs: T0, by: 'x' } as const;
  assert.deepEqual(receiveStatus(situation, report), []);
});
