import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Runtime, DefaultLogger, Worker } from '@temporalio/worker';
import { createActivities } from '../../activities/index.ts';
import { createRecognitionPool } from '../../activities/recognition/pool.ts';
import { partNotices, trainNoticeRecogniser } from '../../activities/recognition/train-notices.ts';
import { loadWeekOfNotices, type LabelledNotice } from '../../activities/recognition/week-of-notices.ts';
import { workflowBundle } from '../../bin/workflow-bundle.ts';
import { noticeRow } from '../../domain/classify/notices.ts';
import { retrainingsOf, shadowOf } from '../../domain/classify/registered.ts';
import type { RecogniserActivation, Stores } from '../../domain/ports.ts';
import { obtainTemporal } from '../../embedded/obtain-temporal.mjs';
import { startTemporal } from '../../embedded/run-temporal.ts';
import type { TemporalHandle } from '../../embedded/run-temporal.ts';
import { sha256Hex } from '../../models/hash.ts';
import { createStores } from '../../models/stores.ts';
import { RETRAIN_RECOGNISER, TASK_QUEUE_PLANS, TASK_QUEUE_TRAINING } from '../../workflows/contract.ts';
import { incidentView } from '../contracts/examples.ts';
import { startTestApi } from '../api/http/world.ts';
import type { TestApi } from '../api/http/world.ts';
import { startEmbeddedStore } from '../support/store.ts';
import type { TestStore } from '../support/store.ts';
import { tocsin } from './command-line.ts';
import type { Ran } from './command-line.ts';

const NAME = 'notice-forest';
const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'tocsin-register-'));
const closing: (() => Promise<unknown>)[] = [];
let store: TestStore;
let temporal: TemporalHandle;
let stores: Stores;
let database = '';
let api: TestApi;
let week: LabelledNotice[];
let first = '';
let second = '';

before(async () => {
  store = await startEmbeddedStore();
  closing.unshift(() => store.stop());
  const { TEMPORAL_ADDRESS: _given, ...env } = process.env;
  const { binary = '' } = await obtainTemporal({ env });
  temporal = await startTemporal({ binary, namespace: 'tocsin' });
  closing.unshift(() => temporal.stop());
  const connection = await store.connect();
  database = connection.name;
  stores = createStores(connection);
  api = await startTestApi({ stores });
  closing.unshift(() => api.stop());

  const people: readonly (readonly [string, readonly string[]])[] = [
    ['admin', ['admin']],
    ['plan-board', ['manager', 'plan-board']],
    ['viewer', ['viewer']],
  ];
  const keys = Object.fromEntries(
    [...people.map(([id]) => id), 'stranger'].map((id) => [id, `key-of-${id}`]),
  );
  fs.writeFileSync(path.join(directory, 'credentials.json'), JSON.stringify(keys));
  for (const [id, roles] of people) {
    const keySha256 = sha256Hex(`key-of-${id}`);
    await stores.principals.put({ id, tenant: 'demo', roles, keySha256, revokedAtMs: null });
  }

  week = await loadWeekOfNotices();
  first = await keep();
  // Other rows give other bytes, and nothing that the gate would mind.
  second = await keep(week.filter((_, i) => i !== 3));

  Runtime.install({ logger: new DefaultLogger('ERROR') });
  const native = await NativeConnection.connect({ address: temporal.address });
  closing.unshift(() => native.close());
  const pool = createRecognitionPool();
  closing.unshift(() => pool.close());
  const { plans, training } = createActivities({ stores, pool, clock: Date.now } as never);
  const shared = { connection: native, namespace: 'tocsin' };
  const workers = [
    await Worker.create({
      ...shared,
      taskQueue: TASK_QUEUE_PLANS,
      workflowBundle: await workflowBundle(),
      activities: plans,
    }),
    await Worker.create({ ...shared, taskQueue: TASK_QUEUE_TRAINING, activities: training }),
  ];
  const running = Promise.all(workers.map((worker) => worker.run()));
  closing.unshift(async () => {
    for (const worker of workers) worker.shutdown();
    await running;
  });
});
after(async () => {
  for (const close of closing) await close();
  fs.rmSync(directory, { recursive: true, force: true });
});

async function keep(notices = week): Promise<string> {
  const { hash, artefact, card } = await trainNoticeRecogniser('forest', { notices, crossValidation: null });
  await stores.recognisers.insert({ name: NAME, hash, artefact, card: { ...card }, atMs: 1 });
  return hash;
}

/** Runs a command as whoever `as` names. */
const run = (args: readonly string[], as?: string): Promise<Ran> =>
  tocsin(['recogniser', ...args, ...(as === undefined ? [] : ['--as', as])], {
    TOCSIN_DATA: directory,
    TOCSIN_URL: api.url,
    MONGODB_URI: store.uri,
    TOCSIN_DATABASE: database,
    TEMPORAL_ADDRESS: temporal.address,
    TEMPORAL_NAMESPACE: 'tocsin',
  });
