import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseCsv } from '../../../domain/table/csv.ts';
import { columnKind, numberColumn, textColumn } from '../../../domain/table/table.ts';
import { malformedAt } from './malformed-at.ts';

describe('a CSV file', () => {
  it('is read with its quotes, line breaks inside quotes, byte order mark and either line ending', () => {
    const table = parseCsv('\uFEFFname,"note, long"\r\n"a ""b""","two\r\nlines"\r\n c ,1\n', {
      source: 'x.csv',
    });
    assert.deepEqual(table.columns, ['name', 'note, long']);
    assert.deepEqual(textColumn(table, 'name'), ['a "b"', 'c']);
    assert.deepEqual(textColumn(table, 'note, long'), ['two\r\nlines', '1']);
    assert.deepEqual([...table.lines], [2, 4]);
  });

  it('may part its cells by semicolons or tabs, as its header does', () => {
    assert.deepEqual(parseCsv('"a,b";c\n1;2\n').columns, ['a,b', 'c']);
    assert.deepEqual(parseCsv('a\tb\n1\t2\n').columns, ['a', 'b']);
  });

  it('may begin with lines that are no table', () => {
    const table = parseCsv('a title ,,\nx,y,z\n1,2,3\n', { headerLine: 2 });
    assert.deepEqual(table.columns, ['x', 'y', 'z']);
    assert.equal(table.lines[0], 3);
  });

  it('numbers a column without a name', () => {
    const table = parseCsv(',a\n1,2\n');
    assert.deepEqual(table.columns, ['column 1', 'a']);
    assert.deepEqual(table.unnamed, ['column 1']);
  });

  it('gives back any cells that were written with quotes', () => {
    const cell = fc.string({ unit: fc.constantFrom('a', '1', ',', ';', '"', '\n', '\r', ' ', 'é') });
    fc.assert(
      fc.property(fc.array(fc.tuple(cell, cell), { minLength: 1, maxLength: 8 }), (rows) => {
        const quote = (text: string): string => `"${text.replaceAll('"', '""')}"`;
        const text = ['"p","q"', ...rows.map((row) => row.map(quote).join(','))].join('\n');
        const table = parseCsv(text, { delimiter: ',' });
        const empty = (text: string): string | null => (text === '' ? null : text);
        assert.deepEqual(
          textColumn(table, 'p'),
          rows.map(([p]) => empty(p)),
        );
        assert.deepEqual(
          textColumn(table, 'q'),
          rows.map(([, q]) => empty(q)),
        );
      }),
      { numRuns: 200 },
    );
  });

  it('is refused at the line and column of a wrong quote, however far down it is', () => {
    const rows = Array.from({ length: 69_998 }, (_, i) => `${i},"t${i}",1`);
    const text = (bad: string): string => ['a,b,c', ...rows, bad, ...rows.slice(0, 5)].join('\n');
    assert.throws(() => parseCsv(text('1,"open,2')), malformedAt(70_000, 'b'));
    assert.throws(() => parseCsv(text('1,in"side,2')), malformedAt(70_000, 'b'));
    assert.throws(() => parseCsv(text('1,"closed"x,2')), malformedAt(70_000, 'b'));
    assert.throws(() => parseCsv('a,b\n1,2\n3,"4\n5,6\n'), malformedAt(3, 'b'));
  });

  it('is refused for a row of another length, a repeated name and an empty file', () => {
    assert.throws(() => parseCsv('a,b\n1,2\n1,2,3\n'), malformedAt(3));
    assert.throws(() => parseCsv('a,b\n1\n'), malformedAt(2));
    assert.throws(() => parseCsv('a,b,a\n'), malformedAt(1, 3));
    assert.throws(() => parseCsv(''), malformedAt(1));
    assert.throws(() => parseCsv('a,b\n', { headerLine: 9 }), malformedAt(9));
  });
});

describe('a column', () => {
  const table = parseCsv('n,t,mixed,bad,gone\n1,x,1,1,\n?,y,2,NaN,?\n-2.5e3,?,oops,1e999,\n', {
    source: 'm.csv',
  });

  it('of numbers holds NaN where nothing was measured', () => {
    assert.equal(columnKind(table, 'n'), 'number');
    assert.deepEqual([...numberColumn(table, 'n')], [1, Number.NaN, -2500]);
  });

  it('of text holds null where nothing was measured', () => {
    assert.equal(columnKind(table, 't'), 'text');
    assert.deepEqual(textColumn(table, 't'), ['x', 'y', null]);
    assert.equal(columnKind(table, 'gone'), 'empty');
  });

  it('of numbers with text in it is refused at the text', () => {
    assert.throws(() => columnKind(table, 'mixed'), malformedAt(4, 'mixed'));
    assert.throws(() => numberColumn(table, 'mixed'), malformedAt(4, 'mixed'));
  });

  it('with NaN or a number too large is refused at it', () => {
    assert.throws(() => numberColumn(table, 'bad'), malformedAt(3, 'bad'));
    assert.throws(() => numberColumn(parseCsv('a\n1e999\n'), 'a'), malformedAt(2, 'a'));
    for (const text of ['Infinity', '-inf', 'nan']) {
      assert.throws(() => numberColumn(parseCsv(`a\n${text}\n`), 'a'), malformedAt(2, 'a'));
    }
  });

  it('that is not there is refused with the names that are', () => {
    assert.throws(() => numberColumn(table, 'N'), {
      code: 'TABLE_COLUMN_UNKNOWN',
      message: 'm.csv has no column "N". It has: n, t, mixed, bad, gone.',
    });
  });
});
