import assert from 'node:assert/strict';
import { test } from 'node:test';
import { evidenceLines } from '../../bin/evidence-lines.ts';
import type { ReadingsEvidence } from '../../domain/evidence.ts';
import { receiveEvidence } from '../../domain/receive.ts';
import type { Situation } from '../../domain/situation.ts';

const T = Date.UTC(2020, 5, 23, 15, 29);
const turn: ReadingsEvidence = {
  ...{ kind: 'readings', key: 'k', atMs: T, receivedAtMs: T, site: 'coast', leaf: 'detect', holds: true },
  ...{ channel: 'up', unit: 'Gal', windowStartMs: T, windowEndMs: T },
  sensors: [{ sensor: 'city/one/001', vendor: 'one', value: 1.234, sinceMs: T + 907 }],
};
const shaken: ReadingsEvidence = {
  ...turn,
  network: {
    ...{ originAtMs: T - 1_000, position: { latitudeDeg: 15.31, longitudeDeg: -96.125 }, uncertaintyKm: 63 },
    stations: 2,
    clocksNotBelieved: [{ sensor: 'city/one/009', reason: 'the clock is ahead' }],
  },
};
const expected: ReadingsEvidence = {
  ...turn,
  leaf: 'evaluate.escalateWhen',
  forecast: {
    ...{ name: 'river', hash: 'ab'.repeat(32), probability: 0.93 },
    expected: { value: 4.2, low: 3.9, high: 4.5, level: 0.9 },
  },
};

test('an incident shows which stations were reached when, and which clocks were not believed', () => {
  assert.deepEqual(evidenceLines([shaken]), [
    '2 stations agree on an earthquake at 15:28:59.000, 15.31 N 96.13 W, give or take 63 km',
    '  city/one/001: P wave at 15:29:00.907, up to 1.2 Gal',
    '  clock of city/one/009 not believed: the clock is ahead',
  ]);
  assert.match(evidenceLines([shaken, { ...shaken, holds: false }])[0]!, /; the shaking is over$/);
});

test('the earthquake lies in the hemispheres that the signs of its coordinates say', () => {
  const placed = (latitudeDeg: number, longitudeDeg: number): string => {
    const network = { ...shaken.network!, position: { latitudeDeg, longitudeDeg } };
    return evidenceLines([{ ...shaken, network }])[0]!.split(', ')[1]!;
  };
  assert.equal(placed(23.97, 121.6), '23.97 N 121.60 E');
  assert.equal(placed(-38.146, 178.4), '38.15 S 178.40 E');
  assert.equal(placed(-36.12, -72.9), '36.12 S 72.90 W');
  assert.equal(placed(0, 0), '0.00 N 0.00 E');
});

test('it shows what a trained forecast expected, or that it could not be used', () => {
  assert.deepEqual(evidenceLines([expected]), [
    'forecast river@abababababab: 93 % likely; up 4.20 Gal (3.90 to 4.50, 90 %)',
  ]);
  const none = { ...expected, forecast: { name: 'river', hash: null, probability: null } };
  assert.deepEqual(evidenceLines([none]), [
    "forecast river could not be used: the sensor's own past stood in for it",
  ]);
  assert.deepEqual(evidenceLines([turn]), []);
});

test('the record says the same, flat, so that every view can show it', () => {
  const situation = { seenKeys: [], evidence: [], evidenceCount: 0, leaves: {} } as unknown as Situation;
  const [detected, joined] = receiveEvidence(situation, [shaken, { ...expected, key: 'l' }]);
  const { stations, clocksNotBelieved, uncertaintyKm, originAtMs } = detected!.data;
  assert.deepEqual(stations, ['city/one/001: P 15:29:00.907']);
  assert.deepEqual(clocksNotBelieved, ['city/one/009: the clock is ahead']);
  assert.deepEqual([uncertaintyKm, originAtMs], [63, T - 1_000]);
  const { forecaster, probability, expectedLow, expectedHigh } = joined!.data;
  assert.deepEqual(
    [forecaster, probability, expectedLow, expectedHigh],
    ['river@abababababab', 0.93, 3.9, 4.5],
  );
});
