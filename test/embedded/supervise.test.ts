import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { spawnGuarded } from '../../embedded/guard.mjs';
import { startRole } from '../../embedded/role.ts';
import { ServiceGaveUp, createSupervisor } from '../../embedded/supervise.ts';
import type { Service, Supervised, SupervisorEvent, SupervisorOptions } from '../../embedded/supervise.ts';
import { eventually } from '../support/eventually.ts';
import { projectRoot, runProgram, survivors, temporaryDirectory } from './processes.ts';

function supervise(t: TestContext, options: SupervisorOptions = {}) {
  const events: SupervisorEvent[] = [];
  const supervisor = createSupervisor({
    restart: { firstPauseMs: 10, longestPauseMs: 40 },
    ...options,
    onEvent: (event) => void events.push(event),
  });
  t.after(() => supervisor.stop());
  const happened = (kind: SupervisorEvent['event'], name: string): number =>
    events.filter((event) => event.event === kind && event.name === name).length;
  return { supervisor, events, happened };
}

async function sleeper(command = 'exec sleep 300'): Promise<Supervised> {
  const running = await spawnGuarded('/bin/sh', ['-c', command]);
  return { ...running, stop: async () => void (await running.stop()) };
}

const service = (name: string, command?: string): Service<Supervised> => ({
  name,
  start: () => sleeper(command),
});

/** Writes a role in TypeScript; its specifiers are relative to the project's root. */
function role(t: TestContext, source: string): string {
  const file = path.join(temporaryDirectory(t), 'role.mts');
  fs.writeFileSync(file, source.replaceAll("from './", `from '${projectRoot}/`));
  return file;
}

test('a service that is killed is started again, and told what it was before', async (t) => {
  const { supervisor, happened } = supervise(t);
  const before: (number | undefined)[] = [];
  const first = await supervisor.run({
    name: 'worker',
    start(previous: Supervised | undefined) {
      before.push(previous?.pid);
      return sleeper();
    },
  });

  first.kill();
  await eventually('it runs again', () => happened('started', 'worker') === 2);

  assert.deepEqual(before, [undefined, first.pid]);
  assert.notEqual(supervisor.current('worker')?.pid, first.pid);
});

test('a service that keeps failing ends everything, with an error that names it', async (t) => {
  const { supervisor, happened } = supervise(t, { restart: { firstPauseMs: 10, giveUpAfter: 3 } });
  const bystander = await supervisor.run(service('store'));
  await supervisor.run(service('worker', 'sleep 0.1; exit 7'));

  const error = await supervisor.gaveUp;

  assert.ok(error instanceof ServiceGaveUp);
  assert.match(error.message, /^worker failed 3 times in a row; everything was stopped.*exit code 7$/);
  assert.equal(happened('started', 'worker'), 3);
  assert.deepEqual(await survivors([bystander.pid], 0), []);
});

test('a service that cannot be started again counts as failing', async (t) => {
  const { supervisor } = supervise(t, { restart: { firstPauseMs: 10, giveUpAfter: 3 } });
  const first = await supervisor.run({
    name: 'store',
    start: (previous) => (previous ? Promise.reject(new Error('Port 1 is taken')) : sleeper()),
  });
  first.kill();

  assert.match((await supervisor.gaveUp).message, /store failed 3 times in a row.*Port 1 is taken/);
});

test('failures with a long life between them are not added up', async (t) => {
  const { supervisor, happened } = supervise(t, {
    restart: { firstPauseMs: 1, quickMs: 50, giveUpAfter: 2 },
  });
  await supervisor.run(service('worker', 'sleep 0.2; exit 1'));

  await eventually('five lives', () => happened('started', 'worker') >= 5);

  assert.ok(supervisor.current('worker') ?? happened('restarting', 'worker') >= 4);
});

test('a first start that fails is the error of the one who asked, and stop leaves nothing', async (t) => {
  const { supervisor } = supervise(t);
  const store = await supervisor.run(service('store'));

  await assert.rejects(
    supervisor.run({ name: 'worker', start: () => Promise.reject(new Error('no such plan')) }),
    /no such plan/,
  );
  await supervisor.stop();

  assert.deepEqual(await survivors([store.pid], 0), []);
});

test('everything is stopped in the reverse order of starting', async (t) => {
  const { supervisor, events } = supervise(t);
  for (const name of ['temporal', 'store', 'worker']) await supervisor.run(service(name));

  await Promise.all([supervisor.stop(), supervisor.stop()]);

  const stopped = events.filter(({ event }) => event === 'stopped').map(({ name }) => name);
  assert.deepEqual(stopped, ['worker', 'store', 'temporal']);
  await assert.rejects(supervisor.run(service('late')), /late cannot start: everything is being stopped/);
});

