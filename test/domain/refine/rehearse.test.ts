import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generateRoster } from '../../../domain/dispatch/roster.ts';
import { writeTunable } from '../../../domain/plan/tune.ts';
import { figuresOf, rehearse } from '../../../domain/refine/rehearse.ts';
import { earthquake, gasLeak } from '../../../plans/index.ts';
import { closed, methane, quake, riverside } from './past-incidents.ts';

const units = generateRoster({ places: [riverside] });
const main = closed(0, [quake(0, 4, { expectedMmi: 4 }), quake(0, 6.4, { expectedMmi: 7, afterHours: 3 })], {
  level: 'II',
  severity: 'severe',
});
const tremor = closed(1, [quake(1, 1.2)]);
const blast = closed(2, [quake(2, 1.2)], { type: 'quarry-blast', severity: 'blast' });

test('an incident runs again as it came: it begins mild and becomes severe with the later evidence', async () => {
  const [again] = await rehearse(earthquake, [main], units);
  assert.equal(again?.incidentId, main.incidentId);
  assert.equal(again?.highestLevel, 'II');
  assert.equal(again?.nuisance, false);
  assert.ok((again?.unitsSent ?? 0) > 2, 'rescuers, medics and assessors');
});

test('a tremor sends one unit and a blast sends nobody', async () => {
  const results = await rehearse(earthquake, [tremor, blast], units);
  assert.deepEqual(
    results.map((result) => [result?.highestLevel, result?.nuisance, result?.unitsSent]),
    [
      ['IV', true, 1],
      ['IV', true, 0],
    ],
  );
});

test('an incident that the plan would not have opened is null', async () => {
  const lessEager = writeTunable(earthquake, 'detect.magnitude', 1.3);
  assert.deepEqual(await rehearse(lessEager, [tremor], units), [null]);
});

test('an incident that only later evidence would have opened begins there', async () => {
  const lessEager = writeTunable(earthquake, 'detect.magnitude', 2);
  const grows = closed(3, [quake(3, 1.2), quake(3, 2.2, { afterHours: 2 })]);
  const [again] = await rehearse(lessEager, [grows], units);
  assert.equal(again?.incidentId, 'incident/demo/earthquake/riverside/20260131T020000Z');
});

test('a gas leak runs again from the turns of its conditions', async () => {
  const leak = closed(
    4,
    [
      methane(4, 'detect', 0),
      methane(4, 'classify.scale.0.when', 1),
      methane(4, 'evaluate.resolvedWhen', 60),
    ],
    { type: 'gas-leak', level: 'II', severity: 'major', plan: 'gas-leak' },
  );
  const [again] = await rehearse(gasLeak, [leak], units);
  assert.equal(again?.highestLevel, 'II');
  assert.ok((again?.humansAsked ?? 0) >= 2, 'evacuation and valve');
});

test('the same incidents under the same plan always go the same way', async () => {
  const twice = [
    await rehearse(earthquake, [main, tremor], units),
    await rehearse(earthquake, [main, tremor], units),
  ];
  assert.deepEqual(twice[0], twice[1]);
});

test('the figures count what opened, what nobody needed and what was missed', async () => {
  const past = [main, tremor, blast];
  assert.deepEqual(figuresOf(past, [null, null, null]), {
    incidents: 0,
    nuisance: 0,
    severe: 0,
    severeMissed: 1,
    unitsSent: 0,
    humansAsked: 0,
  });
  const figures = figuresOf(past, await rehearse(earthquake, past, units));
  assert.deepEqual(
    { ...figures, unitsSent: 0, humansAsked: 0 },
    { incidents: 3, nuisance: 2, severe: 1, severeMissed: 0, unitsSent: 0, humansAsked: 0 },
  );
  assert.ok(figures.unitsSent > 0);
});
