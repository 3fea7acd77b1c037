import type { Forecast } from '../forecast/forecaster.ts';
import { LiveForecast } from '../forecast/live.ts';
import type { LiveForecastKind, LiveForecastState } from '../forecast/live.ts';
import type { ForecastDigest } from '../evidence.ts';
import { TrainedForecast } from '../forecast/trained.ts';
import type { RegisteredForecaster, TrainedForecastState } from '../forecast/trained.ts';
import type { ChannelCondition, ForecastCondition, ReadingsCondition } from '../plan/document.ts';
import type { DurationMs, EpochMs } from '../units.ts';
import type { Detector, DetectorState } from './detector.ts';
import { detectorNamed } from './detectors.ts';
import type { NamedDetector } from './detectors.ts';
import type { WatchedSensor } from './watched-sensor.ts';

/** Says of each reading whether it meets a condition, sensor by sensor. */
export interface Judge {
  /** Give it every reading of a sensor once, oldest first. */
  meets(sensor: number, atMs: EpochMs, value: number): boolean;
  /** How many steps were filled in before the last reading of a sensor. @default none ever is */
  filled?(sensor: number): number;
  /** What it must remember, by sensor: a copy. */
  save(): Readonly<Record<string, DetectorState>>;
  /** What a trained forecast expects of a sensor now; undefined when none is asked for. */
  forecast?(sensor: number): ForecastDigest | undefined;
}

/** Whether comparing a reading with a threshold decides; for what is more than that there is a judge. */
export const isComparison = (condition: ReadingsCondition): condition is ChannelCondition =>
  condition.when === 'atLeast' || condition.when === 'below';

export function createJudge(
  condition: Exclude<ReadingsCondition, ChannelCondition>,
  sensors: readonly WatchedSensor[],
  states: Readonly<Record<string, DetectorState>> = {},
  forecaster?: RegisteredForecaster,
): Judge {
  switch (condition.when) {
    case 'detects': {
      const named = detectorNamed(condition.detector, condition.parameters);
      const fillsAtMost = named.kind.fillsAtMost ?? 0;
      const detectors = sensors.map(({ id, everyMs }) => filling(named, fillsAtMost, everyMs, states[id]));
      return byDetectors(sensors, detectors);
    }
    case 'expectedAtLeast':
    case 'expectedBelow':
      return condition.model === 'trained' && forecaster !== undefined
        ? byForecaster(condition, sensors, states, forecaster)
        : byForecasts(condition, sensors, states);
    default:
      return condition satisfies never;
  }
}

/** What is below is above when both are turned round. */
function byForecasts(
  condition: ForecastCondition,
  sensors: readonly { readonly id: string }[],
  states: Readonly<Record<string, DetectorState>>,
): Judge {
  const { channel, withinMs, probability, forecaster } = condition;
  const sign = condition.when === 'expectedAtLeast' ? 1 : -1;
  const threshold = sign * condition.threshold;
  const forecasts = sensors.map(({ id }) => {
    const state = states[id] as LiveForecastState | undefined;
    // A kind that the shape check let through. In place of a trained one that cannot be used stands what is best here.
    const kind = condition.model === 'trained' ? 'auto' : (condition.model as LiveForecastKind);
    return new LiveForecast({ channel, kind, horizonMs: withinMs, state });
  });
  return {
    meets(sensor, atMs, value) {
      const forecast = forecasts[sensor]!.push(atMs, sign * value);
      // What is so already is expected, with or without a forecast.
      if (sign * value >= threshold) return true;
      return forecast !== null && forecast.probabilityAbove(threshold, withinMs) >= probability;
    },
    save: () => Object.fromEntries(sensors.map(({ id }, n) => [id, { ...forecasts[n]!.save() }])),
    forecast: () =>
      forecaster === undefined ? undefined : { name: forecaster, hash: null, probability: null },
  };
}

