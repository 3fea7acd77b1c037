import type { DurationMs, Position } from '../units.ts';

/** Mean Earth radius (IUGG), km. */
const EARTH_RADIUS_KM = 6371.0088;

/**
 * Road distance over straight-line distance. 1.417 on average to the nearest hospital across the United States
 * (Boscoe, Henry & Zdeb, The Professional Geographer 64, 2012); 1.12 to 2.10 by country (Ballou, Rahardja & Sakai,
 * Transportation Research A 36, 2002).
 */
export const ROAD_FACTOR = 1.4;

/** From the order to wheels turning: 80 s for fire and special operations, 60 s for medical crews (NFPA 1710). */
export const TURNOUT_MS: DurationMs = 80_000;

/** Great-circle distance by the haversine formula, km. */
export function greatCircleKm(a: Position, b: Position): number {
  const lat1 = radians(a.latitudeDeg);
  const lat2 = radians(b.latitudeDeg);
  const halfLat = Math.sin((lat2 - lat1) / 2);
  const halfLon = Math.sin(radians(b.longitudeDeg - a.longitudeDeg) / 2);
  const h = halfLat * halfLat + Math.cos(lat1) * Math.cos(lat2) * halfLon * halfLon;
  return 2 * EARTH_RADIUS_KM * Math.asin(Math.min(1, Math.sqrt(h)));
}

/**
 * From the order to the arrival on scene: turnout plus the road. An estimate for choosing between units, not a
 * promise.
 *
 * @param speedKmh average road speed under lights, km/h, above 0
 * @returns whole milliseconds
 * @throws RangeError when `speedKmh` is not above 0
 */
export function travelEstimateMs(from: Position, to: Position, speedKmh: number): DurationMs {
  if (!(speedKmh > 0)) throw new RangeError(`Expected speedKmh to be above 0, got ${speedKmh}`);
  const roadKm = greatCircleKm(from, to) * ROAD_FACTOR;
  return TURNOUT_MS + Math.round((roadKm / speedKmh) * 3_600_000);
}

const radians = (degrees: number): number => (degrees * Math.PI) / 180;
