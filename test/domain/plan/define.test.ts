import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { TocsinError } from '../../../domain/errors.ts';
import {
  affectedPlaces,
  all,
  always,
  any,
  arrival,
  atLeast,
  below,
  between,
  closeValve,
  definePlan,
  evacuate,
  expectedIntensity,
  forEach,
  km,
  lel,
  magnitude,
  magnitudeNear,
  metres,
  mmi,
  mps,
  not,
  notify,
  openValve,
  procedure,
  quietFor,
  rule,
  send,
  shutPower,
  stopTrains,
  together,
  vote,
} from '../../../domain/plan/index.ts';
import type { PlannedStep } from '../../../domain/plan/steps.ts';
import type { PlanDocument, Step } from '../../../domain/plan/document.ts';
import { toMs } from '../../../domain/plan/quantities.ts';
import type { Duration } from '../../../domain/plan/quantities.ts';

const planWith = (steps: readonly PlannedStep[]): PlanDocument =>
  definePlan({
    id: 'flood',
    title: { en: 'Flood', zh: '洪水' },
    basis: 'plans/sources/flood.md',
    covers: { hazard: 'flood' },
    channels: { stage: 'm', wind: 'm/s' },
    bulletins: { warning: 'flood-warning' },
    severities: { watch: 'IV', major: 'II' },
    detect: ({ stage, wind, warning }) =>
      any(
        atLeast(stage, metres(4), { for: '30 seconds', onSensors: 2 }),
        all(below(wind, mps(30)), not(quietFor(warning, '3 days'))),
      ),
    sequence: { radius: 'gardner-knopoff-1974', within: '72 hours' },
    classify: {
      by: vote('flood-forest', 'flood-svm'),
      minConfidence: 0.8,
      ifUnsure: { ask: 'duty-officer', within: '2 minutes', otherwise: 'scale' },
      types: { flood: 'scale', seiche: 'watch' },
      scale: ({ stage }) => [
        { severity: 'major', when: atLeast(stage, metres(5)) },
        { severity: 'watch', when: always },
      ],
    },
    dispatch: { watch: [], major: steps },
    evaluate: {
      every: '1 hour',
      staleAfter: '1 day',
      resolvedWhen: ({ stage }) => below(stage, metres(3), { for: '8 minutes', onSensors: 'all' }),
      resolvedWhenBySeverity: { watch: ({ stage }) => below(stage, metres(4)) },
      escalateWhen: ({ stage }) => atLeast(stage, metres(6)),
      measures: { boats: arrival('boat', { percentile: 90, goal: '1 hour' }) },
    },
    refine: {
      mayTune: { 'classify.minConfidence': between(0.6, 0.95) },
      afterIncidents: 5,
      approvedBy: 'plan-board',
    },
  });

const major = (...steps: readonly PlannedStep[]): readonly Step[] => planWith(steps).dispatch.major ?? [];

test('a plan compiles to plain JSON: nothing is lost when it is written and read back', () => {
  const plan = planWith([
    together(notify('mayor'), send('boat', { within: '1 hour', otherwise: notify('province') })),
  ]);
  assert.deepEqual(JSON.parse(JSON.stringify(plan)), plan);
});

test('conditions compile to data with the channel, the unit and the time in milliseconds', () => {
  assert.deepEqual(planWith([]).detect, {
    when: 'any',
    of: [
      { when: 'atLeast', channel: 'stage', threshold: 4, unit: 'm', forMs: 30_000, onSensors: 2 },
      {
        when: 'all',
        of: [
          { when: 'below', channel: 'wind', threshold: 30, unit: 'm/s', forMs: 0, onSensors: 1 },
          { when: 'not', of: [{ when: 'quietFor', bulletin: 'flood-warning', forMs: 259_200_000 }] },
        ],
      },
    ],
  });
});

test('conditions on notices name the type of bulletin they read', () => {
  const notice = { bulletin: 'earthquake-notice' };
  assert.deepEqual(magnitudeNear(notice, { atLeast: magnitude(1), within: km(20) }), {
    when: 'magnitudeNear',
    bulletin: 'earthquake-notice',
    magnitude: 1,
    withinKm: 20,
  });
  assert.deepEqual(expectedIntensity(notice, { atLeast: mmi(5) }), {
    when: 'intensity',
    bulletin: 'earthquake-notice',
    atLeastMmi: 5,
  });
});

