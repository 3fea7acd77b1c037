import { defineDetector } from '../detector.ts';
import type { DetectorState } from '../detector.ts';
import { fromJson, ReusedVerdict, scoreOf, toJson } from '../stream/verdict.ts';
import { eigenOfSymmetric } from './eigen.ts';
import { learnLevels, TrailingMeans } from './levels.ts';

/** Variance below which a direction says more about rounding than about the plant. */
const LEAST_VARIANCE = 0.05;

interface PcaModel {
  readonly centre: Float64Array;
  readonly scale: Float64Array;
  /** Unit vectors of the main directions, then of the rest. */
  readonly vectors: readonly Float64Array[];
  readonly variances: Float64Array;
  /** How many directions are main ones. */
  readonly main: number;
}

/**
 * Several channels judged together: principal components of their trailing means are learnt from the first rows, which
 * must be free of trouble. From then on Hotelling's T² says how unusual a row is along the main directions, and Q how
 * much of it the main directions do not explain (Jackson & Mudholkar, Technometrics 21, 1979); the statistic is the
 * larger of T² and Q over the mean variance of the residual directions. Channels that wander weigh less
 * (`learnLevels`). The alarm ends below `release` of the limit: a disturbance lasts, and does not flicker.
 *
 * Without `adapt` the first rows stay the measure for ever, which suits a recording of minutes; a plant that wanders
 * for hours needs it (300 rows at one a second).
 */
export const pca = defineDetector({
  name: 'pca',
  summary: 'several channels no longer move together as they did in the first rows (T² and Q)',
  channels: { minimum: 2, maximum: 64 },
  parameters: {
    training: {
      meaning: 'first rows to learn from; they must be free of trouble',
      default: 400,
      minimum: 20,
      maximum: 100_000,
      whole: true,
      unit: 'rows',
    },
    window: {
      meaning: 'length of the trailing mean',
      default: 10,
      minimum: 1,
      maximum: 1000,
      whole: true,
      unit: 'rows',
    },
    lag: {
      meaning: 'distance over which wandering is measured',
      default: 60,
      minimum: 1,
      maximum: 10_000,
      whole: true,
      unit: 'rows',
    },
    drift: {
      meaning: 'how much a wandering channel is forgiven; 0: not at all',
      default: 3,
      minimum: 0,
      maximum: 1000,
    },
    share: {
      meaning: 'share of the variance that the main directions explain',
      default: 0.8,
      minimum: 0.05,
      maximum: 1,
    },
    limit: { meaning: 'T² or Q at which the alarm begins', default: 40, minimum: 0.1, maximum: 1e6 },
    adapt: {
      meaning: 'time constant with which the usual levels follow the channels outside an alarm; 0: never',
      default: 0,
      minimum: 0,
      maximum: 1e9,
      unit: 'rows',
    },
    adaptInAlarm: {
      meaning: 'the same within an alarm: how soon a lasting change counts as usual; 0: never',
      default: 0,
      minimum: 0,
      maximum: 1e9,
      unit: 'rows',
    },
    release: {
      meaning: 'share of the limit below which the alarm ends',
      default: 0.5,
      minimum: 0,
      maximum: 1,
    },
  },
  create({ parameters, channels, state }) {
    const { training, window, limit, release, adapt, adaptInAlarm } = parameters;
    const verdict = new ReusedVerdict();
    const trailing = new TrailingMeans(channels, window, state?.['means'] as DetectorState | undefined);
    let learning: Float64Array = Float64Array.from((state?.['learning'] as number[] | undefined) ?? []);
    let rows = learning.length / channels;
    const kept = (state?.['model'] ?? null) as SavedModel | null;
    let model = kept === null ? undefined : restored(kept);
    let lastMs = fromJson(state?.['lastMs']);
    verdict.alarm = state?.['alarm'] === true;
    if (model === undefined) learning = grown(learning, training * channels);
    const deviation = new Float64Array(channels);
    return {
      channels,
      push(timeMs, row) {
        if (timeMs < lastMs) return verdict.unchanged();
        lastMs = timeMs;
        if (!trailing.push(row)) return verdict.unchanged();
        if (model === undefined) {
          learning.set(trailing.row, rows * channels);
          if (++rows === training) {
            model = learnPca(learning, channels, parameters);
            learning = new Float64Array(0);
          }
          return verdict.set(0, false, 0);
        }
        for (let c = 0; c < channels; c++)
          deviation[c] = (trailing.means[c]! - model.centre[c]!) / model.scale[c]!;
        const statistic = larger(model, deviation);
        const alarm = statistic > limit || (verdict.alarm && statistic > limit * release);
        const constant = alarm ? adaptInAlarm : adapt;
        if (constant > 0) {
          for (let c = 0; c < channels; c++) {
            model.centre[c]! += (trailing.means[c]! - model.centre[c]!) / Math.max(1, constant);
          }
        }
        return verdict.set(scoreOf(statistic, limit), alarm, statistic);
      },
      save: () => ({
        means: trailing.save(),
        learning: model === undefined ? [...learning.subarray(0, rows * channels)] : [],
        model: model === undefined ? null : saved(model),
        lastMs: toJson(lastMs),
        alarm: verdict.alarm,
      }),
    };
  },
});

