import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { decodeRecogniser, encodeRecogniser } from '../../../domain/classify/artefact.ts';
import { explain, explainLocally } from '../../../domain/classify/explain.ts';
import type { FeatureSpec, Row } from '../../../domain/classify/features.ts';
import { changesForAnother, nearestPast, pastRow } from '../../../domain/classify/past.ts';
import { predict, type Recogniser, type RecogniserKind } from '../../../domain/classify/recogniser.ts';
import { trainRecogniser } from '../../../domain/classify/train.ts';
import { createRandom } from '../../../domain/random.ts';

const text = (name: string) => ({ en: name, zh: name });
const features: readonly FeatureSpec[] = [
  { name: 'load', unit: 't', label: text('load'), kind: 'number' },
  { name: 'soil', unit: '', label: text('soil'), kind: 'category', categories: ['clay', 'sand'] },
  { name: 'grade', unit: '', label: text('grade'), kind: 'ordinal', categories: ['low', 'mid', 'high'] },
  { name: 'hour', unit: 'h', label: text('hour'), kind: 'cycle', period: 24 },
];

/** Fails when the load is high, more so on clay; every tenth grade is missing. */
function rowsFrom(seed: number, count = 120): { rows: Row[]; labels: string[] } {
  const random = createRandom(seed);
  const rows: Row[] = [];
  const labels: string[] = [];
  for (let i = 0; i < count; i++) {
    const load = Math.round(random.unit() * 1000) / 10;
    const soil = random.unit() < 0.5 ? 'clay' : 'sand';
    const grade = i % 10 === 0 ? null : (['low', 'mid', 'high'] as const)[random.integer(3)]!;
    rows.push({ load, soil, grade, hour: random.integer(24) });
    labels.push(load + (soil === 'clay' ? 25 : 0) + 8 * random.normal() > 65 ? 'fails' : 'holds');
  }
  return { rows, labels };
}

function make(kind: RecogniserKind, seed = 1): { recogniser: Recogniser; rows: Row[] } {
  const { rows, labels } = rowsFrom(seed);
  const recogniser = trainRecogniser({
    name: 'slope',
    kind,
    features,
    rows,
    labels,
    classes: ['fails', 'holds'],
    members: ['forest', 'logistic', 'mlp'],
    forest: { trees: 20 },
    mlp: { epochs: 20, hidden: 4 },
    seed,
  });
  return { recogniser, rows };
}

const KINDS = ['forest', 'tree', 'logistic', 'mlp', 'vote'] as const;

describe('any kind of recogniser', () => {
  for (const kind of KINDS) {
    it(`(${kind}) is the same bytes for the same seed, and the same recogniser after its bytes`, () => {
      const bytes = encodeRecogniser(make(kind).recogniser);
      assert.deepEqual(encodeRecogniser(make(kind).recogniser), bytes);
      const { recogniser, rows } = make(kind);
      const again = decodeRecogniser(Buffer.from(bytes));
      assert.deepEqual(encodeRecogniser(again), bytes);
      for (const row of rows.slice(0, 20)) assert.deepEqual(predict(again, row), predict(recogniser, row));
    });
  }

  it('cut short anywhere is refused', () => {
    const bytes = encodeRecogniser(make('vote').recogniser);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: bytes.length - 1 }), (length) => {
        assert.throws(() => decodeRecogniser(bytes.slice(0, length)), { code: 'RECOGNISER_DAMAGED' });
      }),
      { numRuns: 60 },
    );
  });
});

describe('past rows', () => {
  for (const kind of KINDS) {
    it(`(${kind}) come back as they were, however they are scaled`, () => {
      const { recogniser, rows } = make(kind);
      const { past } = recogniser;
      assert.equal(past?.y.length, rows.length);
      for (const r of past!.y.keys()) assert.deepEqual(pastRow(recogniser, r), rows[past!.at[r]! - 1]);
    });
  }

  it('hold the row itself as its own nearest', () => {
    const { recogniser, rows } = make('forest');
    for (const index of [0, 17, 63]) {
      const [first] = nearestPast(recogniser, rows[index]!);
      assert.equal(first?.row, index + 1);
      assert.equal(first?.distance, 0);
    }
  });
});

describe('what would have to change', () => {
  for (const kind of KINDS) {
    it(`(${kind}) does give the other answer it promises, the same one every time`, () => {
      const { recogniser, rows } = make(kind);
      let found = 0;
      for (const row of rows.slice(0, 12)) {
        const own = predict(recogniser, row).label;
        const changes = changesForAnother(recogniser, row);
        assert.deepEqual(changesForAnother(recogniser, row), changes);
        for (const { inputs, label, probability } of changes) {
          const changed = { ...row, ...Object.fromEntries(inputs.map(({ feature, to }) => [feature, to])) };
          const answer = predict(recogniser, changed);
          assert.equal(answer.label, label);
          assert.equal(answer.probabilities[label], probability);
          assert.notEqual(label, own);
          found++;
        }
      }
      assert.ok(found >= 12, `${found} changes found`);
    });
  }
});

describe('explanations', () => {
  it('of trees and forests add up to the output exactly, for any seed and row', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), fc.constantFrom('forest', 'tree'), (seed, kind) => {
        const { recogniser, rows } = make(kind, seed);
        for (const row of rows.slice(0, 5)) {
          const { baseline, contributions, output, unexplained } = explain(recogniser, row);
          const sum = contributions.reduce((total, { shap }) => total + shap, baseline);
          assert.ok(Math.abs(sum - output) < 1e-9);
          assert.ok(Math.abs(unexplained) < 1e-9);
        }
      }),
      { numRuns: 12 },
    );
  });

  it('by a local line work for every kind and find what matters', () => {
    for (const kind of KINDS) {
      const { recogniser, rows } = make(kind);
      const row = rows.find(({ load }) => Number(load) > 95)!;
      const local = explainLocally(recogniser, row);
      assert.deepEqual(explainLocally(recogniser, row), local);
      assert.equal(local.contributions[0]?.feature, 'load', kind);
      assert.ok(local.contributions[0].weight > 0, kind);
      const sum = local.contributions.reduce((total, { weight }) => total + weight, local.baseline);
      assert.ok(Math.abs(sum + local.unexplained - local.output) < 1e-9);
    }
  });
});
