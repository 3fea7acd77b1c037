import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ChannelWatch } from '../../../domain/detect/watch-channel.ts';
import type { ChannelWatchState } from '../../../domain/detect/watch-channel.ts';
import type { ReadingsEvidence } from '../../../domain/evidence.ts';
import type { ForecastKind } from '../../../domain/forecast/learnt.ts';
import { misfitOf, TrainedForecast } from '../../../domain/forecast/trained.ts';
import type { RegisteredForecaster } from '../../../domain/forecast/trained.ts';
import { checkPlan } from '../../../domain/plan/check.ts';
import type { CheckContext } from '../../../domain/plan/check-context.ts';
import { describeCondition } from '../../../domain/plan/describe.ts';
import type { ForecastCondition } from '../../../domain/plan/document.ts';
import { expectedAtLeast, expectedBelow, metres } from '../../../domain/plan/index.ts';
import { registered, risingRiver } from '../../support/rising-river.ts';
import { gasPlan } from '../../support/plans.ts';

const MINUTE = 60_000;
const stage = { channel: 'stage', unit: 'm' } as const;
const sensors = [{ id: 'a', vendor: 'one', silentAfterMs: 10 * MINUTE }];
const condition = expectedAtLeast(stage, metres(4), {
  within: '30 minutes',
  probability: 0.9,
  forecaster: 'river',
}) as ForecastCondition;

function turns(options: {
  readonly condition?: ForecastCondition;
  readonly forecaster?: RegisteredForecaster;
  readonly savedEvery?: number;
  readonly readings?: readonly (readonly [number, number])[];
}): ReadingsEvidence[] {
  const { forecaster, savedEvery = Infinity } = options;
  const watching = (state?: ChannelWatchState): ChannelWatch =>
    new ChannelWatch({
      ...{ site: 'bank', sensors },
      conditions: [{ condition: options.condition ?? condition, leaf: 'detect', forecaster, state }],
    });
  let watch = watching();
  return (options.readings ?? risingRiver(7)).flatMap(([atMs, value], n) => {
    if (n % savedEvery === 0)
      watch = watching(JSON.parse(JSON.stringify(watch.capture()()['detect'])) as ChannelWatchState);
    return watch.push(0, atMs, value, atMs);
  });
}

for (const kind of ['ar', 'lstm'] as const satisfies readonly ForecastKind[]) {
  test(`${kind}: a plan is warned before the water is there, by the artefact it names`, () => {
    const forecaster = registered(kind);
    const [begins] = turns({ forecaster });
    const reached = risingRiver(7).find(([, value]) => value >= 4)![0];
    assert.ok(begins!.holds && begins!.atMs < reached, `${(reached - begins!.atMs) / MINUTE} minutes ahead`);
    const { name, hash, probability, expected } = begins!.forecast!;
    assert.deepEqual([name, hash], ['river', forecaster.hash]);
    assert.ok(probability! >= 0.9);
    assert.ok(expected!.low <= expected!.value && expected!.value <= expected!.high);
    assert.equal(expected!.level, 0.9);
  });
}

test('it goes on from its saved state as if it had never stopped, also within a step', () => {
  const forecaster = registered('ar');
  // Four readings a step.
  const readings = risingRiver(7).flatMap(([atMs, value]) =>
    [0, 1, 2, 3].map((part) => [atMs + part * 15_000, value + 0.01 * part] as const),
  );
  const whole = turns({ forecaster, readings });
  assert.ok(whole.length > 0);
  assert.deepEqual(turns({ forecaster, readings, savedEvery: 7 }), whole);
});

test('without an artefact the sensor’s own past stands in, and the evidence says so', () => {
  const [begins] = turns({});
  assert.deepEqual(begins!.forecast, { name: 'river', hash: null, probability: null });
});

test('a fall is expected as a rise is', () => {
  const falling = risingRiver(7).map(([atMs, value]) => [atMs, 8 - value] as const);
  const below = expectedBelow(stage, metres(4), {
    within: '30 minutes',
    probability: 0.9,
    forecaster: 'river',
  }) as ForecastCondition;
  const [begins] = turns({ condition: below, forecaster: registered('ar', 8), readings: falling });
  const reached = falling.find(([, value]) => value < 4)![0];
  assert.ok(begins!.holds && begins!.atMs < reached);
});

test('memory is bounded, and a gap is no expectation', () => {
  const forecast = new TrainedForecast(registered('ar').forecaster);
  for (let minute = 0; minute < 3_000; minute++) forecast.push(minute * MINUTE, Math.sin(minute / 9));
  assert.ok(forecast.current !== null);
  assert.ok(forecast.save().timesMs.length <= 512);
  forecast.push(4_000 * MINUTE, 1);
  assert.equal(forecast.current, null);
  forecast.push(3_999 * MINUTE, 1);
  assert.equal(forecast.save().timesMs.at(-1), 4_000 * MINUTE);
});

test('a model and a forecaster do not go together, and the document holds the name', () => {
  // @ts-expect-error one or the other
  expectedAtLeast(stage, metres(4), { within: '30 minutes', forecaster: 'river', model: 'ar' });
  assert.deepEqual([condition.model, condition.forecaster], ['trained', 'river']);
  assert.match(describeCondition(condition).en, /^stage expected by river at least 4 m within 30 minutes/);
});

test('a plan is published only when the forecaster it names is in use and fits', () => {
  const plan = { ...gasPlan, channels: { stage: 'm' } };
  const { name, channel, unit, everyMs, steps } = registered('ar');
  const inUse = { name, channel, unit, everyMs, steps };
  const codes = (changed: Partial<ForecastCondition>, context: CheckContext = {}): string[] =>
    checkPlan({ ...plan, detect: { ...condition, ...changed } }, { forecasters: [inUse], ...context })
      .map(({ code, place }) => `${code} ${place}`)
      .filter((one) => one.startsWith('PLAN_FORECASTER'));
  assert.deepEqual(codes({}), []);
  assert.deepEqual(codes({ forecaster: 'brook' }), ['PLAN_FORECASTER_UNKNOWN detect.forecaster']);
  assert.deepEqual(codes({ withinMs: 31 * MINUTE }), ['PLAN_FORECASTER_MISFIT detect.withinMs']);
  assert.deepEqual(codes({ withinMs: 1_000 }), ['PLAN_FORECASTER_MISFIT detect.withinMs']);
  assert.deepEqual(codes({ channel: 'flow' }), ['PLAN_FORECASTER_MISFIT detect.channel']);
  assert.deepEqual(codes({ unit: 'km' }), ['PLAN_FORECASTER_MISFIT detect.unit']);
  assert.deepEqual(codes({ model: 'ar' }), ['PLAN_FORECASTER_UNNAMED detect.forecaster']);
  assert.deepEqual(codes({ forecaster: undefined }), ['PLAN_FORECASTER_UNNAMED detect.forecaster']);
  const slow = { sensors: [{ channel: 'stage', samplingHz: 1 / 600 }, { channel: 'stage' }] };
  assert.deepEqual(codes({}, slow), ['PLAN_FORECASTER_STEP detect.forecaster']);
  assert.equal(misfitOf(inUse, condition), null);
});
