import { TocsinError } from '../errors.ts';
import { medianOf } from './series.ts';
import type { Series } from './series.ts';
import { denoiseBlock } from './wavelet.ts';

/**
 * One step of cleaning, as plain data. Every step looks backwards only: what it makes of a value never depends on later
 * ones, so that a value is the same in training and when it is served.
 */
export type CleanStep =
  /** Values outside, and steps that cannot be, were not measured. */
  | { readonly do: 'range'; readonly minimum: number; readonly maximum: number }
  /** Converts: value · factor + offset. `to` names the unit that comes out. */
  | { readonly do: 'unit'; readonly factor: number; readonly offset: number; readonly to: string }
  /** The mean of every interval [k·everyMs, (k+1)·everyMs); missing where there was no value. */
  | { readonly do: 'resample'; readonly everyMs: number }
  /** Hampel: a value further from the median of the `window` values up to it than `deviations` robust deviations. */
  | { readonly do: 'outliers'; readonly window: number; readonly deviations: number }
  /** A missing value is the last one, for at most `most` values in a row. */
  | { readonly do: 'fill'; readonly most: number }
  /** The median of the last `window` values, or a wavelet over them (a power of two from 8). */
  | { readonly do: 'denoise'; readonly method: 'median' | 'haar' | 'db4'; readonly window: number }
  /** (value - centre) / scale. `fitSteps` sets both: mean and deviation, or median and robust deviation. */
  | {
      readonly do: 'normalise';
      readonly method: 'standard' | 'robust';
      readonly centre?: number;
      readonly scale?: number;
    };

/** Consistency factor between the median absolute deviation and the deviation of a normal distribution. */
const MAD_TO_DEVIATION = 1.4826;

/**
 * Learns what steps must know (centre and scale) from training data. The answer is plain data: kept in the artefact and
 * given to `applySteps` again when serving.
 *
 * @throws TocsinError CLEAN_STEP_INVALID, also when nothing is left to learn from
 */
export function fitSteps(steps: readonly CleanStep[], training: Series): readonly CleanStep[] {
  let series = training;
  return steps.map((step) => {
    const fitted = step.do === 'normalise' ? fitNormalise(step, series.values) : step;
    series = applyStep(fitted, series);
    return fitted;
  });
}

/** @throws TocsinError CLEAN_STEP_INVALID for a step that cannot be done, or `normalise` that was not fitted */
export function applySteps(steps: readonly CleanStep[], series: Series): Series {
  return steps.reduce((cleaned, step) => applyStep(step, cleaned), series);
}

/** Back to the unit of the channel: undoes `normalise`, the last first. `unit` stays: its unit is the one wanted. */
export function denormalise(steps: readonly CleanStep[], value: number): number {
  return steps.reduceRight(
    (whole, step) => (step.do === 'normalise' ? whole * (step.scale ?? 1) + (step.centre ?? 0) : whole),
    value,
  );
}

/** How far a difference reaches in the unit of the channel. */
export function normalisedScale(steps: readonly CleanStep[]): number {
  return denormalise(steps, 1) - denormalise(steps, 0);
}

function applyStep(step: CleanStep, series: Series): Series {
  const { timesMs, values } = series;
  switch (step.do) {
    case 'range':
      return {
        timesMs,
        values: values.map((v) => (v >= step.minimum && v <= step.maximum ? v : Number.NaN)),
      };
    case 'unit':
      return { timesMs, values: values.map((v) => v * step.factor + step.offset) };
    case 'resample':
      return resample(series, step.everyMs);
    case 'outliers':
      return { timesMs, values: hampel(values, step.window, step.deviations) };
    case 'fill':
      return { timesMs, values: fill(values, step.most) };
    case 'denoise':
      return { timesMs, values: denoise(values, step.method, step.window) };
    case 'normalise': {
      const { centre, scale } = step;
      if (centre === undefined || scale === undefined) throw invalid('normalise was not fitted');
      return { timesMs, values: values.map((v) => (v - centre) / scale) };
    }
    default:
      step satisfies never;
      throw invalid(`there is no step ${String((step as { do?: unknown }).do)}`);
  }
}

