import { encodeRow, type FeatureEncoding, type Row } from './features.ts';
import { calibratedShares, decide, type Recogniser } from './recogniser.ts';

/** Mean and standard deviation of every column over the past rows; 1 where a column never varies. */
export function columnSpreads({ past, preprocessing }: Recogniser): {
  readonly centre: Float64Array;
  readonly deviation: Float64Array;
} {
  const columns = preprocessing.columns.length;
  const centre = new Float64Array(columns);
  const deviation = new Float64Array(columns).fill(1);
  const rows = past?.y.length ?? 0;
  // Scaled columns have mean 0 and deviation 1 over the training rows.
  if (past === undefined || rows === 0 || preprocessing.scale.some((scale) => scale !== 1)) {
    return { centre, deviation };
  }
  for (let c = 0; c < columns; c++) {
    let sum = 0;
    for (let r = 0; r < rows; r++) sum += past.x[r * columns + c]!;
    const mean = sum / rows;
    let squares = 0;
    for (let r = 0; r < rows; r++) squares += (past.x[r * columns + c]! - mean) ** 2;
    centre[c] = mean;
    if (squares > 0) deviation[c] = Math.sqrt(squares / rows);
  }
  return { centre, deviation };
}

export interface Neighbour {
  /** Place among the training rows, from 1. */
  readonly row: number;
  readonly label: string;
  /** Root mean square difference over the columns, in standard deviations. */
  readonly distance: number;
  readonly values: Row;
}

/** The past rows most like this one, nearest first; of equals the earlier one. Empty when none were kept. */
export function nearestPast(recogniser: Recogniser, row: Row, count = 3): Neighbour[] {
  const { past, preprocessing, classes } = recogniser;
  if (past === undefined) return [];
  const columns = preprocessing.columns.length;
  const { deviation } = columnSpreads(recogniser);
  const x = encodeRow(preprocessing, row);
  const distances = Array.from(past.y, (_, r) => {
    let sum = 0;
    for (let c = 0; c < columns; c++) sum += ((past.x[r * columns + c]! - x[c]!) / deviation[c]!) ** 2;
    return Math.sqrt(sum / columns);
  });
  return Array.from(distances.keys())
    .sort((a, b) => distances[a]! - distances[b]! || a - b)
    .slice(0, count)
    .map((r) => ({
      row: past.at[r]!,
      label: classes[past.y[r]!]!,
      distance: distances[r]!,
      values: pastRow(recogniser, r),
    }));
}

/** A past row in the words of its inputs. Quantile columns give their nearest knot, unlisted categories `other`. */
export function pastRow({ past, preprocessing }: Recogniser, r: number): Row {
  const columns = preprocessing.columns.length;
  const x = preprocessing.columns.map(
    (_, c) => past!.x[r * columns + c]! * preprocessing.scale[c]! + preprocessing.centre[c]!,
  );
  return Object.fromEntries(preprocessing.features.map((feature) => [feature.spec.name, decode(feature, x)]));
}

function decode(feature: FeatureEncoding, x: readonly number[]): number | string | null {
  const { spec, firstColumn, indicator, knots } = feature;
  const width = spec.kind === 'category' ? (spec.categories?.length ?? 0) + 1 : spec.kind === 'cycle' ? 2 : 1;
  if (indicator && x[firstColumn + width]! > 0.5) return null;
  const first = x[firstColumn]!;
  if (spec.kind === 'category') {
    const at = x.slice(firstColumn, firstColumn + width).findIndex((value) => value > 0.5);
    return at < 0 ? null : (spec.categories?.[at] ?? 'other');
  }
  if (spec.kind === 'ordinal') return spec.categories?.[Math.round(first)] ?? null;
  if (spec.kind === 'cycle') {
    const period = spec.period ?? 24;
    const turn = Math.atan2(first, x[firstColumn + 1]!) / (2 * Math.PI);
    return rounded(((turn + 1) % 1) * period);
  }
  return rounded(knots.length > 0 ? knots[Math.round(first * (knots.length - 1))]! : first);
}

/** Scaling and its way back differ in the last digits, which nobody measured. */
function rounded(value: number): number {
  return Number(value.toPrecision(12));
}

