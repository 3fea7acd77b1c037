import { fromJson, toJson } from './verdict.ts';

/**
 * Exponentially weighted mean and variance. The first 1/rate values weigh the same, so the start is an ordinary
 * mean; rate 0 never forgets. West (1979), Finch (2009).
 */
export class Moments {
  readonly #rate: number;
  mean = 0;
  variance = 0;
  count = 0;

  constructor(rate: number, saved?: unknown) {
    this.#rate = rate;
    if (Array.isArray(saved)) {
      this.mean = fromJson(saved[0]);
      this.variance = fromJson(saved[1]);
      this.count = fromJson(saved[2]);
    }
  }

  get deviation(): number {
    return Math.sqrt(this.variance);
  }

  /** How many standard deviations `value` lies from the mean, signed; at most `far` either way. */
  standing(value: number, far = 100): number {
    const away = value - this.mean;
    const deviation = this.deviation;
    // What is left of a constant after rounding is no deviation.
    if (Math.abs(away) <= 1e-9 * Math.abs(this.mean) || away === 0) return 0;
    if (deviation === 0) return Math.sign(away) * far;
    return Math.max(-far, Math.min(far, away / deviation));
  }

  push(value: number): void {
    const rate = Math.max(this.#rate, 1 / (this.count + 1));
    const away = value - this.mean;
    this.mean += rate * away;
    this.variance = (1 - rate) * (this.variance + rate * away * away);
    this.count++;
  }

  save(): (number | null)[] {
    return [toJson(this.mean), toJson(this.variance), this.count];
  }
}
