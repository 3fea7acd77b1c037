import { TocsinError } from '../errors.ts';
import type { Text } from '../units.ts';
import { RECOGNISER_INPUT_INVALID } from './codes.ts';

/** One input row by feature name; null = not measured. */
export type Row = Readonly<Record<string, number | string | null>>;

/** What one input is, independent of any training data. */
export interface FeatureSpec {
  /** Field name in a row: `depthKm`. */
  readonly name: string;
  /** Shown after values; empty when the number has no unit. */
  readonly unit: string;
  readonly label: Text;
  /**
   * `category`: a column for each value; `ordinal`: values that have an order, as their position in `categories`;
   * `cycle`: a number that wraps at `period`, such as an hour of the day.
   */
  readonly kind: 'number' | 'category' | 'ordinal' | 'cycle';
  /**
   * For `number`: `quantile` replaces a value by the share of training values below it where columns are scaled, for
   * quantities whose distances mean little: depths from 0 to 600 km, positions that crowd in a few regions.
   * Trees see the value itself. @default 'none'
   */
  readonly transform?: 'none' | 'quantile';
  /** For `cycle`: the period, in the feature's unit. */
  readonly period?: number;
  /** For `category`: the values that get a column of their own; any other is `other`. For `ordinal`: lowest first. */
  readonly categories?: readonly string[];
}

/** How one feature becomes columns, learnt from the training rows and kept in the artefact. */
export interface FeatureEncoding {
  readonly spec: FeatureSpec;
  /** What stands in for a missing number or position: the training median. 0 for categories and cycles. */
  readonly impute: number;
  /** True when a further column says that the value was missing (it was, in some training row). */
  readonly indicator: boolean;
  /** Smallest and largest training value; 0 and 0 for categories and cycles. */
  readonly low: number;
  readonly high: number;
  /** Evenly spaced training quantiles for `transform: 'quantile'`; empty otherwise. */
  readonly knots: readonly number[];
  /** Index of the first column. */
  readonly firstColumn: number;
}

/**
 * The recorded path from a row to the numbers a recogniser sees. Training and serving both go through
 * `encodeRow`, so they cannot differ.
 */
export interface Preprocessing {
  readonly features: readonly FeatureEncoding[];
  /** Column names, for people: `depthKm`, `depthKm missing`, `magnitudeType=ml`, `localHour sin`. */
  readonly columns: readonly string[];
  /** Index into `features` for each column. */
  readonly featureOfColumn: readonly number[];
  /** Subtracted from each column; zeros when the kind needs no scaling. */
  readonly centre: readonly number[];
  /** Each column is divided by this; ones when the kind needs no scaling. */
  readonly scale: readonly number[];
}

export interface OutOfRange {
  readonly feature: string;
  readonly value: number | string | null;
  /** Bounds of the training inputs. */
  readonly low: number;
  readonly high: number;
}

/**
 * A value this far outside the training bounds, as a share of their width, still counts as inside: bounds of a
 * sample are narrower than those of the world it came from.
 */
export const RANGE_MARGIN = 0.1;

/** Learns imputation, bounds and, when `scaled`, mean and standard deviation from the training rows. */
export function fitPreprocessing(
  specs: readonly FeatureSpec[],
  rows: readonly Row[],
  options: { readonly scaled: boolean },
): Preprocessing {
  const features: FeatureEncoding[] = [];
  const columns: string[] = [];
  const featureOfColumn: number[] = [];
  for (const [index, spec] of specs.entries()) {
    const firstColumn = columns.length;
    const indicator = rows.some((row) => row[spec.name] === null);
    const add = (column: string): void => {
      columns.push(column);
      featureOfColumn.push(index);
    };
    let impute = 0;
    let low = 0;
    let high = 0;
    let knots: readonly number[] = [];
    if (spec.kind === 'category') {
      for (const category of spec.categories ?? []) add(`${spec.name}=${category}`);
      add(`${spec.name}=other`);
    } else if (spec.kind === 'cycle') {
      add(`${spec.name} sin`);
      add(`${spec.name} cos`);
    } else {
      const known = rows
        .map((row) => measuredOf(spec, row))
        .filter((value): value is number => value !== null);
      known.sort((a, b) => a - b);
      impute = known[Math.floor((known.length - 1) / 2)] ?? 0;
      low = known[0] ?? 0;
      high = known.at(-1) ?? 0;
      if (options.scaled && spec.transform === 'quantile') knots = quantiles(known);
      add(spec.name);
    }
    if (indicator) add(`${spec.name} missing`);
    features.push({ spec, impute, indicator, low, high, knots, firstColumn });
  }
  const plain: Preprocessing = {
    features,
    columns,
    featureOfColumn,
    centre: columns.map(() => 0),
    scale: columns.map(() => 1),
  };
  return options.scaled ? withScaling(plain, rows) : plain;
}

