import { defineDetector } from '../detector.ts';
import { onOneChannel } from './one-channel.ts';
import { fromJson, toJson } from './verdict.ts';

/** Alarms when the value has not moved for a time: a frozen sensor, a line that was cut behind its driver. */
export const flatLine = defineDetector({
  name: 'flat-line',
  summary: 'the value does not move any more',
  parameters: {
    holdMs: {
      meaning: 'how long it must not have moved',
      default: 3_600_000,
      minimum: 1,
      maximum: 1e12,
      unit: 'ms',
    },
    tolerance: {
      meaning: 'moving by no more than this is not moving',
      default: 0,
      minimum: 0,
      maximum: 1e300,
    },
    rows: {
      meaning: 'readings there must have been in that time',
      default: 5,
      minimum: 2,
      maximum: 1e6,
      whole: true,
      unit: 'rows',
    },
  },
  create: ({ parameters: { holdMs, tolerance, rows }, state }) =>
    onOneChannel(state, {
      limit: holdMs,
      create(saved) {
        let sinceMs = fromJson(saved?.['sinceMs']);
        let level = fromJson(saved?.['level']);
        let count = fromJson(saved?.['count'] ?? 0);
        return {
          of(timeMs, value) {
            if (Math.abs(value - level) <= tolerance) count++;
            else {
              level = value;
              sinceMs = timeMs;
              count = 1;
            }
            return count >= rows ? timeMs - sinceMs : 0;
          },
          save: () => ({ sinceMs: toJson(sinceMs), level: toJson(level), count }),
        };
      },
    }),
});
