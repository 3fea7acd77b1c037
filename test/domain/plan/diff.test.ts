import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { diffPlans } from '../../../domain/plan/diff.ts';
import type { PlanDocument } from '../../../domain/plan/document.ts';
import { earthquake, gasLeak } from '../../../plans/index.ts';

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- rows change what is read-only
type Loose = any;
function changed(change: (plan: Loose) => void, plan: PlanDocument = earthquake): PlanDocument {
  const copy: Loose = structuredClone(plan);
  change(copy);
  return copy as PlanDocument;
}
const saidOf = (from: PlanDocument, to: PlanDocument): string[] =>
  diffPlans(from, to).map(({ path, text }) => `${path} | ${text.en}`);

const notify = (to: string): object => ({ do: 'notify', id: 'any', to });

const rows: readonly (readonly [what: string, change: (plan: Loose) => void, said: readonly string[]])[] = [
  ['nothing', () => undefined, []],
  [
    'a number of a condition',
    (p) => (p.detect.of[1].magnitude = 1.1),
    ['detect.of.1.magnitude | detect, magnitude: 1 → 1.1'],
  ],
  [
    'a time span',
    (p) => (p.classify.ifUnsure.withinMs = 60_000),
    ['classify.ifUnsure.withinMs | classify, if unsure, within: 2 minutes → 1 minute'],
  ],
  [
    'a condition as a whole',
    (p) => (p.detect = p.detect.of[0]),
    [
      'detect | detect: expected intensity at least MMI 3.5 at a place of care or magnitude at least 1.0 within 20 km of a place of care → expected intensity at least MMI 3.5 at a place of care',
    ],
  ],
  [
    'a level',
    (p) => (p.severities.tremor = 'III'),
    ['severities.tremor | severity, tremor: level IV → level III'],
  ],
  [
    'a list of names',
    (p) => p.classify.by.recognisers.push('notice-tree'),
    [
      'classify.by.recognisers | classify, by, recognisers: notice-forest, notice-svm → notice-forest, notice-svm, notice-tree',
    ],
  ],
  [
    'a type that was not there',
    (p) => (p.classify.types.avalanche = 'blast'),
    ['classify.types.avalanche | classify, type, avalanche: nothing → blast'],
  ],
  [
    'a part that is gone',
    (p) => delete p.sequence,
    ['sequence | sequence: bulletin earthquake-notice; radius gardner-knopoff-1974; within 3 days → nothing'],
  ],
  [
    'a step before others: these have not changed',
    (p) => p.dispatch.blast.unshift(notify('press-office')),
    ['dispatch.blast.0 | dispatch, blast: new, notify press-office'],
  ],
  [
    'a step that is gone',
    (p) => p.dispatch.tremor.shift(),
    ['dispatch.tremor.0 | dispatch, tremor: no longer notify district-desk'],
  ],
  [
    'a step that was changed, with its fallback',
    (p) => (p.dispatch.moderate[0].steps[2].count = 3),
    [
      'dispatch.moderate.0.steps.2 | dispatch, moderate, 1, steps, 3: send 2 assessment, on scene within 90 minutes, otherwise notify county-headquarters → send 3 assessment, on scene within 90 minutes, otherwise notify county-headquarters',
    ],
  ],
  [
    'a bound of refinement',
    (p) => (p.refine.mayTune['detect.magnitude'].high = 3),
    ['refine.mayTune.detect.magnitude.high | refine, may tune, detect.magnitude, at most: 2.5 → 3'],
  ],
];

for (const [what, change, said] of rows) {
  test(`says ${what}`, () => assert.deepEqual(saidOf(earthquake, changed(change)), said));
}

test('says the same in Chinese', () => {
  const [change] = diffPlans(
    gasLeak,
    changed((p) => (p.detect.threshold = 9), gasLeak),
  );
  assert.equal(change?.text.zh, '发现，阈值：10 → 9');
  assert.deepEqual([change?.from, change?.to], [10, 9]);
});

test('two plans that differ never have an empty difference, whatever single value moved', () => {
  const leaves = (value: Loose, at: string[] = []): string[][] =>
    value !== null && typeof value === 'object'
      ? Object.keys(value).flatMap((key) => leaves(value[key], [...at, key]))
      : [at];
  // Ids of steps are positions and move with them; what decides the form of a part does not move alone.
  const fixed = ['id', 'do', 'when', 'kind'];
  const paths = leaves(earthquake).filter((path) => path.length === 1 || !fixed.includes(path.at(-1)!));
  const at = (plan: Loose, path: readonly string[]): Loose => path.reduce((inner, key) => inner[key], plan);
  const moved = fc.constantFrom(...paths).chain((path) => {
    const is = at(earthquake, path);
    const to: fc.Arbitrary<unknown> =
      typeof is === 'number' ? fc.integer({ min: -9, max: 9 }).map((by) => is + by) : fc.string();
    return fc.record({ path: fc.constant(path), to: to.filter((value) => value !== is) });
  });
  fc.assert(
    fc.property(moved, ({ path, to }) => {
      const after = changed((plan) => (at(plan, path.slice(0, -1))[path.at(-1)!] = to));
      assert.ok(diffPlans(earthquake, after).length > 0, path.join('.'));
      assert.deepEqual(diffPlans(after, after), []);
    }),
    { numRuns: 300 },
  );
});
