import { malformed, type Table } from './table.ts';

export interface CsvOptions {
  /** The file's name, for errors. @default '' */
  readonly source?: string;
  /** @default the one of `,` `;` and tab that occurs most often in the header, `,` when none does */
  readonly delimiter?: string;
  /** Line with the column names; lines before it are left out. @default 1 @minimum 1 */
  readonly headerLine?: number;
  /** Unquoted cells that mean that nothing was measured, beside the empty one. @default ['?'] */
  readonly missing?: readonly string[];
}

const BYTE_ORDER_MARK = 0xfeff;
const QUOTE = 0x22;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/**
 * Reads CSV as RFC 4180 describes it: a header, cells parted by one delimiter, quotes around cells that hold a
 * delimiter, a quote (doubled) or a line break. Strict about quotes: one inside an unquoted cell, text after a closing
 * one and one that is never closed are refused. Blanks around unquoted cells are not part of them; empty lines are no
 * rows; every row must have as many cells as the header.
 *
 * @throws TocsinError TABLE_MALFORMED with line and column
 *
 * @example
 * const table = parseCsv('time,gas\n2020-01-01,3.5\n', { source: 'gas.csv' });
 * numberColumn(table, 'gas'); // Float64Array [3.5]
 */
export function parseCsv(text: string, options: CsvOptions = {}): Table {
  const source = options.source ?? '';
  const missing = new Set(['', ...(options.missing ?? ['?'])]);
  const start = text.charCodeAt(0) === BYTE_ORDER_MARK ? 1 : 0;
  const headerLine = options.headerLine ?? 1;
  const headerAt = startOfLine(text, start, headerLine);
  if (headerAt < 0 || headerAt >= text.length) {
    throw malformed({ source, line: headerLine }, 'there is no header: the table is empty');
  }
  const delimiter = options.delimiter ?? mostLikelyDelimiter(text, headerAt);
  const reader = createReader(text, headerAt, headerLine, delimiter, source);

  const header = reader.next();
  if (header === null)
    throw malformed({ source, line: headerLine }, 'there is no header: the table is empty');
  const { names, unnamed } = nameColumns(
    header.cells.map(({ value }) => value.trim()),
    source,
    header.line,
  );
  reader.nameColumns(names);

  const cells: (string | null)[][] = names.map(() => []);
  const lines: number[] = [];
  for (let row = reader.next(); row !== null; row = reader.next()) {
    if (row.cells.length !== names.length) {
      throw malformed(
        { source, line: row.line },
        `${row.cells.length} cells in a table of ${names.length} columns`,
        { cells: row.cells.length, columns: names.length },
      );
    }
    for (const [c, { value, quoted }] of row.cells.entries()) {
      const cell = quoted ? value : value.trim();
      cells[c]!.push(missing.has(cell) && !(quoted && cell !== '') ? null : cell);
    }
    lines.push(row.line);
  }
  return {
    source,
    columns: names,
    unnamed,
    rows: lines.length,
    cells,
    lines: Int32Array.from(lines),
    declared: names.map(() => null),
  };
}

interface Cell {
  readonly value: string;
  readonly quoted: boolean;
}

interface Reader {
  /** The next row that is not an empty line; null at the end. */
  next(): { readonly cells: readonly Cell[]; readonly line: number } | null;
  /** From now on errors name columns instead of numbering them. */
  nameColumns(names: readonly string[]): void;
}

function createReader(
  text: string,
  from: number,
  firstLine: number,
  delimiter: string,
  source: string,
): Reader {
  const part = delimiter.charCodeAt(0);
  let at = from;
  let line = firstLine;
  let names: readonly string[] = [];
  const column = (index: number): string | number => names[index] ?? index + 1;

  const quotedCell = (index: number): Cell => {
    const openedOn = line;
    let value = '';
    at++;
    for (;;) {
      const close = text.indexOf('"', at);
      if (close < 0) {
        throw malformed({ source, line: openedOn, column: column(index) }, 'the quote is never closed');
      }
      for (let i = text.indexOf('\n', at); i >= 0 && i < close; i = text.indexOf('\n', i + 1)) line++;
      value += text.slice(at, close);
      at = close + 1;
      if (text.charCodeAt(at) !== QUOTE) break;
      value += '"';
      at++;
    }
    // Blanks between the closing quote and the delimiter belong to nobody.
    while (text[at] === ' ' && part !== 0x20) at++;
    const code = text.charCodeAt(at);
    if (at < text.length && code !== part && code !== LINE_FEED && code !== CARRIAGE_RETURN) {
      throw malformed(
        { source, line: openedOn, column: column(index) },
        `the closing quote${line === openedOn ? '' : ` (on line ${line})`} is followed by "${text[at]!}"`,
      );
    }
    return { value, quoted: true };
  };

  const plainCell = (index: number): Cell => {
    const begin = at;
    for (; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code === part || code === LINE_FEED || code === CARRIAGE_RETURN) break;
      if (code !== QUOTE) continue;
      // Blanks before an opening quote belong to nobody.
      if (text.slice(begin, at).trim() === '') return quotedCell(index);
      throw malformed(
        { source, line, column: column(index) },
        'a quote stands inside a cell that does not begin with one',
      );
    }
    return { value: text.slice(begin, at), quoted: false };
  };

  return {
    next() {
      while (at < text.length) {
        const beganOn = line;
        const cells: Cell[] = [];
        for (;;) {
          cells.push(text.charCodeAt(at) === QUOTE ? quotedCell(cells.length) : plainCell(cells.length));
          if (at >= text.length || text.charCodeAt(at) !== part) break;
          at++;
        }
        if (text.charCodeAt(at) === CARRIAGE_RETURN) at++;
        if (text.charCodeAt(at) === LINE_FEED) at++;
        line++;
        const blank = cells.length === 1 && !cells[0]!.quoted && cells[0]!.value.trim() === '';
        if (!blank) return { cells, line: beganOn };
      }
      return null;
    },
    nameColumns(given) {
      names = given;
    },
  };
}

/** Index of the first character of a line, counted from 1; -1 when the text has fewer. */
function startOfLine(text: string, from: number, line: number): number {
  let at = from;
  for (let n = 1; n < line; n++) {
    const end = text.indexOf('\n', at);
    if (end < 0) return -1;
    at = end + 1;
  }
  return at;
}

function mostLikelyDelimiter(text: string, from: number): string {
  const end = text.indexOf('\n', from);
  const header = text.slice(from, end < 0 ? text.length : end).replaceAll(/"[^"]*"/g, '');
  const candidates = [',', ';', '\t'];
  const counts = candidates.map((candidate) => header.split(candidate).length);
  return candidates[counts.indexOf(Math.max(...counts))]!;
}

/** A column without a name gets its number; two columns of one name are refused. */
export function nameColumns(
  given: readonly string[],
  source: string,
  line: number,
): { readonly names: string[]; readonly unnamed: string[] } {
  const unnamed: string[] = [];
  const names = given.map((name, index) => {
    if (name !== '') return name;
    unnamed.push(`column ${index + 1}`);
    return `column ${index + 1}`;
  });
  for (const [index, name] of names.entries()) {
    if (names.indexOf(name) !== index) {
      throw malformed(
        { source, line, column: index + 1 },
        `column ${names.indexOf(name) + 1} is called "${name}" already`,
        { name },
      );
    }
  }
  return { names, unnamed };
}
