import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { describe, it } from 'node:test';
import type { Topology } from 'topojson-specification';
import { landPathOf } from '../../../api/http/base-map.ts';

const land = createRequire(import.meta.url)('world-atlas/land-110m.json') as Topology;

/** Rings of the path as points. */
const ringsOf = (path: string): [number, number][][] =>
  path
    .split('M')
    .filter((ring) => ring !== '')
    .map((ring) =>
      ring
        .replace('Z', '')
        .split('L')
        .map((point) => point.split(' ').map(Number) as [number, number]),
    );

/** Even-odd rule over all rings. */
function isLand(rings: readonly [number, number][][], longitudeDeg: number, latitudeDeg: number): boolean {
  const [x, y] = [longitudeDeg + 180, 90 - latitudeDeg];
  let inside = false;
  for (const ring of rings) {
    ring.forEach(([x1, y1], i) => {
      const [x2, y2] = ring[(i + 1) % ring.length] as [number, number];
      if (y1 > y !== y2 > y && x < x1 + ((y - y1) / (y2 - y1)) * (x2 - x1)) inside = !inside;
    });
  }
  return inside;
}

describe('the base map', () => {
  const rings = ringsOf(landPathOf(land));

  it('stays on the map', () => {
    for (const [x, y] of rings.flat()) {
      assert.ok(x >= 0 && x <= 360 && y >= 0 && y <= 180, `${x} ${y}`);
    }
  });

  it('has no line that runs across the whole map, except under the south pole', () => {
    for (const ring of rings) {
      ring.forEach(([x1, y1], i) => {
        const [x2, y2] = ring[(i + 1) % ring.length] as [number, number];
        assert.ok(Math.abs(x1 - x2) < 60 || (y1 === 180 && y2 === 180), `${x1} ${y1} to ${x2} ${y2}`);
      });
    }
  });

  for (const [name, longitudeDeg, latitudeDeg, expected] of [
    ['Taiwan', 121, 24, true],
    ['Chukotka, east of the antimeridian', -175, 66.5, true],
    ['Chukotka, west of it', 178, 67.5, true],
    ['the South Pole', 0, -89, true],
    ['the middle of the Pacific', -150, 0, false],
    ['the Sea of Okhotsk', 150, 55, false],
    ['the Bering Sea', 180, 57, false],
  ] as const) {
    it(`shows ${name} as ${expected ? 'land' : 'sea'}`, () => {
      assert.equal(isLand(rings, longitudeDeg, latitudeDeg), expected);
    });
  }
});
