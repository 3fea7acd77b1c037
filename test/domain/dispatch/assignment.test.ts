import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { assign } from '../../../domain/dispatch/assignment.ts';
import type { Assignment, AssignmentProblem } from '../../../domain/dispatch/assignment.ts';
import { createRandom } from '../../../domain/random.ts';
import { readOrLibrary } from './or-library.ts';
import { hungarian } from './hungarian.ts';

const close = (a: number, b: number): void =>
  assert.ok(Math.abs(a - b) <= 1e-9 * Math.max(1, Math.abs(a), Math.abs(b)), `${a} is not ${b}`);

/** Tries every way: the most pairs first, then the least sum. */
function bruteForce({ rows, columns, costs }: AssignmentProblem): { pairs: number; total: number } {
  let best = { pairs: 0, total: 0 };
  const used = new Set<number>();
  const visit = (i: number, pairs: number, total: number): void => {
    if (i === rows) {
      if (pairs > best.pairs || (pairs === best.pairs && total < best.total)) best = { pairs, total };
      return;
    }
    visit(i + 1, pairs, total);
    for (let j = 0; j < columns; j++) {
      const cost = costs[i * columns + j]!;
      if (used.has(j) || cost === Infinity) continue;
      used.add(j);
      visit(i + 1, pairs + 1, total + cost);
      used.delete(j);
    }
  };
  best = { pairs: -1, total: Infinity };
  visit(0, 0, 0);
  return best;
}

/** Each column once, no forbidden pair, the total is the sum of the pairs. Answers the number of pairs. */
function checkConsistent({ rows, columns, costs }: AssignmentProblem, found: Assignment): number {
  assert.equal(found.columnOf.length, rows);
  const pairs = [...found.columnOf].map((j, i) => [i, j] as const).filter(([, j]) => j >= 0);
  assert.equal(new Set(pairs.map(([, j]) => j)).size, pairs.length);
  const chosen = pairs.map(([i, j]) => costs[i * columns + j]!);
  assert.ok(chosen.every((cost) => cost < Infinity));
  close(
    found.total,
    chosen.reduce((sum, cost) => sum + cost, 0),
  );
  return pairs.length;
}

const problemOf = (
  maxSide: number,
  cost: fc.Arbitrary<number>,
  shape: (a: number, b: number) => [number, number] = (a, b) => [a, b],
): fc.Arbitrary<AssignmentProblem> =>
  fc
    .tuple(fc.integer({ min: 0, max: maxSide }), fc.integer({ min: 0, max: maxSide }))
    .map(([a, b]) => shape(a, b))
    .chain(([rows, columns]) =>
      fc
        .array(cost, { minLength: rows * columns, maxLength: rows * columns })
        .map((costs) => ({ rows, columns, costs: Float64Array.from(costs) })),
    );

const smallInteger = fc.integer({ min: -3, max: 5 });
const real = fc.double({ min: -1e6, max: 1e6, noNaN: true });
const maybeForbidden = (cost: fc.Arbitrary<number>): fc.Arbitrary<number> =>
  fc.oneof({ weight: 2, arbitrary: cost }, { weight: 1, arbitrary: fc.constant(Infinity) });

for (const [what, cost] of [
  ['small integers with many ties', smallInteger],
  ['real numbers', real],
  ['forbidden pairs', maybeForbidden(smallInteger)],
  ['real numbers and forbidden pairs', maybeForbidden(real)],
] as const) {
  test(`finds the most pairs at the least cost, as trying every way does: ${what}`, () => {
    fc.assert(
      fc.property(problemOf(5, cost), (problem) => {
        const found = assign(problem);
        const best = bruteForce(problem);
        assert.equal(checkConsistent(problem, found), best.pairs);
        close(found.total, best.total);
      }),
      { numRuns: 1_500 },
    );
  });
}

test('agrees with the readable Hungarian method on larger problems of every shape', () => {
  const wide = (a: number, b: number): [number, number] => [Math.min(a, b), Math.max(a, b)];
  for (const cost of [smallInteger, real]) {
    fc.assert(
      fc.property(problemOf(30, cost, wide), (problem) => {
        const found = assign(problem);
        assert.equal(checkConsistent(problem, found), problem.rows);
        close(found.total, hungarian(problem));
      }),
      { numRuns: 150 },
    );
  }
});

