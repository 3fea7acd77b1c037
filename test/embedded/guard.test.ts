import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runToEnd, spawnGuarded } from '../../embedded/guard.mjs';
import { isRunning, runProgram, survivors } from './processes.ts';

/** Ignores SIGTERM and has a child of its own, which it names on its first line. */
const STUBBORN = `trap '' TERM; sleep 300 & echo $!; while :; do sleep 1; done`;

test('a command ends with the process that started it, even after kill -9', async (t) => {
  const parent = runProgram(
    t,
    `
    import { spawnGuarded } from './embedded/guard.mjs';
    let tell;
    const told = new Promise((resolve) => (tell = resolve));
    const kind = await spawnGuarded('/bin/sleep', ['300']);
    const stubborn = await spawnGuarded('/bin/sh', ['-c', ${JSON.stringify(STUBBORN)}], { onLine: tell });
    const grandchild = Number(await told);
    console.log(JSON.stringify([kind.pid, kind.guardPid, stubborn.pid, stubborn.guardPid, grandchild]));
    `,
  );
  const pids = (await parent.firstLine) as number[];
  assert.deepEqual(pids.filter(isRunning), pids);

  process.kill(parent.pid, 'SIGKILL');

  assert.deepEqual(await survivors(pids, 10_000), []);
});

test('a command ends when its guard is killed', async () => {
  const command = await spawnGuarded('/bin/sleep', ['300']);

  process.kill(command.guardPid, 'SIGKILL');
  await command.exited;

  assert.deepEqual(await survivors([command.pid], 2_000), []);
});

test('a command that ignores SIGTERM is killed with its children when its time is over', async () => {
  let tell: (pid: number) => void;
  const told = new Promise<number>((resolve) => (tell = resolve));
  const command = await spawnGuarded('/bin/sh', ['-c', STUBBORN], { onLine: (line) => tell(Number(line)) });
  const grandchild = await told;

  const exit = await command.stop(200);

  assert.equal(exit.signal, 'SIGKILL');
  assert.deepEqual(await survivors([command.pid, grandchild], 2_000), []);
});

test('the exit code, the signal and the last words of a command are reported', async () => {
  const failed = await runToEnd('/bin/sh', ['-c', 'echo one; echo two >&2; exit 3']);
  assert.equal(failed.code, 3);
  assert.deepEqual([...failed.lines].sort(), ['one', 'two']);

  const killed = await runToEnd('/bin/sh', ['-c', 'kill -9 $$']);
  assert.equal(killed.signal, 'SIGKILL');
  assert.equal(killed.ok, false);
});

test('a command that takes too long is ended', async () => {
  const run = await runToEnd('/bin/sleep', ['300'], { timeoutMs: 100 });

  assert.equal(run.timedOut, true);
  assert.equal(run.ok, false);
});

test('a command that does not exist is reported as the shell does', async () => {
  assert.equal((await runToEnd('/nowhere/at-all', [])).code, 127);
});
