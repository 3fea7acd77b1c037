import type { Detector, DetectorState } from '../detector.ts';
import { fromJson, isReading, ReusedVerdict, scoreOf, toJson } from './verdict.ts';

/** The part of a detector on one channel that differs from the next: its statistic. */
export interface Statistic {
  /** 0: as ever. Called with finite values in time order. */
  of(timeMs: number, value: number): number;
  save(): DetectorState;
  describe?(): Readonly<Record<string, number>>;
}

/**
 * A detector on one channel that alarms while its statistic is at `limit` or above, and until it falls below
 * `release`. Missing values and rows out of time order change nothing.
 */
export function onOneChannel(
  state: DetectorState | undefined,
  {
    limit,
    release = limit,
    create,
  }: {
    readonly limit: number;
    readonly release?: number;
    readonly create: (saved: DetectorState | undefined) => Statistic;
  },
): Detector {
  const statistic = create(state?.['statistic'] as DetectorState | undefined);
  const verdict = new ReusedVerdict();
  verdict.alarm = state?.['alarm'] === true;
  let lastMs = fromJson(state?.['lastMs']);
  return {
    channels: 1,
    push(timeMs, row) {
      if (timeMs < lastMs) return verdict.unchanged();
      lastMs = timeMs;
      const value = row[0]!;
      if (!isReading(value)) return verdict.unchanged();
      const now = statistic.of(timeMs, value);
      return verdict.set(scoreOf(now, limit), now >= (verdict.alarm ? release : limit), now);
    },
    save: () => ({ lastMs: toJson(lastMs), alarm: verdict.alarm, statistic: statistic.save() }),
    ...(statistic.describe === undefined ? {} : { describe: () => statistic.describe!() }),
  };
}
