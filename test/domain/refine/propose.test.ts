import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { generateRoster } from '../../../domain/dispatch/roster.ts';
import { checkPlan } from '../../../domain/plan/check.ts';
import { diffPlans } from '../../../domain/plan/diff.ts';
import type { PlanDocument } from '../../../domain/plan/document.ts';
import { readTunable, writeTunable } from '../../../domain/plan/tune.ts';
import { propose } from '../../../domain/refine/propose.ts';
import type { Evaluation } from '../../../domain/world.ts';
import { PLACES } from '../../../exercise/places.ts';
import { earthquake, gasLeak } from '../../../plans/index.ts';
import { coursesOf, weekOfNotices } from '../../plans/week.ts';
import { closed, methane, quake, riverside, tremors } from './past-incidents.ts';

const units = generateRoster({ places: [riverside] });
const severe = (n: number, magnitude: number): Evaluation =>
  closed(n, [quake(n, magnitude, { expectedMmi: 7 })], { level: 'II', severity: 'severe' });

const reasonOf = async (plan: PlanDocument, evaluations: readonly Evaluation[]): Promise<string> => {
  const drafted = await propose(plan, evaluations, units);
  return drafted.proposed ? 'proposed' : drafted.reason;
};

test('no incidents, no proposal', async () => {
  assert.equal(await reasonOf(earthquake, []), '0 incidents have closed; 10 are needed.');
});

test('one incident fewer than the plan asks for is no evidence', async () => {
  assert.match(await reasonOf(earthquake, tremors(9)), /^9 incidents have closed; 10 are needed/);
});

test('enough nuisance makes the plan less eager by a tenth at most, with the figures before and after', async () => {
  const evaluations = [
    ...tremors(8),
    ...tremors(2, 1.5).map((one, n) => ({ ...one, ...closed(20 + n, [quake(20 + n, 1.5)]) })),
  ];
  const drafted = await propose(earthquake, evaluations, units);
  assert.ok(drafted.proposed);
  assert.deepEqual(
    drafted.changes.map(({ path, from, to }) => ({ path, from, to })),
    [{ path: 'detect.magnitude', from: 1, to: 1.1 }],
  );
  const { before, after } = drafted.rehearsal;
  assert.deepEqual([before.incidents, before.nuisance], [10, 10]);
  assert.deepEqual([after.incidents, after.nuisance], [2, 2]);
  assert.ok(after.unitsSent < before.unitsSent);
  assert.deepEqual(
    drafted.evidence,
    evaluations.map(({ incidentId }) => incidentId),
  );
});

test('a proposal differs from the plan in that number alone, and is itself a sound plan', async () => {
  const drafted = await propose(earthquake, tremors(10), units);
  assert.ok(drafted.proposed);
  assert.deepEqual(
    diffPlans(earthquake, drafted.document).map(({ path }) => path),
    ['detect.of.1.magnitude'],
  );
  assert.deepEqual(checkPlan(drafted.document), []);
});

test('the reason says when all evidence came from one vendor, and only then', async () => {
  const fromOne = await propose(earthquake, tremors(10), units);
  const second = closed(30, [quake(30, 1.05, { vendor: 'vendor-two' })]);
  const fromTwo = await propose(earthquake, [...tremors(10), second], units);
  assert.ok(fromOne.proposed && fromTwo.proposed);
  assert.match(fromOne.changes[0]!.reason.en, /All evidence came from one vendor, vendor-quakes\.$/);
  assert.match(fromOne.changes[0]!.reason.zh, /vendor-quakes。$/);
  assert.doesNotMatch(fromTwo.changes[0]!.reason.en, /one vendor/);
});

test('a plan that mostly led to help that was needed is left as it is', async () => {
  const evaluations = [...tremors(5), ...Array.from({ length: 5 }, (_, n) => severe(10 + n, 6))];
  assert.match(await reasonOf(earthquake, evaluations), /^5 of 10 incidents were a nuisance/);
});

test('nothing is proposed that would have missed a severe incident', async () => {
  // Felt strongly by its intensity alone in a plan that reads magnitudes only.
  const byMagnitude: PlanDocument = {
    ...earthquake,
    detect: { when: 'magnitudeNear', bulletin: 'earthquake-notice', magnitude: 1, withinKm: 20 },
  };
  const evaluations = [...tremors(20), severe(30, 1.05)];
  assert.match(await reasonOf(byMagnitude, evaluations), /it would have missed a severe incident/);
});

