import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { Client, Connection } from '@temporalio/client';
import mongoose from 'mongoose';
import { obtainStore } from '../../embedded/obtain-store.mjs';
import { obtainTemporal } from '../../embedded/obtain-temporal.mjs';
import { startStore, storeKindIn } from '../../embedded/run-store.ts';
import { startTemporal } from '../../embedded/run-temporal.ts';
import { ServerRefused, prepareDataDirectory } from '../../embedded/server-process.ts';
import type { Refusal } from '../../embedded/server-process.ts';
import { runProgram, survivors, temporaryDirectory } from './processes.ts';

// Our own servers, whatever address the user's environment names.
const { TEMPORAL_ADDRESS: _address, MONGODB_URI: _uri, ...env } = process.env;
const temporalBinary = (await obtainTemporal({ env })).binary ?? '';
const { binary: storeBinary = '', kind = 'ferret' } = await obtainStore({ env, keep: 'ferret' });

const TEMPORAL = { binary: temporalBinary, namespace: 'tocsin' };
const STORE = { binary: storeBinary, kind };

async function withTemporal<T>(address: string, use: (client: Client) => Promise<T>): Promise<T> {
  const connection = await Connection.connect({ address });
  try {
    return await use(new Client({ connection, namespace: 'tocsin' }));
  } finally {
    await connection.close();
  }
}

async function withStore<T>(uri: string, use: (connection: mongoose.Connection) => Promise<T>): Promise<T> {
  const connection = await mongoose.createConnection(uri, { dbName: 'tocsin' }).asPromise();
  try {
    return await use(connection);
  } finally {
    await connection.close();
  }
}

async function takenPort(t: TestContext): Promise<number> {
  const holder = net.createServer();
  await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
  t.after(() => holder.close());
  return (holder.address() as net.AddressInfo).port;
}

const refusedAs =
  (refusal: Refusal, message: RegExp) =>
  (error: unknown): true => {
    assert.ok(error instanceof ServerRefused, String(error));
    assert.equal(error.refusal, refusal, error.message);
    assert.match(error.message, message);
    return true;
  };

test('Temporal serves with its namespace and search attributes, and keeps workflows over kill -9', async (t) => {
  const options = {
    ...TEMPORAL,
    dbFile: path.join(temporaryDirectory(t), 'deep', 'temporal.db'),
    searchAttributes: { TocsinHazard: 'Keyword', TocsinLevel: 'Int' },
  } as const;
  const first = await startTemporal(options);
  t.after(() => first.stop());
  const runId = await withTemporal(first.address, async ({ workflow }) => {
    const handle = await workflow.start('respond', {
      workflowId: 'incident/1',
      taskQueue: 'nobody-listens',
      searchAttributes: { TocsinHazard: ['earthquake'], TocsinLevel: [1] },
    });
    return handle.firstExecutionRunId;
  });

  first.kill();
  assert.equal((await first.exited).signal, 'SIGKILL');
  const second = await startTemporal({ ...options, port: first.port });
  t.after(() => second.stop());

  assert.equal(second.address, first.address);
  const found = await withTemporal(second.address, ({ workflow }) =>
    workflow.getHandle('incident/1').describe(),
  );
  assert.deepEqual([found.runId, found.status.name], [runId, 'RUNNING']);
  assert.deepEqual(found.searchAttributes['TocsinHazard'], ['earthquake']);
});

test('Temporal in memory with a web UI answers on the address that it names', async (t) => {
  const temporal = await startTemporal({ ...TEMPORAL, uiPort: 0 });
  t.after(() => temporal.stop());

  const page = await fetch(temporal.uiAddress ?? '');

  assert.equal(page.status, 200);
  await page.text();
});

test('the store keeps acknowledged documents over kill -9, and comes back on its port', async (t) => {
  const options = { ...STORE, dir: path.join(temporaryDirectory(t), 'deep', 'store') };
  const first = await startStore(options);
  t.after(() => first.stop());
  await withStore(first.uri, async (connection) => {
    await connection.collection('facts').insertOne({ kind: 'detected', n: 1 });
  });

  first.kill();
  await first.exited;
  const second = await startStore({ ...options, port: first.port });
  t.after(() => second.stop());

  assert.equal(second.uri, first.uri);
  const kept = await withStore(second.uri, (connection) => connection.collection('facts').countDocuments());
  assert.equal(kept, 1);
  assert.equal(storeKindIn(options.dir), STORE.kind);
});

test('servers stop in order when asked, within 10 s', async (t) => {
  const directory = temporaryDirectory(t);
  const temporal = await startTemporal({ ...TEMPORAL, dbFile: path.join(directory, 'temporal.db') });
  const store = await startStore({ ...STORE, dir: path.join(directory, 'store') });
  const started = performance.now();

  await Promise.all([temporal.stop(), store.stop()]);

  assert.ok(performance.now() - started < 10_000);
  assert.deepEqual(await survivors([temporal.pid, store.pid], 0), []);
});

