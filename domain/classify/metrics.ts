/** How good answers are, with rare classes counted as much as common ones. */
export interface Score {
  readonly rows: number;
  readonly accuracy: number;
  /** Mean of the recalls of the classes that occur: guessing the majority scores 1 / classes. */
  readonly balancedAccuracy: number;
  /** `confusion[true][answered]`, both by class index. */
  readonly confusion: readonly (readonly number[])[];
  /** Share of each class that was recognised; null when the class does not occur. */
  readonly recall: readonly (number | null)[];
  /** Share of each answer that was right; null when it was never given. */
  readonly precision: readonly (number | null)[];
}

/** @param truth, answers class indices 0 .. classes - 1. */
export function score(truth: ArrayLike<number>, answers: ArrayLike<number>, classes: number): Score {
  const confusion = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (let i = 0; i < truth.length; i++) confusion[truth[i]!]![answers[i]!]!++;
  const total = (numbers: readonly number[]): number => numbers.reduce((sum, n) => sum + n, 0);
  const share = (part: number, whole: number): number | null => (whole === 0 ? null : part / whole);
  const recall = confusion.map((row, k) => share(row[k]!, total(row)));
  const precision = confusion.map((row, k) => share(row[k]!, total(confusion.map((other) => other[k]!))));
  const known = recall.filter((value): value is number => value !== null);
  return {
    rows: truth.length,
    accuracy: truth.length === 0 ? 0 : total(confusion.map((row, k) => row[k]!)) / truth.length,
    balancedAccuracy: known.length === 0 ? 0 : total(known) / known.length,
    confusion,
    recall,
    precision,
  };
}

export interface Interval {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

/**
 * Mean with the 2.5 % and 97.5 % points of the sample.
 * For repeated cross-validation: what one more repeat of the same size could have given.
 */
export function spread(values: readonly number[]): Interval {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number => {
    const position = share * (sorted.length - 1);
    const below = Math.floor(position);
    const above = Math.min(sorted.length - 1, below + 1);
    return sorted[below]! + (position - below) * (sorted[above]! - sorted[below]!);
  };
  if (sorted.length === 0) return { mean: 0, low: 0, high: 0 };
  return { mean: sorted.reduce((sum, v) => sum + v, 0) / sorted.length, low: at(0.025), high: at(0.975) };
}
