import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { obtainStore } from '../../embedded/obtain-store.mjs';
import { obtainTemporal } from '../../embedded/obtain-temporal.mjs';
import { NotObtained, Unavailable, mustReach } from '../../embedded/obtain.mjs';
import { temporaryDirectory, writeExecutable } from './processes.ts';

/** An environment in which nothing can be found: empty PATH, empty cache, no network. */
function emptyHanded(t: TestContext) {
  const root = temporaryDirectory(t);
  const bin = path.join(root, 'bin');
  const cache = path.join(root, 'cache');
  fs.mkdirSync(bin);
  return { bin, cache, env: { PATH: bin, TOCSIN_CACHE: cache, TOCSIN_OFFLINE: '1' } as NodeJS.ProcessEnv };
}

const putTemporal = (file: string): void =>
  writeExecutable(file, '#!/bin/sh\necho "temporal version 9.9.9 (Server 9.9.9, UI 9.9.9)"\n');
const putMongod = (file: string): void => writeExecutable(file, '#!/bin/sh\necho "db version v9.9.9"\n');

/** Fills a cache with what an obtain from it would look for, as named in its own reason. */
async function putCached(
  env: NodeJS.ProcessEnv,
  obtain: typeof obtainTemporal | typeof obtainStore,
  index: number,
): Promise<string> {
  const refused: unknown = await obtain({ env, presentOnly: true }).catch((error: unknown) => error);
  assert.ok(refused instanceof NotObtained);
  const reason = refused.attempts.find(({ from }) => from === 'cache')?.reason ?? '';
  const name = /^no (\S+)(?: or (\S+))? in /.exec(reason)?.[index];
  assert.ok(name, reason);
  const file = path.join(String(env['TOCSIN_CACHE']), name);
  putTemporal(file);
  return file;
}

test('Temporal: the address given wins over PATH, and PATH over the cache', async (t) => {
  const { bin, env } = emptyHanded(t);
  const cached = await putCached(env, obtainTemporal, 1);
  const fromCache = await obtainTemporal({ env });
  assert.equal(fromCache.from, 'cache');
  assert.equal(fromCache.binary, cached);
  assert.match(fromCache.why, /PATH: no `temporal` on PATH/);

  putTemporal(path.join(bin, 'temporal'));
  const fromPath = await obtainTemporal({ env });
  assert.equal(fromPath.from, 'PATH');
  assert.equal(fromPath.binary, path.join(bin, 'temporal'));
  assert.match(fromPath.why, /Server 9\.9\.9/);

  const given = await obtainTemporal({ env: { ...env, TEMPORAL_ADDRESS: 'temporal.example:7233' } });
  assert.equal(given.from, 'address');
  assert.equal(given.address, 'temporal.example:7233');
});

test('store: the address given wins over PATH, and PATH over the cache', async (t) => {
  const { bin, env } = emptyHanded(t);
  const cached = await putCached(env, obtainStore, 2);
  const fromCache = await obtainStore({ env });
  assert.deepEqual([fromCache.from, fromCache.kind, fromCache.binary], ['cache', 'ferret', cached]);

  putMongod(path.join(bin, 'mongod'));
  const fromPath = await obtainStore({ env });
  assert.deepEqual([fromPath.from, fromPath.kind], ['PATH', 'mongod']);

  const given = await obtainStore({ env: { ...env, MONGODB_URI: 'mongodb://user:secret@db.example/' } });
  assert.equal(given.uri, 'mongodb://user:secret@db.example/');
  assert.doesNotMatch(given.why, /secret/);
});

test('a store whose data one kind wrote is served by that kind only', async (t) => {
  const { bin, env } = emptyHanded(t);
  const cached = await putCached(env, obtainStore, 2);
  putMongod(path.join(bin, 'mongod'));

  const kept = await obtainStore({ env, keep: 'ferret' });

  assert.equal(kept.binary, cached);
  assert.match(kept.why, /PATH: the data on disk was written by ferret/);
});

test('a program on PATH that does not run, or is another one, is passed over with its reason', async (t) => {
  const { bin, env } = emptyHanded(t);
  await putCached(env, obtainTemporal, 1);

  writeExecutable(path.join(bin, 'temporal'), '#!/bin/sh\necho "wrong libc" >&2\nexit 1\n');
  assert.match((await obtainTemporal({ env })).why, /does not run: exit code 1/);

  writeExecutable(path.join(bin, 'temporal'), '#!/bin/sh\necho "temporal, the calendar, 2.0"\n');
  assert.match((await obtainTemporal({ env })).why, /is not the Temporal CLI/);
});

for (const { what, obtain, reasons } of [
  {
    what: 'Temporal',
    obtain: () => obtainTemporal,
    reasons: [
      /TEMPORAL_ADDRESS is not set/,
      /no `temporal` on PATH/,
      /no temporal-\S+ in /,
      /TOCSIN_OFFLINE is set/,
      /no `python3` on PATH/,
    ],
  },
  {
    what: 'store',
    obtain: () => obtainStore,
    reasons: [
      /MONGODB_URI is not set/,
      /no `mongod` on PATH/,
      /no mongod-\S+ or tocsin-store-\S+ in /,
      /TOCSIN_OFFLINE is set/,
      /no `go` on PATH/,
    ],
  },
]) {
  test(`${what}: when all ways fail, one error lists each, its reason and its fix`, async (t) => {
    const { env } = emptyHanded(t);

    const error: unknown = await obtain()({ env }).catch((refused: unknown) => refused);

    assert.ok(error instanceof NotObtained);
    assert.deepEqual(
      error.attempts.map(({ from }) => from),
      ['address', 'PATH', 'cache', 'download', 'package'],
    );
    for (const [index, reason] of reasons.entries())
      assert.match(error.attempts[index]?.reason ?? '', reason);
    for (const { reason, fix } of error.attempts) {
      assert.ok(fix.length > 0);
      assert.ok(error.message.includes(reason) && error.message.includes(`fix: ${fix}`));
    }
  });
}

