import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { forestLabel, forestShares, shareLeaves, trainForest } from '../../../domain/classify/forest.ts';
import { createForestVoter } from '../../../domain/classify/forest-voter.ts';
import { argmax, matrixOf, rowOf } from '../../../domain/classify/matrix.ts';
import { clusters } from './rows.ts';

describe('a forest', () => {
  it('is the same byte for byte when the seed is the same, and another when it is not', () => {
    const { x, y } = clusters({ rows: 120, columns: 6, classes: 3, seed: 1, noise: 3 });
    const grow = (seed: number) => trainForest(x, y, 3, { trees: 20, seed }).forest;
    assert.deepEqual(grow(5), grow(5));
    assert.notDeepEqual(grow(5), grow(6));
  });

  it('learns clusters that it has not seen', () => {
    const { x, y } = clusters({ rows: 400, columns: 5, classes: 4, seed: 3 });
    const taught = { rows: 200, columns: 5, values: x.values.subarray(0, 1000) };
    const { forest } = trainForest(taught, y.subarray(0, 200), 4, { trees: 50, seed: 1 });
    const right = Array.from(
      { length: 200 },
      (_, i) => argmax(forestShares(forest, rowOf(x, 200 + i))) === y[200 + i],
    );
    assert.ok(right.filter(Boolean).length >= 190);
  });

  it('judges every row out of the bag by trees that never saw it', () => {
    // Labels are coin tosses: only a forest that peeks can be better than chance.
    const { x } = clusters({ rows: 300, columns: 4, classes: 1, seed: 9 });
    const y = Uint8Array.from({ length: 300 }, (_, i) => (Math.imul(i + 1, 0x9e3779b1) >>> 31) & 1);
    const { outOfBag } = trainForest(x, y, 2, { trees: 60, seed: 2 });
    const right = Array.from(y).filter(
      (label, r) => argmax(outOfBag.subarray(2 * r, 2 * r + 2)) === label,
    ).length;
    assert.ok(right > 110 && right < 190, `${right} of 300`);
  });

  it('keeps every leaf as large as it is told', () => {
    const { x, y } = clusters({ rows: 200, columns: 3, classes: 2, seed: 4, noise: 6 });
    const { forest } = trainForest(x, y, 2, { trees: 10, minimumLeaf: 7, seed: 3 });
    const covers = Array.from(forest.threshold).filter((_, i) => forest.feature[i]! < 0);
    assert.ok(Math.min(...covers) >= 7);
  });

  it('finds a rare class when classes weigh the same, and misses it when rows do', () => {
    const { x } = clusters({ rows: 500, columns: 2, classes: 1, seed: 8 });
    const y = Uint8Array.from({ length: 500 }, (_, r) =>
      r % 25 === 0 && x.values[2 * r]! > x.values[0]! ? 1 : 0,
    );
    const found = (classWeights: number[]): number => {
      const { outOfBag } = trainForest(x, y, 2, { trees: 80, minimumLeaf: 20, classWeights, seed: 1 });
      return Array.from(y.keys()).filter((r) => y[r] === 1 && outOfBag[2 * r + 1]! > outOfBag[2 * r]!).length;
    };
    const rare = y.filter(Boolean).length;
    assert.ok(found([1, (500 - rare) / rare]) > found([1, 1]));
  });

  it('splits between neighbours in floating point', () => {
    const next = 1 + Number.EPSILON;
    const x = matrixOf([[1], [next], [1], [next]]);
    const { forest } = trainForest(x, Uint8Array.of(0, 1, 0, 1), 2, { trees: 1, bootstrap: 'none', seed: 1 });
    assert.equal(forestLabel(forest, [1]), 0);
    assert.equal(forestLabel(forest, [next]), 1);
  });

  it('splits correctly when a column has more distinct values than codes', () => {
    const rows = 70_000;
    const x = { rows, columns: 1, values: Float64Array.from({ length: rows }, (_, r) => r) };
    const y = Uint8Array.from({ length: rows }, (_, r) => (r < 30_001 ? 0 : 1));
    const { forest } = trainForest(x, y, 2, { trees: 1, bootstrap: 'none', seed: 1 });
    const wrong = Array.from(y.keys()).filter((r) => forestLabel(forest, [r]) !== y[r]).length;
    assert.ok(wrong <= 1, `${wrong} rows are on the wrong side`);
  });

  it('is a single leaf when no column tells the rows apart', () => {
    const x = matrixOf([[2], [2], [2]]);
    const { forest } = trainForest(x, Uint8Array.of(0, 1, 1), 2, { trees: 1, bootstrap: 'none', seed: 1 });
    assert.equal(forest.feature.length, 1);
    assert.deepEqual(Array.from(forestShares(forest, [5])), [1 / 3, 2 / 3]);
  });

  it('answers the same in its fast form as in its plain one', () => {
    fc.assert(
      fc.property(
        fc.record({
          seed: fc.integer({ min: 0, max: 1e6 }),
          columns: fc.integer({ min: 1, max: 12 }),
          classes: fc.integer({ min: 2, max: 5 }),
          trees: fc.integer({ min: 1, max: 30 }),
          minimumLeaf: fc.integer({ min: 1, max: 8 }),
          noise: fc.constantFrom(0.5, 3, 20),
          rounded: fc.boolean(),
        }),
        ({ seed, columns, classes, trees, minimumLeaf, noise, rounded }) => {
          const { x, y } = clusters({ rows: 150, columns, classes, seed, noise });
          // Whole numbers put rows exactly on split values.
          if (rounded) x.values.forEach((value, i) => (x.values[i] = Math.round(value)));
          const { forest } = trainForest(x, y, classes, { trees, minimumLeaf, seed });
          const voter = createForestVoter(forest);
          const labels = voter.labels(x);
          for (let r = 0; r < x.rows; r++) {
            assert.equal(voter.label(rowOf(x, r)), forestLabel(forest, rowOf(x, r)));
            assert.equal(labels[r], argmax(forestShares(forest, rowOf(x, r))));
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it('answers the same in both forms when it is deep and when rows are very wide', () => {
    for (const [columns, rows] of [
      [3, 2000],
      [2100, 40],
    ] as const) {
      const { x, y } = clusters({ rows, columns, classes: 2, seed: 5, noise: 30 });
      const { forest } = trainForest(x, y, 2, { trees: 15, seed: 1 });
      const voter = createForestVoter(forest);
      const labels = voter.labels(x);
      for (let r = 0; r < rows; r++) {
        assert.equal(voter.label(rowOf(x, r)), forestLabel(forest, rowOf(x, r)));
        assert.equal(labels[r], argmax(forestShares(forest, rowOf(x, r))));
      }
    }
  });

  it('answers the same after equal leaves share a row', () => {
    const { x, y } = clusters({ rows: 80, columns: 3, classes: 3, seed: 2, noise: 4 });
    const { forest } = trainForest(x, y, 3, { trees: 8, seed: 1 });
    const shared = shareLeaves(forest);
    for (let r = 0; r < x.rows; r++) {
      assert.deepEqual(forestShares(shared, rowOf(x, r)), forestShares(forest, rowOf(x, r)));
    }
  });
});