test('the parts around dispatch compile with their times in milliseconds', () => {
  const { sequence, classify, evaluate, refine, channels, bulletins } = planWith([]);
  assert.deepEqual(sequence, {
    bulletin: 'flood-warning',
    radius: 'gardner-knopoff-1974',
    withinMs: 259_200_000,
  });
  assert.deepEqual(classify.by, {
    kind: 'vote',
    recognisers: ['flood-forest', 'flood-svm'],
    bulletin: 'flood-warning',
  });
  assert.deepEqual(classify.ifUnsure, { ask: 'duty-officer', withinMs: 120_000, otherwise: 'scale' });
  assert.deepEqual([evaluate.everyMs, evaluate.staleAfterMs], [3_600_000, 86_400_000]);
  assert.equal(evaluate.resolvedWhenBySeverity?.watch?.when, 'below');
  assert.deepEqual(evaluate.measures.boats, {
    measure: 'arrival',
    capability: 'boat',
    percentile: 90,
    goalMs: 3_600_000,
  });
  assert.deepEqual(refine.mayTune, { 'classify.minConfidence': { low: 0.6, high: 0.95 } });
  assert.deepEqual([channels, bulletins], [{ stage: 'm', wind: 'm/s' }, ['flood-warning']]);
});

test('the id of a step is its path, through groups, places and otherwise-branches', () => {
  const steps = major(
    notify('mayor'),
    together(
      send('boat', { within: '1 hour', otherwise: notify('county', { otherwise: notify('province') }) }),
      forEach(affectedPlaces({ atLeast: mmi(6), atMost: 5 }), (place) => [
        send('assessment', { at: place, within: '2 hours', otherwise: notify('province') }),
      ]),
    ),
  );
  assert.deepEqual(idsOf(steps), [
    'major.0',
    'major.1',
    'major.1.0',
    'major.1.0.otherwise',
    'major.1.0.otherwise.otherwise',
    'major.1.1',
    'major.1.1.0',
    'major.1.1.0.otherwise',
  ]);
});

test('every kind of step compiles to its form in the document', () => {
  const approval = { from: 'duty-officer', within: '1 minute', otherwise: 'hold' } as const;
  const compiled = { from: 'duty-officer', withinMs: 60_000, otherwise: 'hold' };
  const codeHash = 'c'.repeat(64);
  assert.deepEqual(
    major(
      notify('hospital', { acknowledgedWithin: '3 minutes' }),
      send('boat', { within: '8 minutes' }),
      evacuate({ radius: metres(100), approval }),
      closeValve('main', approval),
      openValve('drain', approval),
      stopTrains('line-2', approval),
      shutPower('feeder-7', approval),
      procedure('close-locks', { codeHash, arguments: { gates: 3 } }),
    ),
    [
      { do: 'notify', id: 'major.0', to: 'hospital', acknowledgedWithinMs: 180_000 },
      { do: 'send', id: 'major.1', capability: 'boat', count: 1, withinMs: 480_000 },
      { do: 'evacuate', id: 'major.2', radiusM: 100, approval: compiled },
      { do: 'actuate', id: 'major.3', device: 'main', action: 'close-valve', approval: compiled },
      { do: 'actuate', id: 'major.4', device: 'drain', action: 'open-valve', approval: compiled },
      { do: 'actuate', id: 'major.5', device: 'line-2', action: 'stop-trains', approval: compiled },
      { do: 'actuate', id: 'major.6', device: 'feeder-7', action: 'shut-power', approval: compiled },
      { do: 'procedure', id: 'major.7', name: 'close-locks', codeHash, arguments: { gates: 3 } },
    ],
  );
});

test('a compiled step has no member that was not given, so that equal plans have equal hashes', () => {
  const [step] = major(notify('mayor', {}));
  assert.deepEqual(Object.keys(step ?? {}).sort(), ['do', 'id', 'to']);
});

