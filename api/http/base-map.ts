import { feature } from 'topojson-client';
import type { GeometryCollection, Topology } from 'topojson-specification';

/**
 * Land as one SVG path in plate carrée: x = longitude + 180 (0..360), y = 90 - latitude (0..180), one unit per
 * degree, one decimal.
 *
 * The polygons of world-atlas run across the antimeridian, where they would smear over the whole map. Each ring
 * is unrolled, drawn once per turn of the globe it reaches into, and cut there by Sutherland-Hodgman clipping.
 */
export function landPathOf(topology: Topology): string {
  const land = topology.objects['land'] as GeometryCollection;
  const rings = feature(topology, land)
    .features.flatMap(({ geometry }) =>
      geometry.type === 'MultiPolygon'
        ? geometry.coordinates.flat()
        : geometry.type === 'Polygon'
          ? geometry.coordinates
          : [],
    )
    .map((ring) => ring.map(([lon = 0, lat = 0]): Point => [lon, lat]));
  return rings.flatMap(cutRing).map(pathOf).join('');
}

type Point = readonly [number, number];
type Ring = Point[];

const TURN_DEG = 360;

function cutRing(ring: Ring): Ring[] {
  const unrolled = unroll(ring);
  const pieces: Ring[] = [];
  for (const turns of [-1, 0, 1]) {
    const moved = unrolled.map(([lon, lat]): Point => [lon + turns * TURN_DEG, lat]);
    const piece = clip(clip(moved, -180, 1), 180, -1);
    if (piece.length >= 3) pieces.push(piece);
  }
  return pieces;
}

/** Longitudes without jumps. A ring around a pole does not close any more: it is led over the pole. */
function unroll(ring: Ring): Ring {
  const first = ring[0];
  if (first === undefined) return [];
  const out: Ring = [first];
  let lon = first[0];
  for (const [nextLon, lat] of ring.slice(1)) {
    let step = nextLon - lon;
    step -= TURN_DEG * Math.round(step / TURN_DEG);
    lon += step;
    out.push([lon, lat]);
  }
  if (Math.abs(lon - first[0]) > 1) {
    const pole = first[1] < 0 ? -90 : 90;
    out.push([lon, pole], [first[0], pole]);
  }
  return out;
}

/** Keeps the side of the meridian `at` towards which `side` points. */
function clip(ring: Ring, at: number, side: 1 | -1): Ring {
  const inside = ([lon]: Point): boolean => (lon - at) * side >= 0;
  const out: Ring = [];
  ring.forEach((point, index) => {
    const before = ring[(index + ring.length - 1) % ring.length] as Point;
    if (inside(point) !== inside(before)) {
      const share = (at - before[0]) / (point[0] - before[0]);
      out.push([at, before[1] + share * (point[1] - before[1])]);
    }
    if (inside(point)) out.push(point);
  });
  return out;
}

const pathOf = (ring: Ring): string =>
  `M${ring.map(([lon, lat]) => `${tenths(lon + 180)} ${tenths(90 - lat)}`).join('L')}Z`;

const tenths = (value: number): string => String(Math.round(value * 10) / 10);
