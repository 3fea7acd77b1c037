import { TocsinError } from '../errors.ts';

/** The table cannot be read as what it says it is; details carry source, line and column. */
const TABLE_MALFORMED = 'TABLE_MALFORMED';
/** There is no column of this name; details carry source, column and the known ones. */
const TABLE_COLUMN_UNKNOWN = 'TABLE_COLUMN_UNKNOWN';

/** Cells as they stand in a file, by column, with the line on which each row begins. */
export interface Table {
  /** The file's name as errors show it; empty when the text came from elsewhere. */
  readonly source: string;
  /** Unique names. A column without a name in the file is `column N`. */
  readonly columns: readonly string[];
  /** Names of columns that have none in the file. */
  readonly unnamed: readonly string[];
  readonly rows: number;
  /** `cells[column][row]`; null where nothing was measured. */
  readonly cells: readonly (readonly (string | null)[])[];
  /** Line of each row in the file, from 1. */
  readonly lines: Int32Array;
  /** What the file itself says a column is (ARFF); null when it says nothing (CSV). */
  readonly declared: readonly (DeclaredColumn | null)[];
}

export type DeclaredColumn =
  { readonly kind: 'number' | 'text' } | { readonly kind: 'category'; readonly values: readonly string[] };

export interface Place {
  readonly source: string;
  /** From 1. */
  readonly line?: number;
  /** The column's name, or its number from 1 where there is no name. */
  readonly column?: string | number;
}

export function malformed(place: Place, problem: string, more: Record<string, unknown> = {}): TocsinError {
  const { source, line, column } = place;
  const parts = [
    ...(source === '' ? [] : [source]),
    ...(line === undefined ? [] : [`line ${line}`]),
    ...(column === undefined ? [] : [`column ${column}`]),
  ];
  return new TocsinError(TABLE_MALFORMED, `${parts.length > 0 ? `${parts.join(', ')}: ` : ''}${problem}.`, {
    details: { file: source, line: line ?? null, column: column ?? null, ...more },
  });
}

/** Index of a column. @throws TocsinError TABLE_COLUMN_UNKNOWN */
export function columnIndex(table: Table, name: string): number {
  const index = table.columns.indexOf(name);
  if (index < 0) {
    throw new TocsinError(
      TABLE_COLUMN_UNKNOWN,
      `${table.source === '' ? 'The table' : table.source} has no column "${name}". It has: ${table.columns.join(', ')}.`,
      { details: { file: table.source, column: name, known: table.columns } },
    );
  }
  return index;
}

const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const NOT_FINITE = /^[+-]?(?:nan|inf(?:inity)?)$/i;

/** A decimal number as files write it: `1`, `-0.5`, `6.02e23`. No hexadecimal, no thousands separators. */
export function isDecimal(cell: string): boolean {
  return DECIMAL.test(cell);
}

/**
 * A column as numbers; NaN where nothing was measured.
 *
 * @throws TocsinError TABLE_MALFORMED with line and column for text, NaN, an infinity or a number too large to hold
 */
export function numberColumn(table: Table, name: string): Float64Array {
  const cells = table.cells[columnIndex(table, name)]!;
  return Float64Array.from(cells, (cell, row) =>
    cell === null ? Number.NaN : finite(table, name, row, cell),
  );
}

function finite(table: Table, name: string, row: number, cell: string): number {
  const value = isDecimal(cell) ? Number(cell) : Number.NaN;
  if (Number.isFinite(value)) return value;
  const place = { source: table.source, line: table.lines[row]!, column: name };
  throw NOT_FINITE.test(cell) || isDecimal(cell)
    ? malformed(place, `"${cell}" is not a finite number`, { value: cell })
    : malformed(place, `expected a number, got "${cell}"`, { value: cell });
}

/** A column as text; null where nothing was measured. */
export function textColumn(table: Table, name: string): readonly (string | null)[] {
  return table.cells[columnIndex(table, name)]!;
}

/**
 * What a column holds: numbers when every cell is one, text when none is. Numbers mixed with text are refused, with
 * the first cell of the rarer sort: a slip of the pen and a category named `3` look alike, so a person must say which.
 *
 * @throws TocsinError TABLE_MALFORMED with line and column
 */
export function columnKind(table: Table, name: string): 'number' | 'text' | 'empty' {
  const index = columnIndex(table, name);
  const declared = table.declared[index] ?? null;
  if (declared !== null) return declared.kind === 'number' ? 'number' : 'text';
  let numbers = 0;
  let texts = 0;
  let firstNumber = -1;
  let firstText = -1;
  for (const [row, cell] of table.cells[index]!.entries()) {
    if (cell === null) continue;
    if (isDecimal(cell) || NOT_FINITE.test(cell)) {
      if (numbers++ === 0) firstNumber = row;
    } else if (texts++ === 0) firstText = row;
  }
  if (numbers > 0 && texts > 0) {
    const odd = texts <= numbers ? firstText : firstNumber;
    const cell = table.cells[index]![odd]!;
    throw malformed(
      { source: table.source, line: table.lines[odd]!, column: name },
      texts <= numbers
        ? `text "${cell}" in a column of numbers (${texts} of ${numbers + texts} cells)`
        : `number ${cell} in a column of text (${numbers} of ${numbers + texts} cells)`,
      { value: cell, numbers, texts },
    );
  }
  return texts > 0 ? 'text' : numbers > 0 ? 'number' : 'empty';
}
