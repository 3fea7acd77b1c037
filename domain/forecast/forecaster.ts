import type { Grid, Series } from '../clean/series.ts';
import { applySteps, denormalise, fitSteps, normalisedScale } from '../clean/steps.ts';
import type { CleanStep } from '../clean/steps.ts';
import { TocsinError } from '../errors.ts';
import type { EpochMs } from '../units.ts';
import {
  absoluteAt,
  AdaptiveMiss,
  conformalHalfWidth,
  probabilityOfExceeding,
  probabilityOfFalling,
} from './conformal.ts';
import type { Interval, ResidualPaths } from './conformal.ts';
import { continuePath, FORECAST_KINDS, learn } from './learnt.ts';
import type { ForecastKind, Learnt } from './learnt.ts';
import { residualPaths, validate } from './validate.ts';
import type { Validated } from './validate.ts';

export const FORECASTER_SCHEMA = 'tocsin/forecaster/v1';

/** What is known about a forecaster, for people. Errors are in the unit of the channel, squared. */
export interface ForecastCard {
  readonly channel: string;
  /** Of the values; absent when nobody said. */
  readonly unit?: string;
  readonly kind: ForecastKind;
  /** Why this kind, in words. */
  readonly why: string;
  readonly validated: readonly Validated[];
  readonly rows: number;
  readonly from: EpochMs;
  readonly to: EpochMs;
  /** Share of truths that the interval promises to hold. */
  readonly level: number;
  readonly seed: number;
  /** A kind named in the request that could not be trained on these values. */
  readonly leftOut: readonly ForecastKind[];
}

/** A trained forecast of one channel: everything needed to go on from its last values, as plain data. */
export interface Forecaster {
  readonly schema: typeof FORECASTER_SCHEMA;
  readonly channel: string;
  readonly everyMs: number;
  /** How many steps of `everyMs` it looks ahead. */
  readonly steps: number;
  /** Fitted steps of cleaning: the same in training and serving. */
  readonly clean: readonly CleanStep[];
  readonly learnt: Learnt;
  readonly residuals: ResidualPaths;
  /** Smallest and largest cleaned value of training; paths are kept within three times this range. */
  readonly bounds: Interval;
  readonly card: ForecastCard;
}

export interface TrainForecaster {
  readonly channel: string;
  /** Of the values. @default not said */
  readonly unit?: string | undefined;
  readonly kind: ForecastKind | 'auto';
  readonly horizonMs: number;
  /** @default [] */
  readonly clean?: readonly CleanStep[];
  /** Share of truths that the interval holds. @default 0.9 */
  readonly level?: number;
  /** @default 1 */
  readonly seed?: number;
  /** What `auto` weighs. @default every kind */
  readonly among?: readonly ForecastKind[];
}

export const MOST_FORECAST_STEPS = 288;
const LEAST_VALUES = 60;
/** Values that calibrate the intervals of the final forecaster, as a share of all. */
const CALIBRATION_SHARE = 0.2;

/**
 * Cleans, validates, chooses, trains and calibrates. `auto` weighs all kinds; naming one trains that one and still
 * reports it beside persistence.
 *
 * @throws TocsinError FORECAST_DATA_INVALID when there are too few values, CLEAN_STEP_INVALID
 */
