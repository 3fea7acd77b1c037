import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { PROPOSAL, VERSION, fillHualien } from '../api/http/hualien.ts';
import { keyOf, startTestApi } from '../api/http/world.ts';
import type { TestApi } from '../api/http/world.ts';
import { tocsin } from './command-line.ts';
import type { Ran } from './command-line.ts';

let api: TestApi;
let ids: { mainShock: string; gasLeak: string; stranger: string };
const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'tocsin-commands-'));

before(() => {
  const names = ['admin', 'duty-officer', 'plan-board', 'viewer', 'crew'];
  const keys = Object.fromEntries(names.map((name) => [name, keyOf(name)]));
  fs.writeFileSync(path.join(directory, 'credentials.json'), JSON.stringify(keys));
});
beforeEach(async () => {
  await api?.stop();
  api = await startTestApi();
  ids = await fillHualien(api.stores, Date.now());
});
after(async () => {
  await api.stop();
  fs.rmSync(directory, { recursive: true, force: true });
});

const run = (...args: string[]): Promise<Ran> =>
  tocsin(args, { TOCSIN_DATA: directory, TOCSIN_URL: api.url });
const json = <T>(ran: Ran): T => JSON.parse(ran.stdout) as T;

describe('tocsin incident', () => {
  it('lists incidents with their level in words and what waits, for anybody on this machine', async () => {
    const { code, stdout } = await run('incident', 'list', '--open');
    assert.equal(code, 0);
    assert.match(stdout, new RegExp(`${ids.gasLeak} +II orange .*1 for duty-officer`));
    assert.ok(!stdout.includes('elsewhere'));
  });

  it('shows one: level, belief, path, questions', async () => {
    const { stdout } = await run('incident', 'show', ids.gasLeak);
    assert.match(stdout, /level +II orange/);
    assert.match(stdout, /Methane at least 20 %LEL\? yes: 27 %LEL/);
    assert.match(
      stdout,
      /major\.0\.1 \(duty-officer, until .* otherwise proceed\)\n +Close the main gas valve/,
    );
  });

  it('approves the one thing that waits, as the duty officer', async () => {
    const ran = await run(
      'incident',
      'approve',
      ids.gasLeak,
      '--as',
      'duty-officer',
      '--reason',
      'smell confirmed',
    );
    assert.equal(ran.code, 0, ran.stderr);
    assert.equal(api.responses.answers[0]?.choice, 'approve');
    assert.equal(api.responses.answers[0]?.by, 'duty-officer');
    assert.equal(api.responses.answers[0]?.reason, 'smell confirmed');
    const again = await run('incident', 'approve', ids.gasLeak, '--as', 'duty-officer');
    assert.equal(again.code, 3);
    assert.match(again.stderr, /Nothing waits for an approval/);
  });

  it('is refused with exit code 4 for the wrong person, and says whom to be', async () => {
    const nobody = await run('incident', 'approve', ids.gasLeak);
    assert.equal(nobody.code, 4);
    assert.match(nobody.stderr, /Say who you are with --as/);
    const viewer = await run('incident', 'answer', ids.gasLeak, 'major.0.1', 'approve', '--as', 'viewer');
    assert.equal(viewer.code, 4);
    assert.deepEqual(api.responses.answers, []);
  });

  it('ends with 3 for an incident that nobody knows, and for one of another tenant', async () => {
    assert.equal((await run('incident', 'show', 'incident/demo/x/y/z')).code, 3);
    assert.equal((await run('incident', 'show', ids.stranger)).code, 3);
  });

  it('commands with a reason', async () => {
    const args = ['incident', 'command', ids.gasLeak, 'close', '--as', 'duty-officer'];
    assert.equal((await run(...args)).code, 2);
    assert.equal((await run(...args, '--reason', 'valve is shut')).code, 0);
    assert.equal(api.responses.commands[0]?.kind, 'close');
  });

  it('reports every fact in order', async () => {
    const { facts } = json<{ facts: { seq: number }[] }>(
      await run('incident', 'report', ids.mainShock, '--json'),
    );
    assert.ok(facts.length > 3);
    assert.deepEqual(
      facts.map(({ seq }) => seq),
      facts.map((_, index) => index),
    );
  });
});

