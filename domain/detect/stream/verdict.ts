import type { Verdict } from '../detector.ts';

/** The one verdict that a detector fills again and again: no allocation a row. */
export class ReusedVerdict implements Verdict {
  score = 0;
  alarm = false;
  begins = false;
  statistic = 0;

  set(score: number, alarm: boolean, statistic: number): this {
    this.begins = alarm && !this.alarm;
    this.score = score;
    this.alarm = alarm;
    this.statistic = statistic;
    return this;
  }

  /** The value is missing or came too late: nothing is scored, and an alarm goes on. */
  unchanged(): this {
    this.begins = false;
    this.score = 0;
    this.statistic = 0;
    return this;
  }
}

/**
 * Maps a statistic that alarms at `limit` to a score: 0 at 0, 1/2 at the limit, towards 1 beyond. Statistics below 0
 * count as 0.
 */
export function scoreOf(statistic: number, limit: number): number {
  if (!(statistic > 0)) return 0;
  if (statistic === Infinity) return 1;
  return statistic / (statistic + limit);
}

/** Beyond this a value is no reading: squared and summed it would be infinite for ever. */
const ABSURD = 1e100;

/** False for NaN, the infinities and absurd numbers: they are missing values to every detector. */
export function isReading(value: number): boolean {
  return Math.abs(value) < ABSURD;
}

/** JSON has no NaN and no infinities; null stands for NaN (nothing yet). */
export function toJson(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

export function fromJson(value: unknown): number {
  return typeof value === 'number' ? value : Number.NaN;
}