test('nothing is proposed that would have left out an incident that was no nuisance', async () => {
  const byMagnitude: PlanDocument = {
    ...earthquake,
    detect: { when: 'magnitudeNear', bulletin: 'earthquake-notice', magnitude: 1, withinKm: 20 },
  };
  const moderate = closed(30, [quake(30, 1.05, { expectedMmi: 6 })], { level: 'III', severity: 'moderate' });
  assert.match(
    await reasonOf(byMagnitude, [...tremors(20), moderate]),
    /left out an incident that was no nuisance/,
  );
});

test('nothing is proposed that would have spared nothing', async () => {
  assert.match(await reasonOf(earthquake, tremors(10, 2.4)), /it would have spared nothing/);
});

test('a number at its bound stays there', async () => {
  const atBound = writeTunable(earthquake, 'detect.magnitude', 2.5);
  assert.match(await reasonOf(atBound, tremors(10, 2.6)), /no room upwards within its bounds/);
});

test('a plan that lets nothing of its detection be tuned is left as it is', async () => {
  const fixed: PlanDocument = { ...earthquake, refine: { ...earthquake.refine, mayTune: {} } };
  assert.equal(await reasonOf(fixed, tremors(10)), 'The plan allows no change of its detection.');
});

test('the gas plan is never made less eager than its safe limit', async () => {
  const leaks = Array.from({ length: 6 }, (_, n) =>
    closed(n, [methane(n, 'detect', 0), methane(n, 'evaluate.resolvedWhen', 20)], {
      type: 'gas-leak',
      severity: 'nuisance',
      plan: 'gas-leak',
    }),
  );
  assert.match(await reasonOf(gasLeak, leaks), /detect\.threshold has no room upwards/);
});

test('whatever has happened, a proposal stays in its bounds, within a tenth, and touches one number', async () => {
  const incident = fc.record({
    magnitude: fc.double({ min: -1, max: 7, noNaN: true }),
    expectedMmi: fc.double({ min: 1, max: 9, noNaN: true }),
    distanceKm: fc.double({ min: 0, max: 40, noNaN: true }),
    level: fc.constantFrom('I', 'II', 'III', 'IV', 'IV', 'IV', 'IV'),
  } as const);
  await fc.assert(
    fc.asyncProperty(
      fc.array(incident, { minLength: 10, maxLength: 16 }),
      fc.double({ min: 1, max: 2.5, noNaN: true }),
      async (incidents, threshold) => {
        const plan = writeTunable(earthquake, 'detect.magnitude', threshold);
        const drafted = await propose(
          plan,
          incidents.map(({ magnitude, level, ...rest }, n) =>
            closed(n, [quake(n, magnitude, rest)], { level }),
          ),
          units,
        );
        if (!drafted.proposed) return assert.ok(drafted.reason.length > 0);
        const to = readTunable(drafted.document, 'detect.magnitude');
        assert.ok(to > threshold && to <= 2.5 && to <= threshold * 1.1 + 1e-9, `${threshold} to ${to}`);
        assert.deepEqual(writeTunable(drafted.document, 'detect.magnitude', threshold), plan);
        assert.ok(drafted.rehearsal.after.severeMissed <= drafted.rehearsal.before.severeMissed);
      },
    ),
    { numRuns: 30 },
  );
});

test('the recorded week supports a proposal: fewer tremors, and Hualien still severe', async () => {
  const notices = weekOfNotices();
  const labels = new Map(notices.map(({ id, label }) => [id, label]));
  const week = coursesOf(earthquake, notices, PLACES).map(({ joined, choice }, n) =>
    closed(n, joined.slice(0, 20), {
      type: labels.get(joined[0]!.bulletin.id) ?? 'earthquake',
      level: choice.level,
      severity: choice.severity,
    }),
  );
  const drafted = await propose(earthquake, week, generateRoster({ places: PLACES }));
  assert.ok(drafted.proposed);
  const { before, after } = drafted.rehearsal;
  assert.deepEqual([before.severe, before.severeMissed, after.severe, after.severeMissed], [1, 0, 1, 0]);
  assert.ok(after.nuisance < before.nuisance);
});
