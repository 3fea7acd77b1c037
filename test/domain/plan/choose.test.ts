import assert from 'node:assert/strict';
import { test } from 'node:test';
import { choose } from '../../../domain/plan/choose.ts';
import type { Condition, PlanDocument } from '../../../domain/plan/document.ts';
import { earthquake } from '../../../plans/index.ts';

/** Reads the scale as if this intensity were expected. */
const at =
  (mmi: number) =>
  (condition: Condition): boolean =>
    condition.when === 'always' || (condition.when === 'intensity' && mmi >= condition.atLeastMmi);

test('a type with a severity of its own gets it, and no scale is read', () => {
  const choice = choose(earthquake, 'quarry-blast', undefined, () => assert.fail('the scale was read'));
  assert.deepEqual(choice, {
    severity: 'blast',
    level: 'IV',
    path: [{ question: 'What is it?', answer: 'quarry-blast' }],
  });
});

for (const [mmi, severity, level] of [
  [8, 'catastrophic', 'I'],
  [7.5, 'catastrophic', 'I'],
  [7.4, 'severe', 'II'],
  [6.5, 'severe', 'II'],
  [5.5, 'moderate', 'III'],
  [5.4, 'tremor', 'IV'],
] as const) {
  test(`an earthquake of expected intensity ${mmi} is ${severity}, level ${level}`, () => {
    const choice = choose(earthquake, 'earthquake', undefined, at(mmi));
    assert.deepEqual([choice.severity, choice.level], [severity, level]);
  });
}

test('the path holds every question that was asked, in words, up to the one that decided', () => {
  assert.deepEqual(choose(earthquake, 'earthquake', undefined, at(7)).path, [
    { question: 'What is it?', answer: 'earthquake' },
    { question: 'expected intensity at least MMI 7.5 at a place of care', answer: 'no' },
    { question: 'expected intensity at least MMI 6.5 at a place of care', answer: 'yes: severe' },
  ]);
});

test('conditions are read under their path in the document', () => {
  const paths: string[] = [];
  choose(earthquake, 'earthquake', undefined, (condition, path) => {
    paths.push(path);
    return condition.when === 'always';
  });
  assert.deepEqual(
    paths,
    [0, 1, 2, 3].map((index) => `classify.scale.${index}.when`),
  );
});

test('silence with a severity declared leads to that severity', () => {
  const choice = choose(earthquake, 'earthquake', 'severe', () => assert.fail('the scale was read'));
  assert.equal(choice.severity, 'severe');
  assert.deepEqual(choice.path, [{ question: 'Did anybody say what it is in time?', answer: 'no: severe' }]);
});

test('silence that leaves it to the scale takes the hazard as real', () => {
  assert.equal(choose(earthquake, 'earthquake', 'scale', at(6.6)).severity, 'severe');
});

test('a type the plan does not name is scaled like its own hazard', () => {
  assert.equal(choose(earthquake, 'landslide', undefined, at(8)).severity, 'catastrophic');
});

test('should no rule hold, the worst severity is the safe answer', () => {
  const endless: PlanDocument = {
    ...earthquake,
    classify: { ...earthquake.classify, scale: earthquake.classify.scale.slice(0, 1) },
  };
  const choice = choose(endless, 'earthquake', undefined, () => false);
  assert.deepEqual([choice.severity, choice.level], ['catastrophic', 'I']);
});
