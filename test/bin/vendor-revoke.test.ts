import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, it } from 'node:test';
import { createAuth } from '../../api/auth.ts';
import { createPrincipalStore } from '../../models/principals.ts';
import { connectStore } from '../../models/connect.ts';
import { startEmbeddedStore } from '../support/store.ts';
import type { TestStore } from '../support/store.ts';
import { tocsin } from './command-line.ts';

let store: TestStore;
const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'tocsin-vendors-'));

before(async () => (store = await startEmbeddedStore()));
after(async () => {
  await store.stop();
  fs.rmSync(directory, { recursive: true, force: true });
});

it('a vendor is admitted with a key or without one, and revoked', async () => {
  const env = { MONGODB_URI: store.uri, TOCSIN_DATA: directory };
  const added = await tocsin(['vendor', 'add', 'seismic', '--json'], env);
  assert.equal(added.code, 0, added.stderr);
  const { key } = JSON.parse(added.stdout) as { key: string };
  const keyless = await tocsin(['vendor', 'add', 'gas', '--no-key', '--json'], env);
  assert.deepEqual(JSON.parse(keyless.stdout), { principal: 'vendor-gas' });

  const connected = await connectStore(store.uri, { dbName: 'tocsin' });
  try {
    const principals = createPrincipalStore(connected.connection);
    const auth = createAuth({ principals, cacheMs: 0 });
    assert.equal((await auth.byKey(key)).vendor, 'vendor-seismic');

    const revoked = await tocsin(['vendor', 'revoke', 'seismic'], env);
    assert.equal(revoked.code, 0, revoked.stderr);
    assert.match(revoked.stdout, /^vendor-seismic is revoked/);
    await assert.rejects(auth.byKey(key), { code: 'UNAUTHENTICATED' });
    assert.equal((await principals.list()).find((one) => one.id === 'vendor-gas')?.revokedAtMs, null);

    const again = await tocsin(['vendor', 'revoke', 'seismic', '--json'], env);
    assert.equal((JSON.parse(again.stdout) as { already: boolean }).already, true);
    const unknown = await tocsin(['vendor', 'revoke', 'nobody', '--json'], env);
    assert.equal(unknown.code, 3);
  } finally {
    await connected.close();
  }
});
