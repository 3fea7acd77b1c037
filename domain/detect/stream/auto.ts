import { defineDetector } from '../detector.ts';
import type { DetectorState } from '../detector.ts';
import { BudgetLimit } from './budget.ts';
import { Causes } from './causes.ts';
import { LEARNING } from './learning.ts';
import { Moments } from './moments.ts';
import { Season } from './season.ts';
import { fromJson, isReading, ReusedVerdict, scoreOf, toJson } from './verdict.ts';
import { WindowMean } from './window-mean.ts';

/**
 * The detector of a channel that nobody configured. Two questions, in long memory: does the value miss what the hour
 * of the day or the week led to expect, and does the level of the last rows stand apart? Each answer is a number of
 * standard deviations of its own past; their sum is the statistic. A refractory period makes one cause one detection,
 * and what keeps coming back surprises less each time ({@link Causes}).
 */
export const auto = defineDetector({
  name: 'auto',
  summary: 'the value misses its daily or weekly expectation, or its level moved; for any channel',
  channels: { minimum: 1, maximum: 64 },
  parameters: {
    limit: {
      meaning: 'statistic at which it alarms (score 0.5), when no budget is set',
      default: 8.5,
      minimum: 0.1,
      maximum: 200,
      unit: 'deviations',
    },
    budget: {
      meaning: 'detections in 1000 rows that are bearable: the limit follows the stream; 0: fixed limit',
      default: 0,
      minimum: 0,
      maximum: 100,
      unit: 'per 1000 rows',
    },
    memory: {
      meaning: 'rows after which the past counts less',
      default: 5000,
      minimum: 50,
      maximum: 1e7,
      whole: true,
      unit: 'rows',
    },
    window: {
      meaning: 'rows whose mean is the level',
      default: 20,
      minimum: 2,
      maximum: 10_000,
      whole: true,
      unit: 'rows',
    },
    learning: {
      meaning:
        'rows at the start that are learnt from before anything scores; the default is a day at five minutes',
      default: 288,
      minimum: 0,
      maximum: 1e6,
      whole: true,
      unit: 'rows',
    },
    seasonRate: {
      meaning: 'weight of the newest value in the level of its hour',
      default: 0.05,
      minimum: 0.001,
      maximum: 1,
    },
    refractory: {
      meaning: 'how long one cause lasts, as a share of the rows so far; 0: every row counts',
      default: 0.2,
      minimum: 0,
      maximum: 1,
    },
    refractoryRows: {
      meaning: 'the longest a cause may last',
      default: 1000,
      minimum: 0,
      maximum: 1e7,
      whole: true,
      unit: 'rows',
    },
    familiarity: {
      meaning: 'how much less each earlier cause of its size makes one surprise; 0: as much as the first',
      default: 0.2,
      minimum: 0,
      maximum: 10,
    },
  },
  create({ parameters, channels, state }) {
    const { limit, budget, memory, learning, refractory, refractoryRows, familiarity } = parameters;
    const saved = state as AutoState | undefined;
    const parts = Array.from(
      { length: channels },
      (_, channel) => new ChannelStatistic(parameters, saved?.channels[channel]),
    );
    const causes = new Causes({
      share: refractory,
      maximumRows: refractoryRows,
      familiarity,
      memory,
      saved: saved?.causes,
    });
    const bearable =
      budget > 0
        ? new BudgetLimit({
            budget: budget / 1000,
            start: limit,
            lowest: LOWEST_LIMIT,
            saved: saved?.bearable,
          })
        : undefined;
    const verdict = new ReusedVerdict();
    let lastMs = fromJson(saved?.lastMs);
    let causeUntil = saved?.causeUntil ?? -1;
    let rows = saved?.rows ?? 0;
    return {
      channels,
      push(timeMs, row) {
        if (timeMs < lastMs) return verdict.unchanged();
        lastMs = timeMs;
        let statistic = 0;
        for (let channel = 0; channel < channels; channel++) {
          statistic = Math.max(statistic, parts[channel]!.push(timeMs, row[channel]!));
        }
        rows++;
        if (rows <= learning) statistic = 0;
        const passed = causes.pass(statistic);
        const alarm = passed > 0 && passed >= (bearable?.limit ?? limit);
        verdict.set(scoreOf(passed, limit), alarm, statistic);
        // A cause that grows alarms again and stays the same cause.
        verdict.begins = alarm && rows > causeUntil;
        if (alarm) causeUntil = causes.until + 1;
        if (rows > learning) bearable?.push(verdict.begins);
        return verdict;
      },
      save: (): DetectorState => ({
        lastMs: toJson(lastMs),
        causeUntil,
        rows,
        channels: parts.map((part) => part.save()),
        causes: causes.save(),
        ...(bearable === undefined ? {} : { bearable: bearable.save() }),
      }),
    };
  },
});

/** However large the budget: less than this is no anomaly. */
const LOWEST_LIMIT = 3;

interface AutoState {
  readonly lastMs: number | null;
  readonly causeUntil: number;
  readonly rows: number;
  readonly channels: readonly ReturnType<ChannelStatistic['save']>[];
  readonly causes: ReturnType<Causes['save']>;
  readonly bearable?: number;
}

/** The statistic of one channel: deviations from expectation plus deviations of the level. */
class ChannelStatistic {
  readonly #season: Season;
  readonly #surprises: Moments;
  readonly #window: WindowMean;
  readonly #levels: Moments;

  constructor(
    p: { readonly memory: number; readonly window: number; readonly seasonRate: number },
    saved?: { season: unknown; surprises: unknown; window: unknown; levels: unknown },
  ) {
    this.#season = new Season({ rate: p.seasonRate, saved: saved?.season });
    this.#surprises = new Moments(1 / p.memory, saved?.surprises);
    this.#window = new WindowMean(p.window, saved?.window);
    this.#levels = new Moments(1 / p.memory, saved?.levels);
  }

  push(timeMs: number, value: number): number {
    if (!isReading(value)) return 0;
    const surprise = this.#season.surprise(timeMs, value);
    const level = this.#window.push(value);
    let statistic = this.#surprises.count > LEARNING ? Math.abs(this.#surprises.standing(surprise)) : 0;
    this.#surprises.push(surprise);
    if (!Number.isNaN(level)) {
      if (this.#levels.count > LEARNING) statistic += Math.abs(this.#levels.standing(level));
      this.#levels.push(level);
    }
    return statistic;
  }

  save() {
    return {
      season: this.#season.save(),
      surprises: this.#surprises.save(),
      window: this.#window.save(),
      levels: this.#levels.save(),
    };
  }
}
