import type { Position } from '../units.ts';

/** Mean Earth radius, km (IUGG R1). */
const EARTH_RADIUS_KM = 6371.0088;
const RADIANS = Math.PI / 180;

/** Great-circle distance in km by the haversine formula; within 0.6 % of the ellipsoid. */
export function distanceKm(a: Position, b: Position): number {
  const latitude = Math.sin(((b.latitudeDeg - a.latitudeDeg) * RADIANS) / 2);
  const longitude = Math.sin(((b.longitudeDeg - a.longitudeDeg) * RADIANS) / 2);
  const h =
    latitude * latitude +
    Math.cos(a.latitudeDeg * RADIANS) * Math.cos(b.latitudeDeg * RADIANS) * longitude * longitude;
  return 2 * EARTH_RADIUS_KM * Math.asin(Math.min(1, Math.sqrt(h)));
}
