import type { EpochMs } from '../units.ts';

/** A channel over time. `timesMs` ascends; NaN in `values` where nothing was measured. */
export interface Series {
  readonly timesMs: Float64Array;
  readonly values: Float64Array;
}

/** A channel at even steps: value `i` belongs to `startMs + i * everyMs`. */
export interface Grid {
  readonly startMs: EpochMs;
  readonly everyMs: number;
  readonly values: Float64Array;
}

/** Median of the finite values; NaN when there is none. Leaves `values` as they are. */
export function medianOf(values: Float64Array): number {
  const kept = values.filter(Number.isFinite).sort();
  if (kept.length === 0) return Number.NaN;
  const middle = kept.length >> 1;
  return kept.length % 2 === 1 ? kept[middle]! : (kept[middle - 1]! + kept[middle]!) / 2;
}
