import type { Bulletin, Effect, Place } from '../evidence.ts';
import { distanceKm } from './geo.ts';

/**
 * Allen, Wald & Worden (2012), Intensity attenuation for active crustal regions, J. Seismol. 16, 409-433: the form
 * in hypocentral distance, meant for the minutes after an event when nothing is known of the fault. Coefficients of
 * its table for hypocentral distance; standard deviation 0.82-1.19 units. No site term; crust down to about 70 km.
 */
const C0 = 2.085;
const C1 = 1.428;
const C2 = -1.402;
/** Anelastic term, beyond 50 km. */
const C4 = 0.078;
const M1 = -0.209;
const M2 = 2.042;
const FAR_KM = 50;
/**
 * Nearer than this the relation has no data behind it, and for small events at no depth it would tend to infinity:
 * a quarry blast beside a village is no disaster.
 */
const NEAREST_KM = 5;

/** Depth assumed when a notice has none: the default of most networks for shallow crust. */
export const ASSUMED_DEPTH_KM = 10;

/** Places named in an effect list. */
export const EFFECTS_KEPT = 5;

/**
 * Expected Modified Mercalli Intensity, 1..10.
 *
 * @param magnitude moment magnitude or what a network gives in its place
 * @param hypocentralKm distance to the hypocentre, km; below 5 it is taken as 5
 * @example
 * expectedMmi(6.4, 24) // 6.7
 */
export function expectedMmi(magnitude: number, hypocentralKm: number): number {
  const km = Math.max(NEAREST_KM, hypocentralKm);
  const near = M1 + M2 * Math.exp(magnitude - 5);
  const far = km > FAR_KM ? C4 * Math.log(km / FAR_KM) : 0;
  const mmi = C0 + C1 * magnitude + C2 * Math.log(Math.hypot(km, near)) + far;
  return Math.min(10, Math.max(1, mmi));
}

/**
 * What a bulletin means for the places of care: the most affected first, at most `EFFECTS_KEPT`. Empty without a
 * position. Without a magnitude nothing is expected (intensity 1), and the nearest come first.
 */
export function effectsOf(bulletin: Bulletin, places: readonly Place[]): Effect[] {
  const epicentre = bulletin.position;
  if (epicentre === null) return [];
  const magnitude = numberOf(bulletin, 'magnitude');
  // Networks place events inside a hill above sea level: a negative depth is no distance.
  const depthKm = Math.max(0, numberOf(bulletin, 'depthKm') ?? ASSUMED_DEPTH_KM);
  return places
    .filter((place) => place.kind === 'place-of-care')
    .map((place) => {
      const epicentralKm = distanceKm(epicentre, place);
      const mmi = magnitude === null ? 1 : expectedMmi(magnitude, Math.hypot(epicentralKm, depthKm));
      return {
        placeId: place.id,
        place,
        distanceKm: Math.round(epicentralKm * 10) / 10,
        expectedMmi: Math.round(mmi * 10) / 10,
      };
    })
    .sort(
      (a, b) =>
        b.expectedMmi - a.expectedMmi || a.distanceKm - b.distanceKm || (a.placeId < b.placeId ? -1 : 1),
    )
    .slice(0, EFFECTS_KEPT);
}

/** A bulletin's field as a number; null when it is missing, not measured or text. */
export function numberOf(bulletin: Bulletin, field: string): number | null {
  const value = bulletin.fields[field];
  return typeof value === 'number' ? value : null;
}
