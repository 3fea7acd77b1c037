import type { Position } from '../../units.ts';
import { distanceKm } from '../geo.ts';

/** P waves in the crust, km/s. */
export const P_KM_PER_S = 6.5;

export interface Arrival {
  readonly station: string;
  readonly position: Position;
  readonly onsetSeconds: number;
  /** How far this station is believed, 0 to 1. */
  readonly weight: number;
}

/** A station that listened and did not trigger. */
export interface Silence {
  readonly position: Position;
  readonly seenUntilSeconds: number;
}

export interface Origin {
  readonly position: Position;
  readonly originSeconds: number;
  /** Stations whose arrivals it explains, the nearest first. */
  readonly arrivals: readonly Arrival[];
  /** Weights of those stations less one for each station that should have triggered before and did not. */
  readonly support: number;
  /** Radius of the places that explain the arrivals equally well. */
  readonly uncertaintyKm: number;
}

/** Arrival times may be off by this: the pick, the clock, the depth and a crust that is not uniform. */
const TOLERANCE_SECONDS = 2.5;
/** A station that should have heard it this long ago, and did not, speaks against an origin. */
const OVERDUE_SECONDS = 3;
/** Places up to so far from the newest station, in degrees, are tried this finely. */
const REACH_DEG = 3;
const STEP_DEG = 0.15;
/** An earthquake that is strong enough for an alert is near a station first. */
export const NEAREST_KM = 250;
/** Spread of the residuals that are expected, for comparing places. */
const SIGMA_SECONDS = 1;

/**
 * The place and time that explain most arrivals, the newest among them, by a search over a grid of places around it:
 * each place gives every arrival an origin time, those that agree with the newest belong together, and stations
 * that should have heard it by now and did not count against it.
 */
export function locate(
  newest: Arrival,
  others: readonly Arrival[],
  silent: readonly Silence[],
  pKmPerS: number = P_KM_PER_S,
): Origin {
  const places: Placed[] = [];
  const { latitudeDeg, longitudeDeg } = newest.position;
  const stretch = 1 / Math.max(0.2, Math.cos((latitudeDeg * Math.PI) / 180));
  for (let north = -REACH_DEG; north <= REACH_DEG; north += STEP_DEG) {
    for (let east = -REACH_DEG; east <= REACH_DEG; east += STEP_DEG) {
      const position = {
        latitudeDeg: Math.max(-90, Math.min(90, latitudeDeg + north)),
        longitudeDeg: ((longitudeDeg + east * stretch + 540) % 360) - 180,
      };
      const origin = explain(position, newest, others, silent, pKmPerS);
      if (origin !== undefined) places.push(origin);
    }
  }
  return bestOf(places, newest);
}

interface Placed extends Origin {
  readonly logLikelihood: number;
}

function explain(
  position: Position,
  newest: Arrival,
  others: readonly Arrival[],
  silent: readonly Silence[],
  pKmPerS: number,
): Placed | undefined {
  const travel = (to: Position): number => distanceKm(position, to) / pKmPerS;
  const first = newest.onsetSeconds - travel(newest.position);
  const placed = [{ arrival: newest, travelSeconds: travel(newest.position), origin: first }];
  for (const arrival of others) {
    const travelSeconds = travel(arrival.position);
    const origin = arrival.onsetSeconds - travelSeconds;
    if (Math.abs(origin - first) <= TOLERANCE_SECONDS) placed.push({ arrival, travelSeconds, origin });
  }
  placed.sort((a, b) => a.travelSeconds - b.travelSeconds);
  const nearest = placed[0]!.travelSeconds;
  if (nearest * pKmPerS > NEAREST_KM) return undefined;
  const farthest = placed.at(-1)!.travelSeconds;
  const originSeconds = placed.reduce((sum, { origin }) => sum + origin, 0) / placed.length;
  let missing = 0;
  for (const station of silent) {
    const travelSeconds = travel(station.position);
    const overdue = station.seenUntilSeconds > originSeconds + travelSeconds + OVERDUE_SECONDS;
    if (overdue && travelSeconds < farthest) missing++;
  }
  let logLikelihood = 0;
  for (const { origin } of placed) {
    logLikelihood -= ((origin - originSeconds) / SIGMA_SECONDS) ** 2 / 2;
  }
  // Nearer places are likelier: far away it would have had to be stronger to be noticed.
  logLikelihood -= 2 * Math.log1p((nearest * pKmPerS) / 50);
  return {
    position,
    originSeconds,
    arrivals: placed.map(({ arrival }) => arrival),
    support: placed.reduce((sum, { arrival }) => sum + arrival.weight, 0) - missing,
    uncertaintyKm: 0,
    logLikelihood,
  };
}

function bestOf(places: readonly Placed[], newest: Arrival): Origin {
  const support = Math.max(...places.map((place) => place.support));
  const equal = places.filter((place) => place.support === support);
  const likeliest = Math.max(...equal.map((place) => place.logLikelihood));
  // The mean over the places that explain it, each as likely as its residuals are.
  let total = 0;
  let latitudeDeg = 0;
  let east = 0;
  let best = equal[0]!;
  const weigh = (place: Placed): number => Math.exp(place.logLikelihood - likeliest);
  const offset = (place: Placed): number =>
    ((place.position.longitudeDeg - newest.position.longitudeDeg + 540) % 360) - 180;
  for (const place of equal) {
    const weight = weigh(place);
    total += weight;
    latitudeDeg += weight * place.position.latitudeDeg;
    east += weight * offset(place);
    if (place.logLikelihood > best.logLikelihood) best = place;
  }
  const position = {
    latitudeDeg: latitudeDeg / total,
    longitudeDeg: ((newest.position.longitudeDeg + east / total + 540) % 360) - 180,
  };
  let squares = 0;
  for (const place of equal) squares += weigh(place) * distanceKm(position, place.position) ** 2;
  const { arrivals, originSeconds } = best;
  return { position, originSeconds, arrivals, support, uncertaintyKm: Math.sqrt(squares / total) };
}
