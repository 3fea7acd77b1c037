import type { EpochMs } from '../../units.ts';
import { fromJson, toJson } from './verdict.ts';

const HOUR_MS = 3_600_000;
const HOURS = 24;
const WEEK_HOURS = 168;

export interface SeasonOptions {
  /** Weight of the newest value in its hour's level. */
  readonly rate: number;
  /** Weight of the newest error when the three expectations are compared. @default 0.003 */
  readonly fade?: number;
  readonly saved?: unknown;
}

/**
 * What a value is expected to be at a time: the running level, the level of its hour of the day, or of its hour of the
 * week (UTC), whichever missed least lately. An hour that was never seen falls back to the coarser expectation, so
 * nothing has to be said about whether the channel has a daily or a weekly rhythm.
 */
export class Season {
  readonly #rate: number;
  readonly #fade: number;
  /** Hours of the day, then hours of the week; NaN: not seen yet. */
  readonly #levels = new Float64Array(HOURS + WEEK_HOURS).fill(Number.NaN);
  /** Mean absolute error of running level, day and week. */
  readonly #errors = new Float64Array(3);
  #level = 0;
  #count = 0;

  constructor({ rate, fade = 0.003, saved }: SeasonOptions) {
    this.#rate = rate;
    this.#fade = fade;
    if (saved === undefined) return;
    const { levels, errors, level, count } = saved as ReturnType<Season['save']>;
    this.#levels.set(levels.map(fromJson));
    this.#errors.set(errors);
    this.#level = level;
    this.#count = count;
  }

  /** Answers how far the value is from what was expected of it, then learns from it. */
  surprise(timeMs: EpochMs, value: number): number {
    if (this.#count === 0) this.#level = value;
    const hour = Math.floor(timeMs / HOUR_MS);
    const day = ((hour % HOURS) + HOURS) % HOURS;
    const week = HOURS + (((hour % WEEK_HOURS) + WEEK_HOURS) % WEEK_HOURS);
    const levels = this.#levels;
    const byLevel = value - this.#level;
    const byDay = Number.isNaN(levels[day]!) ? byLevel : value - levels[day]!;
    const byWeek = Number.isNaN(levels[week]!) ? byDay : value - levels[week]!;
    const errors = this.#errors;
    let surprise = byLevel;
    if (errors[1]! < errors[0]!) surprise = byDay;
    if (errors[2]! < Math.min(errors[0]!, errors[1]!)) surprise = byWeek;

    this.#count++;
    const share = 1 / this.#count;
    const fade = Math.max(this.#fade, share);
    errors[0] = errors[0]! + fade * (Math.abs(byLevel) - errors[0]!);
    errors[1] = errors[1]! + fade * (Math.abs(byDay) - errors[1]!);
    errors[2] = errors[2]! + fade * (Math.abs(byWeek) - errors[2]!);
    this.#level += fade * byLevel;
    levels[day] = Number.isNaN(levels[day]!) ? value : levels[day]! + this.#rate * byDay;
    levels[week] = Number.isNaN(levels[week]!) ? value : levels[week]! + this.#rate * byWeek;
    return surprise;
  }

  save(): { levels: (number | null)[]; errors: number[]; level: number; count: number } {
    return {
      levels: Array.from(this.#levels, toJson),
      errors: [...this.#errors],
      level: this.#level,
      count: this.#count,
    };
  }
}
