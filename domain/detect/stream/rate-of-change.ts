import { defineDetector } from '../detector.ts';
import { onOneChannel } from './one-channel.ts';
import { fromJson, toJson } from './verdict.ts';

/** Alarms when the value moves faster than a limit, up or down, measured from one reading to the next. */
export const rateOfChange = defineDetector({
  name: 'rate-of-change',
  summary: 'the value moves faster than a limit',
  parameters: {
    perSecond: {
      meaning: 'the fastest change that is as ever',
      default: 1,
      minimum: 1e-12,
      maximum: 1e300,
      unit: "the channel's unit per second",
    },
    direction: {
      meaning: '1: only rises, -1: only falls, 0: both',
      default: 0,
      minimum: -1,
      maximum: 1,
      whole: true,
    },
  },
  create: ({ parameters: { perSecond, direction }, state }) =>
    onOneChannel(state, {
      limit: perSecond,
      create(saved) {
        let lastMs = fromJson(saved?.['lastMs']);
        let last = fromJson(saved?.['last']);
        return {
          of(timeMs, value) {
            // Two readings of one instant have no rate: the later one counts from here on.
            const seconds = (timeMs - lastMs) / 1000;
            const rate = seconds > 0 ? (value - last) / seconds : 0;
            lastMs = timeMs;
            last = value;
            return direction === 0 ? Math.abs(rate) : Math.max(0, direction * rate);
          },
          save: () => ({ lastMs: toJson(lastMs), last: toJson(last) }),
        };
      },
    }),
});