test('kill -9 of the process that started them leaves no server after 10 s', async (t) => {
  const directory = temporaryDirectory(t);
  const parent = runProgram(
    t,
    `
    import { startTemporal } from './embedded/run-temporal.ts';
    import { startStore } from './embedded/run-store.ts';
    const temporal = await startTemporal(${JSON.stringify({ ...TEMPORAL, dbFile: path.join(directory, 'temporal.db') })});
    const store = await startStore(${JSON.stringify({ ...STORE, dir: path.join(directory, 'store') })});
    console.log(JSON.stringify([temporal.pid, store.pid]));
    `,
  );
  const pids = (await parent.firstLine) as number[];

  process.kill(parent.pid, 'SIGKILL');

  assert.deepEqual(await survivors(pids, 10_000), []);
});

test('a taken port is refused by its number, and nothing is started', async (t) => {
  const port = await takenPort(t);
  const words = new RegExp(`^Port ${port} for .+ is taken by another program\\. .*choose another port`);

  await assert.rejects(startTemporal({ ...TEMPORAL, port }), refusedAs('port-taken', words));
  await assert.rejects(startTemporal({ ...TEMPORAL, uiPort: port }), refusedAs('port-taken', /web UI/));
  await assert.rejects(
    startStore({ ...STORE, port, dir: path.join(temporaryDirectory(t), 'store') }),
    refusedAs('port-taken', words),
  );
});

test('damaged data is refused with the file and what to do', async (t) => {
  const directory = temporaryDirectory(t);
  const dbFile = path.join(directory, 'temporal.db');
  const dir = path.join(directory, 'store');
  fs.mkdirSync(dir);
  fs.writeFileSync(dbFile, 'not a database at all. '.repeat(500));
  fs.writeFileSync(path.join(dir, 'tocsin.sqlite'), 'not a database at all. '.repeat(500));

  const words = /is damaged\. Put back a copy, or move it away/;
  await assert.rejects(startTemporal({ ...TEMPORAL, dbFile }), refusedAs('data-damaged', words));
  await assert.rejects(startStore({ ...STORE, dir }), refusedAs('data-damaged', words));
});

test('data of another kind of store is refused and left alone', async (t) => {
  const dir = path.join(temporaryDirectory(t), 'store');
  fs.mkdirSync(dir);
  fs.writeFileSync(path.join(dir, 'KIND'), 'mongod\n');

  await assert.rejects(
    startStore({ binary: storeBinary, kind: 'ferret', dir }),
    refusedAs('data-directory', /was written by mongod and cannot be read by ferret/),
  );

  assert.deepEqual(fs.readdirSync(dir), ['KIND']);
});

test('a data directory that is a file is refused', (t) => {
  const file = path.join(temporaryDirectory(t), 'data');
  fs.writeFileSync(file, 'x');

  assert.throws(
    () => prepareDataDirectory(file),
    refusedAs('data-directory', /choose another with TOCSIN_DATA/),
  );
});

test('a data directory that this user may not write is refused, and nothing is written', async (t) => {
  const root = temporaryDirectory(t);
  const directory = path.join(root, 'data');
  fs.chmodSync(root, 0o755);
  fs.mkdirSync(directory, { mode: 0o555 });
  const user = runProgram(
    t,
    `
    import { prepareDataDirectory } from './embedded/server-process.ts';
    // Root may write anywhere.
    if (process.getuid() === 0) process.setuid(65534);
    try {
      prepareDataDirectory(${JSON.stringify(directory)});
      console.log(JSON.stringify('written'));
    } catch (error) {
      console.log(JSON.stringify(error.refusal + ': ' + error.message));
    }
    `,
  );

  assert.equal(
    await user.firstLine,
    `data-directory: The data directory ${directory} may not be written by this user. Make it writable, or choose another with TOCSIN_DATA.`,
  );
  assert.deepEqual(fs.readdirSync(directory), []);
});

for (const { what, flags, refusal, message } of [
  { what: 'a read-only', flags: 'ro', refusal: 'data-directory', message: /is on a read-only file system/ },
  { what: 'a full', flags: 'size=1m', refusal: 'disk-full', message: /is full\. Free some space/ },
] as const) {
  test(`a data directory on ${what} file system is refused`, (t) => {
    const directory = temporaryDirectory(t);
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', flags, 'tmpfs', directory]);
    if (mounted.status !== 0) {
      t.skip('this user may not mount a file system');
      return;
    }
    try {
      assert.throws(() => prepareDataDirectory(directory), refusedAs(refusal, message));
    } finally {
      spawnSync('umount', [directory]);
    }
  });
}
