import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { createAuth, loopbackViewer } from '../../api/auth.ts';
import type { Principal } from '../../domain/ports.ts';
import { createFakePrincipalStore } from '../../models/fake-principals.ts';

const principal: Principal = {
  id: 'duty-officer',
  tenant: 'demo',
  roles: ['operator', 'duty-officer'],
  keySha256: createHash('sha256').update('right').digest('hex'),
  revokedAtMs: null,
};

async function given(options: { cacheMs?: number; loopback?: boolean } = {}) {
  const principals = createFakePrincipalStore();
  await principals.put(principal);
  let nowMs = 1_000;
  const auth = createAuth({
    principals,
    now: () => nowMs,
    cacheMs: options.cacheMs ?? 5_000,
    loopback: options.loopback === true ? loopbackViewer('demo') : null,
  });
  return { principals, auth, wait: (ms: number) => (nowMs += ms) };
}

const refused = { code: 'UNAUTHENTICATED' };

describe('an API key', () => {
  it('makes its principal the caller', async () => {
    const { auth } = await given();
    assert.deepEqual(await auth.byAuthorization('Bearer right', false), {
      id: 'duty-officer',
      tenant: 'demo',
      roles: ['operator', 'duty-officer'],
    });
  });

  for (const header of [
    'Bearer wrong',
    'Bearer ',
    'Bearer right right',
    'Basic right',
    'right',
    `Bearer ${principal.keySha256}`,
    `Bearer ${'x'.repeat(600)}`,
    'Bearer r\u00efght',
  ]) {
    it(`is refused when the header is ${JSON.stringify(header.slice(0, 40))}`, async () => {
      const { auth } = await given({ loopback: true });
      await assert.rejects(auth.byAuthorization(header, true), refused);
    });
  }

  it('stops working within the cache time after it was revoked', async () => {
    const { auth, principals, wait } = await given({ cacheMs: 5_000 });
    await auth.byKey('right');
    await principals.put({ ...principal, revokedAtMs: 1_001 });
    wait(5_001);
    await assert.rejects(auth.byKey('right'), refused);
  });
});

describe('a caller without a key', () => {
  it('may look, on the same machine', async () => {
    const { auth } = await given({ loopback: true });
    assert.deepEqual((await auth.byAuthorization(undefined, true)).roles, ['viewer']);
  });

  it('is nobody from elsewhere', async () => {
    const { auth } = await given({ loopback: true });
    await assert.rejects(auth.byAuthorization(undefined, false), refused);
  });

  it('is nobody on the same machine when that was not switched on', async () => {
    const { auth } = await given();
    await assert.rejects(auth.byAuthorization(undefined, true), refused);
  });
});