const linesOf = async (name: string): Promise<(readonly [string, string, string])[]> =>
  (await stores.recognisers.activations(name)).map(
    ({ hash, by, reason }: RecogniserActivation) => [hash, by, reason] as const,
  );

describe('the register of recognisers', () => {
  it('lets a version vote in the name of who activates it, and lists it', async () => {
    const { code, stdout, stderr } = await run(['activate', NAME, first, '--reason', 'first'], 'plan-board');
    assert.equal(code, 0, stderr);
    assert.match(stdout, new RegExp(`${NAME}@${first} votes from now on \\(activation 1; 24 canary rows`));
    assert.deepEqual(await linesOf(NAME), [[first, 'plan-board', 'first']]);
    const listed = await run(['list']);
    assert.match(listed.stdout, new RegExp(`${NAME} +${first.slice(0, 12)} +1 +none +never`));
  });

  it('takes the admin of this machine for who acts when nobody is named, and says what the gate found', async () => {
    const ran = await run(['activate', NAME, second, '--reason', 'second', '--json']);
    assert.equal(ran.code, 0, ran.stderr);
    const { n, findings } = JSON.parse(ran.stdout) as { n: number; findings: { passed: boolean }[] };
    assert.equal(n, 2);
    assert.ok(findings.length >= 3 && findings.every(({ passed }) => passed));
    assert.deepEqual((await linesOf(NAME)).at(-1), [second, 'admin', 'second']);
  });

  it('goes back to the version before, and refuses to when there is none', async () => {
    const back = await run(['rollback', NAME, '--reason', 'too many questions'], 'admin');
    assert.equal(back.code, 0, back.stderr);
    assert.deepEqual((await linesOf(NAME)).at(-1), [first, 'admin', 'too many questions']);
    const none = await run(['rollback', 'notice-svm', '--reason', 'x'], 'admin');
    assert.equal(none.code, 4);
    assert.match(none.stderr, /No earlier version of "notice-svm" has voted/);
  });

  it('refuses with exit code 4 a version that the gate does not let pass, and says why', async () => {
    // One tree's worth of rows in which nothing explodes twice.
    const explosions = week.filter(({ label }) => label === 'explosion').slice(0, 2);
    const poor = await keep([...week.filter(({ label }) => label !== 'explosion'), ...explosions]);
    const { code, stderr } = await run(['activate', NAME, poor, '--reason', 'x'], 'admin');
    assert.equal(code, 4);
    assert.match(stderr, /may not take the place of the version that votes: explosion is recognised in/);
    assert.equal((await stores.recognisers.active(NAME))?.hash, first);
  });

  it('starts and stops a shadow', async () => {
    const started = await run(['shadow', NAME, second, '--reason', 'on trial'], 'plan-board');
    assert.equal(started.code, 0, JSON.stringify(started));
    const listed = JSON.parse((await run(['list', '--json'])).stdout) as { items: { shadow: string }[] };
    assert.equal(listed.items[0]?.shadow, second);
    const stopped = await run(['shadow', NAME, '--off', '--reason', 'seen enough'], 'plan-board');
    assert.equal(stopped.code, 0, JSON.stringify(stopped));
    assert.deepEqual(await linesOf(shadowOf(NAME)), [
      [second, 'plan-board', 'on trial'],
      ['none', 'plan-board', 'seen enough'],
    ]);
    assert.equal((await run(['shadow', NAME, '--reason', 'x'], 'admin')).code, 2);
    assert.equal((await run(['shadow', NAME, 'a'.repeat(64), '--reason', 'x'], 'admin')).code, 3);
  });

  it('shows the card of any version', async () => {
    const { code, stdout } = await run(['show', NAME, second]);
    assert.equal(code, 0);
    assert.match(stdout, new RegExp(`${NAME}@${second}`));
    assert.equal((await run(['show', NAME, 'a'.repeat(64)])).code, 3);
  });

  it('says of a version without incidents that there is too little to tell drift from', async () => {
    const { code, stdout } = await run(['watch', NAME]);
    assert.equal(code, 0);
    assert.match(stdout, /Too few rows to tell/);
  });

  it('writes nothing for somebody without the role, without a known key, or without a reason', async () => {
    const before = await linesOf(NAME);
    const viewer = await run(['activate', NAME, second, '--reason', 'x'], 'viewer');
    assert.equal(viewer.code, 4);
    assert.match(viewer.stderr, /needs one of the roles/);
    const stranger = await run(['rollback', NAME, '--reason', 'x'], 'stranger');
    assert.equal(stranger.code, 4);
    assert.match(stranger.stderr, /key is not known/);
    assert.equal((await run(['activate', NAME, second], 'admin')).code, 2);
    assert.equal((await run(['activate', NAME, 'a'.repeat(64), '--reason', 'x'], 'admin')).code, 3);
    assert.deepEqual(await linesOf(NAME), before);
  });
});