test('swapping rows and columns changes nothing but the names', () => {
  fc.assert(
    fc.property(problemOf(12, maybeForbidden(smallInteger)), (problem) => {
      const { rows, columns, costs } = problem;
      const turned = Float64Array.from(
        { length: costs.length },
        (_, k) => costs[(k % rows) * columns + Math.floor(k / rows)]!,
      );
      const straight = assign(problem);
      const other = assign({ rows: columns, columns: rows, costs: turned });
      close(straight.total, other.total);
    }),
  );
});

test('adding the same to every cost of a row moves the total by as much', () => {
  fc.assert(
    fc.property(
      problemOf(8, real, (a, b) => [Math.min(a, b), Math.max(a, b)]),
      fc.integer({ min: -1000, max: 1000 }),
      (problem, extra) => {
        fc.pre(problem.rows > 0);
        const raised = problem.costs.map((cost, k) => (k < problem.columns ? cost + extra : cost));
        const before = assign(problem).total;
        const after = assign({ ...problem, costs: raised }).total;
        assert.ok(Math.abs(after - before - extra) < 1e-6);
      },
    ),
  );
});

test('leaves rows without a column when everything is forbidden, and takes empty problems', () => {
  const nothing = { rows: 2, columns: 3, costs: new Float64Array(6).fill(Infinity) };
  assert.deepEqual([...assign(nothing).columnOf], [-1, -1]);
  assert.equal(assign(nothing).total, 0);
  assert.equal(assign({ rows: 0, columns: 4, costs: new Float64Array(0) }).columnOf.length, 0);
  assert.deepEqual([...assign({ rows: 2, columns: 0, costs: new Float64Array(0) }).columnOf], [-1, -1]);
});

test('refuses costs of another length, NaN and minus infinity', () => {
  for (const costs of [[1], [1, 2, 3, Number.NaN], [1, 2, 3, -Infinity]]) {
    assert.throws(() => assign({ rows: 2, columns: 2, costs: Float64Array.from(costs) }), RangeError);
  }
});

test('gives the better of two rows the only column that both may take', () => {
  const problem = { rows: 2, columns: 2, costs: Float64Array.of(10, Infinity, 1, Infinity) };
  assert.deepEqual([...assign(problem).columnOf], [-1, 0]);
});

for (const [file, optimum] of [
  ['assign100.txt', 305],
  ['assign500.txt', 991],
] as const) {
  const problem = readOrLibrary(file);
  test(
    `reaches the published optimum ${optimum} of OR-Library ${file}`,
    { skip: problem === null ? `../shared/data/orlib/${file} is not there` : false },
    () => {
      assert.equal(assign(problem!).total, optimum);
    },
  );
}

test('does not run into a price war on distances in a plane', () => {
  const random = createRandom(11);
  const n = 400;
  const points = Float64Array.from({ length: 4 * n }, () => random.unit());
  const costs = Float64Array.from({ length: n * n }, (_, k) => {
    const i = Math.floor(k / n);
    const j = n + (k % n);
    return Math.hypot(points[2 * i]! - points[2 * j]!, points[2 * i + 1]! - points[2 * j + 1]!);
  });
  const problem = { rows: n, columns: n, costs };
  assign(problem);
  const plain = costs.map((cost) => Math.round(cost * 100));
  const integers = { rows: n, columns: n, costs: plain };
  assign(integers);
  const timed = (work: AssignmentProblem): number => {
    const startMs = performance.now();
    assign(work);
    return performance.now() - startMs;
  };
  const fastest = (work: AssignmentProblem): number =>
    Math.min(...Array.from({ length: 5 }, () => timed(work)));
  // The war made it 140 times; the bound leaves room for a busy machine.
  assert.ok(fastest(problem) < 30 * fastest(integers) + 30);
  assert.equal(checkConsistent(problem, assign(problem)), n);
});
