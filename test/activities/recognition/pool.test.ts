import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { sealRecogniser } from '../../../activities/recognition/artefacts.ts';
import { createRecognitionPool, type RecognitionPool } from '../../../activities/recognition/pool.ts';
import { trainNoticeRecogniser } from '../../../activities/recognition/train-notices.ts';
import { loadWeekOfNotices } from '../../../activities/recognition/week-of-notices.ts';
import { assessRow } from '../../../domain/classify/assess.ts';
import { trainRecogniser } from '../../../domain/classify/train.ts';
import { GAS_CLASSES, GAS_FEATURES, gasRows } from '../../domain/classify/rows.ts';

describe('the recognition pool', () => {
  const recogniser = trainRecogniser({
    name: 'gas-forest',
    kind: 'forest',
    features: GAS_FEATURES,
    classes: GAS_CLASSES,
    forest: { trees: 20 },
    seed: 2,
    ...gasRows(120, 1),
  });
  const sealed = sealRecogniser(recogniser);
  const leak = { methane: 31, wind: null, sensor: 'catalytic', hour: 3 };
  let pool: RecognitionPool;

  before(() => {
    pool = createRecognitionPool();
  });
  after(() => pool.close());

  it('votes as the domain does', async () => {
    const here = assessRow([{ recogniser, hash: sealed.hash }], leak, { minConfidence: 0.7 });
    assert.deepEqual(await pool.assess({ voters: [sealed], row: leak, minConfidence: 0.7 }), here);
  });

  it('refuses bytes that are not those of the hash, also after it has opened the right ones', async () => {
    await pool.assess({ voters: [sealed], row: leak, minConfidence: 0.7 });
    const artefact = sealed.artefact.slice();
    artefact[artefact.length - 1]! ^= 1;
    const voters = [{ artefact, hash: sealed.hash }];
    await assert.rejects(pool.assess({ voters, row: leak, minConfidence: 0.7 }), {
      code: 'RECOGNISER_HASH_MISMATCH',
    });
  });

  it('hands errors over with code, message and details, and goes on', async () => {
    const row = { ...leak, methane: Number.NaN };
    await assert.rejects(pool.assess({ voters: [sealed], row, minConfidence: 0.7 }), {
      name: 'TocsinError',
      code: 'RECOGNISER_INPUT_INVALID',
      message: /methane/,
      details: { feature: 'methane', value: 'NaN' },
    });
    assert.equal((await pool.assess({ voters: [sealed], row: leak, minConfidence: 0.5 })).label, 'leak');
  });

  it('trains on another thread than it votes on, and gives a training up when it is told to', async () => {
    const notices = await loadWeekOfNotices();
    const first = await trainNoticeRecogniser('forest', { notices, crossValidation: null });
    const active = { artefact: first.artefact, hash: first.hash };
    const giveUp = new AbortController();
    let over = false;
    const training = pool
      .retrainNotices(
        { kind: 'forest', added: [], seed: first.recogniser.seed, active, others: [], minConfidence: 0.7 },
        giveUp.signal,
      )
      .finally(() => (over = true));
    const vote = await pool.assess({ voters: [sealed], row: leak, minConfidence: 0.5 });
    assert.deepEqual([vote.label, over], ['leak', false]);
    giveUp.abort();
    await assert.rejects(training, { name: 'AbortError' });

    const again = await pool.retrainNotices({
      kind: 'forest',
      added: [],
      seed: first.recogniser.seed,
      active,
      others: [],
      minConfidence: 0.7,
    });
    assert.equal(again.trained.hash, first.hash, 'the same rows and seed give the same bytes');
    assert.ok(again.findings.every(({ passed }) => passed));
  });

  it('gives up after its deadline with an error that may be tried again', async () => {
    const hasty = createRecognitionPool({ timeoutMs: 1 });
    try {
      await assert.rejects(hasty.assess({ voters: [sealed], row: leak, minConfidence: 0.7 }), {
        code: 'RECOGNITION_TIMED_OUT',
        retryable: true,
      });
    } finally {
      await hasty.close();
    }
  });
});
