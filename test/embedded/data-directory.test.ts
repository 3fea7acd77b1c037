import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { openDataDirectory } from '../../embedded/data-directory.ts';
import { runProgram, temporaryDirectory } from './processes.ts';

const OPEN = `
  import { openDataDirectory } from './embedded/data-directory.ts';
  openDataDirectory();
  console.log(JSON.stringify('open'));
  setTimeout(() => {}, 300_000);
`;

test('a second start on the same data directory is refused and names the first', async (t) => {
  const root = temporaryDirectory(t);
  const first = runProgram(t, OPEN, { TOCSIN_DATA: root });
  await first.firstLine;

  assert.throws(
    () => openDataDirectory({ TOCSIN_DATA: root }),
    new RegExp(
      `in use by a running Tocsin \\(process ${first.pid}\\)\\. Stop that one, or choose another directory`,
    ),
  );
});

test('the lock of a killed process is taken over', async (t) => {
  const root = temporaryDirectory(t);
  const first = runProgram(t, OPEN, { TOCSIN_DATA: root });
  await first.firstLine;
  process.kill(first.pid, 'SIGKILL');
  await first.ended;

  openDataDirectory({ TOCSIN_DATA: root }).release();

  assert.deepEqual(fs.readdirSync(root), []);
});

test('a lock left by a process whose id was given to another one is taken over', (t) => {
  const root = temporaryDirectory(t);
  fs.writeFileSync(
    path.join(root, 'lock'),
    JSON.stringify({ pid: process.ppid, started: '1', token: 'old' }),
  );

  openDataDirectory({ TOCSIN_DATA: root }).release();

  assert.equal(fs.existsSync(path.join(root, 'lock')), false);
});

test('a lock that cannot be read is taken over', (t) => {
  const root = temporaryDirectory(t);
  fs.writeFileSync(path.join(root, 'lock'), '');

  openDataDirectory({ TOCSIN_DATA: root }).release();

  assert.equal(fs.existsSync(path.join(root, 'lock')), false);
});

test('a released directory can be opened again', (t) => {
  const root = temporaryDirectory(t);
  openDataDirectory({ TOCSIN_DATA: root }).release();
  openDataDirectory({ TOCSIN_DATA: root }).release();
});

test('of ten processes that find a dead lock at once, exactly one gets it', async (t) => {
  const root = temporaryDirectory(t);
  fs.writeFileSync(
    path.join(root, 'lock'),
    JSON.stringify({ pid: 999_999_999, started: '1', token: 'dead' }),
  );
  const startAt = Date.now() + 3_000;
  const race = `
    import { takeLock } from './embedded/lock.mjs';
    while (Date.now() < ${startAt});
    let won = false;
    try {
      takeLock(${JSON.stringify(path.join(root, 'lock'))});
      won = true;
    } catch {}
    console.log(JSON.stringify(won));
    setTimeout(() => {}, 300_000);
  `;
  const racers = Array.from({ length: 10 }, () => runProgram(t, race));

  const won = await Promise.all(racers.map(({ firstLine }) => firstLine));

  assert.equal(won.filter(Boolean).length, 1);
});
