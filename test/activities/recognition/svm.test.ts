import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { createFitSvm, loadLibsvm, type Libsvm } from '../../../activities/recognition/libsvm.ts';
import { matrixOf, rowOf, type Matrix } from '../../../domain/classify/matrix.ts';
import {
  createSvmVoter,
  decisionValues,
  parseSvm,
  svmLabel,
  type Svm,
} from '../../../domain/classify/svm.ts';
import { trainRecogniser, type FitSvm } from '../../../domain/classify/train.ts';
import { judge } from '../../../domain/classify/validate.ts';
import { encodeRecogniser } from '../../../domain/classify/artefact.ts';
import { clusters, GAS_CLASSES, GAS_FEATURES, gasRows } from '../../domain/classify/rows.ts';

describe('a support vector machine', () => {
  let fitSvm: FitSvm;
  let Machine: Libsvm;
  let x: Matrix;
  let text: string;
  let svm: Svm;

  before(async () => {
    fitSvm = await createFitSvm();
    Machine = await loadLibsvm();
    const data = clusters({ rows: 160, columns: 5, classes: 4, seed: 6, noise: 3 });
    x = data.x;
    text = fitSvm(x, data.y, { cost: 2, gamma: 0.1, classWeights: [1, 2, 1, 3] });
    svm = parseSvm(text, x.columns);
  });

  it('gives the labels of libsvm, in its plain and in its fast form', () => {
    const machine = Machine.load(text);
    const voter = createSvmVoter(svm);
    for (let r = 0; r < x.rows; r++) {
      const row = rowOf(x, r);
      const theirs = machine.predictOne(Array.from(row));
      assert.equal(svmLabel(svm, row), theirs);
      assert.equal(voter.label(row), theirs);
    }
    machine.free();
  });

  it('gives decision values within 1e-9 of libsvm, in its plain and in its fast form', () => {
    // libsvm only tells labels. So each offset is moved to 1e-9 on either side of our decision value: libsvm's label
    // must change between the two. The other pairs are pushed out of the way.
    const k = svm.labels.length;
    const pairs = svm.labels.flatMap((_, i) =>
      svm.labels.slice(i + 1).map((_label, d) => [i, i + 1 + d] as const),
    );
    const voter = createSvmVoter(svm);
    const labelWith = (row: Float64Array, pair: number, offset: number): number => {
      const [i, j] = pairs[pair]!;
      const offsets = pairs.map(([a, b], p) => {
        if (p === pair) return offset;
        if (a === i || a === j) return -1e6;
        return b === i || b === j ? 1e6 : 0;
      });
      const machine = Machine.load(
        text.replace(/^rho .*$/m, `rho ${offsets.map((o) => o.toPrecision(17)).join(' ')}`),
      );
      const label = machine.predictOne(Array.from(row));
      machine.free();
      return label;
    };
    assert.equal(k, 4);
    for (let r = 0; r < 12; r++) {
      const row = rowOf(x, r * 13);
      const plain = decisionValues(svm, row);
      const fast = Float64Array.from(voter.decisionValues(row));
      for (const [pair, [i, j]] of pairs.entries()) {
        assert.ok(Math.abs(plain[pair]! - fast[pair]!) < 1e-9);
        const zero = plain[pair]! + svm.offsets[pair]!;
        assert.equal(labelWith(row, pair, zero - 1e-9), svm.labels[i]);
        assert.equal(labelWith(row, pair, zero + 1e-9), svm.labels[j]);
      }
    }
  });

  it('is the same byte for byte when it is trained again', () => {
    const request = {
      name: 'g',
      kind: 'svm' as const,
      features: GAS_FEATURES,
      classes: GAS_CLASSES,
      fitSvm,
      seed: 1,
      ...gasRows(150, 4),
    };
    assert.deepEqual(encodeRecogniser(trainRecogniser(request)), encodeRecogniser(trainRecogniser(request)));
  });

  it('recognises rows it has not seen, with probabilities that come true', () => {
    const { rows, labels } = gasRows(400, 9);
    const recogniser = trainRecogniser({
      name: 'g',
      kind: 'svm',
      features: GAS_FEATURES,
      classes: GAS_CLASSES,
      fitSvm,
      seed: 1,
      ...gasRows(400, 4),
    });
    const { balancedRule, reliability } = judge(recogniser, rows, labels);
    assert.ok(balancedRule.balancedAccuracy > 0.85);
    assert.ok(reliability.expectedCalibrationError < 0.06);
  });

  it('says nothing on the console when its solver loads', async () => {
    const { execFile } = await import('node:child_process');
    const { promisify } = await import('node:util');
    const script = `import('./activities/recognition/libsvm.ts').then(({ loadLibsvm }) => loadLibsvm())`;
    const { stdout, stderr } = await promisify(execFile)(process.execPath, ['--import', 'tsx', '-e', script]);
    assert.deepEqual([stdout, stderr], ['', '']);
  });

  const broken: readonly [string, (text: string) => string, RegExp][] = [
    ['a line is missing', (t) => t.replace(/^rho.*\n/m, ''), /"rho" is missing/],
    ['a support vector is missing', (t) => t.trimEnd().split('\n').slice(0, -1).join('\n'), /is missing/],
    ['a number is not one', (t) => t.replace(/^gamma .*/m, 'gamma much'), /"much" is not a number/],
    ['the kernel is another', (t) => t.replace('kernel_type rbf', 'kernel_type linear'), /c_svc with linear/],
  ];
  for (const [what, change, message] of broken) {
    it(`is refused when ${what}`, () => {
      assert.throws(() => parseSvm(change(text), x.columns), { code: 'RECOGNISER_DAMAGED', message });
    });
  }

  it('reads a machine of two classes', () => {
    const two = matrixOf([[0], [1], [10], [11]]);
    const machine = parseSvm(fitSvm(two, Uint8Array.of(1, 1, 0, 0), { gamma: 0.1 }), 1);
    assert.deepEqual([svmLabel(machine, [0.5]), svmLabel(machine, [10.5])], [1, 0]);
  });
});