export interface Change {
  /** What would have to be otherwise, and to what. */
  readonly inputs: readonly {
    readonly feature: string;
    readonly from: number | string | null;
    readonly to: number | string | null;
  }[];
  readonly label: string;
  readonly probability: number;
  /** Sum over the inputs: numbers in standard deviations, categories as 1. */
  readonly distance: number;
}

const VALUES_TRIED = 33;
const CHANGES_SHOWN = 3;
const INPUTS_CHANGED_AT_MOST = 3;

/**
 * The smallest changes that would give another answer, to values that occurred in the past rows: single inputs where
 * one is enough, else up to three, found greedily. Empty when none was found. The same row gives the same changes.
 */
export function changesForAnother(recogniser: Recogniser, row: Row): Change[] {
  const { past, preprocessing, classes } = recogniser;
  if (past === undefined) return [];
  const rows = Array.from(past.y, (_, r) => pastRow(recogniser, r));
  const spreads = preprocessing.features.map(({ spec }) =>
    spreadOf(rows.map((one) => one[spec.name] ?? null)),
  );
  const candidates = preprocessing.features.map(({ spec }) =>
    valuesToTry(rows.map((one) => one[spec.name] ?? null)),
  );
  const answer = (changed: Row): { readonly k: number; readonly p: Float64Array } => {
    const p = calibratedShares(recogniser, encodeRow(preprocessing, changed));
    return { k: decide(p, recogniser.trainingShares, recogniser.decision), p };
  };
  const distance = (index: number, from: Row[string] | undefined, to: Row[string]): number =>
    typeof from === 'number' && typeof to === 'number' ? Math.abs(to - from) / spreads[index]! : 1;
  const own = answer(row).k;

  const singles: Change[] = [];
  for (const [index, { spec }] of preprocessing.features.entries()) {
    let best: Change | undefined;
    for (const to of candidates[index]!) {
      const from = row[spec.name] ?? null;
      const far = distance(index, from, to);
      if (to === from || (best !== undefined && far >= best.distance)) continue;
      const { k, p } = answer({ ...row, [spec.name]: to });
      if (k === own) continue;
      const inputs = [{ feature: spec.name, from, to }];
      best = { inputs, label: classes[k]!, probability: p[k]!, distance: far };
    }
    if (best !== undefined) singles.push(best);
  }
  if (singles.length > 0) return singles.sort((a, b) => a.distance - b.distance).slice(0, CHANGES_SHOWN);

  let changed = row;
  let far = 0;
  const inputs: { feature: string; from: Row[string]; to: Row[string] }[] = [];
  while (inputs.length < INPUTS_CHANGED_AT_MOST) {
    let best: { index: number; to: Row[string]; k: number; p: Float64Array } | undefined;
    for (const [index, { spec }] of preprocessing.features.entries()) {
      if (inputs.some(({ feature }) => feature === spec.name)) continue;
      for (const to of candidates[index]!) {
        const { k, p } = answer({ ...changed, [spec.name]: to });
        if (best === undefined || p[own]! < best.p[own]!) best = { index, to, k, p };
      }
    }
    if (best === undefined) return [];
    const feature = preprocessing.features[best.index]!.spec.name;
    const from = row[feature] ?? null;
    far += distance(best.index, from, best.to);
    inputs.push({ feature, from, to: best.to });
    changed = { ...changed, [feature]: best.to };
    if (best.k !== own) {
      return [{ inputs, label: classes[best.k]!, probability: best.p[best.k]!, distance: far }];
    }
  }
  return [];
}

function valuesToTry(values: readonly Row[string][]): Row[string][] {
  const numbers = values.filter((value) => typeof value === 'number').sort((a, b) => a - b);
  const others = new Set(values.filter((value) => typeof value === 'string'));
  const steps = Math.min(VALUES_TRIED, numbers.length);
  const chosen = Array.from(
    { length: steps },
    (_, i) => numbers[steps === 1 ? 0 : Math.round((i * (numbers.length - 1)) / (steps - 1))]!,
  );
  return [...new Set(chosen), ...[...others].sort()];
}

function spreadOf(values: readonly Row[string][]): number {
  const numbers = values.filter((value) => typeof value === 'number');
  const mean = numbers.reduce((sum, value) => sum + value, 0) / Math.max(1, numbers.length);
  const squares = numbers.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return Math.sqrt(squares / Math.max(1, numbers.length)) || 1;
}
