import type { Detector, DetectorKind, DetectorState, Parameter, Parameters } from '../detector.ts';
import { fromJson, toJson } from './verdict.ts';

/** What every kind of detector takes beside its own parameters. */
export const GROUPING = {
  groupMs: {
    meaning:
      'an alarm that begins within this time of the last alarm row is the same cause; 0: each begins anew',
    default: 0,
    minimum: 0,
    maximum: 1e12,
    unit: 'ms',
  },
} as const satisfies Record<string, Parameter>;

/** A kind whose detectors make one cause one detection: `begins` is told once per group of alarms. */
export function grouping(kind: DetectorKind): DetectorKind<Parameters> {
  return {
    ...kind,
    parameters: { ...kind.parameters, ...GROUPING },
    create({ parameters, channels, state }) {
      const { groupMs = 0, ...own } = parameters;
      if (groupMs === 0) return kind.create({ parameters: own, channels, state });
      const inner = kind.create({
        parameters: own,
        channels,
        state: state?.['inner'] as DetectorState | undefined,
      });
      return grouped(inner, groupMs, fromJson(state?.['alarmedMs']));
    },
  };
}

function grouped(inner: Detector, groupMs: number, savedMs: number): Detector {
  const verdict = { score: 0, alarm: false, begins: false, statistic: 0 };
  let alarmedMs = savedMs;
  return {
    channels: inner.channels,
    push(timeMs, row) {
      const { score, alarm, begins, statistic } = inner.push(timeMs, row);
      verdict.score = score;
      verdict.alarm = alarm;
      verdict.statistic = statistic;
      verdict.begins = begins && !(timeMs - alarmedMs <= groupMs);
      if (alarm) alarmedMs = timeMs;
      return verdict;
    },
    save: () => ({ inner: inner.save(), alarmedMs: toJson(alarmedMs) }),
    ...(inner.describe === undefined ? {} : { describe: () => inner.describe!() }),
  };
}
