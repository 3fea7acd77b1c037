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
export function pastRow(recogniser: Recogniser, r: number): Row {
  const { features } = recogniser.preprocessing;
  return Object.fromEntries(features.map((feature) => [feature.spec.name, decode(recogniser, feature, r)]));
}

function decode(
  { past, preprocessing }: Recogniser,
  { spec, firstColumn, indicator, knots }: FeatureEncoding,
  r: number,
): number | string | null {
  const { columns, scale, centre } = preprocessing;
  const x = (c: number): number => past!.x[r * columns.length + c]! * scale[c]! + centre[c]!;
  const listed = spec.categories ?? [];
  const width = spec.kind === 'category' ? listed.length + 1 : spec.kind === 'cycle' ? 2 : 1;
  if (indicator && x(firstColumn + width) > 0.5) return null;
  const first = x(firstColumn);
  if (spec.kind === 'category') {
    for (let k = 0; k < width; k++) if (x(firstColumn + k) > 0.5) return listed[k] ?? 'other';
    return null;
  }
  if (spec.kind === 'ordinal') return listed[Math.round(first)] ?? null;
  if (spec.kind === 'cycle') {
    const turn = Math.atan2(first, x(firstColumn + 1)) / (2 * Math.PI);
    return rounded(((turn + 1) % 1) * (spec.period ?? 24));
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

const CHANGES_SHOWN = 3;

export interface SearchOptions {
  /** Values tried of each number, evenly spaced over the past rows. @default 33 */
  readonly values?: number;
  /** @default 3 */
  readonly inputsAtMost?: number;
}

interface Try {
  readonly index: number;
  readonly to: Row[string];
  readonly k: number;
  readonly p: Float64Array;
}

/**
 * The smallest changes that would give another answer, to values that occurred in the past rows: single inputs where
 * one is enough, else several, found greedily. Empty when none was found. The same row gives the same changes.
 */
export function changesForAnother(recogniser: Recogniser, row: Row, options: SearchOptions = {}): Change[] {
  const { past, preprocessing, classes, trainingShares, decision } = recogniser;
  const { values = 33, inputsAtMost = 3 } = options;
  if (past === undefined) return [];
  const pastValues = columnsOfPast(recogniser, values);
  const spreads = pastValues.map(spreadOf);
  const candidates = pastValues.map((own) => valuesToTry(own, values));
  const answer = (changed: Row): { readonly k: number; readonly p: Float64Array } => {
    const p = calibratedShares(recogniser, encodeRow(preprocessing, changed));
    return { k: decide(p, trainingShares, decision), p };
  };
  const distance = (index: number, to: Row[string]): number => {
    const from = row[preprocessing.features[index]!.spec.name] ?? null;
    return typeof from === 'number' && typeof to === 'number' ? Math.abs(to - from) / spreads[index]! : 1;
  };
  const own = answer(row).k;
  const changeOf = (tries: readonly Try[]): Change => {
    const { k, p } = tries.at(-1)!;
    return {
      inputs: tries.map(({ index, to }) => {
        const feature = preprocessing.features[index]!.spec.name;
        return { feature, from: row[feature] ?? null, to };
      }),
      label: classes[k]!,
      probability: p[k]!,
      distance: tries.reduce((sum, { index, to }) => sum + distance(index, to), 0),
    };
  };

  const made: Try[] = [];
  let changed = row;
  while (made.length < inputsAtMost) {
    const flips: Change[] = [];
    let weakest: Try | undefined;
    for (const [index, { spec }] of preprocessing.features.entries()) {
      if (made.some((one) => one.index === index)) continue;
      let nearest: Try | undefined;
      for (const to of candidates[index]!) {
        if (to === (row[spec.name] ?? null)) continue;
        const tried = { index, to, ...answer({ ...changed, [spec.name]: to }) };
        if (weakest === undefined || tried.p[own]! < weakest.p[own]!) weakest = tried;
        if (tried.k === own) continue;
        if (nearest === undefined || distance(index, to) < distance(index, nearest.to)) nearest = tried;
      }
      if (nearest !== undefined) flips.push(changeOf([...made, nearest]));
    }
    if (flips.length > 0) return flips.sort((a, b) => a.distance - b.distance).slice(0, CHANGES_SHOWN);
    if (weakest === undefined) return [];
    made.push(weakest);
    changed = { ...changed, [preprocessing.features[weakest.index]!.spec.name]: weakest.to };
  }
  return [];
}

/** Past rows looked at for every value that is to be tried. */
const ROWS_PER_VALUE = 16;

/** Values of each input over evenly spaced past rows. */
function columnsOfPast(recogniser: Recogniser, values: number): Row[string][][] {
  const count = recogniser.past!.y.length;
  const kept = Math.min(count, values * ROWS_PER_VALUE);
  const rows = Array.from({ length: kept }, (_, i) => Math.floor((i * count) / kept));
  return recogniser.preprocessing.features.map((feature) => rows.map((r) => decode(recogniser, feature, r)));
}

function valuesToTry(values: readonly Row[string][], count: number): Row[string][] {
  const numbers = values.filter((value) => typeof value === 'number').sort((a, b) => a - b);
  const others = new Set(values.filter((value) => typeof value === 'string'));
  const steps = Math.min(count, numbers.length);
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
