import { TocsinError } from '../errors.ts';
import {
  columnIndex,
  columnKind,
  isDecimal,
  malformed,
  numberColumn,
  textColumn,
  type Table,
} from '../table/table.ts';
import { RECOGNISER_INPUT_INVALID, TRAINING_DATA_INVALID } from './codes.ts';
import type { FeatureSpec, Row } from './features.ts';
import type { Recogniser } from './recogniser.ts';

export interface TableChoice {
  /** Column with the label of each row. */
  readonly target: string;
  /** Columns to learn from. @default every other column that can teach; those left out are listed with the reason */
  readonly features?: readonly string[];
  /** Columns whose cells are names, even where they look like numbers. @default none beside columns of text */
  readonly categories?: readonly string[];
  /** Columns whose values have an order, lowest first. @default none */
  readonly ordinals?: Readonly<Record<string, readonly string[]>>;
  /**
   * `quantile`: where columns are scaled, numbers with a long tail (skewness beyond 2) enter as the share of training
   * values below them, so that a few huge ones do not drown the rest. @default 'plain'
   */
  readonly skewed?: 'plain' | 'quantile';
}

/** A table as something to learn from. */
export interface LabelledTable {
  readonly features: readonly FeatureSpec[];
  readonly leftOut: readonly { readonly column: string; readonly reason: string }[];
  readonly classes: readonly string[];
  readonly rows: readonly Row[];
  readonly labels: readonly string[];
}

/** A column of text with more values than this names its rows rather than telling about them. */
const CATEGORIES_AT_MOST = 50;

/**
 * Chooses inputs and labels from a table. Numbers stay numbers; text becomes a category with a column for every value.
 * Without `features`, a column that cannot teach is left out and named with the reason: no name, nothing measured, the
 * same value in every row, or more than 50 different texts. The same column named in `features` is refused instead.
 *
 * @throws TocsinError TABLE_MALFORMED, TABLE_COLUMN_UNKNOWN or TRAINING_DATA_INVALID with file, line and column
 */
export function labelTable(table: Table, choice: TableChoice): LabelledTable {
  const labels = labelsOf(table, choice.target);
  const classes = [...new Set(labels)].sort(byName);
  refuseUntrainable(table, choice.target, labels, classes);
  const declaredCategories = [...(choice.categories ?? []), ...Object.keys(choice.ordinals ?? {})];
  for (const name of declaredCategories) columnIndex(table, name);

  const features: FeatureSpec[] = [];
  const leftOut: { column: string; reason: string }[] = [];
  for (const name of choice.features ?? table.columns) {
    if (name === choice.target) {
      if (choice.features === undefined) continue;
      throw unfit(table, name, 'the target cannot be one of the features');
    }
    const spec = specOf(table, name, choice);
    if (typeof spec !== 'string') features.push(spec);
    else if (choice.features === undefined) leftOut.push({ column: name, reason: spec });
    else throw unfit(table, name, spec);
  }
  if (features.length === 0) {
    throw unfit(table, undefined, 'no column is left to learn from', { leftOut });
  }
  return { features, leftOut, classes, rows: rowsFor(table, features), labels };
}

/** The feature a column becomes, or why it cannot be one. */
function specOf(table: Table, name: string, choice: TableChoice): FeatureSpec | string {
  const index = columnIndex(table, name);
  if (table.unnamed.includes(name) && choice.features === undefined) return 'it has no name';
  const common = { name, unit: '', label: { en: name, zh: name } };
  const order = choice.ordinals?.[name];
  if (order !== undefined) {
    refuseUnlisted(table, name, order);
    return { ...common, kind: 'ordinal', categories: order };
  }
  const asCategory = choice.categories?.includes(name) === true;
  const kind = asCategory ? 'text' : columnKind(table, name);
  if (kind === 'empty') return 'nothing was measured in it';
  const cells = textColumn(table, name);
  const different = [...new Set(cells.filter((cell) => cell !== null))];
  if (different.length === 0) return 'nothing was measured in it';
  if (kind === 'number') {
    const values = numberColumn(table, name);
    const known = values.filter((value) => !Number.isNaN(value));
    if (known.length === values.length && known.every((value) => value === known[0])) {
      return `it is ${cells[0]} in every row`;
    }
    const isSkewed = choice.skewed === 'quantile' && Math.abs(skewness(known)) > SKEWED;
    return { ...common, kind: 'number', ...(isSkewed ? { transform: 'quantile' as const } : {}) };
  }
  if (different.length === 1 && !cells.includes(null)) return `it is "${different[0]}" in every row`;
  if (different.length > CATEGORIES_AT_MOST && !asCategory) {
    return `it has ${different.length} different texts, more than ${CATEGORIES_AT_MOST}`;
  }
  const declared = table.declared[index];
  const categories = declared?.kind === 'category' && !asCategory ? declared.values : different.sort(byName);
  return { ...common, kind: 'category', categories };
}

const SKEWED = 2;

