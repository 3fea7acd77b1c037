import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { labelTable, rowsForRecogniser } from '../../../domain/classify/from-table.ts';
import { predict } from '../../../domain/classify/recogniser.ts';
import { trainRecogniser } from '../../../domain/classify/train.ts';
import { describeOutOfRange } from '../../../domain/classify/vote.ts';
import { TocsinError } from '../../../domain/errors.ts';
import { parseArff } from '../../../domain/table/arff.ts';
import { parseCsv } from '../../../domain/table/csv.ts';
import { malformedAt } from '../table/malformed-at.ts';

const refused =
  (code: string, column: string | null, words: RegExp) =>
  (error: unknown): true => {
    assert.ok(error instanceof TocsinError, String(error));
    assert.equal(error.code, code);
    assert.equal(error.details['file'], 't.csv');
    assert.equal(error.details['column'], column);
    assert.match(error.message, words);
    assert.match(error.message, /^t\.csv, /);
    return true;
  };
const table = (text: string) => parseCsv(text, { source: 't.csv' });
const train = (text: string, features?: readonly string[]) =>
  labelTable(table(text), { target: 'y', ...(features === undefined ? {} : { features }) });

describe('a table to learn from', () => {
  it('gives numbers, categories with their missing cells, and says what it leaves out', () => {
    const names = Array.from({ length: 60 }, (_, i) => `${i},${i % 2 ? 'a' : ''},n${i},7,,${i % 2}`).join(
      '\n',
    );
    const labelled = train(`x,c,name,same,gone,y\n${names}\n`);
    assert.deepEqual(
      labelled.features.map(({ name, kind, categories }) => [name, kind, categories]),
      [
        ['x', 'number', undefined],
        ['c', 'category', ['a']],
      ],
    );
    assert.deepEqual(labelled.leftOut, [
      { column: 'name', reason: 'it has 60 different texts, more than 50' },
      { column: 'same', reason: 'it is 7 in every row' },
      { column: 'gone', reason: 'nothing was measured in it' },
    ]);
    assert.deepEqual(labelled.rows[0], { x: 0, c: null });
    assert.deepEqual(labelled.classes, ['0', '1']);
  });

  it('sorts classes that are numbers by size', () => {
    assert.deepEqual(train('x,y\n1,10\n2,9\n1,10\n2,9\n1,b\n1,b\n').classes, ['9', '10', 'b']);
  });

  it('reads ordered values by their order, and refuses one that is not declared', () => {
    const text = 'size,y\nsmall,a\nlarge,b\nmedium,a\nlarge,b\n';
    const ordinals = { size: ['small', 'medium', 'large'] };
    const { features } = labelTable(table(text), { target: 'y', ordinals });
    assert.deepEqual(features[0]?.categories, ordinals.size);
    assert.throws(
      () => labelTable(table(text), { target: 'y', ordinals: { size: ['small', 'large'] } }),
      malformedAt(4, 'size'),
    );
  });

  const bad: readonly (readonly [string, () => unknown, (error: unknown) => true])[] = [
    ['no rows', () => train('x,y\n'), refused('TRAINING_DATA_INVALID', 'y', /no rows/)],
    ['one row', () => train('x,y\n1,a\n'), refused('TRAINING_DATA_INVALID', 'y', /all 1 rows are "a"/)],
    ['one class', () => train('x,y\n1,a\n2,a\n'), refused('TRAINING_DATA_INVALID', 'y', /two classes/)],
    [
      'almost as many labels as rows',
      () => train('x,y\n1,a\n2,b\n3,c\n'),
      refused('TRAINING_DATA_INVALID', 'y', /3 different labels in 3 rows/),
    ],
    [
      'a class with one row',
      () => train('x,y\n1,a\n2,a\n3,b\n4,c\n5,c\n6,a\n'),
      refused('TRAINING_DATA_INVALID', 'y', /line 4.*"b" occurs once/),
    ],
    ['a missing label', () => train('x,y\n1,a\n2,\n3,b\n'), malformedAt(3, 'y')],
    ['text among numbers', () => train('x,y\n1,a\n2,a\noops,b\n4,b\n'), malformedAt(4, 'x')],
    ['NaN', () => train('x,y\n1,a\nNaN,a\n3,b\n4,b\n'), malformedAt(3, 'x')],
    ['an infinity', () => train('x,y\n1,a\n2,a\n-Infinity,b\n4,b\n'), malformedAt(4, 'x')],
    [
      'only constant columns',
      () => train('x,y\n1,a\n1,a\n1,b\n1,b\n'),
      refused('TRAINING_DATA_INVALID', null, /no column is left/),
    ],
    [
      'a constant column that was asked for',
      () => train('x,z,y\n1,1,a\n1,2,a\n1,3,b\n1,4,b\n', ['x']),
      refused('TRAINING_DATA_INVALID', 'x', /it is 1 in every row/),
    ],
    [
      'the target as a feature',
      () => train('x,y\n1,a\n2,a\n1,b\n1,b\n', ['x', 'y']),
      refused('TRAINING_DATA_INVALID', 'y', /target/),
    ],
  ];
  for (const [what, work, check] of bad) it(`is refused with ${what}`, () => assert.throws(work, check));
});

