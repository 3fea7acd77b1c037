import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ROOT } from '../../bin/config.ts';
import { obtainTemporal } from '../../embedded/obtain-temporal.mjs';
import { startRole } from '../../embedded/role.ts';
import type { RoleHandle } from '../../embedded/role.ts';
import { startTemporal } from '../../embedded/run-temporal.ts';
import type { TemporalHandle } from '../../embedded/run-temporal.ts';
import { createStores } from '../../models/stores.ts';
import { startEmbeddedStore } from '../support/store.ts';
import type { TestStore } from '../support/store.ts';

let store: TestStore;
let temporal: TemporalHandle;
let database = '';
const roles: RoleHandle[] = [];
const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'tocsin-jobs-'));

before(async () => {
  const { TEMPORAL_ADDRESS: _given, ...env } = process.env;
  const { binary = '' } = await obtainTemporal({ env });
  [store, temporal] = await Promise.all([
    startEmbeddedStore(),
    startTemporal({ binary, namespace: 'tocsin' }),
  ]);
  const connection = await store.connect();
  database = connection.name;
  // What votes is retrained; no worker is here, so its retraining stays under way.
  const { recognisers } = createStores(connection);
  const voting = { name: 'notice-forest', hash: 'a'.repeat(64) };
  await recognisers.insert({ ...voting, artefact: new Uint8Array([1]), card: {}, atMs: 1 });
  await recognisers.activate({ ...voting, by: 'admin', reason: 'first', atMs: 1 });
});
after(async () => {
  await Promise.all(roles.map((role) => role.stop()));
  await Promise.all([store.stop(), temporal.stop()]);
  fs.rmSync(directory, { recursive: true, force: true });
});

interface Line {
  readonly job?: string;
  readonly msg: string;
}

describe('the jobs role', () => {
  it('runs each job in a thread of its own, once a slot even with two runners, and stops in order', async () => {
    const lines: Line[] = [];
    const env = {
      MONGODB_URI: store.uri,
      TOCSIN_DATABASE: database,
      TEMPORAL_ADDRESS: temporal.address,
      TOCSIN_DATA: directory,
      // Long enough that a slow machine starts a thread for both runners in one slot.
      TOCSIN_JOBS_CHECK_DISK: '6s',
      TOCSIN_JOBS_EXPORT_CLOSED_BUNDLES: '6s',
      TOCSIN_JOBS_RETRAIN_RECOGNISERS: '6s',
    };
    const start = (name: string) =>
      startRole({
        name,
        script: path.join(ROOT, 'bin', 'tocsin.ts'),
        args: ['jobs'],
        env,
        log: (line) => void lines.push(JSON.parse(line) as Line),
      });
    roles.push(...(await Promise.all([start('jobs'), start('another')])));
    const ran = (words: string): number => lines.filter(({ msg }) => msg === words).length;
    const deadline = performance.now() + 120_000;
    while (
      ran('another runner has this slot') === 0 ||
      ran('disk looked at') < 2 ||
      ran('retraining is under way already') === 0
    ) {
      assert.ok(performance.now() < deadline, JSON.stringify(lines));
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    assert.equal(ran('retraining started'), 1, 'one at a time, whoever asks and however often');
    const stopped = performance.now();
    await Promise.all(roles.map((role) => role.stop()));
    assert.ok(performance.now() - stopped < 20_000);
    assert.deepEqual(
      lines.filter(({ msg }) => msg.includes('failed')),
      [],
    );
  });
});
