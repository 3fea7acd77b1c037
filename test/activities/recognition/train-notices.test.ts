import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { RandomForestClassifier } from 'ml-random-forest';
import { openRecogniser } from '../../../activities/recognition/artefacts.ts';
import { checkCanary } from '../../../activities/recognition/independent-check.ts';
import {
  trainNoticeRecognisers,
  type TrainedRecogniser,
} from '../../../activities/recognition/train-notices.ts';
import { loadWeekOfNotices, type LabelledNotice } from '../../../activities/recognition/week-of-notices.ts';
import { assessRow, type Voter } from '../../../domain/classify/assess.ts';
import { forestLabel } from '../../../domain/classify/forest.ts';
import { fromLibraryJson, toLibraryJson, type LibraryForest } from '../../../domain/classify/forest-json.ts';
import { rowOf } from '../../../domain/classify/matrix.ts';
import { NOTICE_CLASSES, noticeOf, noticeRow } from '../../../domain/classify/notices.ts';
import type { VoteResult } from '../../../domain/situation.ts';
import { clusters } from '../../domain/classify/rows.ts';

describe('the recognisers of notices', () => {
  let notices: LabelledNotice[];
  let forest: TrainedRecogniser;
  let svm: TrainedRecogniser;
  let voters: Voter[];
  let results: Map<LabelledNotice, VoteResult>;
  const judgeFromMs = Date.parse('2018-02-04T00:00:00Z');

  before(async () => {
    notices = await loadWeekOfNotices();
    ({ forest, svm } = await trainNoticeRecognisers({ notices, crossValidation: { folds: 5, repeats: 1 } }));
    voters = [openRecogniser(forest.artefact, forest.hash), openRecogniser(svm.artefact, svm.hash)];
    const judged = notices.filter(({ observedAtMs }) => observedAtMs >= judgeFromMs);
    const telling = judged.filter(({ label, magnitude }) => label !== 'earthquake' || magnitude! >= 4.5);
    results = new Map(
      telling.map((notice) => [notice, assessRow(voters, noticeRow(notice), { minConfidence: 0.8 })]),
    );
  });

  it('read the whole week with its types', () => {
    const count = (name: string): number => notices.filter(({ label }) => label === name).length;
    assert.deepEqual(NOTICE_CLASSES.map(count), [1679, 15, 13]);
  });

  it('know the main shock of Hualien and its strongest foreshock for earthquakes they had not seen', () => {
    const strong = [...results].filter(([{ magnitude }]) => magnitude! > 6);
    assert.equal(strong.length, 2);
    for (const [, { label, confidence, doubt }] of strong) {
      assert.equal(label, 'earthquake');
      assert.ok(confidence > 0.95);
      assert.equal(doubt, '');
    }
  });

  it('know every unseen event from magnitude 4.5 on for an earthquake or ask a human', () => {
    const wrong = [...results].filter(
      ([{ label }, result]) => label === 'earthquake' && (result.label ?? label) !== label,
    );
    const asked = [...results].filter(([{ label }, result]) => label === 'earthquake' && result.doubt !== '');
    assert.deepEqual(wrong, []);
    assert.ok(asked.length <= 5, `${asked.length} of ${results.size}`);
  });

  it('recognise unseen blasts and explosions or ask a human about most of them', () => {
    const blasts = [...results].filter(([{ label }]) => label !== 'earthquake');
    const passed = blasts.filter(([{ label }, result]) => result.label === label || result.doubt !== '');
    assert.equal(blasts.length, 9);
    assert.ok(passed.length >= 7, `${passed.length} of 9`);
    assert.ok(blasts.every(([, { doubt }]) => doubt === '' || doubt.length > 20));
  });

  it('say on their cards what they were trained on and how well they did', () => {
    for (const { card, hash } of [forest, svm]) {
      assert.equal(card.hash, hash);
      assert.deepEqual(card.rowsPerClass['earthquake'], { trained: 911, judged: 768 });
      assert.match(card.split.en, /930 notices before 2018-02-04 00:00 UTC taught, 777 from then on judged/);
      assert.match(card.trainingDataSha256, /^[0-9a-f]{64}$/);
      assert.equal(
        card.judged.confusion.flat().reduce((sum, n) => sum + n, 0),
        777,
      );
      assert.ok(card.judged.reliability.expectedCalibrationError < 0.02);
      const { balanced } = card.crossValidation!.rules;
      assert.ok(balanced.balancedAccuracy.mean > 0.82);
      assert.ok(balanced.majority.balancedAccuracy < 0.34);
      assert.ok(balanced.balancedAccuracy.mean > 0.9 * balanced.logistic.balancedAccuracy.mean);
      assert.deepEqual(Object.keys(card.bounds).includes('depthKm'), true);
      assert.deepEqual(JSON.parse(JSON.stringify(card)), card);
    }
  });

  it('do better than guessing and than the logistic baseline when asked for the likeliest type', () => {
    const rule = forest.card.crossValidation!.rules['most-probable'];
    assert.ok(rule.balancedAccuracy.mean > rule.logistic.balancedAccuracy.mean);
    assert.ok(rule.accuracy.mean > rule.majority.accuracy);
  });

  it('are the same byte for byte when they are trained again, whatever the order of the notices', async () => {
    const again = await trainNoticeRecognisers({ notices: [...notices].reverse(), crossValidation: null });
    assert.deepEqual([again.forest.hash, again.svm.hash], [forest.hash, svm.hash]);
  });

  it('open only under the hash they were activated with', () => {
    const altered = forest.artefact.slice();
    altered[altered.length - 1]! ^= 1;
    assert.throws(() => openRecogniser(altered, forest.hash), { code: 'RECOGNISER_HASH_MISMATCH' });
    assert.throws(() => openRecogniser(forest.artefact, svm.hash), { code: 'RECOGNISER_HASH_MISMATCH' });
  });

  it('read a bulletin as training read the notice', () => {
    const notice = notices.find(({ magnitude }) => magnitude === 6.4)!;
    const { latitudeDeg, longitudeDeg, observedAtMs, label: _label, ...fields } = notice;
    const bulletin = { source: 'usgs', id: 'us1', type: 'earthquake-notice', observedAtMs, fields };
    assert.deepEqual(noticeOf({ ...bulletin, position: { latitudeDeg, longitudeDeg } }), noticeRow(notice));
    assert.throws(() => noticeOf({ ...bulletin, position: null }), {
      code: 'RECOGNISER_INPUT_INVALID',
      message: /us1/,
    });
  });

  it('answer their canary rows as at training, also when the library answers', () => {
    assert.equal(checkCanary(forest.recogniser), 24);
    assert.equal(checkCanary(svm.recogniser), 24);
  });

  it('are refused when a canary row gets another answer than at training', () => {
    const canary = forest.recogniser.canary.map((one) => ({ ...one, answer: 'explosion' }));
    assert.throws(() => checkCanary({ ...forest.recogniser, canary }), {
      code: 'RECOGNISER_CANARY_DIFFERS',
      message: /notice-forest: canary row 1 was explosion at training/,
    });
  });
});