export function trainForecaster(series: Series, options: TrainForecaster): Forecaster {
  const { channel, kind, horizonMs, level = 0.9, seed = 1 } = options;
  const clean = fitSteps(completeSteps(options.clean ?? [], series), series);
  const everyMs = clean.find((step) => step.do === 'resample')!.everyMs;
  const steps = Math.round(horizonMs / everyMs);
  if (!(steps >= 1) || steps > MOST_FORECAST_STEPS) {
    throw bad(
      channel,
      `a horizon of ${horizonMs} ms is ${steps} steps of ${everyMs} ms; give 1 to ${MOST_FORECAST_STEPS} steps, or resample`,
    );
  }
  const grid = gridOf(applySteps(clean, series), everyMs);
  const finite = grid.values.filter(Number.isFinite);
  if (finite.length < LEAST_VALUES + 4 * steps) {
    throw bad(channel, `${finite.length} usable values are too few for ${steps} steps ahead`);
  }
  const asked = kind === 'auto' ? (options.among ?? FORECAST_KINDS) : [kind];
  const { validated, chosen, why } = validate(asked, grid, { steps, seed, miss: 1 - level });
  if (chosen === null) throw bad(channel, why);
  const calibrateFrom = Math.floor(grid.values.length * (1 - CALIBRATION_SHARE));
  const learnt = learn(chosen, { ...grid, values: grid.values.subarray(0, calibrateFrom) }, { steps, seed });
  if (learnt === null) throw bad(channel, `too few values for ${chosen}`);
  const residuals = residualPaths(learnt, grid, { steps, from: calibrateFrom, to: grid.values.length });
  if (residuals.values.length < 10 * steps) throw bad(channel, 'too few whole paths to calibrate with');
  const scale = normalisedScale(clean);
  return {
    schema: FORECASTER_SCHEMA,
    channel,
    everyMs,
    steps,
    clean,
    learnt,
    residuals,
    bounds: {
      low: finite.reduce((least, v) => Math.min(least, v), Infinity),
      high: finite.reduce((most, v) => Math.max(most, v), -Infinity),
    },
    card: {
      channel,
      ...(options.unit === undefined ? {} : { unit: options.unit }),
      kind: chosen,
      why,
      validated: validated.map((each) => ({
        ...each,
        meanSquaredError: each.meanSquaredError * scale * scale,
        halfWidth: each.halfWidth * scale,
      })),
      rows: series.timesMs.length,
      from: series.timesMs[0]!,
      to: series.timesMs.at(-1)!,
      level,
      seed,
      leftOut: asked.filter((each) => !validated.some((v) => v.kind === each)),
    },
  };
}

/** The steps asked for, with even steps, filled gaps and a common scale, which every kind needs, where they are missing. */
function completeSteps(asked: readonly CleanStep[], series: Series): readonly CleanStep[] {
  const steps = [...asked];
  if (!steps.some((step) => step.do === 'resample')) {
    const at = steps.findIndex((step) => step.do !== 'range' && step.do !== 'unit');
    steps.splice(at < 0 ? steps.length : at, 0, { do: 'resample', everyMs: usualStep(series) });
  }
  if (!steps.some((step) => step.do === 'fill')) {
    const at = steps.findIndex((step) => step.do === 'resample');
    steps.splice(at + 1, 0, { do: 'fill', most: 3 });
  }
  if (!steps.some((step) => step.do === 'normalise')) steps.push({ do: 'normalise', method: 'standard' });
  return steps;
}

/** Median distance between neighbouring times. */
function usualStep({ timesMs }: Series): number {
  const steps = timesMs.slice(1).map((at, i) => at - timesMs[i]!);
  const kept = steps.filter((step) => step > 0).sort();
  if (kept.length === 0) throw bad('', 'there are not two rows with different times');
  return kept[kept.length >> 1]!;
}

function gridOf({ timesMs, values }: Series, everyMs: number): Grid {
  return { startMs: timesMs[0] ?? 0, everyMs, values };
}

/** What is expected after the last value of a history. */
export interface Forecast {
  /** Time of the last value it goes on from. */
  readonly originMs: EpochMs;
  readonly points: readonly (Interval & { readonly atMs: EpochMs; readonly value: number })[];
  /** Share of truths the intervals promise to hold. */
  readonly level: number;
  /**
   * Probability that the channel goes above `x` at some time within `withinMs` from the origin (rounded up to whole
   * steps, at most the horizon).
   */
  probabilityAbove(x: number, withinMs: number): number;
  /** The same for going below `x`. */
  probabilityBelow(x: number, withinMs: number): number;
}

/** Forecasts made on the way to the origin, to learn how wide intervals must be now. */
const RECENT = 300;

/**
 * Goes on from a history. The interval adapts: forecasts from the last {@link RECENT} origins of the history are
 * compared with what came.
 *
 * @throws TocsinError FORECAST_DATA_INVALID when the history is too short or its end has a gap
 */