describe('tocsin recogniser retrain', () => {
  /** Closed incidents about events like those that taught, each called the same by two people. */
  async function closeIncidents(count: number): Promise<void> {
    const { teaching } = partNotices(week);
    for (let i = 0; i < count; i++) {
      const notice = teaching[7 * i]!;
      const id = `incident/demo/earthquake/east/${i}`;
      const observedAtMs = notice.observedAtMs + 10 * 365 * 86_400_000;
      const row = noticeRow({ ...notice, latitudeDeg: notice.latitudeDeg + 0.01 });
      const input = { key: id, vendor: `v${i % 4}`, observedAtMs, row };
      await stores.incidents.put(incidentView(id, { phase: 'closed' }));
      await stores.facts.append([
        { incidentId: id, seq: 0, atMs: 1, stage: 'classify', kind: 'voted', data: { input } },
      ]);
      for (const by of ['duty-officer', 'plan-board'])
        await stores.labels.insert({ incidentId: id, label: notice.label, by, reason: 'seen', atMs: 1 });
    }
  }

  it('ends with 4 and what is missing while too few incidents can teach', async () => {
    await closeIncidents(3);
    const { code, stdout, stderr } = await run(['retrain', NAME], 'plan-board');
    assert.equal(code, 4, stderr);
    assert.match(stdout, /result +too-few-labels\nreason +3 closed incidents can teach; 20 are needed\./);
  });

  it('makes a version, shows how it stands beside the one that votes, and leaves that voting', async () => {
    await closeIncidents(24);
    const ran = await run(['retrain', NAME, '--shadow'], 'plan-board');
    assert.equal(ran.code, 0, ran.stderr + ran.stdout);
    assert.match(ran.stdout, /result +trained\n/);
    assert.match(ran.stdout, /incidents +24 labelled, 24 can teach, 24 taught/);
    assert.match(ran.stdout, /recall of earthquake +[\d.]+, before [\d.]+/);
    const made = /tocsin recogniser activate notice-forest ([0-9a-f]{64})/.exec(ran.stdout)![1]!;
    assert.equal((await stores.recognisers.active(NAME))?.hash, first);
    assert.equal((await stores.recognisers.active(shadowOf(NAME)))?.hash, made);
    const [few, trained] = await linesOf(retrainingsOf(NAME));
    assert.deepEqual([few![0], few![1]], ['none', 'plan-board']);
    assert.deepEqual([trained![0], trained![1]], [made, 'plan-board']);
    assert.match(trained![2], /^trained: 24 closed incidents taught\. \(run [0-9a-f-]+\)$/);
    assert.match((await run(['list'])).stdout, new RegExp(`${made.slice(0, 12)}, `));
  });

  it('says so when nothing is new', async () => {
    const ran = await run(['retrain', NAME, '--json'], 'admin');
    assert.equal(ran.code, 0, ran.stderr);
    const { result, started } = JSON.parse(ran.stdout) as { result: string; started: boolean };
    assert.deepEqual([result, started], ['unchanged', true]);
  });

  it('ends with 3 for a recogniser that does not vote', async () => {
    const { code, stdout } = await run(['retrain', 'notice-svm'], 'admin');
    assert.equal(code, 3);
    assert.match(stdout, /No version of "notice-svm" votes/);
  });

  it('joins the one that runs, and ends with 5 when that is not over in time', async () => {
    const connection = await Connection.connect({ address: temporal.address });
    try {
      const client = new Client({ connection, namespace: 'tocsin' });
      // On a queue that nobody works on: it runs until it is ended.
      const handle = await client.workflow.start(RETRAIN_RECOGNISER, {
        workflowId: 'retrain-recogniser/stuck',
        taskQueue: 'nobody',
        args: [],
      });
      const late = await run(['retrain', 'stuck', '--wait', '1s'], 'admin');
      assert.equal(late.code, 5, late.stderr);
      assert.match(late.stderr, /under way already: waiting for it/);
      assert.match(late.stderr, /waiting for a worker \.\.\./);
      assert.match(late.stderr, /retrain-recogniser\/stuck is not over after .* and goes on/);
      await handle.terminate();
    } finally {
      await connection.close();
    }
  });

  it('starts nothing for somebody who may not decide what votes', async () => {
    assert.equal((await run(['retrain', NAME], 'viewer')).code, 4);
  });
});
