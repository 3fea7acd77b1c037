import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  always,
  atLeast,
  below,
  between,
  closeValve,
  definePlan,
  evacuate,
  expectedIntensity,
  km,
  lel,
  magnitude,
  magnitudeNear,
  metres,
  mmi,
  notify,
  ppm,
  quietFor,
  rule,
  send,
  vote,
} from '../../../domain/plan/index.ts';
import { TocsinError } from '../../../domain/errors.ts';

/*
 * What the compiler refuses. Each mistake is marked with @ts-expect-error: were it accepted, the type check of this
 * file would fail. The tests run what is wrong only where running it says something as well.
 */

const good = {
  id: 'gas',
  title: { en: 'Gas', zh: '燃气' },
  basis: 'plans/sources/gas-leak.md',
  covers: { hazard: 'gas-leak' },
  channels: { methane: '%LEL' },
  bulletins: { notice: 'gas-notice' },
  severities: { minor: 'III', major: 'II' },
} as const;
const classify = {
  by: rule('gas-leak'),
  ifUnsure: { ask: 'duty-officer', within: '2 minutes', otherwise: 'major' },
  types: { 'gas-leak': 'scale' },
  scale: () => [{ severity: 'major' as const, when: always }],
} as const;
const evaluate = { every: '1 minute', resolvedWhen: () => always } as const;
const refine = { mayTune: {}, afterIncidents: 5, approvedBy: 'plan-board' } as const;
const dispatch = { minor: [], major: [] } as const;
const detect = (): typeof always => always;

test('a severity without a dispatch list does not compile', () => {
  // @ts-expect-error `major` has no list
  const plan = definePlan({ ...good, detect, classify, dispatch: { minor: [] }, evaluate, refine });
  assert.deepEqual(Object.keys(plan.dispatch), ['minor']);
});

test('a dispatch list for a severity that the plan does not have does not compile', () => {
  const plan = definePlan({
    ...good,
    detect,
    classify,
    // @ts-expect-error `huge` is not a severity
    dispatch: { minor: [], major: [], huge: [] },
    evaluate,
    refine,
  });
  assert.equal(plan.id, 'gas');
});

test('a channel that the plan does not declare does not compile', () => {
  assert.throws(() =>
    definePlan({
      ...good,
      // @ts-expect-error there is no `propane`
      detect: ({ propane }) => atLeast(propane, lel(10)),
      classify,
      dispatch,
      evaluate,
      refine,
    }),
  );
});

test('a notice that the plan does not declare does not compile', () => {
  assert.throws(() =>
    definePlan({
      ...good,
      detect,
      classify,
      dispatch,
      // @ts-expect-error there is no `rumour`
      evaluate: { every: '1 minute', resolvedWhen: ({ rumour }) => quietFor(rumour, '1 hour') },
      refine,
    }),
  );
});

test('ppm against a channel in %LEL does not compile, in either direction of the comparison', () => {
  const plan = definePlan({
    ...good,
    // @ts-expect-error methane is compared in %LEL
    detect: ({ methane }) => atLeast(methane, ppm(5_000)),
    classify,
    dispatch,
    evaluate: {
      every: '1 minute',
      // @ts-expect-error methane is compared in %LEL
      resolvedWhen: ({ methane }) => below(methane, ppm(2_500)),
    },
    refine,
  });
  assert.equal(plan.id, 'gas');
});

test('a bare number against a channel does not compile', () => {
  assert.equal(
    definePlan({
      ...good,
      // @ts-expect-error 10 of what?
      detect: ({ methane }) => atLeast(methane, 10),
      classify,
      dispatch,
      evaluate,
      refine,
    }).id,
    'gas',
  );
});

test("'30 secs' does not compile, and is refused in words when it comes past the types", () => {
  assert.throws(
    // @ts-expect-error seconds are spelt out
    () => send('hazmat', { within: '30 secs' }),
    refusedWith(/Expected a time span such as '8 minutes' or '72 hours', got '30 secs'/),
  );
});

test('a bare number of milliseconds as a time span does not compile', () => {
  assert.throws(
    // @ts-expect-error 480000 of what?
    () => send('hazmat', { within: 480_000 }),
    refusedWith(/Expected a time span/),
  );
});

test('a fallback outside the severities does not compile', () => {
  const plan = definePlan({
    ...good,
    detect,
    classify: {
      ...classify,
      // @ts-expect-error `enormous` is not a severity
      ifUnsure: { ask: 'duty-officer', within: '2 minutes', otherwise: 'enormous' },
    },
    dispatch,
    evaluate,
    refine,
  });
  assert.equal(plan.id, 'gas');
});

test('a type that leads to no severity, and a scale that does, do not compile', () => {
  const plan = definePlan({
    ...good,
    detect,
    classify: {
      ...classify,
      // @ts-expect-error `enormous` is not a severity
      types: { 'gas-leak': 'enormous' },
      // @ts-expect-error `enormous` is not a severity
      scale: () => [{ severity: 'enormous', when: always }],
    },
    dispatch,
    evaluate,
    refine,
  });
  assert.equal(plan.id, 'gas');
});

test('a level outside I to IV does not compile', () => {
  const plan = definePlan({
    ...good,
    // @ts-expect-error there is no level V
    severities: { minor: 'III', major: 'V' },
    detect,
    classify,
    dispatch,
    evaluate,
    refine,
  });
  assert.equal(plan.id, 'gas');
});

test('an irreversible step without a person, or with an unknown silence, does not compile', () => {
  // @ts-expect-error who approves?
  assert.throws(() => closeValve('building-main', {}), refusedWith(/Expected a time span/));
  // @ts-expect-error who approves?
  assert.throws(() => evacuate({ radius: metres(100) }), TypeError);
  const step = closeValve('building-main', {
    from: 'duty-officer',
    within: '1 minute',
    // @ts-expect-error silence either proceeds or holds
    otherwise: 'perhaps',
  });
  assert.equal(step.do, 'actuate');
});

test('magnitude, intensity and distance are not taken for each other', () => {
  const notice = { bulletin: 'earthquake-notice' };
  // @ts-expect-error energy is not shaking
  assert.ok(expectedIntensity(notice, { atLeast: magnitude(6) }));
  // @ts-expect-error shaking is not energy
  assert.ok(magnitudeNear(notice, { atLeast: mmi(6), within: km(20) }));
  // @ts-expect-error 20 m is not 20 km
  assert.ok(magnitudeNear(notice, { atLeast: magnitude(1), within: metres(20) }));
  // @ts-expect-error bounds in two units
  assert.ok(between(lel(5), ppm(15)));
});

test('an order without a deadline, and a vote of one, do not compile', () => {
  // @ts-expect-error by when?
  assert.throws(() => send('hazmat', {}), refusedWith(/Expected a time span/));
  // @ts-expect-error with whom would it disagree?
  assert.equal(vote('forest').kind, 'vote');
  assert.equal(notify('facilities').do, 'notify');
});

const refusedWith =
  (message: RegExp) =>
  (error: unknown): boolean =>
    error instanceof TocsinError && error.code === 'PLAN_NOT_COMPILED' && message.test(error.message);
