import { defineDetector } from '../detector.ts';
import { Moments } from './moments.ts';
import { onOneChannel } from './one-channel.ts';
import { LEARNING } from './learning.ts';
import { fromJson, toJson } from './verdict.ts';

/**
 * The EWMA control chart (Roberts, 1959): a smoothed value leaves the band of the long-term mean. The smoothed value of
 * independent readings has the standard deviation σ·√(λ/(2-λ)).
 */
export const ewma = defineDetector({
  name: 'ewma',
  summary: 'the smoothed value leaves the band about its long-term mean',
  parameters: {
    smoothing: {
      meaning: 'λ: weight of the newest value in the smoothed one; 1: no smoothing',
      default: 0.2,
      minimum: 0.001,
      maximum: 1,
    },
    memory: {
      meaning: 'rows after which the past counts less in mean and deviation',
      default: 1000,
      minimum: 10,
      maximum: 1e7,
      whole: true,
      unit: 'rows',
    },
    deviations: {
      meaning: 'half the width of the band',
      default: 5,
      minimum: 0.5,
      maximum: 100,
      unit: 'deviations',
    },
  },
  create: ({ parameters: { smoothing, memory, deviations }, state }) =>
    onOneChannel(state, {
      limit: deviations,
      create(saved) {
        const moments = new Moments(1 / memory, saved?.['moments']);
        let smoothed = fromJson(saved?.['smoothed']);
        const narrower = Math.sqrt(smoothing / (2 - smoothing));
        return {
          of(_timeMs, value) {
            smoothed = Number.isNaN(smoothed) ? value : smoothed + smoothing * (value - smoothed);
            const standing = moments.count > LEARNING ? Math.abs(moments.standing(smoothed)) / narrower : 0;
            moments.push(value);
            return standing;
          },
          save: () => ({ moments: moments.save(), smoothed: toJson(smoothed) }),
          describe: () => ({ mean: moments.mean, deviation: moments.deviation }),
        };
      },
    }),
});
