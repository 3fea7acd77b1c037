import type { Series } from '../clean/series.ts';
import { TocsinError } from '../errors.ts';
import type { DurationMs, EpochMs } from '../units.ts';
import type { Forecast, Forecaster } from './forecaster.ts';
import { forecastFrom, trainForecaster } from './forecaster.ts';
import type { ForecastKind } from './learnt.ts';

/** Kinds that learn quickly enough to do so beside a live channel; `auto` chooses among them by validation. */
export const LIVE_FORECASTS = ['auto', 'persistence', 'seasonal-naive', 'ar', 'seasonal'] as const;
export type LiveForecastKind = (typeof LIVE_FORECASTS)[number];

/** Values a forecaster is learnt from. */
const LEARNT_FROM = 1_024;
/** New values after which it is learnt again. */
const LEARNT_EVERY = 64;
/** Values that a kind without a season goes on from. */
const LOOKED_BACK = 160;
const LOOKS_FAR: ReadonlySet<ForecastKind> = new Set(['seasonal-naive', 'seasonal']);
/** Values before the first attempt. */
const FIRST_AT = 128;

export interface LiveForecastState {
  /** Values seen so far: when it was learnt follows from it. */
  readonly seen: number;
  readonly timesMs: readonly number[];
  readonly values: readonly number[];
}

/**
 * A forecast of one live channel that learns from the channel's own last values, again and again. Memory is bounded;
 * what it says depends only on what it was given, also across `save`.
 *
 * @example
 * const live = new LiveForecast({ channel: 'stage', kind: 'ar', horizonMs: 1_800_000 });
 * live.push(atMs, 3.2); // a forecast as soon as it has learnt enough
 */
export class LiveForecast {
  readonly #channel: string;
  readonly #kinds: ForecastKind | 'auto';
  readonly #horizonMs: DurationMs;
  #seen = 0;
  #timesMs: number[] = [];
  #values: number[] = [];
  #forecaster: Forecaster | null = null;

  constructor(options: {
    readonly channel: string;
    readonly kind: LiveForecastKind;
    readonly horizonMs: DurationMs;
    readonly state?: LiveForecastState | undefined;
  }) {
    this.#channel = options.channel;
    this.#kinds = options.kind;
    this.#horizonMs = options.horizonMs;
    if (options.state === undefined) return;
    this.#seen = options.state.seen;
    this.#timesMs = [...options.state.timesMs];
    this.#values = [...options.state.values];
    const sinceLearnt = this.#seen < FIRST_AT ? 0 : (this.#seen - FIRST_AT) % LEARNT_EVERY;
    if (this.#seen >= FIRST_AT) this.#learn(this.#values.length - sinceLearnt);
  }

  /** Takes a value; answers what is expected from now on, null while too little is known. */
  push(atMs: EpochMs, value: number): Forecast | null {
    const last = this.#timesMs.at(-1);
    if (last !== undefined && atMs <= last) return null;
    this.#timesMs.push(atMs);
    this.#values.push(value);
    this.#seen++;
    const surplus = this.#values.length - LEARNT_FROM - LEARNT_EVERY;
    if (surplus > 0) {
      this.#timesMs.splice(0, surplus);
      this.#values.splice(0, surplus);
    }
    if (this.#seen >= FIRST_AT && (this.#seen - FIRST_AT) % LEARNT_EVERY === 0)
      this.#learn(this.#values.length);
    const forecaster = this.#forecaster;
    if (forecaster === null) return null;
    const back = LOOKS_FAR.has(forecaster.card.kind) ? LEARNT_FROM : LOOKED_BACK;
    return tolerant(() => forecastFrom(forecaster, this.#upTo(this.#values.length, back)));
  }

  save(): LiveForecastState {
    return { seen: this.#seen, timesMs: [...this.#timesMs], values: [...this.#values] };
  }

  #learn(end: number): void {
    this.#forecaster =
      tolerant(() =>
        trainForecaster(this.#upTo(end), {
          channel: this.#channel,
          kind: this.#kinds,
          horizonMs: this.#horizonMs,
          clean: [{ do: 'outliers', window: 7, deviations: 6 }],
          among: LIVE_KINDS,
        }),
      ) ?? this.#forecaster;
  }

  #upTo(end: number, back = LEARNT_FROM): Series {
    const from = Math.max(0, end - back);
    return {
      timesMs: Float64Array.from(this.#timesMs.slice(from, end)),
      values: Float64Array.from(this.#values.slice(from, end)),
    };
  }
}

const LIVE_KINDS = LIVE_FORECASTS.filter((kind) => kind !== 'auto');

/** A channel that cannot be forecast now is no error: there is no expectation then, and nothing is held of it. */
function tolerant<T>(work: () => T): T | null {
  try {
    return work();
  } catch (error) {
    if (error instanceof TocsinError && error.code === 'FORECAST_DATA_INVALID') return null;
    throw error;
  }
}
