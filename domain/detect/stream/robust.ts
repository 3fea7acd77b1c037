import { defineDetector } from '../detector.ts';
import { onOneChannel } from './one-channel.ts';
import { SortedWindow } from './sorted-window.ts';

/** Median absolute deviation to standard deviation, for the normal distribution. */
const MAD_TO_DEVIATION = 1.4826;

/**
 * Robust scaling (Hampel, 1974): distance from the median of the last rows in units of their median absolute deviation.
 * Up to half of the window may be outliers before the yardstick moves.
 */
export const robust = defineDetector({
  name: 'robust',
  summary: 'the value stands apart from the median of the last rows',
  parameters: {
    window: {
      meaning: 'rows of the median',
      default: 288,
      minimum: 5,
      maximum: 10_000,
      whole: true,
      unit: 'rows',
    },
    deviations: {
      meaning: 'distance from the median that alarms',
      default: 8,
      minimum: 0.5,
      maximum: 1000,
      unit: 'deviations',
    },
  },
  create: ({ parameters: { window, deviations }, state }) =>
    onOneChannel(state, {
      limit: deviations,
      create(saved) {
        const last = new SortedWindow(window, saved?.['last']);
        const learning = Math.min(window, 30);
        return {
          of(_timeMs, value) {
            let standing = 0;
            if (last.count >= learning) {
              const median = last.median();
              const away = Math.abs(value - median);
              const deviation = MAD_TO_DEVIATION * last.medianDistance(median);
              // More than half of the window is one value: any other stands as far away as a score can tell.
              standing =
                deviation > 0 ? away / deviation : away > 1e-9 * Math.abs(median) ? 10 * deviations : 0;
            }
            last.push(value);
            return standing;
          },
          save: () => ({ last: last.save() }),
        };
      },
    }),
});
