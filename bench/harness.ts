import { readFileSync } from 'node:fs';

/** One line of a benchmark: our figure, the reference's, and their ratio, all from the same run. */
export interface Figure {
  readonly id: string;
  /** Median of ours, in `unit`. */
  readonly ours: number;
  /** Median of the reference, in `unit`. */
  readonly reference: number;
  /** How many times better we are: above 1 is better, whichever way `better` points. */
  readonly ratio: number;
  /** Smallest and largest ratio of the repetitions. */
  readonly min: number;
  readonly max: number;
  /** Repetitions. */
  readonly n: number;
  readonly unit: string;
  readonly better: 'lower' | 'higher';
  /** The ratio that must hold. */
  readonly floor: number;
  /** The ratio we are after. */
  readonly goal: number;
}

export interface Comparison extends Pick<Figure, 'id' | 'unit' | 'better' | 'floor' | 'goal'> {
  /** @default 5 @minimum 5 */
  readonly repetitions?: number;
  /** Measures once and answers in `unit`. */
  readonly ours: () => number | Promise<number>;
  readonly reference: () => number | Promise<number>;
}

/** A ratio taken while more than this share of the CPU was stolen by other machines says nothing. */
const STEAL_LIMIT = 0.05;

/**
 * Runs reference and ours alternately, after one unmeasured round of each, and prints the figure as one JSON line on
 * standard output. Throws when CPU steal makes the run void.
 */
export async function compare(comparison: Comparison): Promise<Figure> {
  const { id, unit, better, floor, goal } = comparison;
  const repetitions = Math.max(5, comparison.repetitions ?? 5);
  await comparison.reference();
  await comparison.ours();
  const before = cpuTimes();
  const ours: number[] = [];
  const reference: number[] = [];
  for (let i = 0; i < repetitions; i++) {
    reference.push(await comparison.reference());
    ours.push(await comparison.ours());
  }
  const after = cpuTimes();
  const stolen = (after.steal - before.steal) / Math.max(1, after.total - before.total);
  if (stolen > STEAL_LIMIT) {
    throw new Error(
      `${id}: void, ${(stolen * 100).toFixed(1)} % of the CPU was stolen during the run; run it again.`,
    );
  }
  const ratioOf = (own: number, other: number): number => (better === 'lower' ? other / own : own / other);
  const ratios = ours.map((own, i) => ratioOf(own, reference[i]!));
  const figure: Figure = {
    id,
    ours: rounded(median(ours)),
    reference: rounded(median(reference)),
    ratio: rounded(median(ratios)),
    min: rounded(Math.min(...ratios)),
    max: rounded(Math.max(...ratios)),
    n: repetitions,
    unit,
    better,
    floor,
    goal,
  };
  print(figure);
  return figure;
}

/** A figure that was not taken by alternation: a quality, a size. */
export function report(figure: Omit<Figure, 'ratio' | 'min' | 'max' | 'n'> & Partial<Figure>): Figure {
  const { ours, reference, better } = figure;
  const ratio = figure.ratio ?? (better === 'lower' ? reference / ours : ours / reference);
  const whole: Figure = {
    id: figure.id,
    ours: rounded(ours),
    reference: rounded(reference),
    ratio: rounded(ratio),
    min: rounded(figure.min ?? ratio),
    max: rounded(figure.max ?? ratio),
    n: figure.n ?? 1,
    unit: figure.unit,
    better,
    floor: figure.floor,
    goal: figure.goal,
  };
  print(whole);
  return whole;
}

/** Says that a figure could not be taken and why; a stored number never stands in. */
export function skip(id: string, reason: string): void {
  print({ id, skipped: reason });
}

/** Milliseconds that `work` took. */
export function timed(work: () => void): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function rounded(value: number): number {
  return Number(value.toPrecision(4));
}

function print(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

/** CPU time of the machine in ticks; zeros where the system does not tell. */
function cpuTimes(): { readonly steal: number; readonly total: number } {
  try {
    const ticks = readFileSync('/proc/stat', 'utf8').split('\n')[0]!.trim().split(/\s+/).slice(1).map(Number);
    return { steal: ticks[7] ?? 0, total: ticks.reduce((sum, n) => sum + n, 0) };
  } catch {
    return { steal: 0, total: 0 };
  }
}
