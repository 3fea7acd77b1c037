import { defineDetector } from '../detector.ts';
import type { DetectorState } from '../detector.ts';
import { RecursiveLeastSquares, solveNormal } from './least-squares.ts';
import { LEARNING } from './learning.ts';
import { Moments } from './moments.ts';
import { onOneChannel } from './one-channel.ts';

const ORDER = {
  meaning: 'p: values before that the next one is expected from',
  default: 1,
  minimum: 1,
  maximum: 20,
  whole: true,
  unit: 'rows',
} as const;
const MEMORY = {
  meaning: 'rows after which the past counts less in the mean squared error',
  default: 2000,
  minimum: 10,
  maximum: 1e7,
  whole: true,
  unit: 'rows',
} as const;
const DEVIATIONS = {
  meaning: 'error that alarms, in root mean squared errors',
  default: 6,
  minimum: 0.5,
  maximum: 1000,
  unit: 'deviations',
} as const;

/**
 * The documented baseline: y_t = a + b1·y_{t-1} + ... + bp·y_{t-p} + e_t by least squares over the first `fitRows`
 * values, then fixed. `describe` answers a, b1 ... bp and the mean squared error of the fit and of the rows since.
 */
export const ar = defineDetector({
  name: 'ar',
  summary: 'the value is not what the values before led to expect: AR(p) fitted once by least squares',
  fillsAtMost: 5,
  parameters: {
    order: ORDER,
    fitRows: {
      meaning: 'values that are fitted; no alarm before',
      default: 400,
      minimum: 30,
      maximum: 1e6,
      whole: true,
      unit: 'rows',
    },
    memory: MEMORY,
    deviations: DEVIATIONS,
  },
  create: ({ parameters: { order, fitRows, memory, deviations }, state }) =>
    onOneChannel(state, {
      limit: deviations,
      create(saved) {
        const past = new Past(order, saved?.['past']);
        const size = order + 1;
        const gram = Float64Array.from(
          (saved?.['gram'] as number[] | undefined) ?? new Float64Array(size * size),
        );
        const moment = Float64Array.from(
          (saved?.['moment'] as number[] | undefined) ?? new Float64Array(size),
        );
        let squares = (saved?.['squares'] as number | undefined) ?? 0;
        let rows = (saved?.['rows'] as number | undefined) ?? 0;
        let weights: Float64Array | undefined = saved?.['weights']
          ? Float64Array.from(saved['weights'] as number[])
          : undefined;
        let fitError = (saved?.['fitError'] as number | undefined) ?? 0;
        const errors = new Moments(1 / memory, saved?.['errors']);
        return {
          of(_timeMs, value) {
            const target = past.scaled(value);
            const inputs = past.inputs;
            let standing = 0;
            if (past.full && weights === undefined) {
              for (let i = 0; i < size; i++) {
                moment[i] = moment[i]! + inputs[i]! * target;
                for (let j = 0; j < size; j++)
                  gram[i * size + j] = gram[i * size + j]! + inputs[i]! * inputs[j]!;
              }
              squares += target * target;
              if (++rows >= fitRows) {
                weights = solveNormal(Float64Array.from(gram), moment, size);
                fitError = Math.max(0, squares - dot(weights, moment)) / rows;
              }
            } else if (weights !== undefined) {
              const error = target - dot(weights, inputs);
              const meanSquared =
                errors.count > LEARNING ? Math.max(fitError, errors.variance + errors.mean ** 2) : fitError;
              standing = inDeviations(error, meanSquared, deviations);
              errors.push(error);
            }
            past.push(target);
            return standing;
          },
          save: (): DetectorState => ({
            past: past.save(),
            gram: [...gram],
            moment: [...moment],
            squares,
            rows,
            weights: weights === undefined ? null : [...weights],
            fitError,
            errors: errors.save(),
          }),
          describe: () =>
            weights === undefined
              ? {}
              : {
                  ...past.coefficients(weights),
                  meanSquaredErrorOfFit: fitError * past.scale ** 2,
                  meanSquaredError: (errors.variance + errors.mean ** 2) * past.scale ** 2,
                },
        };
      },
    }),
});

