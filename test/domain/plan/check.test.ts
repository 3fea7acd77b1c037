import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';
import { generateRoster } from '../../../domain/dispatch/roster.ts';
import { checkPlan } from '../../../domain/plan/check.ts';
import type { CheckContext } from '../../../domain/plan/check-context.ts';
import type { PlanDocument } from '../../../domain/plan/document.ts';
import {
  always,
  arrival,
  atLeast,
  below,
  between,
  closeValve,
  definePlan,
  evacuate,
  expectedIntensity,
  forEach,
  affectedPlaces,
  km,
  lel,
  magnitude,
  magnitudeNear,
  metres,
  mmi,
  notify,
  openValve,
  procedure,
  quietFor,
  rule,
  send,
  together,
  vote,
} from '../../../domain/plan/index.ts';
import type { PlannedStep } from '../../../domain/plan/steps.ts';
import { PLACES } from '../../../exercise/places.ts';
import { plans } from '../../../plans/index.ts';

/** A plan with nothing to find in it; each row below spoils one thing. */
const quake = definePlan({
  id: 'quake',
  title: { en: 'Earthquake', zh: '地震' },
  basis: 'plans/sources/quake.md',
  covers: { hazard: 'earthquake' },
  bulletins: { notice: 'earthquake-notice' },
  severities: { severe: 'II', felt: 'IV', blast: 'IV' },
  detect: ({ notice }) => magnitudeNear(notice, { atLeast: magnitude(2), within: km(50) }),
  sequence: { radius: 'gardner-knopoff-1974', within: '72 hours' },
  classify: {
    by: vote('forest', 'svm'),
    minConfidence: 0.7,
    ifUnsure: { ask: 'duty-officer', within: '2 minutes', otherwise: 'scale' },
    types: { earthquake: 'scale', 'quarry-blast': 'blast' },
    scale: ({ notice }) => [
      { severity: 'severe', when: expectedIntensity(notice, { atLeast: mmi(6) }) },
      { severity: 'felt', when: always },
    ],
  },
  dispatch: {
    blast: [notify('mine-inspectorate')],
    felt: [notify('district-desk')],
    severe: [
      together(
        notify('hospital', { acknowledgedWithin: '3 minutes', otherwise: notify('health-bureau') }),
        send('medical', { count: 2, within: '30 minutes', otherwise: notify('health-bureau') }),
        closeValve('gas-main', { from: 'duty-officer', within: '2 minutes', otherwise: 'hold' }),
        forEach(affectedPlaces({ atLeast: mmi(6), atMost: 5 }), (place) => [
          send('assessment', { at: place, within: '2 hours' }),
        ]),
      ),
    ],
  },
  evaluate: {
    every: '6 hours',
    resolvedWhen: ({ notice }) => quietFor(notice, '72 hours'),
    resolvedWhenBySeverity: { blast: ({ notice }) => quietFor(notice, '1 hour') },
    measures: { medicalOnScene: arrival('medical', { percentile: 90, goal: '30 minutes' }) },
  },
  refine: {
    mayTune: {
      'detect.magnitude': between(magnitude(1), magnitude(3)),
      'classify.minConfidence': between(0.6, 0.9),
    },
    afterIncidents: 5,
    approvedBy: 'plan-board',
  },
});

const gas = definePlan({
  id: 'gas',
  title: { en: 'Gas', zh: '燃气' },
  basis: 'plans/sources/gas.md',
  covers: { hazard: 'gas-leak' },
  channels: { methane: '%LEL' },
  severities: { minor: 'III', major: 'II' },
  detect: ({ methane }) => atLeast(methane, lel(10), { for: '30 seconds', onSensors: 2 }),
  classify: {
    by: rule('gas-leak'),
    ifUnsure: { ask: 'duty-officer', within: '2 minutes', otherwise: 'major' },
    types: { 'gas-leak': 'scale' },
    scale: ({ methane }) => [
      { severity: 'major', when: atLeast(methane, lel(20), { for: '30 seconds', onSensors: 2 }) },
      { severity: 'minor', when: always },
    ],
  },
  dispatch: {
    minor: [notify('facilities')],
    major: [
      evacuate({
        radius: metres(100),
        approval: { from: 'duty-officer', within: '1 minute', otherwise: 'proceed' },
      }),
      send('hazmat', { within: '8 minutes', otherwise: notify('county-dispatch') }),
    ],
  },
  evaluate: {
    every: '1 minute',
    resolvedWhen: ({ methane }) => below(methane, lel(5), { for: '15 minutes', onSensors: 'all' }),
    escalateWhen: ({ methane }) => atLeast(methane, lel(10), { for: '10 minutes', onSensors: 2 }),
    measures: { hazmatOnScene: arrival('hazmat', { percentile: 90, goal: '8 minutes' }) },
  },
  refine: {
    mayTune: { 'detect.threshold': between(lel(6), lel(10)) },
    afterIncidents: 5,
    approvedBy: 'plan-board',
  },
});

