import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { decodeRecogniser, encodeRecogniser } from '../../../domain/classify/artefact.ts';
import { assessRow } from '../../../domain/classify/assess.ts';
import { explain } from '../../../domain/classify/explain.ts';
import type { Row } from '../../../domain/classify/features.ts';
import {
  predict,
  type Prediction,
  type Recogniser,
  type RecogniserKind,
} from '../../../domain/classify/recogniser.ts';
import { trainRecogniser } from '../../../domain/classify/train.ts';
import { crossValidate, judge, permutationImportance } from '../../../domain/classify/validate.ts';
import { vote } from '../../../domain/classify/vote.ts';
import { GAS_CLASSES, GAS_FEATURES, gasRows } from './rows.ts';

const kinds: readonly Exclude<RecogniserKind, 'svm'>[] = ['forest', 'tree', 'logistic', 'mlp'];
const taught = gasRows(300, 1);
const unseen = gasRows(200, 2);
const train = (kind: RecogniserKind, more: object = {}): Recogniser =>
  trainRecogniser({
    name: `gas-${kind}`,
    kind,
    features: GAS_FEATURES,
    classes: GAS_CLASSES,
    forest: kind === 'forest' ? { trees: 40 } : {},
    mlp: { epochs: 40 },
    seed: 11,
    ...taught,
    ...more,
  });
const recognisers = new Map(kinds.map((kind) => [kind, train(kind)]));
const leak: Row = { methane: 31, wind: null, sensor: 'catalytic', hour: 3 };

for (const kind of kinds) {
  describe(`a recogniser of kind ${kind}`, () => {
    const recogniser = recognisers.get(kind)!;

    it('recognises rows it has not seen, with every class counted alike', () => {
      assert.ok(judge(recogniser, unseen.rows, unseen.labels).balancedAccuracy > 0.85);
    });

    it('gives probabilities that sum to 1', () => {
      for (const row of unseen.rows) {
        const sum = Object.values(predict(recogniser, row).probabilities).reduce((total, p) => total + p, 0);
        assert.ok(Math.abs(sum - 1) < 1e-9);
      }
    });

    it('is the same byte for byte when it is trained again', () => {
      assert.deepEqual(encodeRecogniser(train(kind)), encodeRecogniser(recogniser));
    });

    it('answers and explains the same after a round trip through its bytes', () => {
      const bytes = encodeRecogniser(recogniser);
      const restored = decodeRecogniser(bytes);
      assert.deepEqual(restored, recogniser);
      assert.deepEqual(encodeRecogniser(restored), bytes);
      for (const row of unseen.rows.slice(0, 20)) {
        assert.deepEqual(predict(restored, row), predict(recogniser, row));
        assert.deepEqual(explain(restored, row), explain(recogniser, row));
      }
    });

    it('explains an answer with contributions that, with what is unexplained, add up to it', () => {
      for (const row of unseen.rows.slice(0, 20)) {
        const { contributions, baseline, output, unexplained, method } = explain(recogniser, row);
        const sum = contributions.reduce((total, { shap }) => total + shap, baseline + unexplained);
        assert.ok(Math.abs(sum - output) < 1e-9);
        assert.equal(contributions.length, GAS_FEATURES.length);
        assert.ok(method === 'local-surrogate' || Math.abs(unexplained) < 1e-9);
      }
    });

    it('names methane first when it explains a leak, in both languages', () => {
      const { contributions, sentence, label } = explain(recogniser, leak);
      assert.equal(label, 'leak');
      assert.equal(contributions[0]!.feature, 'methane');
      assert.match(sentence.en, /methane 31 %LEL/);
      assert.match(sentence.zh, /甲烷 31 %LEL/);
    });
  });
}

