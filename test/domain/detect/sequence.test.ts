import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { extended, gardnerKnopoffRadiusKm, joins } from '../../../domain/detect/sequence.ts';
import type { Sequence, SequenceEvent } from '../../../domain/detect/sequence.ts';

const HOUR = 3_600_000;
const rule = { bulletin: 'earthquake-notice', radius: 'gardner-knopoff-1974', withinMs: 72 * HOUR } as const;
const origin = { latitudeDeg: 24, longitudeDeg: 121.6 };
const north = (km: number): { latitudeDeg: number; longitudeDeg: number } => ({
  ...origin,
  latitudeDeg: origin.latitudeDeg + km / 111.195,
});
const event = (magnitude: number, atHour: number, km = 0): SequenceEvent => ({
  magnitude,
  atMs: atHour * HOUR,
  position: north(km),
});
const sequence: Sequence = {
  strongest: { position: origin, magnitude: 6 },
  firstAtMs: 100 * HOUR,
  lastAtMs: 120 * HOUR,
};

describe('the radius of a sequence', () => {
  it('follows the table of Gardner and Knopoff', () => {
    // Their table: M 4.0 30 km, M 5.0 40 km, M 6.0 54 km, M 7.0 70 km.
    for (const [magnitude, km] of [
      [4, 30],
      [5, 40],
      [6, 54],
      [7, 70],
    ] as const) {
      assert.ok(Math.abs(gardnerKnopoffRadiusKm(magnitude) - km) < 2, `M${magnitude}`);
    }
  });
});

describe('an event', () => {
  const cases: readonly [string, SequenceEvent, boolean][] = [
    ['close and soon after belongs', event(3, 121, 20), true],
    ['at the edge of the radius belongs', event(3, 121, 53), true],
    ['beyond the radius does not', event(3, 121, 55), false],
    ['within three days of the last belongs', event(3, 192, 1), true],
    ['later than that does not', event(3, 192.1, 1), false],
    ['reported late, from before the first, belongs', event(3, 99, 1), true],
    ['from long before does not', event(3, 27, 1), false],
    [
      'stronger than all so far sets the radius itself: the main shock finds its foreshocks',
      event(7, 121, 65),
      true,
    ],
  ];
  for (const [name, candidate, belongs] of cases) {
    it(name, () => assert.equal(joins(rule, sequence, candidate), belongs));
  }

  it('moves the centre only when it is the strongest', () => {
    const weaker = extended(sequence, event(5, 130, 10));
    assert.deepEqual(weaker, { ...sequence, lastAtMs: 130 * HOUR });
    const stronger = extended(weaker, event(6.4, 90, 10));
    assert.deepEqual(stronger, {
      strongest: { position: north(10), magnitude: 6.4 },
      firstAtMs: 90 * HOUR,
      lastAtMs: 130 * HOUR,
    });
  });
});
