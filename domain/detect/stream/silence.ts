import { defineDetector } from '../detector.ts';
import { fromJson, isReading, ReusedVerdict, scoreOf, toJson } from './verdict.ts';

/** Intervals from which the usual one is learnt before it is believed. */
const LEARNING_INTERVALS = 10;

/**
 * Drop-outs and silence: alarms when no value came for longer than `patience` usual intervals. A row with a missing
 * value is a tick of the clock: it tells how late it is and is no sign of life. The row that ends a silence still
 * alarms, so that a gap in a recording is seen too.
 */
export const silence = defineDetector({
  name: 'silence',
  summary: 'no value came for much longer than usual',
  parameters: {
    everyMs: {
      meaning: 'the usual interval between values; 0: learnt from the channel',
      default: 0,
      minimum: 0,
      maximum: 1e12,
      unit: 'ms',
    },
    patience: {
      meaning: 'usual intervals without a value that alarm',
      default: 5,
      minimum: 1.1,
      maximum: 1e6,
      unit: 'intervals',
    },
  },
  create({ parameters: { everyMs, patience }, state }) {
    const verdict = new ReusedVerdict();
    verdict.alarm = state?.['alarm'] === true;
    let lastMs = fromJson(state?.['lastMs']);
    let heardMs = fromJson(state?.['heardMs']);
    let usualMs = everyMs > 0 ? everyMs : fromJson(state?.['usualMs'] ?? 0);
    let intervals = everyMs > 0 ? LEARNING_INTERVALS : fromJson(state?.['intervals'] ?? 0);
    return {
      channels: 1,
      push(timeMs, row) {
        if (timeMs < lastMs) return verdict.unchanged();
        lastMs = timeMs;
        const heard = isReading(row[0]!);
        if (Number.isNaN(heardMs)) {
          if (heard) heardMs = timeMs;
          return verdict.unchanged();
        }
        const silentMs = timeMs - heardMs;
        const believed = intervals >= LEARNING_INTERVALS && usualMs > 0;
        const late = believed ? silentMs / usualMs : 0;
        if (heard && silentMs > 0) {
          if (everyMs === 0) {
            // A gap is no usual interval: one counts for at most twice the usual.
            const counted = believed ? Math.min(silentMs, 2 * usualMs) : silentMs;
            usualMs += Math.max(0.02, 1 / (intervals + 1)) * (counted - usualMs);
            intervals++;
          }
          heardMs = timeMs;
        }
        return verdict.set(scoreOf(late, patience), late >= patience, late);
      },
      save: () => ({
        alarm: verdict.alarm,
        lastMs: toJson(lastMs),
        heardMs: toJson(heardMs),
        usualMs,
        intervals,
      }),
      describe: () => ({ usualMs }),
    };
  },
});