/** @param rows row-major training rows without gaps */
function learnPca(
  rows: Float64Array,
  channels: number,
  options: { readonly window: number; readonly lag: number; readonly drift: number; readonly share: number },
): PcaModel {
  const { centre, scale, means } = learnLevels(rows, channels, options);
  const n = means.length / channels;
  const moments = new Float64Array(channels * channels);
  for (let i = 0; i < n; i++) {
    for (let a = 0; a < channels; a++) {
      const x = (means[i * channels + a]! - centre[a]!) / scale[a]!;
      for (let b = a; b < channels; b++) {
        moments[a * channels + b]! += (x * (means[i * channels + b]! - centre[b]!)) / scale[b]!;
      }
    }
  }
  const correlation = new Float64Array(channels * channels);
  for (let a = 0; a < channels; a++) {
    for (let b = a; b < channels; b++) {
      const norm = Math.sqrt(moments[a * channels + a]! * moments[b * channels + b]!);
      const r = a === b ? 1 : norm > 0 ? moments[a * channels + b]! / norm : 0;
      correlation[a * channels + b] = r;
      correlation[b * channels + a] = r;
    }
  }
  const { values, vectors } = eigenOfSymmetric(correlation, channels);
  let main = 0;
  for (let sum = 0; main < channels && sum < options.share * channels - 1e-9; main++) sum += values[main]!;
  return { centre, scale, vectors, variances: values, main };
}

function larger({ vectors, variances, main }: PcaModel, deviation: Float64Array): number {
  let t2 = 0;
  let q = 0;
  let rest = 0;
  for (const [k, vector] of vectors.entries()) {
    let along = 0;
    for (let c = 0; c < deviation.length; c++) along += vector[c]! * deviation[c]!;
    const variance = Math.max(variances[k]!, LEAST_VARIANCE);
    if (k < main) t2 += (along * along) / variance;
    else {
      q += along * along;
      rest += variance;
    }
  }
  const restMean = rest / (vectors.length - main);
  return main < vectors.length ? Math.max(t2, q / restMean) : t2;
}

interface SavedModel {
  readonly centre: readonly number[];
  readonly scale: readonly number[];
  readonly vectors: readonly (readonly number[])[];
  readonly variances: readonly number[];
  readonly main: number;
}

const saved = (model: PcaModel): SavedModel => ({
  centre: [...model.centre],
  scale: [...model.scale],
  vectors: model.vectors.map((vector) => [...vector]),
  variances: [...model.variances],
  main: model.main,
});

const restored = (model: SavedModel): PcaModel => ({
  centre: Float64Array.from(model.centre),
  scale: Float64Array.from(model.scale),
  vectors: model.vectors.map((vector) => Float64Array.from(vector)),
  variances: Float64Array.from(model.variances),
  main: model.main,
});

function grown(values: Float64Array, length: number): Float64Array {
  const whole = new Float64Array(Math.max(length, values.length));
  whole.set(values);
  return whole;
}
