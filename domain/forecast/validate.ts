import type { Grid } from '../clean/series.ts';
import { absoluteAt, AdaptiveMiss, conformalHalfWidth } from './conformal.ts';
import type { ResidualPaths } from './conformal.ts';
import { continuePath, FORECAST_KINDS, learn } from './learnt.ts';
import type { ForecastKind, Learnt } from './learnt.ts';

/** How a kind did on values it had not seen, in the unit of the cleaned values. Plain JSON. */
export interface Validated {
  readonly kind: ForecastKind;
  /** Mean squared error over all steps of the horizon. */
  readonly meanSquaredError: number;
  /** 1 - error / error of persistence: 0 is as good as saying that nothing changes, 1 is perfect. */
  readonly skill: number;
  /** Share of truths inside the interval at the end of the horizon, with a fixed width. */
  readonly coverage: number;
  /** The same with the width that adapts. */
  readonly adaptiveCoverage: number;
  /** Mean half-width of the adapting interval at the end of the horizon. */
  readonly halfWidth: number;
  /** Forecasts that were judged. */
  readonly origins: number;
}

/** Where each fold's training ends, as shares of all values; then as much calibrates, then as much is judged. */
const FOLDS = [0.4, 0.55, 0.7] as const;
const PART = 0.15;
const MOST_PATHS = 500;
/** A more complicated kind must be better by so many standard errors of the difference. */
const BEATEN_BY = 1.645;

export interface ValidateOptions {
  readonly steps: number;
  readonly seed: number;
  /** Share of truths that may lie outside the interval. */
  readonly miss: number;
}

interface Judged {
  readonly errors: Map<number, number>;
  readonly fixed: boolean[];
  readonly adaptive: boolean[];
  readonly widths: number[];
}

/**
 * Rolling-origin validation: three times a kind is trained on the past, calibrated on what follows and judged on what
 * follows that. All kinds are judged at the same origins.
 */
export function validate(
  kinds: readonly ForecastKind[],
  grid: Grid,
  options: ValidateOptions,
): { readonly validated: readonly Validated[]; readonly chosen: ForecastKind | null; readonly why: string } {
  const judged = new Map<ForecastKind, Judged>();
  for (const kind of new Set<ForecastKind>(['persistence', ...kinds])) {
    const result = judge(kind, grid, options);
    if (result !== null) judged.set(kind, result);
  }
  const reference = judged.get('persistence');
  if (reference === undefined) return { validated: [], chosen: null, why: 'no forecast could be judged' };
  let shared = [...reference.errors.keys()];
  for (const { errors } of judged.values()) shared = shared.filter((origin) => errors.has(origin));
  if (shared.length === 0) return { validated: [], chosen: null, why: 'no forecast could be judged' };
  const mean = (values: readonly number[]): number => values.reduce((sum, v) => sum + v, 0) / values.length;
  const errorOf = ({ errors }: Judged): number => mean(shared.map((origin) => errors.get(origin)!));
  const persistence = errorOf(reference);
  const validated = FORECAST_KINDS.filter((kind) => judged.has(kind)).map((kind): Validated => {
    const each = judged.get(kind)!;
    const meanSquaredError = errorOf(each);
    const share = (covered: readonly boolean[]): number => mean(covered.map(Number));
    return {
      kind,
      meanSquaredError,
      skill: persistence > 0 ? 1 - meanSquaredError / persistence : meanSquaredError > 0 ? -1 : 0,
      coverage: share(each.fixed),
      adaptiveCoverage: share(each.adaptive),
      halfWidth: mean(each.widths),
      origins: shared.length,
    };
  });
  return { validated, ...choose(kinds, judged, shared, options.steps) };
}

/** The simplest kind that no other beats by more than chance. */
function choose(
  kinds: readonly ForecastKind[],
  judged: ReadonlyMap<ForecastKind, Judged>,
  origins: readonly number[],
  steps: number,
): { readonly chosen: ForecastKind | null; readonly why: string } {
  const candidates = FORECAST_KINDS.filter((kind) => kinds.includes(kind) && judged.has(kind));
  const unbeaten = candidates.find((kind) =>
    candidates.every(
      (other) => other === kind || !beats(judged.get(other)!, judged.get(kind)!, origins, steps),
    ),
  );
  // Differences can run in a circle; then the smallest error decides.
  const chosen =
    unbeaten ??
    [...candidates].sort((a, b) => total(judged.get(a)!, origins) - total(judged.get(b)!, origins))[0] ??
    null;
  if (chosen === null) return { chosen, why: 'no kind asked for could be trained on these values' };
  const simpler = FORECAST_KINDS.slice(0, FORECAST_KINDS.indexOf(chosen)).filter((k) =>
    candidates.includes(k),
  );
  const others = candidates.filter((kind) => kind !== chosen && !simpler.includes(kind));
  const parts = [
    ...(simpler.length > 0 ? [`simpler ones are beaten (${simpler.join(', ')})`] : []),
    ...(others.length > 0 ? [`none of ${others.join(', ')} beats it by more than chance`] : []),
  ];
  const why = `${chosen} is the simplest kind that is not beaten on rolling-origin validation`;
  return { chosen, why: parts.length > 0 ? `${why}: ${parts.join('; ')}` : why };
}

