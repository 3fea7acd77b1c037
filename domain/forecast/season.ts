import type { Grid } from '../clean/series.ts';
import { continueAutoregression, fitAutoregression } from './autoregression.ts';
import type { Autoregression } from './autoregression.ts';

/** A day or a week that repeats, and an autoregression of what departs from it. */
export interface Seasonal {
  readonly periodMs: number;
  /** Usual value of each slot of the period. */
  readonly profile: Float64Array;
  readonly rest: Autoregression;
}

export const DAY_MS = 86_400_000;
const PERIODS = [DAY_MS, 7 * DAY_MS];
/** Slots are no finer: a quarter of an hour has enough values to average. */
const SLOT_MS = 900_000;
/** Values by which a slot's mean is pulled towards the mean of all. */
const PULL = 1;

/**
 * Fits the period, a day or a week, that leaves the smaller one-step error on the last quarter of the training values;
 * null when they do not span three periods.
 */
export function fitSeasonal(grid: Grid): Seasonal | null {
  const spanMs = grid.values.length * grid.everyMs;
  const split = Math.floor(grid.values.length * 0.75);
  let best: number | null = null;
  let least = Infinity;
  for (const periodMs of PERIODS) {
    if (grid.everyMs * 2 > periodMs || spanMs < 3 * periodMs) continue;
    const early = fitPeriod({ ...grid, values: grid.values.subarray(0, split) }, periodMs);
    if (early === null) continue;
    const error = oneStepError(early, grid, split);
    if (error >= least) continue;
    least = error;
    best = periodMs;
  }
  return best === null ? null : fitPeriod(grid, best);
}

function fitPeriod(grid: Grid, periodMs: number): Seasonal | null {
  const slots = Math.max(2, Math.round(periodMs / Math.max(SLOT_MS, grid.everyMs)));
  const sums = new Float64Array(slots);
  const counts = new Float64Array(slots);
  let sum = 0;
  let count = 0;
  for (const [i, value] of grid.values.entries()) {
    if (!Number.isFinite(value)) continue;
    const slot = slotOf(grid.startMs + i * grid.everyMs, periodMs, slots);
    sums[slot]! += value;
    counts[slot]!++;
    sum += value;
    count++;
  }
  if (count === 0) return null;
  const mean = sum / count;
  const profile = sums.map((total, slot) => (total + PULL * mean) / (counts[slot]! + PULL));
  const rest = fitAutoregression(departures({ periodMs, profile }, grid));
  return rest === null ? null : { periodMs, profile, rest };
}

const slotOf = (atMs: number, periodMs: number, slots: number): number =>
  Math.min(slots - 1, Math.floor(((((atMs % periodMs) + periodMs) % periodMs) / periodMs) * slots));

/** The usual value at a time, between the middles of the slots on a straight line. */
function usualAt({ periodMs, profile }: Pick<Seasonal, 'periodMs' | 'profile'>, atMs: number): number {
  const slots = profile.length;
  const place = ((((atMs % periodMs) + periodMs) % periodMs) / periodMs) * slots - 0.5;
  const before = Math.floor(place);
  const share = place - before;
  return (1 - share) * profile[(before + slots) % slots]! + share * profile[(before + 1) % slots]!;
}

function departures(season: Pick<Seasonal, 'periodMs' | 'profile'>, grid: Grid): Float64Array {
  return grid.values.map((value, i) => value - usualAt(season, grid.startMs + i * grid.everyMs));
}

function oneStepError(season: Seasonal, grid: Grid, from: number): number {
  const rest = departures(season, grid);
  const path = new Float64Array(1);
  let errors = 0;
  let count = 0;
  for (let t = from; t < rest.length; t++) {
    if (!Number.isFinite(rest[t]!) || !continueAutoregression(season.rest, rest, t - 1, path)) continue;
    errors += (rest[t]! - path[0]!) ** 2;
    count++;
  }
  return count === 0 ? Infinity : errors / count;
}

export function continueSeasonal(season: Seasonal, grid: Grid, origin: number, path: Float64Array): boolean {
  const { rest } = season;
  const order = rest.weights.length;
  if (origin + 1 < order) return false;
  const past = new Float64Array(order);
  for (let k = 0; k < order; k++) {
    const at = origin - order + 1 + k;
    past[k] = grid.values[at]! - usualAt(season, grid.startMs + at * grid.everyMs);
  }
  if (!continueAutoregression(rest, past, order - 1, path)) return false;
  for (let h = 0; h < path.length; h++) {
    path[h]! += usualAt(season, grid.startMs + (origin + 1 + h) * grid.everyMs);
  }
  return true;
}
