import assert from 'node:assert/strict';
import { test } from 'node:test';
import { detectorKinds } from '../../../domain/detect/detectors.ts';
import { checkPlan } from '../../../domain/plan/check.ts';
import { describeCondition } from '../../../domain/plan/describe.ts';
import type { Condition, DetectorCondition } from '../../../domain/plan/document.ts';
import { implies, holdsOnOneSensor } from '../../../domain/plan/implies.ts';
import { detects, expectedAtLeast, expectedBelow, lel, ppm } from '../../../domain/plan/index.ts';
import { gasPlan } from '../../support/plans.ts';

const methane = { channel: 'methane', unit: '%LEL' } as const;

/** What the compiler refuses: were a mistake accepted, the type check of this file would fail. */
test('a detector or a parameter that does not exist does not compile', () => {
  // @ts-expect-error there is no such detector
  assert.throws(() => detects(methane, 'crystal-ball'), { code: 'DETECTOR_UNKNOWN' });
  // @ts-expect-error `threshold` has no such parameter
  assert.throws(() => detects(methane, 'threshold', { lvel: 10 }), { code: 'DETECTOR_PARAMETER' });
  assert.throws(() => detects(methane, 'threshold', { holdMs: -1 }), { code: 'DETECTOR_PARAMETER' });
});

test('the document holds every parameter, so that a later default changes no published plan', () => {
  const condition = detects(methane, 'threshold', { level: 10 }) as DetectorCondition;
  const kind = detectorKinds().find(({ name }) => name === 'threshold')!;
  assert.deepEqual(Object.keys(condition.parameters).sort(), Object.keys(kind.parameters).sort());
  assert.equal(condition.parameters['level'], 10);
});

test('a plan that names an unknown detector, or gives it what it does not take, is not published', () => {
  const detect = detects(methane, 'threshold', { level: 10 }) as DetectorCondition;
  const codes = (changed: Partial<DetectorCondition>): string[] =>
    checkPlan({ ...gasPlan, detect: { ...detect, ...changed } }).map(({ code, place }) => `${code} ${place}`);
  assert.deepEqual(
    codes({}),
    checkPlan(gasPlan).map(({ code, place }) => `${code} ${place}`),
  );
  assert.ok(codes({ detector: 'crystal-ball' }).includes('PLAN_DETECTOR_UNKNOWN detect.detector'));
  assert.ok(codes({ parameters: { lvel: 1 } }).includes('PLAN_DETECTOR_PARAMETER detect.parameters'));
  assert.ok(codes({ channel: 'radon' }).includes('PLAN_CHANNEL_UNKNOWN detect.channel'));
});

test('it reads as a planner would say it', () => {
  const { en, zh } = describeCondition({
    ...(detects(
      methane,
      'threshold',
      { level: 10 },
      { for: '30 seconds', onSensors: 2 },
    ) as DetectorCondition),
    parameters: { level: 10 },
  });
  assert.equal(en, 'threshold (level 10) alarms on methane for 30 seconds on 2 sensors');
  assert.equal(zh, '2个传感器的methane经threshold (level 10)报警持续30秒');
});

test('only the same detector with the same parameters implies it', () => {
  const on = (level: number, onSensors: number): DetectorCondition =>
    detects(methane, 'threshold', { level }, { onSensors }) as DetectorCondition;
  assert.ok(implies(on(10, 3), on(10, 2)));
  assert.ok(!implies(on(10, 2), on(10, 3)));
  assert.ok(!implies(on(20, 2), on(10, 2)), 'what a parameter means is the detector’s own affair');
  assert.ok(holdsOnOneSensor(on(10, 1)) && !holdsOnOneSensor(on(10, 2)));
});

test('an expectation compiles with its channel’s unit and a known model only, and a probability that is one', () => {
  // @ts-expect-error methane is measured in %LEL
  expectedAtLeast(methane, ppm(10), { within: '30 minutes' });
  // @ts-expect-error no such model
  expectedAtLeast(methane, lel(10), { within: '30 minutes', model: 'tea-leaves' });
  assert.throws(() => expectedBelow(methane, lel(10), { within: '30 minutes', probability: 1 }), {
    code: 'PLAN_NOT_COMPILED',
  });
  assert.deepEqual(expectedAtLeast(methane, lel(10), { within: '30 minutes' }), {
    when: 'expectedAtLeast',
    channel: 'methane',
    threshold: 10,
    unit: '%LEL',
    withinMs: 1_800_000,
    probability: 0.8,
    model: 'auto',
    forMs: 0,
    onSensors: 1,
  });
});

test('an expectation is said in words, and implied by one that is surer and sooner', () => {
  const by = (within: '10 minutes' | '30 minutes', probability: number) =>
    expectedAtLeast(methane, lel(10), { within, probability });
  assert.equal(
    describeCondition(by('30 minutes', 0.9)).en,
    'methane expected at least 10 %LEL within 30 minutes (90 % likely) on 1 sensor',
  );
  assert.ok(implies(by('10 minutes', 0.9), by('30 minutes', 0.8)));
  assert.ok(!implies(by('30 minutes', 0.9), by('10 minutes', 0.8)));
});

test('a plan that expects by an unknown model is not published', () => {
  const detect = {
    ...expectedAtLeast(methane, lel(10), { within: '30 minutes' }),
    model: 'tea-leaves',
  } as Condition;
  assert.ok(checkPlan({ ...gasPlan, detect }).some(({ place }) => place === 'detect.model'));
});
