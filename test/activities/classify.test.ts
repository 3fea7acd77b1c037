import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { createRecognitionActivities } from '../../activities/classify.ts';
import { createRecognitionPool, type RecognitionPool } from '../../activities/recognition/pool.ts';
import { trainNoticeRecogniser, type TrainedRecogniser } from '../../activities/recognition/train-notices.ts';
import { loadWeekOfNotices, type LabelledNotice } from '../../activities/recognition/week-of-notices.ts';
import { noticeOf } from '../../domain/classify/notices.ts';
import { NONE, shadowOf } from '../../domain/classify/registered.ts';
import type { BulletinEvidence } from '../../domain/evidence.ts';
import type { Stores } from '../../domain/ports.ts';
import type { VoteResult } from '../../domain/situation.ts';
import { createFakeStores } from '../../models/fake-stores.ts';

const NAME = 'notice-forest';

describe('a vote on a bulletin', () => {
  let notices: LabelledNotice[];
  let active: TrainedRecogniser;
  let shadow: TrainedRecogniser;
  let pool: RecognitionPool;
  let stores: Stores;

  before(async () => {
    notices = await loadWeekOfNotices();
    active = await trainNoticeRecogniser('forest', { notices, seed: 1, crossValidation: null });
    shadow = await trainNoticeRecogniser('forest', { notices, seed: 2, crossValidation: null });
    pool = createRecognitionPool();
  });
  after(() => pool.close());
  beforeEach(async () => {
    stores = createFakeStores();
    for (const { hash, artefact } of [active, shadow])
      await stores.recognisers.insert({ name: NAME, hash, artefact, card: {}, atMs: 1 });
    await activate(NAME, active.hash);
  });

  const activate = (name: string, hash: string): Promise<number> =>
    stores.recognisers.activate({ name, hash, by: 'chen', reason: 'test', atMs: 1 });

  function evidence(): BulletinEvidence {
    const {
      latitudeDeg,
      longitudeDeg,
      observedAtMs,
      label: _label,
      ...fields
    } = notices.find(({ magnitude }) => magnitude === 6.4)!;
    const bulletin = { source: 'usgs', id: 'us1', type: 'earthquake-notice', observedAtMs, fields };
    return {
      kind: 'bulletin',
      key: 'usgs|us1',
      atMs: observedAtMs,
      receivedAtMs: observedAtMs + 1,
      vendor: 'vendor-quakes',
      bulletin: { ...bulletin, position: { latitudeDeg, longitudeDeg } },
      effects: [],
    };
  }
  const vote = (): Promise<VoteResult> =>
    createRecognitionActivities({ recognisers: stores.recognisers, pool }).assessNotice({
      recognisers: [NAME],
      evidence: evidence(),
      minConfidence: 0.7,
    });

  it('keeps what it was about: vendor, time and the row as the voters saw it', async () => {
    const { bulletin } = evidence();
    assert.deepEqual((await vote()).input, {
      key: 'usgs|us1',
      vendor: 'vendor-quakes',
      observedAtMs: bulletin.observedAtMs,
      row: noticeOf(bulletin),
    });
  });

  it('has the shadow of a voter beside it, and is the same with and without', async () => {
    const alone = await vote();
    assert.equal(alone.shadows, undefined);
    await activate(shadowOf(NAME), shadow.hash);
    const { shadows, ...result } = await vote();
    assert.deepEqual(result, alone);
    assert.deepEqual(
      shadows?.map(({ recogniser, hash, label }) => [recogniser, hash, label]),
      [[NAME, shadow.hash, 'earthquake']],
    );
    assert.ok(shadows![0]!.sentence.en.length > 0);
  });

  it('has no shadow once the shadow is stopped', async () => {
    await activate(shadowOf(NAME), shadow.hash);
    await activate(shadowOf(NAME), NONE);
    assert.equal((await vote()).shadows, undefined);
  });

  it('loses nothing to a shadow that cannot answer', async () => {
    const alone = await vote();
    await stores.recognisers.insert({
      name: NAME,
      hash: 'damaged',
      artefact: new Uint8Array([1, 2, 3]),
      card: {},
      atMs: 1,
    });
    await activate(shadowOf(NAME), 'damaged');
    assert.deepEqual(await vote(), alone);
  });
});
