import { defineDetector } from '../detector.ts';
import { LEARNING } from './learning.ts';
import { Moments } from './moments.ts';
import { onOneChannel } from './one-channel.ts';
import { Season } from './season.ts';
import type { DetectorState } from '../detector.ts';

/** Alarms when the value is not what its hour of the day or of the week led to expect. */
export const seasonal = defineDetector({
  name: 'seasonal',
  summary: 'the value is not what its hour of the day or week led to expect (UTC)',
  parameters: {
    rate: {
      meaning: 'weight of the newest value in the level of its hour',
      default: 0.05,
      minimum: 0.001,
      maximum: 1,
    },
    memory: {
      meaning: 'rows after which the past counts less in the deviation',
      default: 5000,
      minimum: 10,
      maximum: 1e7,
      whole: true,
      unit: 'rows',
    },
    deviations: {
      meaning: 'distance from the expectation that alarms',
      default: 6,
      minimum: 0.5,
      maximum: 100,
      unit: 'deviations',
    },
  },
  create: ({ parameters: { rate, memory, deviations }, state }) =>
    onOneChannel(state, {
      limit: deviations,
      create(saved) {
        const season = new Season({ rate, saved: saved?.['season'] });
        const surprises = new Moments(1 / memory, saved?.['surprises']);
        return {
          of(timeMs, value) {
            const surprise = season.surprise(timeMs, value);
            const standing = surprises.count > LEARNING ? Math.abs(surprises.standing(surprise)) : 0;
            surprises.push(surprise);
            return standing;
          },
          save: (): DetectorState => ({ season: season.save(), surprises: surprises.save() }),
          describe: () => ({ deviation: surprises.deviation }),
        };
      },
    }),
});