describe('a table to answer for', () => {
  const rows = Array.from(
    { length: 40 },
    (_, i) => `${i},${i % 3 ? 'n' : 's'},k${i},${i < 20 ? 'low' : 'high'}`,
  );
  const labelled = train(`x,side,note,y\n${rows.join('\n')}\n`, ['x', 'side']);
  const recogniser = trainRecogniser({
    name: 'own',
    kind: 'tree',
    ...labelled,
    table: { target: 'y', leftOut: ['note'] },
    seed: 1,
  });

  it('may hold the target and the columns left out in training', () => {
    const found = rowsForRecogniser(table('note,y,side,x\nk,low,s,3\n,high,n,33\n'), recogniser);
    assert.deepEqual(found, [
      { x: 3, side: 's' },
      { x: 33, side: 'n' },
    ]);
    assert.equal(predict(recogniser, found[1]!).label, 'high');
  });

  it('is refused without a column of training, and with one that training never saw', () => {
    assert.throws(
      () => rowsForRecogniser(table('x\n1\n'), recogniser),
      refused('RECOGNISER_INPUT_INVALID', 'side', /no column "side"/),
    );
    const extra = table('x,side,new\n1,s,2\n');
    assert.throws(
      () => rowsForRecogniser(extra, recogniser),
      refused('RECOGNISER_INPUT_INVALID', 'new', /column "new" is unknown/),
    );
    assert.deepEqual(rowsForRecogniser(extra, recogniser, { allowUnknown: true }), [{ x: 1, side: 's' }]);
  });

  it('is refused with text in a number and with NaN', () => {
    assert.throws(() => rowsForRecogniser(table('x,side\n1,s\nten,s\n'), recogniser), malformedAt(3, 'x'));
    assert.throws(() => rowsForRecogniser(table('x,side\nnan,s\n'), recogniser), malformedAt(2, 'x'));
  });

  it('is answered with the doubt in words where it leaves what training saw', () => {
    const [row] = rowsForRecogniser(table('x,side\n900,up\n'), recogniser);
    const words = predict(recogniser, row!).outOfRange.map(({ feature, value, low, high }) =>
      describeOutOfRange(feature, value, low, high),
    );
    assert.deepEqual(words, [
      'x 900 lies outside the training range 0 to 39.',
      'side "up" never occurred in training.',
    ]);
  });
});

describe('an imbalanced table with categories and constant columns', () => {
  it('learns the rare class by the balanced rule', () => {
    const rows = Array.from({ length: 400 }, (_, i) => {
      const rare = i % 16 === 0;
      const energy = rare ? 400 + ((i * 37) % 300) : (i * 53) % 480;
      return `${i % 2 ? 'W' : 'N'},${energy},${i % 7 === 0 ? '?' : i % 5},0,${rare ? 1 : 0}`;
    });
    const labelled = labelTable(
      parseArff(
        `@relation r\n@attribute shift {W,N}\n@attribute energy real\n@attribute bumps real\n@attribute none real\n@attribute class {1,0}\n@data\n${rows.join('\n')}\n`,
      ),
      { target: 'class' },
    );
    assert.deepEqual(
      labelled.leftOut.map(({ column }) => column),
      ['none'],
    );
    const recogniser = trainRecogniser({
      name: 'rare',
      kind: 'forest',
      ...labelled,
      decision: 'balanced',
      forest: { trees: 60, bootstrap: 'balanced', minimumLeaf: 'auto' },
      seed: 1,
    });
    assert.deepEqual(recogniser.classes, ['0', '1']);
    const recall = (label: string): number => {
      const own = labelled.rows.filter((_, r) => labelled.labels[r] === label);
      return own.filter((row) => predict(recogniser, row).label === label).length / own.length;
    };
    assert.ok(recall('1') > 0.85, `rare class ${recall('1')}`);
    assert.ok(recall('0') > 0.7, `common class ${recall('0')}`);
  });
});