function withScaling(plain: Preprocessing, rows: readonly Row[]): Preprocessing {
  const encoded = rows.map((row) => encodeRow(plain, row));
  const centre = plain.columns.map((_, c) => encoded.reduce((sum, x) => sum + x[c]!, 0) / rows.length);
  const scale = plain.columns.map((_, c) => {
    const variance = encoded.reduce((sum, x) => sum + (x[c]! - centre[c]!) ** 2, 0) / rows.length;
    // A column that is constant in training says nothing: dividing by one leaves it at zero.
    return variance > 0 ? Math.sqrt(variance) : 1;
  });
  return { ...plain, centre, scale };
}

/**
 * One row as the numbers the recogniser sees: imputed, one-hot, scaled; length = `columns.length`.
 * Refuses a missing field, text in a number, NaN and infinities with RECOGNISER_INPUT_INVALID.
 */
export function encodeRow(preprocessing: Preprocessing, row: Row): Float64Array {
  const { features, centre, scale } = preprocessing;
  const out = new Float64Array(preprocessing.columns.length);
  for (const { spec, impute, indicator, knots, firstColumn } of features) {
    let width = 1;
    let missing: boolean;
    if (spec.kind === 'category') {
      const value = textOf(spec, row);
      const categories = spec.categories ?? [];
      width = categories.length + 1;
      missing = value === null;
      if (value !== null) {
        const at = categories.indexOf(value);
        out[firstColumn + (at < 0 ? categories.length : at)] = 1;
      }
    } else {
      const value = measuredOf(spec, row);
      missing = value === null;
      if (spec.kind === 'cycle') {
        width = 2;
        if (value !== null) {
          const angle = (2 * Math.PI * value) / (spec.period ?? 24);
          out[firstColumn] = Math.sin(angle);
          out[firstColumn + 1] = Math.cos(angle);
        }
      } else {
        const known = value ?? impute;
        out[firstColumn] = knots.length > 0 ? quantileOf(knots, known) : known;
      }
    }
    if (indicator) out[firstColumn + width] = missing ? 1 : 0;
  }
  for (let c = 0; c < out.length; c++) out[c] = (out[c]! - centre[c]!) / scale[c]!;
  return out;
}

const KNOTS = 101;

function quantiles(sorted: readonly number[]): number[] {
  const at = (share: number): number => sorted[Math.round(share * (sorted.length - 1))] ?? 0;
  return Array.from({ length: KNOTS }, (_, i) => at(i / (KNOTS - 1)));
}

/** 0..1; straight between knots, the middle where several knots are equal. */
function quantileOf(knots: readonly number[], value: number): number {
  let below = 0;
  while (below < knots.length && knots[below]! < value) below++;
  let above = below;
  while (above < knots.length && knots[above]! === value) above++;
  if (above > below) return (below + above - 1) / 2 / (knots.length - 1);
  if (below === 0) return 0;
  if (below === knots.length) return 1;
  const from = knots[below - 1]!;
  return (below - 1 + (value - from) / (knots[below]! - from)) / (knots.length - 1);
}

/** The inputs that lie outside what the recogniser was trained on, in the order of its features. */
export function outOfRange(preprocessing: Preprocessing, row: Row): OutOfRange[] {
  const found: OutOfRange[] = [];
  for (const { spec, indicator, low, high } of preprocessing.features) {
    const value = row[spec.name] ?? null;
    if (value === null) {
      if (!indicator) found.push({ feature: spec.name, value, low, high });
    } else if (spec.kind === 'number' && typeof value === 'number') {
      const margin = (high - low) * RANGE_MARGIN;
      if (value < low - margin || value > high + margin) found.push({ feature: spec.name, value, low, high });
    } else if (
      (spec.kind === 'category' || spec.kind === 'ordinal') &&
      !(spec.categories ?? []).includes(String(value))
    ) {
      found.push({ feature: spec.name, value, low, high });
    }
  }
  return found;
}

/** The number itself, or the position of an ordinal value; an unknown value has none. */
function measuredOf(spec: FeatureSpec, row: Row): number | null {
  if (spec.kind !== 'ordinal') return numberOf(spec, row);
  const value = textOf(spec, row);
  const position = value === null ? -1 : (spec.categories ?? []).indexOf(value);
  return position < 0 ? null : position;
}

function numberOf(spec: FeatureSpec, row: Row): number | null {
  const value = row[spec.name];
  if (value === null) return null;
  if (typeof value !== 'number' || !Number.isFinite(value)) {
    throw invalid(spec, value, 'a finite number or null');
  }
  return value;
}

function textOf(spec: FeatureSpec, row: Row): string | null {
  const value = row[spec.name];
  if (value === null) return null;
  if (typeof value !== 'string') throw invalid(spec, value, 'text or null');
  return value;
}

function invalid(spec: FeatureSpec, value: unknown, wanted: string): TocsinError {
  const shown = value === undefined ? 'nothing' : typeof value === 'string' ? `"${value}"` : String(value);
  return new TocsinError(RECOGNISER_INPUT_INVALID, `Input ${spec.name}: expected ${wanted}, got ${shown}.`, {
    details: { feature: spec.name, value: shown },
  });
}
