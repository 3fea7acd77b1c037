import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { forestShares, trainForest } from '../../../domain/classify/forest.ts';
import { rowOf } from '../../../domain/classify/matrix.ts';
import { shapByDefinition, treeShap } from '../../../domain/classify/treeshap.ts';
import { clusters } from './rows.ts';

const forests = fc.record({
  seed: fc.integer({ min: 0, max: 1e6 }),
  columns: fc.integer({ min: 1, max: 6 }),
  classes: fc.integer({ min: 2, max: 4 }),
  trees: fc.integer({ min: 1, max: 6 }),
  noise: fc.constantFrom(1, 4, 15),
});

describe('TreeSHAP', () => {
  it("adds up to the forest's answer for every class", () => {
    fc.assert(
      fc.property(forests, ({ seed, columns, classes, trees, noise }) => {
        const { x, y } = clusters({ rows: 60, columns, classes, seed, noise });
        const { forest } = trainForest(x, y, classes, { trees, classWeights: [1, 3], seed });
        for (let r = 0; r < 10; r++) {
          const shares = forestShares(forest, rowOf(x, r));
          for (let k = 0; k < classes; k++) {
            const { baseline, values } = treeShap(forest, rowOf(x, r), k);
            const sum = values.reduce((total, value) => total + value, baseline);
            assert.ok(Math.abs(sum - shares[k]!) < 1e-9, `${sum} is not ${shares[k]}`);
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it('agrees with the definition over all subsets of columns', () => {
    fc.assert(
      fc.property(forests, ({ seed, columns, classes, trees, noise }) => {
        const { x, y } = clusters({ rows: 40, columns, classes, seed, noise });
        const { forest } = trainForest(x, y, classes, { trees, maximumDepth: 5, seed });
        for (let r = 0; r < 3; r++) {
          const fast = treeShap(forest, rowOf(x, r), 1);
          const plain = shapByDefinition(forest, rowOf(x, r), 1);
          assert.ok(Math.abs(fast.baseline - plain.baseline) < 1e-9);
          for (let c = 0; c < columns; c++) assert.ok(Math.abs(fast.values[c]! - plain.values[c]!) < 1e-9);
        }
      }),
      { numRuns: 40 },
    );
  });

  it('gives nothing to a column that no tree asks about', () => {
    const { x, y } = clusters({ rows: 60, columns: 3, classes: 2, seed: 1 });
    for (let r = 0; r < x.rows; r++) x.values[r * 3 + 1] = 7;
    const { forest } = trainForest(x, y, 2, { trees: 5, seed: 1 });
    assert.equal(treeShap(forest, rowOf(x, 0), 0).values[1], 0);
  });
});
