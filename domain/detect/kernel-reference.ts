import { ALARM } from './kernel.ts';
import type { BankParameters } from './kernel.ts';

/**
 * What `DetectorBank` does for one sensor, in plain words: the measure for the fast version.
 * Answers the alarm mask of each reading.
 */
export function bankReference(readings: readonly number[], p: BankParameters): number[] {
  const masks: number[] = [];
  let heard = 0;
  let mean = 0;
  let variance = 0;
  let covariance = 0;
  let squaredError = 0;
  let shortTerm = 0;
  let up = 0;
  let down = 0;
  let last = 0;
  for (const reading of readings) {
    if (!((reading - mean) ** 2 < 1e200)) {
      masks.push(0);
      continue;
    }
    const learning = heard < p.warmUp;
    const rate = learning ? Math.max(p.rate, 1 / (heard + 1)) : p.rate;
    const shortRate = learning ? Math.max(p.shortRate, 1 / (heard + 1)) : p.shortRate;

    const away = reading - mean;
    const before = heard === 0 ? 0 : last - mean;
    const deviation = Math.sqrt(variance);
    const b = variance > 0 ? covariance / variance : 0;
    const error = away - b * before;
    if (heard > 0) shortTerm += shortRate * (away ** 2 - shortTerm);

    let mask = 0;
    if (!learning) {
      up = Math.max(0, up + away - p.slack * deviation);
      down = Math.max(0, down - away - p.slack * deviation);
      if (Math.abs(away) > p.deviations * deviation) mask |= ALARM.ewma;
      if (Math.abs(error) > p.deviations * Math.sqrt(squaredError)) mask |= ALARM.ar1;
      if (shortTerm > p.ratio * variance) mask |= ALARM.staLta;
      if (up > p.limit * deviation) {
        mask |= ALARM.cusumUp;
        up = 0;
      }
      if (down > p.limit * deviation) {
        mask |= ALARM.cusumDown;
        down = 0;
      }
      const onlyRounding = Math.abs(away) <= 1e-9 * Math.abs(mean);
      if (onlyRounding) mask = 0;
    }
    masks.push(mask);

    mean += rate * away;
    variance = (1 - rate) * (variance + rate * away ** 2);
    covariance = (1 - rate) * (covariance + rate * away * before);
    if (heard > 0) squaredError += rate * (error ** 2 - squaredError);
    last = reading;
    heard++;
  }
  return masks;
}
