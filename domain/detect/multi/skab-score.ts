/** What a detector said of one recording, from the first scored row on, beside the truth. */
export interface ScoredRecording {
  readonly timesMs: Float64Array;
  /** 1 where there was an anomaly. */
  readonly anomaly: Uint8Array;
  readonly alarm: Uint8Array;
  /** Rows of the true change points, ascending. */
  readonly changes: readonly number[];
  /** Rows at which a change was named, ascending. */
  readonly named: readonly number[];
}

export interface OutlierScore {
  readonly f1: number;
  /** Share of rows without an anomaly that were alarmed. */
  readonly falseAlarmRate: number;
  /** Share of anomalous rows that were not. */
  readonly missedAlarmRate: number;
}

/** The benchmark's outlier figures: rows of all recordings counted together. NaN where there is nothing to count. */
export function scoreOutliers(recordings: readonly ScoredRecording[]): OutlierScore {
  let hits = 0;
  let falses = 0;
  let misses = 0;
  let quiet = 0;
  for (const { anomaly, alarm } of recordings) {
    for (let i = 0; i < anomaly.length; i++) {
      if (anomaly[i] === 1) {
        if (alarm[i] === 1) hits++;
        else misses++;
      } else if (alarm[i] === 1) falses++;
      else quiet++;
    }
  }
  return {
    f1: hits / (hits + (falses + misses) / 2),
    falseAlarmRate: falses / (falses + quiet),
    missedAlarmRate: misses / (misses + hits),
  };
}

/** Gain of a change named at once, cost of one named in vain, cost of one missed. */
export interface ChangeProfile {
  readonly found: number;
  readonly false: number;
  readonly missed: number;
}

export const CHANGE_PROFILES = {
  standard: { found: 1, false: -0.11, missed: -1 },
  lowFalse: { found: 1, false: -0.22, missed: -1 },
  lowMissed: { found: 1, false: -0.11, missed: -2 },
} as const satisfies Readonly<Record<string, ChangeProfile>>;

/**
 * The change-point score of SKAB (Katser & Kozitsin, 2020, after Lavin & Ahmad, 2015): a window opens at each true
 * change, the first change named in it gains the more the earlier it comes, one outside all windows costs. Windows
 * that overlap are cut at their beginning. 0: nothing was ever named; 100: every change was named at once.
 *
 * Mind that naming a change every minute, blindly, scores 61 on the recordings of the first valve: compare with
 * {@link metronome}.
 */
export function scoreChanges(
  recordings: readonly ScoredRecording[],
  { windowMs, profile }: { readonly windowMs: number; readonly profile: ChangeProfile },
): number {
  let score = 0;
  let changes = 0;
  for (const recording of recordings) {
    const named = recording.named.map((row) => recording.timesMs[row]!);
    const windows: (readonly [number, number])[] = [];
    for (const row of recording.changes) {
      const from = recording.timesMs[row]!;
      const before = windows.at(-1)?.[1] ?? -Infinity;
      windows.push([Math.max(from, before), from + windowMs]);
    }
    changes += windows.length;
    for (const [from, to] of windows) {
      const first = named.find((at) => at >= from && at <= to);
      score += first === undefined ? profile.missed : gain((first - from) / (to - from), profile);
    }
    const inVain = named.filter((at) => !windows.some(([from, to]) => at >= from && at <= to));
    score += profile.false * inVain.length;
  }
  const nothing = changes * profile.missed;
  return (100 * (score - nothing)) / (changes * profile.found - nothing);
}

/** From the whole gain at the beginning of the window down to the cost of a false one at its end. */
function gain(position: number, { found, false: cost }: ChangeProfile): number {
  const x = Math.PI * (Math.min(1, position) - 0.5);
  return (found - cost) * (0.5 - Math.tanh(x) / (2 * Math.tanh(Math.PI / 2))) + cost;
}

/** A change named every `everyMs`, whatever happens: what the score is worth without any detector. */
export function metronome(timesMs: Float64Array, everyMs: number): number[] {
  const rows: number[] = [];
  let lastMs = -Infinity;
  for (const [row, atMs] of timesMs.entries()) {
    if (atMs - lastMs < everyMs) continue;
    rows.push(row);
    lastMs = atMs;
  }
  return rows;
}
