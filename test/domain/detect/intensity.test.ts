import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { distanceKm } from '../../../domain/detect/geo.ts';
import { EFFECTS_KEPT, effectsOf, expectedMmi } from '../../../domain/detect/intensity.ts';
import type { Bulletin, Place } from '../../../domain/evidence.ts';
import { riverside } from '../../support/plans.ts';

const position = fc.record({
  latitudeDeg: fc.double({ min: -90, max: 90, noNaN: true }),
  longitudeDeg: fc.double({ min: -180, max: 180, noNaN: true }),
});

describe('the distance between two positions', () => {
  const cases: readonly [string, readonly [number, number], readonly [number, number], number][] = [
    ['Taipei to Hualien', [25.033, 121.565], [23.976, 121.604], 117.6],
    ['one degree along the equator', [0, 0], [0, 1], 111.195],
    ['across the date line', [0, 179.5], [0, -179.5], 111.195],
    ['pole to pole', [90, 0], [-90, 77], 20_015.1],
  ];
  for (const [name, from, to, km] of cases) {
    it(`is right for ${name}`, () => {
      const [a, b] = [from, to].map(([latitudeDeg, longitudeDeg]) => ({ latitudeDeg, longitudeDeg }));
      assert.ok(Math.abs(distanceKm(a!, b!) - km) < km * 0.001, `${distanceKm(a!, b!)} km`);
    });
  }

  it('is symmetric, zero to itself, and obeys the triangle', () => {
    fc.assert(
      fc.property(position, position, position, (a, b, c) => {
        const [ab, bc, ac] = [distanceKm(a, b), distanceKm(b, c), distanceKm(a, c)];
        return (
          distanceKm(a, a) === 0 &&
          Math.abs(ab - distanceKm(b, a)) < 1e-6 &&
          ac <= ab + bc + 1e-3 &&
          ab < 20_016
        );
      }),
    );
  });
});

describe('expected intensity', () => {
  it('agrees with the published relation, computed by hand', () => {
    // c0 + c1 M + c2 ln sqrt(R² + (m1 + m2 e^(M-5))²) + c4 ln(R/50) beyond 50 km.
    const table: readonly [number, number, number][] = [
      [5, 10, 5.97],
      [6.4, 24, 6.7],
      [6.4, 200, 3.9],
      [7.5, 60, 6.96],
    ];
    for (const [magnitude, km, mmi] of table) {
      assert.ok(
        Math.abs(expectedMmi(magnitude, km) - mmi) < 0.06,
        `M${magnitude} at ${km} km: ${expectedMmi(magnitude, km)}`,
      );
    }
  });

  it('of the M6.4 of Hualien is strong to very strong in the town', () => {
    const mmi = expectedMmi(6.4, 24);
    assert.ok(mmi >= 6.5 && mmi <= 7, String(mmi));
  });

  it('falls with distance, grows with magnitude, and stays on the scale', () => {
    const magnitudes = fc.double({ min: -1, max: 9.5, noNaN: true });
    const distances = fc.double({ min: 0, max: 2_000, noNaN: true });
    fc.assert(
      fc.property(
        magnitudes,
        distances,
        fc.double({ min: 0, max: 500, noNaN: true }),
        (magnitude, km, more) => {
          const here = expectedMmi(magnitude, km);
          return here >= 1 && here <= 10 && expectedMmi(magnitude, km + more) <= here + 1e-9;
        },
      ),
    );
    fc.assert(
      fc.property(
        fc.double({ min: 3, max: 8, noNaN: true }),
        distances,
        (magnitude, km) => expectedMmi(magnitude + 0.5, km) >= expectedMmi(magnitude, km),
      ),
    );
  });
});

describe('expected intensity of a quarry blast', () => {
  it('beside a village is weak', () => {
    assert.ok(expectedMmi(2.3, 0) < 3.5, String(expectedMmi(2.3, 0)));
  });
});

describe('the effects of a bulletin', () => {
  const bulletin = (change: Partial<Bulletin>): Bulletin => ({
    source: 'net',
    id: '1',
    type: 'earthquake-notice',
    observedAtMs: 0,
    position: { latitudeDeg: 24, longitudeDeg: 121.6 },
    fields: { magnitude: 6, depthKm: 10 },
    ...change,
  });
  const town = (n: number): Place => ({ ...riverside, id: `town-${n}`, latitudeDeg: 24 + n / 10 });

  it('name the most affected places of care first, and no more than are kept', () => {
    const places = [3, 0, 5, 1, 7, 2, 6].map(town);
    const effects = effectsOf(bulletin({}), places);
    assert.deepEqual(
      effects.map((effect) => effect.placeId),
      ['town-0', 'town-1', 'town-2', 'town-3', 'town-5'],
    );
    assert.equal(effects.length, EFFECTS_KEPT);
  });

  it('leave buildings out', () => {
    assert.deepEqual(effectsOf(bulletin({}), [{ ...riverside, kind: 'building' }]), []);
  });

  it('are unknown without a position', () => {
    assert.deepEqual(effectsOf(bulletin({ position: null }), [riverside]), []);
  });

  it('of a notice without a magnitude are none, at known distances', () => {
    const [effect] = effectsOf(bulletin({ fields: { magnitude: null } }), [riverside]);
    assert.deepEqual({ mmi: effect!.expectedMmi, km: effect!.distanceKm }, { mmi: 1, km: 0 });
  });

  it('of an event inside a hill are those of one at its foot', () => {
    const high = effectsOf(bulletin({ fields: { magnitude: 2, depthKm: -2 } }), [riverside]);
    assert.deepEqual(high, effectsOf(bulletin({ fields: { magnitude: 2, depthKm: 0 } }), [riverside]));
  });
});