const total = ({ errors }: Judged, origins: readonly number[]): number =>
  origins.reduce((sum, origin) => sum + errors.get(origin)!, 0);

/** Paired over blocks of origins: neighbouring forecasts share most of their truth, and are no independent evidence. */
function beats(one: Judged, other: Judged, origins: readonly number[], steps: number): boolean {
  const blockLength = Math.max(2 * steps, Math.ceil(origins.length / 30));
  const blocks = new Map<number, { sum: number; count: number }>();
  for (const origin of origins) {
    const key = Math.floor(origin / blockLength);
    const block = blocks.get(key) ?? { sum: 0, count: 0 };
    block.sum += other.errors.get(origin)! - one.errors.get(origin)!;
    block.count++;
    blocks.set(key, block);
  }
  const gains = [...blocks.values()].map(({ sum, count }) => sum / count);
  if (gains.length < 3) return total(one, origins) < total(other, origins);
  const mean = gains.reduce((sum, gain) => sum + gain, 0) / gains.length;
  const variance = gains.reduce((sum, gain) => sum + (gain - mean) ** 2, 0) / (gains.length - 1);
  return mean > BEATEN_BY * Math.sqrt(variance / gains.length) && mean > 0;
}

function judge(kind: ForecastKind, grid: Grid, { steps, seed, miss }: ValidateOptions): Judged | null {
  const judged: Judged = { errors: new Map(), fixed: [], adaptive: [], widths: [] };
  const n = grid.values.length;
  const path = new Float64Array(steps);
  for (const fold of FOLDS) {
    const calibrateFrom = Math.floor(n * fold);
    const judgeFrom = Math.floor(n * (fold + PART));
    const end = Math.min(n, Math.floor(n * (fold + 2 * PART)));
    const learnt = learn(kind, { ...grid, values: grid.values.subarray(0, calibrateFrom) }, { steps, seed });
    if (learnt === null) return null;
    const residuals = residualPaths(learnt, grid, { steps, from: calibrateFrom, to: judgeFrom });
    const sorted = absoluteAt(residuals, steps);
    const fixedWidth = conformalHalfWidth(sorted, miss);
    const adaptive = new AdaptiveMiss(miss, sorted.length);
    // The truth of a forecast is known only `steps` later: until then it must not teach.
    const waiting: { readonly error: number; readonly width: number }[] = [];
    for (let origin = judgeFrom; origin + steps < end; origin++) {
      if (waiting.length > steps) {
        const { error, width } = waiting.shift()!;
        adaptive.see(error <= width);
      }
      if (!continuePath(learnt, grid, origin, path)) continue;
      let squares = 0;
      for (let h = 0; h < steps; h++) squares += (grid.values[origin + 1 + h]! - path[h]!) ** 2;
      if (!Number.isFinite(squares)) continue;
      const error = Math.abs(grid.values[origin + steps]! - path[steps - 1]!);
      const width = conformalHalfWidth(sorted, adaptive.current);
      judged.errors.set(origin, squares / steps);
      judged.fixed.push(error <= fixedWidth);
      judged.adaptive.push(error <= width);
      judged.widths.push(width);
      waiting.push({ error, width });
    }
  }
  return judged.errors.size === 0 ? null : judged;
}

/** Truth minus forecast along the paths from evenly spread origins between two values. */
export function residualPaths(
  learnt: Learnt,
  grid: Grid,
  { steps, from, to }: { readonly steps: number; readonly from: number; readonly to: number },
): ResidualPaths {
  const path = new Float64Array(steps);
  const stride = Math.max(1, Math.ceil((to - from - steps) / MOST_PATHS));
  const values: number[] = [];
  for (let origin = from; origin + steps < to; origin += stride) {
    if (!continuePath(learnt, grid, origin, path)) continue;
    const residuals = Array.from(path, (expected, h) => grid.values[origin + 1 + h]! - expected);
    if (residuals.every(Number.isFinite)) values.push(...residuals);
  }
  return { steps, values: Float64Array.from(values) };
}
