import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { MockActivityEnvironment } from '@temporalio/testing';
import { createRecognitionPool, type RecognitionPool } from '../../activities/recognition/pool.ts';
import { passGate } from '../../activities/recognition/registry.ts';
import {
  partNotices,
  trainNoticeRecogniser,
  type TrainedRecogniser,
} from '../../activities/recognition/train-notices.ts';
import { loadWeekOfNotices, type LabelledNotice } from '../../activities/recognition/week-of-notices.ts';
import { createRetrainActivities, type Prepared } from '../../activities/retrain.ts';
import { noticeRow } from '../../domain/classify/notices.ts';
import type { RetrainingCard } from '../../domain/classify/recogniser.ts';
import { retrainingsOf } from '../../domain/classify/registered.ts';
import type { IncidentView, Stores } from '../../domain/ports.ts';
import { createRandom, shuffle } from '../../domain/random.ts';
import { createFakeStores } from '../../models/fake-stores.ts';
import type { RetrainOutcome } from '../../workflows/contract.ts';

const NAME = 'notice-forest';
const NOW = 1_000_000;

describe('retraining a recogniser of notices from closed incidents', () => {
  let week: LabelledNotice[];
  let first: TrainedRecogniser;
  let pool: RecognitionPool;
  let stores: Stores;

  before(async () => {
    week = await loadWeekOfNotices();
    first = await trainNoticeRecogniser('forest', { notices: week, crossValidation: null });
    pool = createRecognitionPool();
  });
  after(() => pool.close());
  beforeEach(async () => {
    stores = createFakeStores();
    const { hash, artefact, card } = first;
    await stores.recognisers.insert({ name: NAME, hash, artefact, card: { ...card }, atMs: 1 });
    await stores.recognisers.activate({ name: NAME, hash, by: 'admin', reason: 'first', atMs: 1 });
  });

  /** An incident about a notice, closed, with the input of its vote on record. */
  async function close(
    id: string,
    notice: LabelledNotice,
    { vendor = 'quakes', label = notice.label as string, people = ['li', 'wu'], phase = 'closed' } = {},
  ): Promise<void> {
    const input = { key: id, vendor, observedAtMs: notice.observedAtMs, row: noticeRow(notice) };
    await stores.incidents.put({ incidentId: id, phase } as IncidentView);
    await stores.facts.append([
      { incidentId: id, seq: 0, atMs: 1, stage: 'detect', kind: 'detected', data: {} },
      { incidentId: id, seq: 1, atMs: 2, stage: 'classify', kind: 'voted', data: { label, input } },
    ]);
    for (const by of people)
      await stores.labels.insert({ incidentId: id, label, by, reason: 'seen', atMs: NOW });
  }

  /** A notice of another event like one that taught: a little elsewhere, ten years later. */
  function like(notice: LabelledNotice, seed: number): LabelledNotice {
    const random = createRandom(seed);
    const near = (value: number | null): number | null =>
      value === null ? null : value * (1 + 0.02 * random.normal());
    return {
      ...notice,
      observedAtMs: notice.observedAtMs + 10 * 365 * 86_400_000,
      latitudeDeg: notice.latitudeDeg + 0.01 * random.normal(),
      longitudeDeg: notice.longitudeDeg + 0.01 * random.normal(),
      depthKm: near(notice.depthKm),
      rmsS: near(notice.rmsS),
      dminDeg: near(notice.dminDeg),
    };
  }

  /** Incidents over the teaching notices; the first `wrong` of them come from one vendor and are called wrong. */
  async function closeMany(count: number, wrong = 0): Promise<void> {
    const { teaching } = partNotices(week);
    const order = shuffle(Int32Array.from(teaching.keys()), createRandom(5));
    for (let i = 0; i < count; i++) {
      const notice = like(teaching[order[i]!]!, i);
      const other = notice.label === 'earthquake' ? 'explosion' : 'earthquake';
      await close(
        `incident/${i}`,
        notice,
        i < wrong ? { vendor: 'loud', label: other } : { vendor: `v${i % 8}` },
      );
    }
  }

  const activities = (): ReturnType<typeof createRetrainActivities> =>
    createRetrainActivities({ ...stores, pool, clock: () => NOW });
  const prepare = (incidentsAtLeast: number, name = NAME): Promise<Prepared> =>
    new MockActivityEnvironment().run(activities().prepareRetraining, { name, incidentsAtLeast, by: 'chen' });
  const trainAs = (run: string): Promise<RetrainOutcome> =>
    new MockActivityEnvironment().run(activities().trainCandidate, {
      name: NAME,
      by: 'chen',
      run,
      asOfMs: NOW,
      activeHash: first.hash,
    });

  it('ends with a reason when no version votes', async () => {
    const prepared = await prepare(1, 'notice-svm');
    assert.ok(!prepared.ready);
    assert.equal(prepared.outcome.result, 'no-active-version');
  });

  it('ends with what is missing when too few incidents can teach', async () => {
    await closeMany(4);
    await close('incident/alone', like(week[0]!, 90), { people: ['li'] });
    await close('incident/open', like(week[1]!, 91), { phase: 'responding' });
    await close('incident/gas', like(week[2]!, 92), { label: 'gas-leak' });
    await close('incident/judges', week.at(-1)!);
    await close('incident/taught', week[3]!);
    const prepared = await prepare(5);
    assert.ok(!prepared.ready);
    assert.equal(prepared.outcome.result, 'too-few-labels');
    assert.equal(prepared.outcome.reason, '4 closed incidents can teach; 5 are needed.');
    assert.deepEqual(prepared.outcome.incidents, {
      labelled: 9,
      usable: 4,
      taught: 4,
      leftOut: {
        'one-person': 1,
        'not-closed': 1,
        'other-class': 1,
        'judging-period': 1,
        'teaches-already': 1,
      },
    });
    assert.ok((await prepare(4)).ready);
  });

  it('does not count labels that came after its instant', async () => {
    await close('incident/0', like(week[0]!, 1), { people: ['li'] });
    await stores.labels.insert({
      incidentId: 'incident/0',
      label: week[0]!.label,
      by: 'wu',
      reason: 'late',
      atMs: NOW + 1,
    });
    const prepared = await prepare(1);
    assert.ok(!prepared.ready);
    assert.equal(prepared.outcome.incidents?.leftOut['one-person'], 1);
  });

  it('stores a version that passes the gate with its card, and lets nothing vote differently', async () => {
    await closeMany(120);
    const outcome = await trainAs('run-1');
    assert.equal(outcome.result, 'trained', outcome.reason);
    assert.deepEqual(outcome.incidents, { labelled: 120, usable: 120, taught: 120, leftOut: {} });
    assert.equal((await stores.recognisers.active(NAME))?.hash, first.hash);

    const { card } = (await stores.recognisers.get(NAME, outcome.hash!))!;
    assert.notEqual(card['trainingDataSha256'], first.card.trainingDataSha256);
    assert.match(
      (card['split'] as { en: string }).en,
      /930 notices before .* and 120 closed incidents taught/,
    );
    const { judged } = card as unknown as TrainedRecogniser['card'];
    assert.equal(judged.rows, 777, 'what judges stays as it was');
    const retraining = card['retraining'] as RetrainingCard;
    assert.deepEqual([retraining.by, retraining.run, retraining.vendorShareAtMost], ['chen', 'run-1', 0.1]);
    assert.deepEqual(retraining.vendors['v0'], { offered: 15, kept: 15 });
    assert.equal(retraining.versus.hash, first.hash);
    assert.equal(retraining.versus.recall['earthquake']?.before, first.card.judged.recall[0]);
    assert.equal(
      Object.values(retraining.taughtPerClass).reduce((sum, n) => sum + n, 0),
      120,
    );
    assert.ok((await passGate(stores, NAME, outcome.hash!)).findings.every(({ passed }) => passed));
  });

  it('answers a repeated attempt as the first, and another run that nothing is new', async () => {
    await closeMany(25);
    const outcome = await trainAs('run-1');
    assert.equal(outcome.result, 'trained', outcome.reason);
    assert.deepEqual(await trainAs('run-1'), outcome);
    const again = await trainAs('run-2');
    assert.deepEqual([again.result, again.hash], ['unchanged', outcome.hash]);
  });

  for (const share of [0.05, 0.15, 0.3]) {
    it(`refuses and does not keep what one vendor spoiled with ${share * 100} % of the labelled rows`, async () => {
      await closeMany(900, share * 900);
      const outcome = await trainAs('run-1');
      assert.equal(outcome.result, 'gate-refused');
      assert.equal(outcome.hash, null);
      assert.match(outcome.reason, /explosion is recognised in .* of its cases, before in/);
      const { taught, leftOut } = outcome.incidents!;
      const cut = leftOut['vendor-share'] ?? 0;
      assert.ok((share * 900 - cut) * 10 <= 930 + taught);
    });
  }

  it('writes how it ended into the register once a run, whoever repeats it', async () => {
    const outcome: RetrainOutcome = {
      name: NAME,
      result: 'too-few-labels',
      reason: '3 closed incidents can teach; 20 are needed.',
      hash: null,
      incidents: null,
      findings: [],
    };
    for (const run of ['run-1', 'run-1', 'run-2'])
      await activities().recordRetraining({ run, by: 'job/retrain-recognisers', outcome });
    const lines = await stores.recognisers.activations(retrainingsOf(NAME));
    assert.deepEqual(
      lines.map(({ by, hash, reason }) => [by, hash, reason]),
      ['run-1', 'run-2'].map((run) => [
        'job/retrain-recognisers',
        'none',
        `too-few-labels: 3 closed incidents can teach; 20 are needed. (run ${run})`,
      ]),
    );
  });
});
