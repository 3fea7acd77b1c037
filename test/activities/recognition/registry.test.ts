import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { sealRecogniser } from '../../../activities/recognition/artefacts.ts';
import { earlierVersion, passGate, watchRecogniser } from '../../../activities/recognition/registry.ts';
import { judgingNotices } from '../../../activities/recognition/train-notices.ts';
import { loadWeekOfNotices } from '../../../activities/recognition/week-of-notices.ts';
import { NOTICE_CLASSES, NOTICE_FEATURES, noticeRow } from '../../../domain/classify/notices.ts';
import { trainRecogniser } from '../../../domain/classify/train.ts';
import { TocsinError } from '../../../domain/errors.ts';
import type { Stores } from '../../../domain/ports.ts';
import { createFakeStores } from '../../../models/fake-stores.ts';

describe('the registry of recognisers', () => {
  let stores: Stores;
  let good: string;
  let poor: string;

  before(async () => {
    stores = createFakeStores();
    const notices = await loadWeekOfNotices();
    const judging = new Set(judgingNotices(notices).rows.map((row) => JSON.stringify(row)));
    const teaching = notices.filter((notice) => !judging.has(JSON.stringify(noticeRow(notice))));
    const store = async (trees: number, maximumDepth: number): Promise<string> => {
      const recogniser = trainRecogniser({
        name: 'notice-forest',
        kind: 'forest',
        features: NOTICE_FEATURES,
        classes: NOTICE_CLASSES,
        rows: teaching.map(noticeRow),
        labels: teaching.map(({ label }) => label),
        forest: { trees, maximumDepth, minimumLeaf: 2 },
        seed: 3,
      });
      const sealed = sealRecogniser(recogniser);
      await stores.recognisers.insert({ name: 'notice-forest', ...sealed, card: {}, atMs: 1 });
      return sealed.hash;
    };
    [good, poor] = [await store(60, 64), await store(1, 1)];
  });
  const activate = (hash: string): Promise<number> =>
    stores.recognisers.activate({ name: 'notice-forest', hash, by: 'admin', reason: 'test', atMs: 1 });

  it('lets the first version vote after its canary rows, then holds the next to it', async () => {
    const first = await passGate(stores, 'notice-forest', good);
    assert.ok(first.canaryRows > 10);
    assert.deepEqual(first.findings, []);
    await activate(good);
    const same = await passGate(stores, 'notice-forest', good);
    assert.ok(same.findings.length >= 3);
    await assert.rejects(passGate(stores, 'notice-forest', poor), (error) => {
      assert.ok(error instanceof TocsinError);
      assert.equal(error.code, 'RECOGNISER_GATE_REFUSED');
      assert.match(error.message, /explosion is recognised in/);
      return true;
    });
    await assert.rejects(passGate(stores, 'notice-forest', 'none'), { code: 'RECOGNISER_UNKNOWN' });
  });

  it('goes back to the version that voted before, once there is one', async () => {
    await assert.rejects(earlierVersion(stores.recognisers, 'notice-forest'), {
      code: 'RECOGNISER_NO_EARLIER',
    });
    await activate(poor);
    await activate(poor);
    assert.equal(await earlierVersion(stores.recognisers, 'notice-forest'), good);
    await activate(good);
    assert.equal(await earlierVersion(stores.recognisers, 'notice-forest'), poor);
  });

  it('says of a recogniser without incidents that there is nothing to tell yet', async () => {
    const report = await watchRecogniser(stores, 'notice-forest', 0);
    assert.equal(report.enough, false);
    assert.equal(report.alarm, false);
    assert.equal(report.shadow, null);
  });
});