/** Any JSON, so that a row can spoil what types would protect. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- rows write wrong values on purpose
type Loose = any;

function spoilt(plan: PlanDocument, spoil: (plan: Loose) => void): PlanDocument {
  const copy = structuredClone(plan);
  spoil(copy);
  return copy;
}

const found = (plan: PlanDocument, context?: CheckContext): string[] =>
  checkPlan(plan, context).map(({ severity, code, place }) => `${severity} ${code} ${place}`);

test('a sound plan has no findings', () => {
  assert.deepEqual(found(quake), []);
  assert.deepEqual(found(gas), []);
});

for (const plan of plans) {
  test(`${plan.id}: has no findings, with the demo's roster, recognisers and its sources`, () => {
    const context: CheckContext = {
      units: generateRoster({ places: PLACES }),
      recognisers: ['notice-forest', 'notice-svm'],
      procedures: [],
      sources: fs.readFileSync(new URL(`../../../${plan.basis}`, import.meta.url), 'utf8'),
    };
    assert.deepEqual(checkPlan(plan, context), []);
  });
}

/** What is done to which plan, and what must be said of it. */
const rows: readonly (readonly [
  what: string,
  plan: PlanDocument,
  spoil: (plan: Loose) => void,
  said: string,
])[] = [
  [
    'a channel nobody declared',
    gas,
    (p) => (p.detect.channel = 'smoke'),
    'mandatory PLAN_CHANNEL_UNKNOWN detect.channel',
  ],
  ['ppm against %LEL', gas, (p) => (p.detect.unit = 'ppm'), 'mandatory PLAN_UNIT_MISMATCH detect.unit'],
  [
    'a bulletin nobody declared',
    quake,
    (p) => (p.detect.bulletin = 'quake'),
    'mandatory PLAN_BULLETIN_UNKNOWN detect.bulletin',
  ],
  [
    'a sequence of an unknown bulletin',
    quake,
    (p) => (p.sequence.bulletin = 'quake'),
    'mandatory PLAN_BULLETIN_UNKNOWN sequence.bulletin',
  ],
  [
    'a vote on an unknown bulletin',
    quake,
    (p) => (p.classify.by.bulletin = 'quake'),
    'mandatory PLAN_BULLETIN_UNKNOWN classify.by.bulletin',
  ],
  [
    'detection that always holds',
    quake,
    (p) => {
      p.detect = { when: 'any', of: [p.detect, { when: 'always' }] };
    },
    'mandatory PLAN_DETECTS_NOTHING detect',
  ],
  [
    'detection by the absence of something',
    gas,
    (p) => {
      p.detect = { when: 'any', of: [p.detect, { when: 'not', of: [{ ...p.detect, threshold: 50 }] }] };
      p.refine.mayTune = {};
    },
    'mandatory PLAN_DETECTS_NOTHING detect',
  ],
  [
    'detection by quiet',
    quake,
    (p) => {
      p.detect = {
        when: 'any',
        of: [p.detect, { when: 'quietFor', bulletin: 'earthquake-notice', forMs: 1 }],
      };
    },
    'mandatory PLAN_DETECTS_QUIET detect.of.1',
  ],
  [
    'resolution at once',
    quake,
    (p) => (p.evaluate.resolvedWhen = { when: 'always' }),
    'mandatory PLAN_RESOLVES_AT_ONCE evaluate.resolvedWhen',
  ],
  [
    'resolution by what detection saw',
    quake,
    (p) => (p.evaluate.resolvedWhen = p.detect),
    'mandatory PLAN_RESOLVES_AT_ONCE evaluate.resolvedWhen',
  ],
  [
    'resolution at the threshold of detection',
    gas,
    (p) => (p.evaluate.resolvedWhen.threshold = 10),
    'mandatory PLAN_RESOLVES_WHILE_DETECTING evaluate.resolvedWhen.threshold',
  ],
  [
    'a type that leads to no severity',
    quake,
    (p) => (p.classify.types['quarry-blast'] = 'bang'),
    'mandatory PLAN_SEVERITY_UNKNOWN classify.types.quarry-blast',
  ],
  [
    'silence that leads to no severity',
    quake,
    (p) => (p.classify.ifUnsure.otherwise = 'panic'),
    'mandatory PLAN_SEVERITY_UNKNOWN classify.ifUnsure.otherwise',
  ],
  [
    'a scale rule to no severity',
    quake,
    (p) => (p.classify.scale[0].severity = 'dire'),
    'mandatory PLAN_SEVERITY_UNKNOWN classify.scale.0.severity',
  ],
  [
    'steps for no severity',
    quake,
    (p) => (p.dispatch.dire = []),
    'mandatory PLAN_SEVERITY_UNKNOWN dispatch.dire',
  ],
  [
    'a resolution of no severity',
    quake,
    (p) => (p.evaluate.resolvedWhenBySeverity.dire = p.evaluate.resolvedWhen),
    'mandatory PLAN_SEVERITY_UNKNOWN evaluate.resolvedWhenBySeverity.dire',
  ],
  [
    'a severity called scale',
    quake,
    (p) => (p.severities.scale = 'III'),
    'mandatory PLAN_SEVERITY_RESERVED severities.scale',
  ],
  [
    'a severity without steps',
    quake,
    (p) => delete p.dispatch.felt,
    'mandatory PLAN_SEVERITY_WITHOUT_STEPS dispatch.felt',
  ],
  [
    'a severity that nothing leads to',
    quake,
    (p) => (p.classify.types['quarry-blast'] = 'felt'),
    'mandatory PLAN_SEVERITY_UNREACHABLE severities.blast',
  ],
  [
    'a scale without a last rule',
    quake,
    (p) => (p.classify.scale[1].when = { when: 'intensity', bulletin: 'earthquake-notice', atLeastMmi: 4 }),
    'mandatory PLAN_SCALE_WITHOUT_END classify.scale.1',
  ],
  [
    'a rule behind one that always holds before it',
    quake,
    (p) => p.classify.scale.reverse(),
    'mandatory PLAN_SCALE_RULE_UNREACHABLE classify.scale.1',
  ],
  [
    'a stricter rule behind a looser one',
    gas,
    (p) => p.classify.scale.unshift({ severity: 'minor', when: p.detect }),
    'mandatory PLAN_SCALE_RULE_UNREACHABLE classify.scale.1',
  ],
  [
    'a milder rule before a graver one',
    gas,
    (p) =>
      p.classify.scale.unshift({ severity: 'minor', when: { ...p.detect, onSensors: 1, threshold: 60 } }),
    'advisory PLAN_SCALE_NOT_ORDERED classify.scale.1',
  ],
  [
    'level II on one sensor',
    gas,
    (p) => (p.classify.scale[0].when.onSensors = 1),
    'advisory PLAN_SEVERE_ON_ONE_SENSOR classify.scale.0.when',
  ],
  [
    'a hazard that is no type',
    quake,
    (p) => (p.covers.hazard = 'tsunami'),
    'mandatory PLAN_TYPE_UNKNOWN classify.types',
  ],
  [
    'a rule for an unknown type',
    gas,
    (p) => (p.classify.by.type = 'smoke'),
    'mandatory PLAN_TYPE_UNKNOWN classify.types',
  ],
  [
    'one recogniser twice',
    quake,
    (p) => (p.classify.by.recognisers = ['forest', 'forest']),
    'mandatory PLAN_VOTERS_TOO_FEW classify.by.recognisers',
  ],
  [
    'confidence of a coin',
    quake,
    (p) => {
      p.classify.minConfidence = 0.4;
      p.refine.mayTune = {};
    },
    'advisory PLAN_CONFIDENCE_LOW classify.minConfidence',
  ],
  [
    'silence that dismisses',
    quake,
    (p) => (p.classify.ifUnsure.otherwise = 'blast'),
    'advisory PLAN_SILENCE_DISMISSES classify.ifUnsure.otherwise',
  ],
  [
    'a question as long as an order',
    quake,
    (p) => (p.classify.ifUnsure.withinMs = 1_800_000),
    'advisory PLAN_QUESTION_SLOW classify.ifUnsure.withinMs',
  ],
  [
    'a step under another name',
    quake,
    (p) => (p.dispatch.felt[0].id = 'felt.7'),
    'mandatory PLAN_STEP_ID_WRONG dispatch.felt.0.id',
  ],
  [
    'a loop over too many places',
    quake,
    (p) => (p.dispatch.severe[0].steps[3].atMost = 51),
    'mandatory PLAN_LOOP_UNBOUNDED dispatch.severe.0.steps.3.atMost',
  ],
  [
    'an approval too short to be one',
    gas,
    (p) => (p.dispatch.major[0].approval.withinMs = 5_000),
    'mandatory PLAN_APPROVAL_TOO_SHORT dispatch.major.0.approval.withinMs',
  ],
  [
    'an approval that takes all day',
    quake,
    (p) => (p.dispatch.severe[0].steps[2].approval.withinMs = 7_200_000),
    'advisory PLAN_APPROVAL_TOO_LONG dispatch.severe.0.steps.2.approval.withinMs',
  ],
  [
    'silence that acts at a mild level',
    gas,
    (p) => (p.severities.major = 'III'),
    'advisory PLAN_PROCEEDS_WHEN_MILD dispatch.major.0.approval.otherwise',
  ],
  [
    'an escalation later than what it follows',
    quake,
    (p) => (p.dispatch.severe[0].steps[0].otherwise.acknowledgedWithinMs = 600_000),
    'mandatory PLAN_ESCALATION_LATE dispatch.severe.0.steps.0.otherwise.acknowledgedWithinMs',
  ],
  [
    'an order no roster can fulfil, by capability',
    quake,
    (p) => (p.dispatch.severe[0].steps[1].capability = 'submarine'),
    'mandatory PLAN_ORDER_UNFULFILLABLE dispatch.severe.0.steps.1.capability',
  ],
  [
    'an order no roster can fulfil, by count',
    quake,
    (p) => (p.dispatch.severe[0].steps[1].count = 40),
    'mandatory PLAN_ORDER_UNFULFILLABLE dispatch.severe.0.steps.1.count',
  ],
  [
    'a severity at which nobody hears anything',
    quake,
    (p) => (p.dispatch.felt = []),
    'mandatory PLAN_NOBODY_TOLD dispatch.felt',
  ],
  [
    'a review every second',
    quake,
    (p) => (p.evaluate.everyMs = 1_000),
    'mandatory PLAN_REVIEW_TOO_OFTEN evaluate.everyMs',
  ],
  [
    'a review every other day',
    quake,
    (p) => (p.evaluate.everyMs = 172_800_000),
    'advisory PLAN_REVIEW_TOO_RARE evaluate.everyMs',
  ],
  [
    'data that is stale between reviews',
    quake,
    (p) => (p.evaluate.staleAfterMs = 60_000),
    'advisory PLAN_STALE_UNSEEN evaluate.staleAfterMs',
  ],
  [
    'a measure of what nobody orders',
    quake,
    (p) => (p.evaluate.measures.medicalOnScene.capability = 'hazmat'),
    'mandatory PLAN_MEASURE_WITHOUT_ORDER evaluate.measures.medicalOnScene.capability',
  ],
  [
    'escalation among equals',
    gas,
    (p) => (p.severities.minor = 'II'),
    'advisory PLAN_ESCALATION_NOWHERE evaluate.escalateWhen',
  ],
  [
    'escalation by one sensor',
    gas,
    (p) => (p.evaluate.escalateWhen.onSensors = 1),
    'advisory PLAN_ESCALATION_ON_ONE_SENSOR evaluate.escalateWhen',
  ],
  [
    'a sequence shorter than the incident stays open',
    quake,
    (p) => (p.sequence.withinMs = 3_600_000),
    'advisory PLAN_SEQUENCE_SHORT sequence.withinMs',
  ],
  [
    'refinement after one incident',
    quake,
    (p) => (p.refine.afterIncidents = 1),
    'mandatory PLAN_REFINES_TOO_SOON refine.afterIncidents',
  ],
  [
    'tuning of an approval',
    quake,
    (p) => (p.refine.mayTune['dispatch.severe.0.steps.2.approval.withinMs'] = { low: 1, high: 2 }),
    'mandatory PLAN_TUNE_UNKNOWN refine.mayTune.dispatch.severe.0.steps.2.approval.withinMs',
  ],
  [
    'tuning of one of two equal numbers',
    quake,
    (p) => (p.detect = { when: 'any', of: [p.detect, { ...p.detect, magnitude: 2.5, withinKm: 90 }] }),
    'mandatory PLAN_TUNE_AMBIGUOUS refine.mayTune.detect.magnitude',
  ],
  [
    'bounds without room',
    quake,
    (p) => (p.refine.mayTune['detect.magnitude'] = { low: 2, high: 2 }),
    'mandatory PLAN_TUNE_BOUNDS_EMPTY refine.mayTune.detect.magnitude',
  ],
  [
    'a number outside its own bounds',
    quake,
    (p) => (p.refine.mayTune['detect.magnitude'] = { low: 3, high: 4 }),
    'mandatory PLAN_TUNE_OUTSIDE refine.mayTune.detect.magnitude',
  ],
  [
    'bounds that reach the resolution',
    gas,
    (p) => (p.refine.mayTune['detect.threshold'].low = 5),
    'mandatory PLAN_TUNE_MEETS_RESOLUTION refine.mayTune.detect.threshold',
  ],
  [
    'tuning of a confidence that plays no part',
    gas,
    (p) => (p.refine.mayTune['classify.minConfidence'] = { low: 0.5, high: 1 }),
    'advisory PLAN_TUNE_WITHOUT_EFFECT refine.mayTune.classify.minConfidence',
  ],
];