describe('a prediction', () => {
  const forest = recognisers.get('forest')!;
  const bad: readonly [string, Row, RegExp][] = [
    ['a field that is missing', { methane: 1, wind: 1, sensor: 'infrared' }, /hour.*got nothing/],
    ['a field it does not know', { ...leak, colour: 'red' }, /knows no input "colour"/],
    ['NaN', { ...leak, methane: Number.NaN }, /methane.*NaN/],
    ['infinity', { ...leak, methane: Infinity }, /methane.*Infinity/],
    ['text in a number', { ...leak, methane: '31' }, /methane.*"31"/],
    ['a number in a category', { ...leak, sensor: 4 }, /sensor.*4/],
  ];
  for (const [what, row, message] of bad) {
    it(`refuses ${what} and says where it is`, () => {
      assert.throws(() => predict(forest, row), { code: 'RECOGNISER_INPUT_INVALID', message });
    });
  }

  it('flags what lies outside the training range, with its bounds', () => {
    const { outOfRange } = predict(forest, { ...leak, methane: 95, sensor: 'laser' });
    assert.deepEqual(
      outOfRange.map(({ feature }) => feature),
      ['methane', 'sensor'],
    );
    assert.ok(outOfRange[0]!.high < 60);
  });

  it('flags a missing value where training never had one', () => {
    const { outOfRange } = predict(forest, { ...leak, methane: null });
    assert.deepEqual(
      outOfRange.map(({ feature, value }) => [feature, value]),
      [['methane', null]],
    );
  });

  it('takes a missing value that training had as what it is', () => {
    assert.deepEqual(predict(forest, leak).outOfRange, []);
  });
});

describe('a vote', () => {
  const says = (recogniser: string, leakShare: number): Prediction => ({
    recogniser,
    label: leakShare > 0.5 ? 'leak' : 'quiet',
    probabilities: { quiet: 1 - leakShare, leak: leakShare },
    outOfRange: [],
  });

  it('takes the label that all give with enough confidence', () => {
    const outcome = vote([says('a', 0.9), says('b', 0.96)], { minConfidence: 0.8 });
    assert.deepEqual([outcome.label, outcome.agreed, outcome.abstained], ['leak', true, undefined]);
    assert.ok(Math.abs(outcome.confidence - 0.93) < 1e-9);
  });

  it('abstains when the voters disagree, and says who says what', () => {
    const outcome = vote([says('forest', 0.9), says('svm', 0.2)], { minConfidence: 0.5 });
    assert.equal(outcome.label, undefined);
    assert.match(outcome.abstained!, /disagree: forest says leak \(90 %\), svm says quiet \(80 %\)/);
  });

  it('abstains when confidence is too low, and names the runner-up', () => {
    assert.match(vote([says('a', 0.7)], { minConfidence: 0.8 }).abstained!, /70 %.*below 80 %.*quiet.*30 %/);
  });

  it('abstains on an input outside the training range however sure it is', () => {
    const odd = { ...says('a', 0.99), outOfRange: [{ feature: 'methane', value: 95, low: 0, high: 40 }] };
    const { label, abstained } = vote([odd], { minConfidence: 0.8 });
    assert.equal(label, undefined);
    assert.match(abstained!, /methane 95 lies outside the training range 0 to 40/);
  });

  it('abstains when nobody votes', () => {
    assert.equal(vote([], { minConfidence: 0.5 }).abstained, 'No recogniser answered.');
  });

  it('never has a label below the confidence it was told', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 4 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (shares, minConfidence) => {
          const outcome = vote(
            shares.map((share, i) => says(`v${i}`, share)),
            { minConfidence },
          );
          assert.equal(outcome.label === undefined, outcome.abstained !== undefined);
          assert.ok(outcome.label === undefined || (outcome.confidence >= minConfidence && outcome.agreed));
        },
      ),
    );
  });

  it('is recorded with hash, probabilities, contributions and sentence of every voter', () => {
    const voters = [
      { recogniser: recognisers.get('forest')!, hash: 'aa' },
      { recogniser: recognisers.get('logistic')!, hash: 'bb' },
    ];
    const { votes, label, doubt } = assessRow(voters, leak, { minConfidence: 0.6 });
    assert.deepEqual([label, doubt], ['leak', '']);
    assert.deepEqual(
      votes.map(({ recogniser, hash }) => [recogniser, hash]),
      [
        ['gas-forest', 'aa'],
        ['gas-logistic', 'bb'],
      ],
    );
    assert.ok(
      votes.every(
        ({ contributions, sentence }) => contributions[0]!.feature === 'methane' && sentence.zh !== '',
      ),
    );
  });
});