function fitNormalise(step: Extract<CleanStep, { do: 'normalise' }>, values: Float64Array): CleanStep {
  const kept = values.filter(Number.isFinite);
  if (kept.length === 0) throw invalid('no value is left to normalise');
  let centre: number;
  let scale: number;
  if (step.method === 'robust') {
    centre = medianOf(kept);
    scale = MAD_TO_DEVIATION * medianOf(kept.map((v) => Math.abs(v - centre)));
  } else {
    centre = kept.reduce((sum, v) => sum + v, 0) / kept.length;
    scale = Math.sqrt(kept.reduce((sum, v) => sum + (v - centre) ** 2, 0) / kept.length);
  }
  // A channel that stood still keeps its own unit.
  if (!(scale > 1e-12 * Math.max(1, Math.abs(centre)))) scale = 1;
  return { ...step, centre, scale };
}

function resample({ timesMs, values }: Series, everyMs: number): Series {
  if (timesMs.length === 0) return { timesMs, values };
  const first = Math.floor(timesMs[0]! / everyMs);
  const length = Math.floor(timesMs.at(-1)! / everyMs) - first + 1;
  if (length > MOST_STEPS) throw invalid(`resampling every ${everyMs} ms makes ${length} values`);
  const sums = new Float64Array(length);
  const counts = new Int32Array(length);
  for (const [i, value] of values.entries()) {
    if (!Number.isFinite(value)) continue;
    const at = Math.floor(timesMs[i]! / everyMs) - first;
    sums[at]! += value;
    counts[at]!++;
  }
  return {
    timesMs: Float64Array.from(sums, (_, i) => (first + i) * everyMs),
    values: sums.map((sum, i) => (counts[i]! > 0 ? sum / counts[i]! : Number.NaN)),
  };
}

/** A week of milliseconds is a slip of the pen, not a wish. */
const MOST_STEPS = 20_000_000;

function hampel(values: Float64Array, window: number, deviations: number): Float64Array {
  return values.map((value, i) => {
    if (!Number.isFinite(value) || i < window - 1) return value;
    const past = values.slice(i - window + 1, i + 1);
    const median = medianOf(past);
    const spread = MAD_TO_DEVIATION * medianOf(past.map((v) => Math.abs(v - median)));
    // Where more than half of the values are the same, nothing can be said of the others.
    return spread > 0 && Math.abs(value - median) > deviations * spread ? median : value;
  });
}

function fill(values: Float64Array, most: number): Float64Array {
  const filled = values.slice();
  let last = Number.NaN;
  let missing = 0;
  for (const [i, value] of values.entries()) {
    if (Number.isFinite(value)) {
      last = value;
      missing = 0;
    } else filled[i] = ++missing <= most ? last : Number.NaN;
  }
  return filled;
}

function denoise(values: Float64Array, method: 'median' | 'haar' | 'db4', window: number): Float64Array {
  return values.map((value, i) => {
    if (!Number.isFinite(value) || i < window - 1) return value;
    const past = values.slice(i - window + 1, i + 1);
    if (method === 'median') return medianOf(past);
    return past.every(Number.isFinite) ? denoiseMirrored(past, method) : value;
  });
}

/** The block is continued by its mirror image: a jump from its end to its beginning would ring through the last value. */
function denoiseMirrored(past: Float64Array, method: 'haar' | 'db4'): number {
  const n = past.length;
  const block = new Float64Array(2 * n);
  for (let i = 0; i < n; i++) block[i] = block[2 * n - 1 - i] = past[i]!;
  return denoiseBlock(block, method)[n - 1]!;
}

export function invalid(problem: string, details: Record<string, unknown> = {}): TocsinError {
  return new TocsinError('CLEAN_STEP_INVALID', `Cleaning: ${problem}.`, { details: { problem, ...details } });
}