const context: CheckContext = { units: generateRoster({ places: PLACES }), recognisers: ['forest', 'svm'] };

for (const [what, plan, spoil, said] of rows) {
  test(`finds ${what}`, () => {
    const findings = found(spoilt(plan, spoil), context);
    assert.ok(findings.includes(said), `said instead: ${findings.join('; ') || 'nothing'}`);
  });
}

const withSteps = (...major: readonly PlannedStep[]): PlanDocument =>
  definePlan({
    id: 'quake',
    title: quake.title,
    basis: quake.basis,
    covers: { hazard: 'earthquake' },
    bulletins: { notice: 'earthquake-notice' },
    severities: { major: 'II' },
    detect: ({ notice }) => magnitudeNear(notice, { atLeast: magnitude(2), within: km(50) }),
    classify: {
      by: rule('earthquake'),
      ifUnsure: { ask: 'duty-officer', within: '1 minute', otherwise: 'major' },
      types: { earthquake: 'major' },
      scale: () => [{ severity: 'major', when: always }],
    },
    dispatch: { major },
    evaluate: { every: '1 hour', resolvedWhen: ({ notice }) => quietFor(notice, '1 hour') },
    refine: { mayTune: {}, afterIncidents: 5, approvedBy: 'plan-board' },
  });

const hold = { from: 'duty-officer', within: '1 minute', otherwise: 'hold' } as const;
const places = affectedPlaces({ atLeast: mmi(6), atMost: 5 });
const told = notify('desk');
const chain = [1, 2, 3, 4, 5, 6].reduce((next, n) => notify(`desk-${n}`, { otherwise: next }), told);