function skewness(values: Float64Array): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const moment = (power: number): number =>
    values.reduce((sum, value) => sum + (value - mean) ** power, 0) / values.length;
  const variance = moment(2);
  return variance > 0 ? moment(3) / variance ** 1.5 : 0;
}

function refuseUnlisted(table: Table, name: string, order: readonly string[]): void {
  for (const [row, cell] of textColumn(table, name).entries()) {
    if (cell === null || order.includes(cell)) continue;
    throw malformed(
      { source: table.source, line: table.lines[row]!, column: name },
      `"${cell}" is none of the declared values ${order.join(' < ')}`,
      { value: cell },
    );
  }
}

/** The labels of every row. @throws TocsinError TABLE_MALFORMED at a row without one */
export function labelsOf(table: Table, target: string): string[] {
  return textColumn(table, target).map((cell, row) => {
    if (cell !== null) return cell;
    throw malformed(
      { source: table.source, line: table.lines[row]!, column: target },
      'the label is missing',
    );
  });
}

function refuseUntrainable(
  table: Table,
  target: string,
  labels: readonly string[],
  classes: readonly string[],
): void {
  if (labels.length === 0) throw unfit(table, target, 'there are no rows');
  if (classes.length === 1) {
    throw unfit(table, target, `all ${labels.length} rows are "${classes[0]}"; two classes are needed`);
  }
  const counts = new Map<string, number>();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  if (classes.length > 255 || 2 * classes.length > labels.length) {
    throw unfit(
      table,
      target,
      `${classes.length} different labels in ${labels.length} rows are too many: every class needs two rows, and there are at most 255 classes`,
      { classes: classes.length, rows: labels.length },
    );
  }
  for (const [row, label] of labels.entries()) {
    if (counts.get(label)! > 1) continue;
    throw new TocsinError(
      TRAINING_DATA_INVALID,
      `${at(table)}line ${table.lines[row]}, column ${target}: "${label}" occurs once; every class needs two rows.`,
      { details: { file: table.source, line: table.lines[row]!, column: target, label } },
    );
  }
}

/** Rows by feature name, as `predict` takes them. @throws TocsinError TABLE_MALFORMED for text in a number */
function rowsFor(table: Table, features: readonly FeatureSpec[]): Row[] {
  const columns = features.map(({ name, kind }) => ({
    name,
    cells:
      kind === 'number' || kind === 'cycle'
        ? Array.from(numberColumn(table, name), (value) => (Number.isNaN(value) ? null : value))
        : textColumn(table, name),
  }));
  return Array.from({ length: table.rows }, (_, r) =>
    Object.fromEntries(columns.map(({ name, cells }) => [name, cells[r]!])),
  );
}

/**
 * The rows of a table for a trained recogniser: exactly its inputs. Its target and the columns left out in training
 * may stand in the table; a column that training never saw is refused, unless `allowUnknown`.
 *
 * @throws TocsinError RECOGNISER_INPUT_INVALID for a missing or an unknown column, TABLE_MALFORMED for a bad cell
 */
export function rowsForRecogniser(
  table: Table,
  recogniser: Recogniser,
  options: { readonly target?: string; readonly allowUnknown?: boolean } = {},
): Row[] {
  const specs = recogniser.preprocessing.features.map(({ spec }) => spec);
  const refuse = (column: string, problem: string): never => {
    throw new TocsinError(RECOGNISER_INPUT_INVALID, `${at(table)}${problem}.`, {
      details: { file: table.source, column, known: specs.map(({ name }) => name) },
    });
  };
  for (const { name } of specs) {
    if (!table.columns.includes(name)) {
      refuse(name, `there is no column "${name}", which recogniser ${recogniser.name} was trained on`);
    }
  }
  const passed = new Set([
    ...specs.map(({ name }) => name),
    ...(recogniser.table?.leftOut ?? []),
    ...(recogniser.table === undefined ? [] : [recogniser.table.target]),
    ...(options.target === undefined ? [] : [options.target]),
  ]);
  for (const name of options.allowUnknown === true ? [] : table.columns) {
    if (!passed.has(name)) refuse(name, `column "${name}" is unknown to recogniser ${recogniser.name}`);
  }
  return rowsFor(table, specs);
}

function at(table: Table): string {
  return table.source === '' ? '' : `${table.source}, `;
}

function unfit(
  table: Table,
  column: string | undefined,
  problem: string,
  more: Record<string, unknown> = {},
): TocsinError {
  return new TocsinError(
    TRAINING_DATA_INVALID,
    `${at(table)}${column === undefined ? '' : `column ${column}: `}${problem}.`,
    { details: { file: table.source, line: table.lines[0] ?? 1, column: column ?? null, ...more } },
  );
}

/** Numbers by size, then names by their characters. */
function byName(a: string, b: string): number {
  if (isDecimal(a) !== isDecimal(b)) return isDecimal(a) ? -1 : 1;
  return (isDecimal(a) ? Number(a) - Number(b) : 0) || (a < b ? -1 : a > b ? 1 : 0);
}
