import { defineDetector } from '../detector.ts';
import { LEARNING } from './learning.ts';
import { Moments } from './moments.ts';
import { onOneChannel } from './one-channel.ts';
import { fromJson } from './verdict.ts';

/**
 * Cumulative sums both ways (Page, 1954): deviations beyond a slack add up until they reach the limit; then the sums
 * start again. Finds small shifts that last. A single value counts for at most `limit`/2, so that one spike is not a
 * shift.
 */
export const cusum = defineDetector({
  name: 'cusum',
  summary: 'the level shifted a little and stays there, up or down',
  parameters: {
    slack: {
      meaning: 'shifts below this are as ever',
      default: 0.5,
      minimum: 0,
      maximum: 100,
      unit: 'deviations',
    },
    limit: { meaning: 'sum that alarms', default: 10, minimum: 0.5, maximum: 1e6, unit: 'deviations' },
    memory: {
      meaning: 'rows after which the past counts less in mean and deviation',
      default: 5000,
      minimum: 10,
      maximum: 1e7,
      whole: true,
      unit: 'rows',
    },
  },
  create: ({ parameters: { slack, limit, memory }, state }) =>
    onOneChannel(state, {
      limit,
      create(saved) {
        const moments = new Moments(1 / memory, saved?.['moments']);
        let up = fromJson(saved?.['up'] ?? 0);
        let down = fromJson(saved?.['down'] ?? 0);
        return {
          of(_timeMs, value) {
            const standing = moments.count > LEARNING ? moments.standing(value, limit / 2) : 0;
            moments.push(value);
            up = Math.max(0, up + standing - slack);
            down = Math.max(0, down - standing - slack);
            const sum = Math.max(up, down);
            if (up >= limit) up = 0;
            if (down >= limit) down = 0;
            return sum;
          },
          save: () => ({ moments: moments.save(), up, down }),
          describe: () => ({ mean: moments.mean, deviation: moments.deviation }),
        };
      },
    }),
});
