import { defineDetector } from '../detector.ts';
import type { DetectorState } from '../detector.ts';
import { fromJson, ReusedVerdict, scoreOf, toJson } from '../stream/verdict.ts';
import { TrailingMeans } from './levels.ts';

/**
 * Change points: the trailing mean of a channel differs from what it was `gap` rows ago by more than it ever used to
 * in the first rows. One channel is enough. A level that goes on moving is named again after the refractory time, so a
 * slope has a beginning and an end; the alarm itself holds for one row.
 */
export const levelChange = defineDetector({
  name: 'level-change',
  summary: 'the level of one of the channels moves (change points)',
  channels: { minimum: 1, maximum: 64 },
  parameters: {
    training: {
      meaning: 'first rows to learn from; they must be free of trouble',
      default: 400,
      minimum: 20,
      maximum: 100_000,
      whole: true,
      unit: 'rows',
    },
    window: {
      meaning: 'length of the means that are compared',
      default: 15,
      minimum: 1,
      maximum: 1000,
      whole: true,
      unit: 'rows',
    },
    gap: {
      meaning: 'how far apart the means are',
      default: 30,
      minimum: 1,
      maximum: 10_000,
      whole: true,
      unit: 'rows',
    },
    limit: {
      meaning: 'squared change over its mean square in training at which a change is named',
      default: 6,
      minimum: 0.1,
      maximum: 1e6,
    },
    drift: {
      meaning: 'how much a wandering channel is forgiven; 0: not at all',
      default: 3,
      minimum: 0,
      maximum: 1000,
    },
    refractoryMs: {
      meaning: 'how long no second change is named',
      default: 60_000,
      minimum: 0,
      maximum: 1e12,
      unit: 'ms',
    },
  },
  create({ parameters: { training, window, gap, limit, drift, refractoryMs }, channels, state }) {
    const verdict = new ReusedVerdict();
    const trailing = new TrailingMeans(channels, window, state?.['means'] as DetectorState | undefined);
    const past = new Float64Array(gap * channels);
    const squares = new Float64Array(channels);
    const sums = new Float64Array(channels);
    const sumsOfSquares = new Float64Array(channels);
    let rows = 0;
    let lastMs = Number.NaN;
    let namedMs = Number.NaN;
    if (state !== undefined) {
      past.set(state['past'] as number[]);
      squares.set(state['squares'] as number[]);
      sums.set(state['sums'] as number[]);
      sumsOfSquares.set(state['sumsOfSquares'] as number[]);
      rows = Number(state['rows']);
      lastMs = fromJson(state['lastMs']);
      namedMs = fromJson(state['namedMs']);
      verdict.alarm = state['alarm'] === true;
    }
    const first = window + gap;

    /** Mean square of a channel's change when all is well. */
    const usual = (c: number): number => {
      const mean = sums[c]! / training;
      const noise = Math.max(0, sumsOfSquares[c]! / training - mean * mean) / window;
      const square = squares[c]! / Math.max(1, training - first);
      return Math.max(square + drift * Math.max(0, square - 2 * noise), (1e-5 * mean) ** 2, 1e-18);
    };

    return {
      channels,
      push(timeMs, row) {
        if (timeMs < lastMs) return verdict.unchanged();
        lastMs = timeMs;
        if (!trailing.push(row)) return verdict.unchanged();
        const at = (rows % gap) * channels;
        let statistic = 0;
        for (let c = 0; c < channels; c++) {
          const change = trailing.means[c]! - past[at + c]!;
          past[at + c] = trailing.means[c]!;
          if (rows < training) {
            sums[c]! += trailing.row[c]!;
            sumsOfSquares[c]! += trailing.row[c]! ** 2;
            if (rows >= first) squares[c]! += change * change;
          } else statistic = Math.max(statistic, (change * change) / usual(c));
        }
        rows++;
        // Not a second time within the refractory time, however far it moves.
        const named = statistic > limit && !(timeMs - namedMs < refractoryMs);
        if (named) namedMs = timeMs;
        verdict.alarm = false;
        return verdict.set(scoreOf(statistic, limit), named, statistic);
      },
      save: () => ({
        means: trailing.save(),
        past: [...past],
        squares: [...squares],
        sums: [...sums],
        sumsOfSquares: [...sumsOfSquares],
        rows,
        lastMs: toJson(lastMs),
        namedMs: toJson(namedMs),
        alarm: verdict.alarm,
      }),
    };
  },
});
