import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';
import { canonicalJson } from '../../domain/canonical.ts';
import { conditionsOf } from '../../domain/detect/watch.ts';
import type { Step } from '../../domain/plan/document.ts';
import { earthquake, gasLeak, plans } from '../../plans/index.ts';

const HOUR = 3_600_000;

const stepsIn = (steps: readonly Step[]): Step[] =>
  steps.flatMap((step) => [
    step,
    ...('steps' in step ? stepsIn(step.steps) : []),
    ...('otherwise' in step && step.otherwise !== undefined ? stepsIn([step.otherwise]) : []),
  ]);

const allSteps = (plan: (typeof plans)[number]): Step[] => Object.values(plan.dispatch).flatMap(stepsIn);

test('the plans that come along are the earthquake, the gas leak and the sensors in doubt, each with its own id', () => {
  assert.deepEqual(
    plans.map(({ id }) => id),
    ['earthquake', 'gas-leak', 'sensor-outage'],
  );
});

for (const plan of plans) {
  test(`${plan.id}: is plain JSON with a canonical form`, () => {
    assert.deepEqual(JSON.parse(canonicalJson(plan)), plan);
  });

  test(`${plan.id}: every severity has steps, and step ids are unique`, () => {
    assert.deepEqual(Object.keys(plan.dispatch).sort(), Object.keys(plan.severities).sort());
    assert.ok(Object.values(plan.dispatch).every((steps) => steps.length > 0));
    const ids = allSteps(plan).map(({ id }) => id);
    assert.equal(new Set(ids).size, ids.length);
  });

  test(`${plan.id}: the last rule of the scale is always, and no other is`, () => {
    const always = plan.classify.scale.map(({ when }) => when.when === 'always');
    assert.equal(always.indexOf(true), always.length - 1);
  });

  test(`${plan.id}: conditions name only channels and notices that the plan declares`, () => {
    for (const { condition } of conditionsOf(plan)) {
      if ('channel' in condition) assert.equal(plan.channels[condition.channel], condition.unit);
      if ('bulletin' in condition) assert.ok(plan.bulletins.includes(condition.bulletin));
    }
  });

  test(`${plan.id}: every irreversible step has a person and a deadline before it`, () => {
    const irreversible = allSteps(plan).filter((step) => step.do === 'actuate' || step.do === 'evacuate');
    // Nobody is evacuated because a sensor fails.
    assert.equal(irreversible.length > 0, plan.id !== 'sensor-outage');
    for (const { approval } of irreversible) {
      assert.equal(approval.from, 'duty-officer');
      assert.ok(approval.withinMs > 0 && approval.withinMs <= 10 * 60_000);
    }
  });

  test(`${plan.id}: the file that cites its numbers is there`, () => {
    const text = fs.readFileSync(new URL(`../../${plan.basis}`, import.meta.url), 'utf8');
    assert.match(text, /## Sources/);
    assert.match(text, new RegExp(`plans/${plan.id}\\.ts`));
  });
}

test('an earthquake of level III or worse stays open for 72 quiet hours, as long as a later event may join', () => {
  assert.deepEqual(earthquake.evaluate.resolvedWhen, {
    when: 'quietFor',
    bulletin: 'earthquake-notice',
    forMs: 72 * HOUR,
  });
  assert.equal(earthquake.sequence?.withinMs, 72 * HOUR);
  assert.deepEqual(Object.keys(earthquake.evaluate.resolvedWhenBySeverity ?? {}).sort(), ['blast', 'tremor']);
});

test('a blast sends nobody; a tremor sends assessors and no rescuers', () => {
  const sent = (severity: string): string[] =>
    stepsIn(earthquake.dispatch[severity] ?? []).flatMap((step) =>
      step.do === 'send' ? [step.capability] : [],
    );
  assert.deepEqual(sent('blast'), []);
  assert.deepEqual(sent('tremor'), ['assessment']);
  assert.ok(sent('severe').includes('search-rescue') && sent('severe').includes('medical'));
});

test('a gas leak is resolved well below where it is detected', () => {
  const { detect } = gasLeak;
  const { resolvedWhen } = gasLeak.evaluate;
  assert.ok(detect.when === 'atLeast' && resolvedWhen.when === 'below');
  assert.ok(resolvedWhen.threshold <= detect.threshold / 2);
  assert.equal(resolvedWhen.onSensors, 'all');
});

test('what refinement may tune lies within its bounds to begin with', () => {
  const { detect } = gasLeak;
  const bounds = gasLeak.refine.mayTune['detect.threshold'];
  assert.ok(detect.when === 'atLeast' && bounds !== undefined);
  assert.ok(detect.threshold >= bounds.low && detect.threshold <= bounds.high);
  assert.deepEqual(earthquake.refine.mayTune, {
    'detect.magnitude': { low: 1, high: 2.5 },
    'classify.minConfidence': { low: 0.6, high: 0.95 },
  });
});