test('one that ignores SIGTERM does not hold up the end', async (t) => {
  const { supervisor } = supervise(t, { stopWithinMs: 300 });
  const stubborn = await supervisor.run(service('worker', `trap '' TERM; while :; do sleep 1; done`));
  const started = performance.now();

  await supervisor.stop();

  assert.ok(performance.now() - started < 3_000);
  assert.deepEqual(await survivors([stubborn.pid], 1_000), []);
});

test('a stop in the middle of a start gives that start up', async (t) => {
  const { supervisor } = supervise(t);
  const silent = role(t, `setTimeout(() => {}, 300_000);`);
  const starting = supervisor.run({
    name: 'api',
    start: (_, signal) => startRole({ name: 'api', script: silent, signal }),
  });
  const refused = assert.rejects(starting, { name: 'AbortError' });

  await supervisor.stop();
  await refused;
});

test('a role reports what it listens on when it is ready, and is stopped in order', async (t) => {
  const lines: string[] = [];
  const script = role(
    t,
    `
    import { exitWithParent, reportReady } from './embedded/role.ts';
    exitWithParent(() => console.log('closing'));
    reportReady({ port: 4711, flag: process.argv[2], name: process.env.ROLE });
    setTimeout(() => {}, 300_000);
    `,
  );

  const running = await startRole<{ port: number }>({
    name: 'api',
    script,
    args: ['--demo'],
    env: { ROLE: 'api' },
    log: (line) => void lines.push(line),
  });
  assert.deepEqual(running.ready, { port: 4711, flag: '--demo', name: 'api' });
  await running.stop();

  assert.deepEqual(lines, ['closing']);
  assert.equal((await running.exited).code, 0);
});

test('a role that ends before it is ready is refused with its last words', async (t) => {
  const script = role(t, `console.error('the plan store is empty'); process.exit(3);`);

  await assert.rejects(
    startRole({ name: 'worker', script }),
    /^Error: worker ended instead of starting\. Its last words:\n {2}the plan store is empty$/,
  );
});

test('a role that stays silent is refused and ended', async (t) => {
  const script = role(t, `setTimeout(() => {}, 300_000);`);

  await assert.rejects(
    startRole({ name: 'worker', script, readyWithinMs: 300 }),
    /worker was not ready within 0\.3 s/,
  );
});

test('roles and their supervisor leave nothing behind when the one above them is killed', async (t) => {
  const script = role(
    t,
    `
    import { reportReady } from './embedded/role.ts';
    reportReady();
    // A role that is stuck in its own work cannot hear anything.
    setTimeout(() => { for (;;); }, 100);
    `,
  );
  const inner = role(
    t,
    `
    import { startRole, exitWithParent } from './embedded/role.ts';
    import { createSupervisor } from './embedded/supervise.ts';
    const supervisor = createSupervisor();
    exitWithParent(() => supervisor.stop());
    const worker = await supervisor.run({ name: 'worker', start: () => startRole({ name: 'worker', script: ${JSON.stringify(script)} }) });
    console.log(JSON.stringify([process.pid, worker.pid]));
    `,
  );
  const outer = runProgram(
    t,
    `
    import { spawn } from 'node:child_process';
    spawn(process.execPath, ['--import', 'tsx', ${JSON.stringify(inner)}], { stdio: ['inherit', 'inherit', 'inherit', 'ipc'] });
    `,
  );
  const pids = (await outer.firstLine) as number[];

  process.kill(outer.pid, 'SIGKILL');

  assert.deepEqual(await survivors(pids, 10_000), []);
});

test('Ctrl-C that arrives several times at once is one request to stop', async (t) => {
  const program = runProgram(
    t,
    `
    import { exitWithParent } from './embedded/role.ts';
    exitWithParent(async () => {
      await new Promise((resolve) => setTimeout(resolve, 300));
      console.error('stopped in order');
    });
    console.log(JSON.stringify('up'));
    setTimeout(() => {}, 300_000);
    `,
  );
  await program.firstLine;

  for (const signal of ['SIGINT', 'SIGINT', 'SIGTERM'] as const) program.child.kill(signal);

  const { code, stderr } = await program.ended;
  // Signals that wait together are delivered in no certain order: the first one's code counts.
  assert.ok(code === 130 || code === 0, String(code));
  assert.equal(stderr, 'stopped in order\n');
});