test('step ids are unique and begin with their severity, however steps are nested', () => {
  const { step } = fc.letrec<{ step: PlannedStep }>((tie) => ({
    step: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      fc.constant(notify('mayor')),
      fc.array(tie('step'), { maxLength: 3 }).map((steps) => together(...steps)),
      tie('step').map((otherwise) => send('boat', { within: '1 hour', otherwise })),
      fc
        .array(tie('step'), { maxLength: 2 })
        .map((steps) => forEach(affectedPlaces({ atLeast: mmi(6), atMost: 2 }), () => steps)),
    ),
  }));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 4 }), (steps) => {
      const ids = idsOf(major(...steps));
      assert.equal(new Set(ids).size, ids.length);
      assert.ok(ids.every((id) => /^major\.\d+(\.(\d+|otherwise))*$/.test(id)));
    }),
    { numRuns: 200 },
  );
});

test('callbacks run once, at definition', () => {
  let runs = 0;
  major(
    forEach(affectedPlaces({ atLeast: mmi(6), atMost: 5 }), () => {
      runs += 1;
      return [notify('mayor')];
    }),
  );
  assert.equal(runs, 1);
});

for (const [duration, ms] of [
  ['30 seconds', 30_000],
  ['1 minute', 60_000],
  ['8 minutes', 480_000],
  ['1.5 hours', 5_400_000],
  ['72 hours', 259_200_000],
  ['3 days', 259_200_000],
] as const) {
  test(`'${duration}' is ${ms} ms`, () => assert.equal(toMs(duration), ms));
}

for (const duration of ['0 minutes', '-1 minutes', '1e9 hours', ' 8 minutes', '30 secs', '']) {
  test(`'${duration}' is refused as a time span, in words`, () => {
    assert.throws(() => toMs(duration as Duration), notCompiled(/Expected a time span such as '8 minutes'/));
  });
}

test('a number that is none is refused where it is written', () => {
  assert.throws(() => lel(Number.NaN), notCompiled(/Expected a number of %LEL/));
});

test('a compound of no conditions is refused', () => {
  assert.throws(() => any(), notCompiled(/`any` needs at least one condition/));
  assert.throws(() => all(), notCompiled(/`all` needs at least one condition/));
});

test('a step that names the place of another forEach is refused', () => {
  const steps: PlannedStep[] = [];
  const places = affectedPlaces({ atLeast: mmi(6), atMost: 5 });
  forEach(places, (place) => {
    steps.push(send('boat', { at: place, within: '1 hour' }));
    return [];
  });
  assert.throws(() => planWith(steps), notCompiled(/major\.0 names a place that belongs to another/));
});

const idsOf = (steps: readonly Step[]): string[] =>
  steps.flatMap((step) => [
    step.id,
    ...('steps' in step ? idsOf(step.steps) : []),
    ...('otherwise' in step && step.otherwise !== undefined ? idsOf([step.otherwise]) : []),
  ]);

const notCompiled =
  (message: RegExp) =>
  (error: unknown): boolean =>
    error instanceof TocsinError && error.code === 'PLAN_NOT_COMPILED' && message.test(error.message);

test('a plan by rule needs no recogniser and no bulletin', () => {
  assert.deepEqual(ruled.classify.by, { kind: 'rule', type: 'gas-leak' });
  assert.equal(ruled.classify.minConfidence, 1);
  assert.equal('sequence' in ruled, false);
});

const ruled = definePlan({
  id: 'gas',
  title: { en: 'Gas', zh: '燃气' },
  basis: 'plans/sources/gas-leak.md',
  covers: { hazard: 'gas-leak' },
  channels: { methane: '%LEL' },
  severities: { minor: 'III' },
  detect: ({ methane }) => atLeast(methane, lel(10)),
  classify: {
    by: rule('gas-leak'),
    ifUnsure: { ask: 'duty-officer', within: '2 minutes', otherwise: 'minor' },
    types: { 'gas-leak': 'scale' },
    scale: () => [{ severity: 'minor', when: always }],
  },
  dispatch: { minor: [] },
  evaluate: { every: '1 minute', resolvedWhen: ({ methane }) => below(methane, lel(5)) },
  refine: { mayTune: {}, afterIncidents: 5, approvedBy: 'plan-board' },
});
