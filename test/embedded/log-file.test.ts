import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { openLogFile } from '../../embedded/log-file.ts';
import { runProgram, temporaryDirectory } from './processes.ts';

test('a log never takes more than twice its bound, and keeps the newest lines', (t) => {
  const file = path.join(temporaryDirectory(t), 'logs', 'worker.log');
  const log = openLogFile(file, 1_000);

  for (let index = 0; index < 500; index++) log.write(`line ${index}`);
  log.close();

  const size = fs.statSync(file).size + fs.statSync(`${file}.1`).size;
  assert.ok(size <= 2_000, String(size));
  assert.match(fs.readFileSync(file, 'utf8'), /line 499\n$/);
});

test('a log is continued by the next run', (t) => {
  const file = path.join(temporaryDirectory(t), 'worker.log');
  for (const line of ['first', 'second']) {
    const log = openLogFile(file);
    log.write(line);
    log.close();
  }

  assert.equal(fs.readFileSync(file, 'utf8'), 'first\nsecond\n');
});

test('a line after the log was closed is dropped', (t) => {
  const file = path.join(temporaryDirectory(t), 'worker.log');
  const log = openLogFile(file);
  log.close();
  log.write('too late');
  log.close();

  assert.equal(fs.readFileSync(file, 'utf8'), '');
});

test('a role has a log of its own, and its echo on standard error carries its name', async (t) => {
  const logsDir = temporaryDirectory(t);
  const program = runProgram(
    t,
    `
    import { openRoleLog } from './embedded/log-file.ts';
    for (const [name, echo] of [['worker', true], ['store', false]]) {
      const log = openRoleLog(${JSON.stringify(logsDir)}, name, { echo });
      log.write('up');
      log.close();
    }
    `,
  );

  assert.equal((await program.ended).stderr, '[worker] up\n');
  assert.deepEqual(
    ['worker', 'store'].map((name) => fs.readFileSync(path.join(logsDir, `${name}.log`), 'utf8')),
    ['up\n', 'up\n'],
  );
});