test('pip that refuses the wheel is a reason, and leaves nothing in the cache', async (t) => {
  const { bin, cache, env } = emptyHanded(t);
  writeExecutable(
    path.join(bin, 'python3'),
    '#!/bin/sh\necho "THESE PACKAGES DO NOT MATCH THE HASHES"\nexit 1\n',
  );

  await assert.rejects(
    obtainTemporal({ env }),
    /pip could not install it: exit code 1:\s+THESE PACKAGES DO NOT MATCH/,
  );

  assert.deepEqual(fs.readdirSync(cache), []);
});

test('a Python without venv and pip is told by the package to install', async (t) => {
  const { bin, env } = emptyHanded(t);
  writeExecutable(path.join(bin, 'python3'), '#!/bin/sh\necho "No module named pip"\nexit 1\n');

  await assert.rejects(obtainTemporal({ env }), /neither venv nor pip\s+fix: apt-get install python3-venv/);
});

test('a build of the store that fails is a reason, and leaves nothing in the cache', async (t) => {
  const { bin, cache, env } = emptyHanded(t);
  writeExecutable(
    path.join(bin, 'go'),
    '#!/bin/sh\necho "verifying module: checksum mismatch" >&2\nexit 1\n',
  );

  await assert.rejects(
    obtainStore({ env }),
    /go mod download failed: exit code 1:\s+verifying module: checksum mismatch/,
  );

  assert.deepEqual(fs.readdirSync(cache), []);
});

test('a cache that cannot be written is a reason that names TOCSIN_CACHE', async (t) => {
  const { bin, cache, env } = emptyHanded(t);
  fs.writeFileSync(cache, 'a file where a directory should be');
  writeExecutable(path.join(bin, 'go'), '#!/bin/sh\nexit 0\n');

  await assert.rejects(obtainStore({ env }), /EEXIST[\s\S]*writable directory with TOCSIN_CACHE/);
});

test('a download place that accepts and never answers costs less than 5 seconds', async (t) => {
  const silent = net.createServer();
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  t.after(() => silent.close());
  const { port } = silent.address() as net.AddressInfo;
  const started = performance.now();

  await assert.rejects(mustReach(`http://127.0.0.1:${port}`, {}), (error) => {
    assert.ok(error instanceof Unavailable);
    assert.match(error.message, /is not reachable \(no answer in 3 s\)/);
    return true;
  });

  assert.ok(performance.now() - started < 5_000);
});

/** A mirror with one archive that carries a mongod, and says that this is its hash. */
async function mirror(t: TestContext, hashOf: (archive: Buffer) => string): Promise<NodeJS.ProcessEnv> {
  const root = temporaryDirectory(t);
  putMongod(path.join(root, 'mongodb-any', 'bin', 'mongod'));
  const packed = spawnSync('tar', ['-czf', '-', 'mongodb-any'], { cwd: root });
  assert.equal(packed.status, 0);
  const server = http.createServer((request, response) => {
    const wantsHash = request.url?.endsWith('.md5');
    response.end(wantsHash ? `${hashOf(packed.stdout)}  archive.tgz\n` : packed.stdout);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const { port } = server.address() as net.AddressInfo;
  return { MONGOMS_DOWNLOAD_MIRROR: `http://127.0.0.1:${port}`, MONGOMS_USE_HTTP: '1', TOCSIN_OFFLINE: '' };
}

const md5 = (data: Buffer): string => createHash('md5').update(data).digest('hex');

test('a real mongod is downloaded where the network has it, and found in the cache from then on', async (t) => {
  const { cache, env } = emptyHanded(t);
  Object.assign(env, await mirror(t, md5));

  const first = await obtainStore({ env });
  const second = await obtainStore({ env });

  assert.deepEqual([first.from, first.kind], ['download', 'mongod']);
  assert.deepEqual([second.from, second.binary], ['cache', first.binary]);
  assert.equal(fs.readdirSync(cache).length, 1);
});

test('a download whose hash is not the published one is a reason, and leaves nothing in the cache', async (t) => {
  const { cache, env } = emptyHanded(t);
  Object.assign(env, await mirror(t, () => md5(Buffer.from('another archive'))));

  await assert.rejects(obtainStore({ env }), (error) => {
    assert.ok(error instanceof NotObtained);
    assert.match(error.attempts[3]?.reason ?? '', /the download failed: exit code 1:[\s\S]*Md5/i);
    return true;
  });

  assert.deepEqual(fs.readdirSync(cache), []);
});

test('a downloader that cannot be had because the npm packages failed is a reason', async (t) => {
  const { env } = emptyHanded(t);
  Object.assign(env, await mirror(t, md5));
  const dependencies = Promise.reject(new Error('npm ci failed'));

  await assert.rejects(obtainStore({ env, dependencies }), /the dependencies could not be installed/);
});
