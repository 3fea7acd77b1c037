import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { assign } from '../../../domain/dispatch/assignment.ts';
import { createStandingAssignment } from '../../../domain/dispatch/standing.ts';

const COLUMNS = 7;
const costs = (cost: fc.Arbitrary<number>): fc.Arbitrary<Float64Array> =>
  fc.array(cost, { minLength: COLUMNS, maxLength: COLUMNS }).map((list) => Float64Array.from(list));
const small = fc.integer({ min: 0, max: 9 });
const real = fc.double({ min: -1e3, max: 1e3, noNaN: true });

const cold = (rows: readonly Float64Array[]): { pairs: number; total: number } => {
  const flat = Float64Array.from(rows.flatMap((row) => [...row]));
  const { columnOf, total } = assign({ rows: rows.length, columns: COLUMNS, costs: flat });
  return { pairs: columnOf.filter((j) => j >= 0).length, total };
};

for (const [what, cost] of [
  ['small integers with ties', small],
  ['real numbers', real],
  ['forbidden pairs', fc.oneof(small, fc.constant(Infinity))],
] as const) {
  test(`stays as good as a cold solution while demands come and go: ${what}`, () => {
    const change = fc.oneof({ weight: 3, arbitrary: costs(cost) }, { weight: 2, arbitrary: fc.nat(20) });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 40 }), (changes) => {
        const standing = createStandingAssignment(COLUMNS);
        const present = new Map<number, Float64Array>();
        for (const step of changes) {
          if (typeof step === 'number') {
            const handle = [...present.keys()][step % Math.max(1, present.size)];
            if (handle === undefined) continue;
            standing.remove(handle);
            present.delete(handle);
          } else {
            const handle = standing.add(step);
            const { pairs } = cold([...present.values(), step]);
            assert.equal(handle !== null, pairs === present.size + 1, 'refuses only what cannot be');
            if (handle !== null) present.set(handle, step);
          }
          assert.equal(standing.size, present.size);
          const taken = [...present.keys()].map((handle) => standing.columnOf(handle));
          assert.equal(new Set(taken).size, present.size, 'each column once');
          const best = cold([...present.values()]).total;
          assert.ok(Math.abs(standing.total() - best) < 1e-6, `${standing.total()} is not ${best}`);
        }
      }),
      { numRuns: 800 },
    );
  });
}

test('an unknown handle is ignored and has no column', () => {
  const standing = createStandingAssignment(2);
  standing.remove(5);
  assert.equal(standing.columnOf(5), undefined);
});

test('costs of another length, NaN and minus infinity are refused', () => {
  const standing = createStandingAssignment(2);
  for (const wrong of [[1], [1, Number.NaN], [1, -Infinity]])
    assert.throws(() => standing.add(Float64Array.from(wrong)), RangeError);
  assert.equal(standing.size, 0);
});