export function forecastFrom(forecaster: Forecaster, history: Series): Forecast {
  const { channel, clean, everyMs, steps, learnt, residuals, card } = forecaster;
  const grid = gridOf(applySteps(clean, history), everyMs);
  const origin = grid.values.length - 1;
  const path = new Float64Array(steps);
  if (origin < 0 || !pathFrom(forecaster, grid, origin, path)) {
    throw bad(channel, 'the history is too short, or its end has a gap too long to fill');
  }
  const originMs = grid.startMs + origin * everyMs;
  const kept = path.slice();
  return {
    originMs,
    level: card.level,
    // Only when asked: a plan's condition asks for the probability alone, at every reading.
    get points() {
      const misses = adaptedMisses(forecaster, grid, origin);
      return Array.from(kept, (value, h) => {
        const width = conformalHalfWidth(absoluteAt(residuals, h + 1), misses);
        return {
          atMs: originMs + (h + 1) * everyMs,
          value: denormalise(clean, value),
          low: denormalise(clean, value - width),
          high: denormalise(clean, value + width),
        };
      });
    },
    probabilityAbove: (x, withinMs) =>
      probabilityOfExceeding(kept, residuals, levelOf(x), stepsWithin(withinMs)),
    probabilityBelow: (x, withinMs) =>
      probabilityOfFalling(kept, residuals, levelOf(x), stepsWithin(withinMs)),
  };

  function levelOf(x: number): number {
    return (x - denormalise(clean, 0)) / normalisedScale(clean);
  }

  function stepsWithin(withinMs: number): number {
    return Math.min(steps, Math.max(1, Math.ceil(withinMs / everyMs - 1e-9)));
  }

  function adaptedMisses(of: Forecaster, whole: Grid, last: number): number {
    const sorted = absoluteAt(of.residuals, of.steps);
    const adaptive = new AdaptiveMiss(1 - of.card.level, sorted.length);
    const expected = new Float64Array(of.steps);
    for (let at = Math.max(0, last - of.steps - RECENT); at + of.steps <= last; at++) {
      if (!continuePath(learnt, whole, at, expected)) continue;
      const error = Math.abs(whole.values[at + of.steps]! - expected[of.steps - 1]!);
      if (Number.isFinite(error)) adaptive.see(error <= conformalHalfWidth(sorted, adaptive.current));
    }
    return adaptive.current;
  }
}

/** A path that runs away says nothing: it is held within three times the range of training. */
function pathFrom({ learnt, bounds }: Forecaster, grid: Grid, origin: number, path: Float64Array): boolean {
  if (!continuePath(learnt, grid, origin, path)) return false;
  const range = bounds.high - bounds.low;
  for (let h = 0; h < path.length; h++) {
    path[h] = Math.min(bounds.high + range, Math.max(bounds.low - range, path[h]!));
  }
  return true;
}

/** Judges a forecaster on values it was not trained on, beside persistence; errors in the unit of the channel, squared. */
export function evaluateForecaster(
  forecaster: Forecaster,
  series: Series,
): Pick<Validated, 'meanSquaredError' | 'skill' | 'coverage' | 'adaptiveCoverage' | 'origins'> {
  const { channel, clean, everyMs, steps, residuals, card } = forecaster;
  const grid = gridOf(applySteps(clean, series), everyMs);
  const sorted = absoluteAt(residuals, steps);
  const miss = 1 - card.level;
  const fixed = conformalHalfWidth(sorted, miss);
  const adaptive = new AdaptiveMiss(miss, sorted.length);
  const path = new Float64Array(steps);
  const waiting: boolean[] = [];
  let origins = 0;
  let own = 0;
  let persistence = 0;
  let covered = 0;
  let adaptiveCovered = 0;
  for (let origin = 0; origin + steps < grid.values.length; origin++) {
    if (waiting.length > steps) adaptive.see(waiting.shift()!);
    const now = grid.values[origin]!;
    if (!Number.isFinite(now) || !pathFrom(forecaster, grid, origin, path)) continue;
    let squares = 0;
    let still = 0;
    for (let h = 0; h < steps; h++) {
      squares += (grid.values[origin + 1 + h]! - path[h]!) ** 2;
      still += (grid.values[origin + 1 + h]! - now) ** 2;
    }
    if (!Number.isFinite(squares)) continue;
    const error = Math.abs(grid.values[origin + steps]! - path[steps - 1]!);
    const holds = error <= conformalHalfWidth(sorted, adaptive.current);
    origins++;
    own += squares / steps;
    persistence += still / steps;
    if (error <= fixed) covered++;
    if (holds) adaptiveCovered++;
    waiting.push(holds);
  }
  if (origins === 0) throw bad(channel, 'no whole stretch is long enough to judge a forecast');
  const scale = normalisedScale(clean);
  return {
    meanSquaredError: (own / origins) * scale * scale,
    skill: persistence > 0 ? 1 - own / persistence : own > 0 ? -1 : 0,
    coverage: covered / origins,
    adaptiveCoverage: adaptiveCovered / origins,
    origins,
  };
}

function bad(channel: string, problem: string): TocsinError {
  return new TocsinError('FORECAST_DATA_INVALID', `${channel === '' ? 'Forecast' : channel}: ${problem}.`, {
    details: { channel, problem },
  });
}