describe('an artefact', () => {
  const bytes = encodeRecogniser(recognisers.get('forest')!);

  it('is refused when it is cut off anywhere', () => {
    for (const length of [0, 7, 15, 40, Math.floor(bytes.length / 2), bytes.length - 1]) {
      assert.throws(() => decodeRecogniser(bytes.slice(0, length)), { code: 'RECOGNISER_DAMAGED' });
    }
  });

  it('is refused when a newer version wrote it', () => {
    const newer = bytes.slice();
    newer[8] = 2;
    assert.throws(() => decodeRecogniser(newer), { code: 'RECOGNISER_NEWER' });
    const text = new TextDecoder('latin1').decode(bytes).replace('recogniser/v1', 'recogniser/v2');
    const schema = Uint8Array.from(text, (letter) => letter.charCodeAt(0));
    assert.throws(() => decodeRecogniser(schema), { code: 'RECOGNISER_NEWER' });
  });

  it('never sends a prediction astray, whichever byte is changed', () => {
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const altered = bytes.slice();
        altered[at]! ^= change;
        let opened: Recogniser;
        try {
          opened = decodeRecogniser(altered);
        } catch (cause) {
          assert.match((cause as { code?: string }).code ?? String(cause), /^RECOGNISER_/);
          return;
        }
        // What still opens must end: a walk may not run in circles or leave the arrays.
        assert.equal(opened.schema, 'tocsin/recogniser/v1');
      }),
      { numRuns: 300 },
    );
  });
});

describe('training', () => {
  const bad: readonly [string, object, RegExp][] = [
    ['no rows', { rows: [], labels: [] }, /no rows/],
    [
      'one class only',
      { rows: taught.rows.slice(0, 3), labels: ['leak', 'leak', 'leak'] },
      /all rows are "leak"/,
    ],
    [
      'a label that is not declared',
      { rows: taught.rows, labels: ['smoke', ...taught.labels.slice(1)] },
      /row 1.*"smoke"/,
    ],
    [
      'a class with a single row',
      { rows: taught.rows.slice(0, 3), labels: ['leak', 'quiet', 'quiet'] },
      /"leak".*fewer than two/,
    ],
    ['fewer labels than rows', { rows: taught.rows, labels: ['leak'] }, /300 rows have 1 labels/],
  ];
  for (const [what, data, message] of bad) {
    it(`refuses ${what}`, () => {
      assert.throws(() => train('forest', data), { code: 'TRAINING_DATA_INVALID', message });
    });
  }

  it('refuses NaN in a row and names the input', () => {
    const rows = [{ ...taught.rows[0]!, methane: Number.NaN }, ...taught.rows.slice(1)];
    assert.throws(() => train('logistic', { rows }), {
      code: 'RECOGNISER_INPUT_INVALID',
      message: /methane/,
    });
  });

  it('learns although a column is constant', () => {
    const rows = taught.rows.map((row) => ({ ...row, wind: 2 }));
    for (const kind of kinds) {
      const recogniser = train(kind, { rows });
      assert.equal(predict(recogniser, { ...leak, wind: 2 }).label, 'leak');
    }
  });

  it('names rare classes earlier under the balanced rule, with the same probabilities', () => {
    const balanced = train('forest', { decision: 'balanced' });
    const plain = recognisers.get('forest')!;
    const leaks = (recogniser: Recogniser): number =>
      unseen.rows.filter((row) => predict(recogniser, row).label === 'leak').length;
    assert.deepEqual(
      unseen.rows.map((row) => predict(balanced, row).probabilities),
      unseen.rows.map((row) => predict(plain, row).probabilities),
    );
    assert.ok(leaks(balanced) >= leaks(plain));
  });
});

describe('validation', () => {
  it('puts every figure beside the majority and the logistic baseline', () => {
    const request = {
      name: 'g',
      kind: 'forest' as const,
      features: GAS_FEATURES,
      classes: GAS_CLASSES,
      forest: { trees: 30 },
      seed: 3,
      ...taught,
    };
    const { rules, folds, repeats } = crossValidate(request, { folds: 5, repeats: 2 });
    assert.deepEqual([folds, repeats], [5, 2]);
    const { balancedAccuracy, majority, logistic } = rules.balanced;
    assert.ok(
      balancedAccuracy.low <= balancedAccuracy.mean && balancedAccuracy.mean <= balancedAccuracy.high,
    );
    assert.ok(balancedAccuracy.mean > 0.85);
    assert.ok(Math.abs(majority.balancedAccuracy - 1 / 3) < 1e-9);
    assert.ok(logistic.balancedAccuracy.mean > 0.7);
  });

  it('finds methane the most important input and wind unimportant', () => {
    const importance = permutationImportance(recognisers.get('forest')!, unseen.rows, unseen.labels);
    assert.equal(importance[0]!.feature, 'methane');
    assert.ok(Math.abs(importance.find(({ feature }) => feature === 'wind')!.loss) < 0.05);
  });
});
