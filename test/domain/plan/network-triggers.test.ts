import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NETWORK } from '../../../domain/detect/seismic/network-parameters.ts';
import { checkPlan } from '../../../domain/plan/check.ts';
import { describeCondition } from '../../../domain/plan/describe.ts';
import type { NetworkCondition } from '../../../domain/plan/document.ts';
import { holdsOnOneSensor, implies } from '../../../domain/plan/implies.ts';
import { gal, hertz, kmps, networkTriggers } from '../../../domain/plan/index.ts';
import type { NetworkTrigger } from '../../../domain/plan/conditions.ts';
import { shakingPlan } from '../../support/shaking-plan.ts';

const east = { channel: 'east', unit: 'Gal' } as const;
const up = { channel: 'up', unit: 'Gal' } as const;
const wind = { channel: 'wind', unit: 'm/s' } as const;

const triggers = (options: NetworkTrigger = {}): NetworkCondition =>
  networkTriggers([east, up], options) as NetworkCondition;

/** What the compiler refuses: were a mistake accepted, the type check of this file would fail. */
test('only motion of the ground, and options in their own units, compile', () => {
  // @ts-expect-error wind does not shake the ground
  networkTriggers([wind]);
  // @ts-expect-error a speed is no number
  networkTriggers([east], { pWaves: 6.5 });
  // @ts-expect-error a band is in Hz
  assert.ok(networkTriggers([east], { band: { from: gal(1), to: hertz(10) } }));
  // @ts-expect-error seconds are spelt out
  assert.throws(() => networkTriggers([east], { sta: '1 s' }), { code: 'PLAN_NOT_COMPILED' });
  // @ts-expect-error there is no such option
  assert.ok(networkTriggers([east], { stations: 2 }));
});

test('the axes are one to three channels of one unit', () => {
  assert.throws(() => networkTriggers([]), { code: 'PLAN_NOT_COMPILED' });
  assert.throws(() => networkTriggers([east, up, east, up]), { code: 'PLAN_NOT_COMPILED' });
  const metric: { channel: string; unit: 'Gal' | 'm/s²' } = { channel: 'north', unit: 'm/s²' };
  assert.throws(() => networkTriggers([east, metric]), { code: 'PLAN_NOT_COMPILED' });
});

test('the document holds every parameter in the unit that its name says', () => {
  const { parameters, ...rest } = triggers({
    onStations: 3,
    pWaves: kmps(5.8),
    band: { from: hertz(2), to: hertz(8) },
    sta: '1 second',
    lta: '1 minute',
    quietAfter: '3 minutes',
  });
  assert.deepEqual(rest, { when: 'networkTriggers', channels: ['east', 'up'], unit: 'Gal' });
  assert.deepEqual(Object.keys(parameters), Object.keys(NETWORK.parameters));
  assert.deepEqual(
    { ...parameters },
    {
      ...{ onStations: 3, pKmPerS: 5.8, lowHz: 2, highHz: 8 },
      ...{ staSeconds: 1, ltaSeconds: 60, on: 6, off: 2, quietSeconds: 180 },
    },
  );
  assert.throws(() => triggers({ onStations: 1 }), { code: 'DETECTOR_PARAMETER' });
});

test('a plan with a channel, a unit or a parameter that cannot be is not published', () => {
  const codes = (changed: Partial<NetworkCondition>): string[] =>
    checkPlan({ ...shakingPlan, detect: { ...triggers(), ...changed } }).map(
      ({ code, place }) => `${code} ${place}`,
    );
  const usual = codes({});
  const added = (changed: Partial<NetworkCondition>): string[] =>
    codes(changed).filter((one) => !usual.includes(one));
  assert.deepEqual(added({ channels: ['east', 'radon'] }), ['PLAN_CHANNEL_UNKNOWN detect.channels.1']);
  assert.deepEqual(added({ unit: 'm/s²' }), [
    'PLAN_UNIT_MISMATCH detect.channels.0',
    'PLAN_UNIT_MISMATCH detect.channels.1',
  ]);
  assert.deepEqual(added({ parameters: { on: 1, off: 2 } }), ['PLAN_DETECTOR_PARAMETER detect.parameters']);
  assert.deepEqual(added({ channels: ['east', 'up', 'north', 'east'] }), [
    'PLAN_VALUE_INVALID detect.channels',
  ]);
});

test('a plan that asks for more stations than are registered is told so', () => {
  const at = (latitudeDeg: number) =>
    ['east', 'up'].map((channel) => ({
      ...{ channel, vendor: 'one', site: 'tower', position: { latitudeDeg, longitudeDeg: 0 } },
    }));
  const small = (sensors: ReturnType<typeof at>, onStations: number): boolean =>
    checkPlan({ ...shakingPlan, detect: triggers({ onStations }) }, { sensors }).some(
      ({ code, severity }) => code === 'PLAN_NETWORK_SMALL' && severity === 'advisory',
    );
  assert.ok(small([...at(1), ...at(2)], 3));
  assert.ok(!small([...at(1), ...at(2), ...at(3)], 3));
  assert.ok(small([], 2));
});

test('it reads as a planner would say it, and fewer stations are implied by more', () => {
  const { en, zh } = describeCondition({ ...triggers(), parameters: { onStations: 3, pKmPerS: 6.5 } });
  assert.equal(en, 'P waves at 3 or more stations agree on an earthquake (east, up; pKmPerS 6.5)');
  assert.equal(zh, '不少于3个台站的P波一致指向一次地震（east、up；pKmPerS 6.5）');
  assert.ok(implies(triggers({ onStations: 3 }), triggers()));
  assert.ok(!implies(triggers(), triggers({ onStations: 3 })));
  assert.ok(!implies(triggers({ on: 8 }), triggers()), 'what a parameter means is the network’s own affair');
  assert.ok(!holdsOnOneSensor(triggers()));
});
