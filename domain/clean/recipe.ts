import type { CleanStep } from './steps.ts';
import { invalid } from './steps.ts';

/** The steps as a person writes them, for help texts. */
export const RECIPE_FORMS = [
  'range:MIN..MAX',
  'unit:FACTOR:OFFSET:NAME',
  'resample:SECONDS',
  'outliers:WINDOW:DEVIATIONS',
  'fill:MOST',
  'median:WINDOW',
  'haar:WINDOW',
  'db4:WINDOW',
  'normalise:standard|robust',
] as const;

/**
 * Reads steps by name: `range:0..100,outliers:7:3,fill:12,median:5`.
 *
 * @throws TocsinError CLEAN_STEP_INVALID that names the step
 */
export function parseRecipe(text: string): readonly CleanStep[] {
  if (text.trim() === '') return [];
  return text.split(',').map((part, i) => checkStep(parseStep(part.trim(), i + 1), part.trim(), i + 1));
}

function parseStep(part: string, at: number): CleanStep {
  const [name = '', ...given] = part.split(':');
  const number = (text: string | undefined): number => {
    const value = text === undefined || text.trim() === '' ? Number.NaN : Number(text);
    if (!Number.isFinite(value)) throw refused(part, at, `"${text ?? ''}" is not a number`);
    return value;
  };
  const takes = (count: number): void => {
    if (given.length !== count) throw refused(part, at, `it takes ${count} value${count === 1 ? '' : 's'}`);
  };
  switch (name) {
    case 'range': {
      takes(1);
      const [minimum, maximum, ...rest] = given[0]!.split('..');
      if (rest.length > 0) throw refused(part, at, 'give MIN..MAX');
      return { do: 'range', minimum: number(minimum), maximum: number(maximum) };
    }
    case 'unit':
      takes(3);
      return { do: 'unit', factor: number(given[0]), offset: number(given[1]), to: given[2]! };
    case 'resample':
      takes(1);
      return { do: 'resample', everyMs: number(given[0]) * 1000 };
    case 'outliers':
      takes(2);
      return { do: 'outliers', window: number(given[0]), deviations: number(given[1]) };
    case 'fill':
      takes(1);
      return { do: 'fill', most: number(given[0]) };
    case 'median':
    case 'haar':
    case 'db4':
      takes(1);
      return { do: 'denoise', method: name, window: number(given[0]) };
    case 'normalise':
      takes(1);
      if (given[0] !== 'standard' && given[0] !== 'robust')
        throw refused(part, at, 'give standard or robust');
      return { do: 'normalise', method: given[0] };
    default:
      throw refused(part, at, `there is no step "${name}"; there are ${RECIPE_FORMS.join(', ')}`);
  }
}

function checkStep(step: CleanStep, part: string, at: number): CleanStep {
  const whole = (value: number, least: number, most: number): boolean =>
    Number.isInteger(value) && value >= least && value <= most;
  switch (step.do) {
    case 'range':
      if (!(step.minimum < step.maximum)) throw refused(part, at, 'MIN must be below MAX');
      return step;
    case 'unit':
      if (step.factor === 0) throw refused(part, at, 'the factor must not be 0');
      return step;
    case 'resample':
      if (!(step.everyMs >= 1)) throw refused(part, at, 'give at least a millisecond');
      return step;
    case 'outliers':
      if (!whole(step.window, 3, 10_000)) throw refused(part, at, 'the window is 3 to 10000 values');
      if (!(step.deviations > 0)) throw refused(part, at, 'the deviations must be above 0');
      return step;
    case 'fill':
      if (!whole(step.most, 1, 1e9)) throw refused(part, at, 'give a whole number of at least 1');
      return step;
    case 'denoise': {
      if (!whole(step.window, 3, 4096)) throw refused(part, at, 'the window is 3 to 4096 values');
      const isPower = (step.window & (step.window - 1)) === 0 && step.window >= 8;
      if (step.method !== 'median' && !isPower) {
        throw refused(part, at, 'the window of a wavelet is a power of two from 8');
      }
      return step;
    }
    case 'normalise':
      return step;
    default:
      step satisfies never;
      return step;
  }
}

const refused = (part: string, at: number, problem: string): ReturnType<typeof invalid> =>
  invalid(`step ${at}, "${part}": ${problem}`, { step: at, text: part });
