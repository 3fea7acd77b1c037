import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { TocsinError } from '../../../domain/errors.ts';
import type { PlanDocument } from '../../../domain/plan/document.ts';
import { readTunable, tunableValues, writeTunable } from '../../../domain/plan/tune.ts';
import { earthquake, gasLeak } from '../../../plans/index.ts';

const paths: readonly (readonly [PlanDocument, string, number])[] = [
  [earthquake, 'detect.magnitude', 1],
  [earthquake, 'detect.withinKm', 20],
  [earthquake, 'detect.atLeastMmi', 3.5],
  [earthquake, 'classify.minConfidence', 0.7],
  [gasLeak, 'detect.threshold', 10],
];

for (const [plan, path, value] of paths) {
  test(`${plan.id}: ${path} is ${value}, and can be written`, () => {
    assert.equal(readTunable(plan, path), value);
    const written = writeTunable(plan, path, value * 1.1);
    assert.equal(readTunable(written, path), value * 1.1);
    assert.equal(readTunable(plan, path), value, 'the plan it came from is as it was');
  });
}

test('writing changes that number and nothing else', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...paths),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      ([plan, path, value], to) => {
        assert.deepEqual(writeTunable(writeTunable(plan, path, to), path, value), plan);
      },
    ),
  );
});

for (const path of [
  'detect',
  'detect.forMs',
  'detect.onSensors',
  'evaluate.everyMs',
  'severities.major',
  '__proto__',
  '',
]) {
  test(`"${path}" names nothing that may be tuned`, () => {
    assert.deepEqual(tunableValues(gasLeak, path), []);
    const unknown = (error: unknown): boolean =>
      error instanceof TocsinError && error.code === 'PLAN_PARAMETER_UNKNOWN';
    assert.throws(() => readTunable(gasLeak, path), unknown);
    assert.throws(() => writeTunable(gasLeak, path, 1), unknown);
  });
}

test('a path that fits two numbers is refused, and says how many', () => {
  const twice: PlanDocument = { ...gasLeak, detect: { when: 'any', of: [gasLeak.detect, gasLeak.detect] } };
  assert.throws(() => writeTunable(twice, 'detect.threshold', 9), {
    details: { path: 'detect.threshold', matches: 2 },
  });
});
