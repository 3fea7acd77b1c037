import { nameColumns } from './csv.ts';
import { malformed, type DeclaredColumn, type Table } from './table.ts';

export interface ArffOptions {
  /** The file's name, for errors. @default '' */
  readonly source?: string;
  /** Unquoted cells that mean that nothing was measured. @default ['?'] */
  readonly missing?: readonly string[];
}

/**
 * Reads the attribute-relation format (ARFF): `@relation`, `@attribute` with a number type, `string`, `date` or the
 * list of its values, then `@data` with one row a line; `%` begins a comment line. Sparse rows (`{1 5, 3 7}`) and
 * relational attributes are refused. A value that its attribute does not list is refused too.
 *
 * @throws TocsinError TABLE_MALFORMED with line and column
 */
export function parseArff(text: string, options: ArffOptions = {}): Table {
  const source = options.source ?? '';
  const missing = new Set(options.missing ?? ['?']);
  const all = text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/);
  const given: string[] = [];
  const declared: DeclaredColumn[] = [];
  let dataAt = -1;
  for (const [index, raw] of all.entries()) {
    const content = raw.trim();
    const line = index + 1;
    if (content === '' || content.startsWith('%')) continue;
    const keyword = /^@\w+/.exec(content)?.[0].toLowerCase();
    if (keyword === '@data') {
      dataAt = index + 1;
      break;
    }
    if (keyword === '@relation') continue;
    if (keyword !== '@attribute') {
      throw malformed({ source, line }, `expected @attribute or @data, got "${content.slice(0, 40)}"`);
    }
    const { name, kind } = parseAttribute(content, source, line);
    given.push(name);
    declared.push(kind);
  }
  if (given.length === 0) throw malformed({ source }, 'there is no @attribute');
  if (dataAt < 0) throw malformed({ source, line: all.length }, 'there is no @data');
  const { names, unnamed } = nameColumns(given, source, 1);
  const listed = declared.map((column) => (column.kind === 'category' ? new Set(column.values) : null));

  const cells: (string | null)[][] = names.map(() => []);
  const lines: number[] = [];
  for (let index = dataAt; index < all.length; index++) {
    const content = all[index]!.trim();
    const line = index + 1;
    if (content === '' || content.startsWith('%')) continue;
    if (content.startsWith('{')) throw malformed({ source, line }, 'sparse rows are not read');
    const row = splitCells(content, { source, line, columns: names });
    if (row.length !== names.length) {
      throw malformed({ source, line }, `${row.length} cells in a table of ${names.length} columns`, {
        cells: row.length,
        columns: names.length,
      });
    }
    for (const [c, { value, quoted }] of row.entries()) {
      const cell = !quoted && missing.has(value) ? null : value;
      const allowed = listed[c] ?? null;
      if (cell !== null && allowed !== null && !allowed.has(cell)) {
        throw malformed(
          { source, line, column: names[c]! },
          `"${cell}" is none of the listed values ${[...allowed].join(', ')}`,
          { value: cell },
        );
      }
      cells[c]!.push(cell);
    }
    lines.push(line);
  }
  return {
    source,
    columns: names,
    unnamed,
    rows: lines.length,
    cells,
    lines: Int32Array.from(lines),
    declared,
  };
}

const NUMBER_TYPES: readonly string[] = ['numeric', 'real', 'integer'];

function parseAttribute(
  content: string,
  source: string,
  line: number,
): { readonly name: string; readonly kind: DeclaredColumn } {
  const rest = content.slice('@attribute'.length).trim();
  const found = /^'((?:[^'\\]|\\.)*)'|^"((?:[^"\\]|\\.)*)"|^(\S+?)(?=[\s{])/.exec(rest);
  const name = (found?.[1] ?? found?.[2] ?? found?.[3])?.replaceAll(/\\(.)/g, '$1');
  if (found === null || name === undefined)
    throw malformed({ source, line }, 'an attribute has no name or no type');
  const type = rest.slice(found[0].length).trim();
  if (type.startsWith('{')) {
    if (!type.endsWith('}'))
      throw malformed({ source, line, column: name }, 'the list of values is not closed');
    const values = splitCells(type.slice(1, -1).trim(), { source, line, columns: [] }).map(
      (cell) => cell.value,
    );
    return { name, kind: { kind: 'category', values } };
  }
  const word = type.split(/\s/)[0]!.toLowerCase();
  if (NUMBER_TYPES.includes(word)) return { name, kind: { kind: 'number' } };
  if (word === 'string' || word === 'date') return { name, kind: { kind: 'text' } };
  throw malformed({ source, line, column: name }, `attributes of type "${type}" are not read`);
}

interface CellPlace {
  readonly source: string;
  readonly line: number;
  readonly columns: readonly string[];
}

/** Cells of one line; single or double quotes around a cell, a backslash before a quote inside it. */
function splitCells(content: string, place: CellPlace): { value: string; quoted: boolean }[] {
  const cells: { value: string; quoted: boolean }[] = [];
  const refuse = (problem: string): never => {
    const column = place.columns[cells.length] ?? cells.length + 1;
    throw malformed({ source: place.source, line: place.line, column }, problem);
  };
  let at = 0;
  for (;;) {
    while (content[at] === ' ' || content[at] === '\t') at++;
    const mark = content[at];
    if (mark === "'" || mark === '"') {
      let value = '';
      for (at++; at < content.length && content[at] !== mark; at++) {
        if (content[at] === '\\') at++;
        value += content[at] ?? '';
      }
      if (at >= content.length) refuse('the quote is never closed');
      at++;
      while (content[at] === ' ' || content[at] === '\t') at++;
      if (at < content.length && content[at] !== ',')
        refuse(`the closing quote is followed by "${content[at]}"`);
      cells.push({ value, quoted: true });
    } else {
      const comma = content.indexOf(',', at);
      const value = content.slice(at, comma < 0 ? content.length : comma).trim();
      if (/['"]/.test(value)) refuse('a quote stands inside a cell that does not begin with one');
      cells.push({ value, quoted: false });
      at = comma < 0 ? content.length : comma;
    }
    if (at >= content.length) return cells;
    at++;
  }
}
