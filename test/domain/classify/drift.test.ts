import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { driftOf } from '../../../domain/classify/drift.ts';
import type { Row } from '../../../domain/classify/features.ts';
import { gate } from '../../../domain/classify/gate.ts';
import type { Recogniser } from '../../../domain/classify/recogniser.ts';
import { trainRecogniser } from '../../../domain/classify/train.ts';
import { createRandom } from '../../../domain/random.ts';

const names = ['level', 'wind'] as const;
const features = names.map((name) => ({
  name,
  unit: '',
  label: { en: name, zh: name },
  kind: 'number' as const,
}));

/** `flood` above a level of 60, with some noise. */
function sample(seed: number, count: number, shift = 0): { rows: Row[]; labels: string[] } {
  const random = createRandom(seed);
  const rows: Row[] = [];
  const labels: string[] = [];
  for (let i = 0; i < count; i++) {
    const level = 100 * random.unit() + shift;
    rows.push({ level, wind: 20 * random.unit() });
    labels.push(level + 5 * random.normal() > 60 ? 'flood' : 'calm');
  }
  return { rows, labels };
}

const train = (seed: number, labelsOf: (labels: string[]) => string[] = (labels) => labels): Recogniser => {
  const { rows, labels } = sample(seed, 300);
  return trainRecogniser({
    name: 'river',
    kind: 'forest',
    features,
    rows,
    labels: labelsOf(labels),
    classes: ['calm', 'flood'],
    forest: { trees: 40 },
    seed,
  });
};

describe('drift', () => {
  const recogniser = train(1);
  const judge = (rows: Row[], truths: (string | null)[]) =>
    driftOf({ recogniser, rows, truths, minConfidence: 0.7 });
  const raised = (report: ReturnType<typeof judge>): string[] =>
    report.monitors.filter(({ alarm }) => alarm).map(({ monitor, feature }) => feature ?? monitor);

  it('raises no alarm on new rows of the same kind', () => {
    for (const seed of [2, 3, 4, 5, 6]) {
      const { rows, labels } = sample(seed, 60);
      assert.deepEqual(raised(judge(rows, labels)), [], `seed ${seed}`);
    }
  });

  it('raises one for the input whose values have moved', () => {
    const { rows } = sample(7, 100, 45);
    const report = judge(
      rows,
      rows.map(() => null),
    );
    assert.ok(report.alarm);
    assert.ok(raised(report).includes('level'));
    assert.ok(!raised(report).includes('wind'));
  });

  it('raises one when what it is sure of does not come true', () => {
    const { rows, labels } = sample(8, 100);
    const turned = labels.map((label, i) => (i % 2 === 0 ? 'calm' : label));
    assert.deepEqual(raised(judge(rows, turned)), ['calibration']);
  });

  it('says that few rows tell nothing', () => {
    const { rows, labels } = sample(9, 29);
    const report = judge(rows, labels);
    assert.equal(report.enough, false);
    assert.equal(report.alarm, false);
  });
});

describe('the gate', () => {
  const active = train(1);
  const { rows, labels } = sample(20, 200);
  const through = (candidate: Recogniser): string[] =>
    gate({ candidate, active, others: [], rows, labels, severe: ['flood'], minConfidence: 0.7 })
      .filter(({ passed }) => !passed)
      .map(({ check }) => check);

  it('lets the same version pass', () => assert.deepEqual(through(active), []));

  it('refuses one that recognises severe events less often, with what it would newly name wrongly', () => {
    const blind = train(1, (labels) => labels.map((label, i) => (i % 6 === 0 ? label : 'calm')));
    assert.deepEqual(through(blind), ['severe-recall', 'accuracy', 'replay']);
  });

  it('refuses one that is less accurate though it misses no severe event', () => {
    const nervous = train(1, (labels) => labels.map((label, i) => (i % 6 === 0 ? label : 'flood')));
    assert.deepEqual(through(nervous), ['accuracy']);
  });
});