function byForecaster(
  condition: ForecastCondition,
  sensors: readonly { readonly id: string }[],
  states: Readonly<Record<string, DetectorState>>,
  { name, hash, forecaster }: RegisteredForecaster,
): Judge {
  const { threshold, withinMs, probability } = condition;
  const isAbove = condition.when === 'expectedAtLeast';
  const forecasts = sensors.map(
    ({ id }) => new TrainedForecast(forecaster, states[id] as TrainedForecastState | undefined),
  );
  /** It stays as it is until it is forecast again. */
  const asked = sensors.map((): { of: Forecast | null; probability: number | null } => ({
    of: null,
    probability: null,
  }));
  const likely = (sensor: number): number | null => {
    const now = forecasts[sensor]!.current;
    const last = asked[sensor]!;
    if (now === last.of) return last.probability;
    last.of = now;
    if (now === null) last.probability = null;
    else if (isAbove) last.probability = now.probabilityAbove(threshold, withinMs);
    else last.probability = now.probabilityBelow(threshold, withinMs);
    return last.probability;
  };
  return {
    meets(sensor, atMs, value) {
      forecasts[sensor]!.push(atMs, value);
      // What is so already is expected, with or without a forecast.
      if (isAbove ? value >= threshold : value < threshold) return true;
      return (likely(sensor) ?? 0) >= probability;
    },
    save: () => Object.fromEntries(sensors.map(({ id }, n) => [id, { ...forecasts[n]!.save() }])),
    forecast(sensor) {
      const now = forecasts[sensor]!.current;
      const at = Math.min(forecaster.steps, Math.ceil(withinMs / forecaster.everyMs - 1e-9));
      const point = now?.points[at - 1];
      return {
        name,
        hash,
        probability: likely(sensor),
        ...(now === null || point === undefined
          ? {}
          : { expected: { value: point.value, low: point.low, high: point.high, level: now.level } }),
      };
    },
  };
}

function byDetectors(
  sensors: readonly { readonly id: string }[],
  detectors: readonly (Detector & { readonly filled?: number })[],
): Judge {
  const row = [NaN];
  return {
    meets(sensor, atMs, value) {
      row[0] = value;
      return detectors[sensor]!.push(atMs, row).alarm;
    },
    filled: (sensor) => detectors[sensor]!.filled ?? 0,
    save: () => Object.fromEntries(sensors.map(({ id }, n) => [id, detectors[n]!.save()])),
  };
}

/** What a filling detector must remember beside the detector's own state. */
interface FillingState {
  readonly detector: DetectorState;
  readonly atMs: EpochMs;
  readonly value: number;
  /** Steps that were filled in before that reading; absent in what older versions saved. */
  readonly filled?: number;
}

/** The last value stands in for the steps that are missing before a reading; the reading alone is judged. */
function filling(
  named: NamedDetector,
  fillsAtMost: number,
  everyMs: DurationMs | undefined,
  state: DetectorState | undefined,
): Detector & { readonly filled?: number } {
  if (fillsAtMost === 0 || everyMs === undefined) return named.create(1, state);
  const saved = state?.['detector'] === undefined ? undefined : (state as unknown as FillingState);
  const detector = named.create(1, saved?.detector);
  let last = saved === undefined ? null : { atMs: saved.atMs, value: saved.value };
  let filled = saved?.filled ?? 0;
  return {
    channels: 1,
    get filled() {
      return filled;
    },
    push(timeMs, row) {
      const missing = last === null ? 0 : Math.round((timeMs - last.atMs) / everyMs) - 1;
      filled = missing > 0 && missing <= fillsAtMost ? missing : 0;
      if (filled > 0) {
        for (let n = 1; n <= missing; n++) detector.push(last!.atMs + n * everyMs, [last!.value]);
      }
      if (last === null || timeMs >= last.atMs) last = { atMs: timeMs, value: row[0]! };
      return detector.push(timeMs, row);
    },
    save: () =>
      last === null ? {} : { detector: detector.save(), ...last, ...(filled === 0 ? {} : { filled }) },
  };
}
