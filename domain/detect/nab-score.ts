/**
 * The score of the Numenta Anomaly Benchmark by its published rule (Lavin & Ahmad, 2015): detections in an anomaly
 * window earn by a scaled sigmoid, most at its start and once a window; detections elsewhere cost, least right after
 * a window; a missed window costs. The first 15 % of a stream (at most 750 rows) is probation and not judged. One
 * threshold holds for the whole corpus. 0 is what a detector gets that never alarms, 100 one that alarms exactly at
 * the first row of each window.
 */

/** What each kind of outcome weighs. */
export interface NabProfile {
  readonly name: 'standard' | 'low-FP' | 'low-FN';
  readonly truePositive: number;
  readonly falsePositive: number;
  readonly falseNegative: number;
}

export const NAB_PROFILES: readonly NabProfile[] = [
  { name: 'standard', truePositive: 1, falsePositive: 0.11, falseNegative: 1 },
  { name: 'low-FP', truePositive: 1, falsePositive: 0.22, falseNegative: 1 },
  { name: 'low-FN', truePositive: 1, falsePositive: 0.11, falseNegative: 2 },
];

/** First and last row of an anomaly. */
export type RowWindow = readonly [first: number, last: number];

const PROBATION_SHARE = 0.15;
const PROBATION_ROWS = 750;

/** Rows at the start of a stream that are not judged. */
export function probationRows(rows: number): number {
  return Math.floor(Math.min(PROBATION_SHARE * rows, PROBATION_ROWS));
}

/** 1 far before the end of a window, 0 at its end, towards -1 after it; -1 from three window lengths on. */
export function scaledSigmoid(position: number): number {
  return position >= 3 ? -1 : 2 / (1 + Math.exp(5 * position)) - 1;
}

/**
 * What a detection at each row is worth before weights: above 0 inside a window (at most 1), below 0 elsewhere.
 * Windows in time order.
 */
export function rowWorths(rows: number, windows: readonly RowWindow[]): Float64Array {
  const worths = new Float64Array(rows);
  const most = scaledSigmoid(-1);
  let next = 0;
  let last: RowWindow | undefined;
  for (let row = 0; row < rows; row++) {
    while (next < windows.length && row > windows[next]![1]) last = windows[next++];
    const current = windows[next];
    if (current !== undefined && row >= current[0]) {
      const length = current[1] - current[0] + 1;
      worths[row] = scaledSigmoid(-(current[1] - row + 1) / length) / most;
    } else if (last === undefined) worths[row] = -1;
    else worths[row] = scaledSigmoid((row - last[1]) / Math.max(1, last[1] - last[0]));
  }
  return worths;
}

/** How the raw score of one stream changes as the threshold falls. */
export interface ScoreSteps {
  /** Falling. */
  readonly thresholds: Float64Array;
  /** What passing each threshold adds. */
  readonly gains: Float64Array;
  readonly windows: number;
}

/** All that a stream's scores can earn under a profile. Scores of 0 and below, and NaN, are no detections. */
export function scoreSteps(
  scores: ArrayLike<number>,
  windows: readonly RowWindow[],
  profile: NabProfile,
): ScoreSteps {
  const rows = scores.length;
  const worths = rowWorths(rows, windows);
  const candidates: number[] = [];
  for (let row = probationRows(rows); row < rows; row++) if (scores[row]! > 0) candidates.push(row);
  candidates.sort((a, b) => scores[b]! - scores[a]! || a - b);
  const best = new Float64Array(windows.length).fill(-profile.falseNegative);
  const thresholds: number[] = [];
  const gains: number[] = [];
  for (const row of candidates) {
    const window = windows.findIndex(([first, last]) => row >= first && row <= last);
    let gain = worths[row]! * profile.falsePositive;
    if (window >= 0) {
      const earned = worths[row]! * profile.truePositive;
      gain = Math.max(0, earned - best[window]!);
      best[window] = Math.max(best[window]!, earned);
    }
    thresholds.push(scores[row]!);
    gains.push(gain);
  }
  return {
    thresholds: Float64Array.from(thresholds),
    gains: Float64Array.from(gains),
    windows: windows.length,
  };
}

export interface NabScore {
  /** Null detector 0, perfect detector 100. NaN for a corpus without windows. */
  readonly score: number;
  /** Scores from here on are detections. Infinity: best not to detect at all. */
  readonly threshold: number;
}

/** The best score of a corpus over all thresholds, and the threshold that earns it. */
export function bestScore(corpus: readonly ScoreSteps[], profile: NabProfile): NabScore {
  const steps = corpus.flatMap(({ thresholds, gains }) =>
    Array.from(thresholds, (threshold, i) => ({ threshold, gain: gains[i]! })),
  );
  steps.sort((a, b) => b.threshold - a.threshold);
  let gained = 0;
  let best = 0;
  let threshold = Infinity;
  for (const [i, step] of steps.entries()) {
    gained += step.gain;
    const below = steps[i + 1]?.threshold ?? 0;
    if (gained > best && below !== step.threshold) {
      best = gained;
      // Any threshold down to the next score earns the same here. Half way is the fairest to other streams.
      const halfWay = (step.threshold + below) / 2;
      threshold = halfWay > below ? halfWay : step.threshold;
    }
  }
  return { score: normalised(best, corpus, profile), threshold };
}

/** The score of a corpus at a threshold that was fixed elsewhere. */
export function scoreAt(threshold: number, corpus: readonly ScoreSteps[], profile: NabProfile): number {
  let gained = 0;
  for (const { thresholds, gains } of corpus) {
    for (let i = 0; i < gains.length && thresholds[i]! >= threshold; i++) gained += gains[i]!;
  }
  return normalised(gained, corpus, profile);
}

/** `gained` counts from the null detector's raw score, so only the perfect detector's distance divides. */
function normalised(gained: number, corpus: readonly ScoreSteps[], profile: NabProfile): number {
  const windows = corpus.reduce((sum, each) => sum + each.windows, 0);
  return (100 * gained) / (windows * (profile.truePositive + profile.falseNegative));
}
