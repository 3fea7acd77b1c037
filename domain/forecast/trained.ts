import type { Series } from '../clean/series.ts';
import { TocsinError } from '../errors.ts';
import type { DurationMs, EpochMs } from '../units.ts';
import { forecastFrom } from './forecaster.ts';
import type { Forecast, Forecaster } from './forecaster.ts';
import type { LiveForecastState } from './live.ts';

/** A forecaster of the register, intact, as plans name it. */
export interface RegisteredForecaster extends RegisteredForecasterCard {
  /** Lower-case hex SHA-256 of its bytes. */
  readonly hash: string;
  readonly forecaster: Forecaster;
}

/** What the register says of a forecaster. */
export interface RegisteredForecasterCard {
  readonly name: string;
  /** Channel and unit of plans, whatever the column of the training file was called. */
  readonly channel: string;
  readonly unit: string;
  readonly everyMs: DurationMs;
  /** Steps of `everyMs` that it looks ahead. */
  readonly steps: number;
}

/** Why a forecaster cannot serve a condition, in words; null when it can. */
export function misfitOf(
  { channel, unit, everyMs, steps }: RegisteredForecasterCard,
  asked: { readonly channel: string; readonly unit: string; readonly withinMs: DurationMs },
): { readonly part: 'channel' | 'unit' | 'withinMs'; readonly why: string } | null {
  if (channel !== asked.channel) return { part: 'channel', why: `it was trained for ${channel}` };
  if (unit !== asked.unit) return { part: 'unit', why: `it was trained in ${unit}` };
  if (asked.withinMs > everyMs * steps) {
    return {
      part: 'withinMs',
      why: `it looks ${(everyMs * steps) / 1_000} s ahead, not ${asked.withinMs / 1_000} s`,
    };
  }
  if (asked.withinMs < everyMs) {
    return {
      part: 'withinMs',
      why: `its steps are ${everyMs / 1_000} s, longer than ${asked.withinMs / 1_000} s`,
    };
  }
  return null;
}

/** Steps that are kept to go on from: what any kind looks back, and origins enough to adapt the interval. */
const LOOKED_BACK = 512;

export interface TrainedForecastState extends LiveForecastState {
  /** Values in the newest step, and the first of them, from which it was forecast. */
  readonly inStep?: number;
  readonly first?: number;
  readonly newestMs?: EpochMs;
}

/**
 * A trained forecast on one live channel. Values of one step are one mean, as in training; it is forecast again with
 * the first value of each step. Memory is bounded; what it says depends only on what it was given, also across `save`.
 */
export class TrainedForecast {
  readonly #forecaster: Forecaster;
  readonly #most: number;
  readonly #stepsMs: number[];
  readonly #means: number[];
  #inStep: number;
  #first = NaN;
  #seen: number;
  #newestMs: EpochMs;
  #forecast: Forecast | null = null;

  constructor(forecaster: Forecaster, state?: TrainedForecastState) {
    this.#forecaster = forecaster;
    const { learnt, everyMs } = forecaster;
    this.#most = LOOKED_BACK + (learnt.kind === 'seasonal-naive' ? Math.ceil(learnt.periodMs / everyMs) : 0);
    this.#stepsMs = [];
    this.#means = [];
    this.#inStep = 0;
    this.#seen = 0;
    this.#newestMs = -Infinity;
    // A state may stem from another forecaster, with other steps.
    state?.timesMs.forEach((atMs, n) => this.#add(atMs, state.values[n]!));
    this.#inStep = state?.inStep ?? this.#inStep;
    this.#first = state?.first ?? this.#first;
    this.#seen = state?.seen ?? 0;
    this.#newestMs = state?.newestMs ?? this.#newestMs;
    if (this.#seen > 0) this.#foresee();
  }

  /** What is expected from now on; null while too little is known. */
  get current(): Forecast | null {
    return this.#forecast;
  }

  /** Takes a value; one that is no newer than the last is left out. */
  push(atMs: EpochMs, value: number): void {
    if (atMs <= this.#newestMs) return;
    this.#seen++;
    if (this.#add(atMs, value)) this.#foresee();
  }

  save(): TrainedForecastState {
    const newest =
      this.#seen === 0 ? {} : { inStep: this.#inStep, first: this.#first, newestMs: this.#newestMs };
    return { seen: this.#seen, ...newest, timesMs: [...this.#stepsMs], values: [...this.#means] };
  }

  /** Whether a new step begins. */
  #add(atMs: EpochMs, value: number): boolean {
    const { everyMs } = this.#forecaster;
    this.#newestMs = Math.max(this.#newestMs, atMs);
    const stepMs = Math.floor(atMs / everyMs) * everyMs;
    if (this.#stepsMs.at(-1) === stepMs) {
      const last = this.#means.length - 1;
      this.#inStep++;
      this.#means[last]! += (value - this.#means[last]!) / this.#inStep;
      return false;
    }
    this.#stepsMs.push(stepMs);
    this.#means.push(value);
    this.#inStep = 1;
    this.#first = value;
    if (this.#stepsMs.length > this.#most) {
      this.#stepsMs.shift();
      this.#means.shift();
    }
    return true;
  }

  #foresee(): void {
    const series: Series = {
      timesMs: Float64Array.from(this.#stepsMs),
      values: Float64Array.from(this.#means),
    };
    series.values[series.values.length - 1] = this.#first;
    try {
      this.#forecast = forecastFrom(this.#forecaster, series);
    } catch (error) {
      // Too short a past, or a gap in it: there is no expectation then, and nothing is held of it.
      if (!(error instanceof TocsinError)) throw error;
      this.#forecast = null;
    }
  }
}
