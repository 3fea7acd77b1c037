import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseArff } from '../../../domain/table/arff.ts';
import { columnKind, numberColumn, textColumn } from '../../../domain/table/table.ts';
import { malformedAt } from './malformed-at.ts';

const HEADER = `% a comment
@RELATION bumps

@attribute shift {W, N}
@attribute 'the energy' real
@attribute "who's" string
@attribute class {'0','1'}
@data
`;

describe('an ARFF file', () => {
  it('is read with its types, quotes, comments and missing values', () => {
    const table = parseArff(`${HEADER}% another\nN, 3.5, 'it\\'s, here', 0\n\nW,?,?,'1'\r\n`, {
      source: 'b.arff',
    });
    assert.deepEqual(table.columns, ['shift', 'the energy', "who's", 'class']);
    assert.deepEqual(textColumn(table, 'shift'), ['N', 'W']);
    assert.deepEqual([...numberColumn(table, 'the energy')], [3.5, Number.NaN]);
    assert.deepEqual(textColumn(table, "who's"), ["it's, here", null]);
    assert.deepEqual(textColumn(table, 'class'), ['0', '1']);
    assert.deepEqual([...table.lines], [10, 12]);
    assert.deepEqual(table.declared[0], { kind: 'category', values: ['W', 'N'] });
  });

  it('says itself that digits are a category', () => {
    assert.equal(columnKind(parseArff(`${HEADER}N,1,a,0\n`), 'class'), 'text');
  });

  it('is refused at the line and column that is wrong', () => {
    assert.throws(() => parseArff(`${HEADER}N,1,a,0\nX,1,a,0\n`), malformedAt(10, 'shift'));
    assert.throws(() => parseArff(`${HEADER}N,1,'a,0\n`), malformedAt(9, "who's"));
    assert.throws(() => parseArff(`${HEADER}N,1,a'b,0\n`), malformedAt(9, "who's"));
    assert.throws(() => parseArff(`${HEADER}N,1,a\n`), malformedAt(9));
    assert.throws(() => parseArff(`${HEADER}{0 N}\n`), malformedAt(9));
    assert.throws(() => parseArff('@relation x\n@attribute a relational\n@data\n'), malformedAt(2, 'a'));
    assert.throws(() => parseArff('@relation x\nattribute a real\n'), malformedAt(2));
    assert.throws(() => parseArff('@relation x\n@attribute a real\n'), malformedAt(3));
    assert.throws(
      () => numberColumn(parseArff(`${HEADER}N,ten,a,0\n`), 'the energy'),
      malformedAt(9, 'the energy'),
    );
  });
});
