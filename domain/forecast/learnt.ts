import type { Grid } from '../clean/series.ts';
import { continueAutoregression, fitAutoregression } from './autoregression.ts';
import type { Autoregression } from './autoregression.ts';
import { continueLstm, trainLstm } from './lstm.ts';
import type { Lstm } from './lstm.ts';
import { continueSeasonal, DAY_MS, fitSeasonal } from './season.ts';
import type { Seasonal } from './season.ts';

/** Kinds of forecast, the simplest first. */
export const FORECAST_KINDS = ['persistence', 'seasonal-naive', 'ar', 'seasonal', 'lstm'] as const;
export type ForecastKind = (typeof FORECAST_KINDS)[number];

/** What a kind learns, as plain data. */
export type Learnt =
  | { readonly kind: 'persistence' }
  | { readonly kind: 'seasonal-naive'; readonly periodMs: number }
  | { readonly kind: 'ar'; readonly ar: Autoregression }
  | { readonly kind: 'seasonal'; readonly seasonal: Seasonal }
  | { readonly kind: 'lstm'; readonly lstm: Lstm };

/** Learns from a grid of cleaned values; null when the kind needs more of them. */
export function learn(
  kind: ForecastKind,
  grid: Grid,
  options: { readonly steps: number; readonly seed: number },
): Learnt | null {
  switch (kind) {
    case 'persistence':
      return { kind };
    case 'seasonal-naive': {
      const periodMs = DAY_MS;
      const fits = grid.values.length * grid.everyMs >= 3 * periodMs && periodMs % grid.everyMs === 0;
      return fits && options.steps * grid.everyMs <= periodMs ? { kind, periodMs } : null;
    }
    case 'ar': {
      const ar = fitAutoregression(grid.values);
      return ar === null ? null : { kind, ar };
    }
    case 'seasonal': {
      const seasonal = fitSeasonal(grid);
      return seasonal === null ? null : { kind, seasonal };
    }
    case 'lstm': {
      const lstm = trainLstm(grid, { outputs: options.steps, seed: options.seed });
      return lstm === null ? null : { kind, lstm };
    }
    default:
      kind satisfies never;
      return null;
  }
}

/**
 * The values expected after `values[origin]`, one a step, into `path`. Looks at nothing after the origin.
 *
 * @returns false when the past it needs has a gap or is too short
 */
export function continuePath(learnt: Learnt, grid: Grid, origin: number, path: Float64Array): boolean {
  switch (learnt.kind) {
    case 'persistence':
      path.fill(grid.values[origin]!);
      return Number.isFinite(grid.values[origin]!);
    case 'seasonal-naive': {
      const period = learnt.periodMs / grid.everyMs;
      for (let h = 0; h < path.length; h++) path[h] = grid.values[origin + 1 + h - period] ?? Number.NaN;
      return path.every(Number.isFinite);
    }
    case 'ar':
      return continueAutoregression(learnt.ar, grid.values, origin, path);
    case 'seasonal':
      return continueSeasonal(learnt.seasonal, grid, origin, path);
    case 'lstm':
      return continueLstm(learnt.lstm, grid, origin, path);
    default:
      learnt satisfies never;
      return false;
  }
}
