import { defineDetector } from '../detector.ts';
import { fromJson, isReading, ReusedVerdict, scoreOf, toJson } from './verdict.ts';

/**
 * Alarms when the value stays on the far side of a level for a time, and ends when it comes back by the hysteresis.
 * A missing value neither starts nor ends anything.
 */
export const threshold = defineDetector({
  name: 'threshold',
  summary: 'the value is above (or below) a level for a time',
  parameters: {
    level: { meaning: 'the level', default: 0, minimum: -1e300, maximum: 1e300 },
    direction: {
      meaning: '1: alarms above the level, -1: below',
      default: 1,
      minimum: -1,
      maximum: 1,
      whole: true,
    },
    holdMs: { meaning: 'how long it must hold', default: 0, minimum: 0, maximum: 1e12, unit: 'ms' },
    hysteresis: {
      meaning: 'how far back past the level the value must come to end the alarm',
      default: 0,
      minimum: 0,
      maximum: 1e300,
    },
  },
  create({ parameters: { level, direction, holdMs, hysteresis }, state }) {
    const sign = direction < 0 ? -1 : 1;
    const verdict = new ReusedVerdict();
    let sinceMs = fromJson(state?.['sinceMs']);
    let lastMs = fromJson(state?.['lastMs']);
    verdict.alarm = state?.['alarm'] === true;
    const scale = Math.max(Math.abs(level), hysteresis, 1e-12);
    return {
      channels: 1,
      push(timeMs, row) {
        if (timeMs < lastMs) return verdict.unchanged();
        lastMs = timeMs;
        const value = row[0]!;
        if (!isReading(value)) return verdict.unchanged();
        const beyond = sign * (value - level);
        if (beyond > 0) {
          if (Number.isNaN(sinceMs)) sinceMs = timeMs;
        } else if (!verdict.alarm || beyond <= -hysteresis) sinceMs = Number.NaN;
        const holds = !Number.isNaN(sinceMs) && (verdict.alarm || timeMs - sinceMs >= holdMs);
        return verdict.set(scoreOf(beyond + scale, scale), holds, value);
      },
      save: () => ({ sinceMs: toJson(sinceMs), lastMs: toJson(lastMs), alarm: verdict.alarm }),
    };
  },
});