const stepRows: readonly (readonly [what: string, plan: PlanDocument, said: string])[] = [
  [
    'a loop in a loop',
    withSteps(
      told,
      forEach(places, () => [forEach(places, () => [told])]),
    ),
    'mandatory PLAN_LOOP_NESTED dispatch.major.1.steps.0',
  ],
  [
    'too long a chain of fallbacks',
    withSteps(chain),
    `mandatory PLAN_FALLBACKS_TOO_DEEP dispatch.major.0${'.otherwise'.repeat(6)}`,
  ],
  [
    'a slower fallback',
    withSteps(send('medical', { within: '30 minutes', otherwise: send('fire', { within: '1 hour' }) })),
    'advisory PLAN_FALLBACK_SLOWER dispatch.major.0.otherwise',
  ],
  [
    'a procedure without a hash',
    withSteps(told, procedure('locks', { codeHash: 'latest' })),
    'mandatory PLAN_PROCEDURE_UNPINNED dispatch.major.1.codeHash',
  ],
  [
    'a procedure nobody carries',
    withSteps(told, procedure('locks', { codeHash: 'a'.repeat(64) })),
    'mandatory PLAN_PROCEDURE_UNKNOWN dispatch.major.1.name',
  ],
  [
    'a device told to do one thing twice',
    withSteps(told, closeValve('main', hold), closeValve('main', hold)),
    'advisory PLAN_DEVICE_TWICE dispatch.major.2.device',
  ],
  [
    'a device told to do opposite things',
    withSteps(told, closeValve('main', hold), openValve('main', hold)),
    'mandatory PLAN_DEVICE_CONTRADICTION dispatch.major.2.device',
  ],
  [
    'an order that waits longer than it may take',
    withSteps(
      notify('hospital', { acknowledgedWithin: '10 minutes' }),
      send('medical', { within: '8 minutes' }),
    ),
    'advisory PLAN_ORDER_WAITS dispatch.major.1',
  ],
  [
    'more steps than anybody can follow',
    withSteps(...Array.from({ length: 501 }, () => told)),
    'mandatory PLAN_TOO_MANY_STEPS dispatch',
  ],
];