describe('the JSON of ml-random-forest', () => {
  const { x, y } = clusters({ rows: 60, columns: 4, classes: 3, seed: 3, noise: 3 });
  const rows = Array.from({ length: x.rows }, (_, r) => Array.from(rowOf(x, r)));

  it("is read so that every label is the library's own", () => {
    const library = new RandomForestClassifier({
      nEstimators: 12,
      seed: 4,
      maxFeatures: 0.7,
      replacement: false,
      useSampleBagging: true,
      noOOB: true,
      treeOptions: {},
    } as unknown as ConstructorParameters<typeof RandomForestClassifier>[0]);
    library.train(rows, Array.from(y));
    const json = JSON.parse(JSON.stringify(library.toJSON())) as LibraryForest;
    const forest = fromLibraryJson(json, 3, 4);
    assert.deepEqual(
      rows.map((row) => forestLabel(forest, row)),
      library.predict(rows),
    );
    const back = RandomForestClassifier.load(toLibraryJson(forest, 4) as never);
    assert.deepEqual(back.predict(rows), library.predict(rows));
  });

  it('is refused when it is something else', () => {
    assert.throws(() => fromLibraryJson({ name: 'RFRegression' } as never, 3, 4), {
      code: 'RECOGNISER_DAMAGED',
    });
  });
});