/**
 * The same model, learnt anew with every value by recursive least squares with forgetting, so it follows a channel
 * whose ways change.
 */
export const arRls = defineDetector({
  name: 'ar-rls',
  summary: 'the value is not what the values before led to expect: AR(p) by recursive least squares',
  fillsAtMost: 5,
  parameters: {
    order: ORDER,
    forgetting: {
      meaning: 'λ: weight of the past per row; 1: never forget',
      default: 0.9995,
      minimum: 0.9,
      maximum: 1,
    },
    memory: MEMORY,
    deviations: DEVIATIONS,
  },
  create: ({ parameters: { order, forgetting, memory, deviations }, state }) =>
    onOneChannel(state, {
      limit: deviations,
      create(saved) {
        const past = new Past(order, saved?.['past']);
        const fit = new RecursiveLeastSquares(
          order + 1,
          forgetting,
          saved?.['fit'] as { weights: number[]; inverse: number[] } | undefined,
        );
        const errors = new Moments(1 / memory, saved?.['errors']);
        return {
          of(_timeMs, value) {
            const target = past.scaled(value);
            let standing = 0;
            if (past.full) {
              const error = target - fit.predict(past.inputs);
              fit.learn(past.inputs, error);
              // The first errors are those of an empty model.
              if (errors.count > LEARNING) {
                standing = inDeviations(error, errors.variance + errors.mean ** 2, deviations);
              }
              if (past.seen > 2 * order + 2) errors.push(error);
            }
            past.push(target);
            return standing;
          },
          save: (): DetectorState => ({ past: past.save(), fit: fit.save(), errors: errors.save() }),
          describe: () => ({
            ...past.coefficients(fit.weights),
            meanSquaredError: (errors.variance + errors.mean ** 2) * past.scale ** 2,
          }),
        };
      },
    }),
});

function dot(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, each, i) => sum + each * b[i]!, 0);
}

/** A model that never erred is a constant: any error that is more than rounding is as far away as a score can tell. */
function inDeviations(error: number, meanSquared: number, limit: number): number {
  if (Math.abs(error) < 1e-9) return 0;
  return meanSquared > 0 ? Math.abs(error) / Math.sqrt(meanSquared) : 10 * limit;
}

/**
 * The last p values as inputs of the fit, after a 1 for the constant. Values are shifted and scaled by the first one
 * seen, so that a channel about 1e9 or 1e-9 fits as well as one about 1.
 */
class Past {
  readonly inputs: Float64Array;
  seen = 0;
  #origin = 0;
  scale = 1;

  constructor(order: number, saved?: unknown) {
    this.inputs = new Float64Array(order + 1);
    this.inputs[0] = 1;
    if (saved === undefined) return;
    const { inputs, seen, origin, scale } = saved as ReturnType<Past['save']>;
    this.inputs.set(inputs);
    this.seen = seen;
    this.#origin = origin;
    this.scale = scale;
  }

  get full(): boolean {
    return this.seen >= this.inputs.length - 1;
  }

  scaled(value: number): number {
    if (this.seen === 0) {
      this.#origin = value;
      this.scale = Math.abs(value) > 0 ? Math.abs(value) : 1;
    }
    return (value - this.#origin) / this.scale;
  }

  push(scaled: number): void {
    this.inputs.copyWithin(2, 1, this.inputs.length - 1);
    this.inputs[1] = scaled;
    this.seen++;
  }

  /** Weights of the scaled model as a and b1 ... bp in the channel's unit. */
  coefficients(weights: Float64Array): Record<string, number> {
    const b = weights.subarray(1);
    const sum = b.reduce((total, each) => total + each, 0);
    return {
      a: weights[0]! * this.scale + this.#origin * (1 - sum),
      ...Object.fromEntries(Array.from(b, (each, i) => [`b${i + 1}`, each])),
    };
  }

  save(): { inputs: number[]; seen: number; origin: number; scale: number } {
    return { inputs: [...this.inputs], seen: this.seen, origin: this.#origin, scale: this.scale };
  }
}