for (const [what, plan, said] of stepRows) {
  test(`finds ${what}`, () => {
    const findings = found(plan, { procedures: ['gates'] });
    assert.ok(findings.includes(said), `said instead: ${findings.join('; ') || 'nothing'}`);
  });
}

test('finds a list for each place in a plan that hears of no places', () => {
  const plan = spoilt(gas, (p) =>
    p.dispatch.major.push({
      do: 'forEachPlace',
      id: 'major.2',
      atLeastMmi: 6,
      atMost: 2,
      steps: [{ do: 'notify', id: 'major.2.0', to: 'desk' }],
    }),
  );
  assert.deepEqual(found(plan), ['mandatory PLAN_LOOP_EMPTY dispatch.major.2']);
});

test('finds a recogniser that is not in use', () => {
  assert.deepEqual(found(quake, { recognisers: ['forest'] }), [
    'mandatory PLAN_RECOGNISER_UNKNOWN classify.by.recognisers.1',
  ]);
});

test('finds that there is no file of sources', () => {
  assert.deepEqual(found(quake, { sources: null }), ['mandatory PLAN_BASIS_MISSING basis']);
});

test('finds each number without a source, once, and none that stands in a row beside its unit', () => {
  const sources = [
    'Prose does not count: 2 hours.',
    '| magnitude | 1 to 3, tunable |',
    '| confidence | 0.6 to 0.9, tunable |',
    '| MMI 6, 5 places | severe |',
    '| within 50 km | judgement |',
    '| 3 days | sequence |',
    '| 1 hour of quiet, review every 6 hours | judgement |',
    '| 30 minutes, 2 units, 90th percentile | medical |',
    '| 2 minutes, 3 minutes | ask, hospital |',
    '| after 5 incidents | judgement |',
  ].join('\n');
  assert.deepEqual(found(quake, { sources }), [
    'mandatory PLAN_NUMBER_WITHOUT_SOURCE dispatch.severe.0.steps.3.steps.0.withinMs',
  ]);
  assert.deepEqual(found(quake, { sources: `${sources}\n| 2 hours | assessment |` }), []);
  assert.ok(found(quake, { sources: sources.replace('50 km', '150 km') }).length > 1);
});

test('every finding says what is wrong, and what to do about it, in sentences', () => {
  const findings = rows.flatMap(([, plan, spoil]) => checkPlan(spoilt(plan, spoil), context));
  assert.ok(findings.length >= rows.length);
  for (const { code, message, remedy } of findings) {
    assert.match(code, /^PLAN_[A-Z_]+$/);
    assert.match(message, /[.?]$/, code);
    assert.match(remedy, /\.$/, code);
  }
});

test('there are more than fifty different diagnostics', () => {
  const codes = new Set(
    [...rows.map(([, , , said]) => said), ...stepRows.map(([, , said]) => said)].map(
      (said) => said.split(' ')[1],
    ),
  );
  assert.ok(codes.size > 50, `${codes.size}`);
});