describe('tocsin plan', () => {
  it('lists plans with the version in force', async () => {
    const { stdout } = await run('plan', 'list');
    assert.match(stdout, new RegExp(`earthquake .* ${VERSION.hash.slice(0, 12)}`));
  });

  it('shows a document by the first characters of its hash', async () => {
    const shown = await run('plan', 'show', 'earthquake', VERSION.hash.slice(0, 8));
    assert.deepEqual(JSON.parse(shown.stdout), JSON.parse(JSON.stringify(VERSION.document)));
    assert.equal((await run('plan', 'show', 'earthquake', 'ffffffff')).code, 3);
  });

  it('publishes, activates and shows what differs', async () => {
    const file = path.join(directory, 'changed.json');
    const document = { ...VERSION.document, classify: { ...VERSION.document.classify, minConfidence: 0.9 } };
    fs.writeFileSync(file, JSON.stringify(document));
    const published = json<{ hash: string }>(
      await run('plan', 'publish', file, '--as', 'plan-board', '--json'),
    );
    const diff = await run('plan', 'diff', 'earthquake', VERSION.hash, published.hash, '--json');
    assert.deepEqual(json(diff), {
      changes: [
        {
          path: 'classify.minConfidence',
          from: 0.8,
          to: 0.9,
          text: {
            en: 'classify, confidence that counts as sure: 0.8 → 0.9',
            zh: '研判，置信度下限：0.8 → 0.9',
          },
        },
      ],
    });
    const activated = await run(
      ...['plan', 'activate', 'earthquake', published.hash.slice(0, 12)],
      ...['--reason', 'review', '--as', 'plan-board'],
    );
    assert.equal(activated.code, 0, activated.stderr);
    assert.equal((await api.stores.plans.active('earthquake'))?.hash, published.hash);
  });

  it('pulls what is in force, and pushes only what differs, after it was seen', async () => {
    const folder = path.join(directory, 'pulled');
    assert.equal((await run('plan', 'pull', folder)).code, 0);
    assert.match((await run('plan', 'push', folder)).stdout, /Everything is in force as it is here/);
    const file = path.join(folder, 'earthquake.json');
    fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replace('"magnitude": 4.5', '"magnitude": 4.6'));
    const seen = await run('plan', 'push', folder);
    assert.match(seen.stdout, /detect\.magnitude +detect, magnitude: 4\.5 → 4\.6/);
    assert.equal((await api.stores.plans.active('earthquake'))?.hash, VERSION.hash);
    const pushed = await run('plan', 'push', folder, '--yes', '--reason', 'review', '--as', 'plan-board');
    assert.equal(pushed.code, 0, pushed.stderr);
    assert.notEqual((await api.stores.plans.active('earthquake'))?.hash, VERSION.hash);
  });

  it('lists proposals, and decides one as the board that the plan names', async () => {
    assert.match(
      (await run('plan', 'proposals')).stdout,
      /earthquake\/1 .*detect\.magnitude 4\.5 to 4\.8.*waits for plan-board/,
    );
    const decide = ['plan', 'decide', PROPOSAL.id, '--approve', '--reason', 'convincing'];
    assert.equal((await run(...decide, '--as', 'duty-officer')).code, 4);
    assert.equal((await run(...decide, '--as', 'plan-board')).code, 0);
    assert.equal(api.responses.decisions[0]?.approve, true);
  });
});

describe('tocsin roster and recogniser', () => {
  it('list units, marked when invented, and who votes', async () => {
    assert.match((await run('roster', 'list')).stdout, /hualien-rescue-1 +Unit 1 \(fictional\)/);
    assert.match((await run('recogniser', 'list')).stdout, /notice-forest +aaaaaaaaaaaa +1/);
  });
});
