import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { credentials, Metadata, status } from '@grpc/grpc-js';
import type { ServiceError } from '@grpc/grpc-js';
import { createAuth } from '../../../api/auth.ts';
import { createCallerCheck, tlsCredentials } from '../../../api/ingest/credentials.ts';
import { createTokenCheck } from '../../../api/ingest/jwt.ts';
import { createPrincipalDirectory } from '../../../api/ingest/principals.ts';
import { createFakeStores } from '../../../models/fake-stores.ts';
import { decodeMessage, IngestService } from '../../../proto/load.ts';
import type { IngestServiceClient } from '../../../proto/gen/tocsin/v1/IngestService.ts';
import { makeCertificate } from '../../support/certificates.ts';
import type { Certificate } from '../../support/certificates.ts';
import {
  fillStores,
  openDoor,
  OTHER_TENANT_KEY,
  OTHER_VENDOR_KEY,
  reading,
  VENDOR_KEY,
  VIEWER_KEY,
} from '../../support/door.ts';
import type { Door } from '../../support/door.ts';
import { createTokenIssuer, hmacToken, keySet, signToken, unsignedToken } from '../../support/tokens.ts';

const AUDIENCE = 'tocsin-ingest';
const ISSUER = 'https://login.example/';
const REVOKED_KEY = 'key-of-somebody-who-left';

const elliptic = createTokenIssuer('ec-1');
const rsa = createTokenIssuer('rsa-1', 'RS256');
const edwards = createTokenIssuer('ed-1', 'EdDSA');
const withdrawn = createTokenIssuer('old-1');
const stranger = createTokenIssuer('ec-1');

const secondsFromNow = (seconds: number): number => Math.floor(Date.now() / 1_000) + seconds;
const claims = (change: object = {}): object => ({
  sub: 'gasworks',
  aud: AUDIENCE,
  iss: ISSUER,
  iat: secondsFromNow(-10),
  exp: secondsFromNow(290),
  ...change,
});
const token = (change: object = {}, header: object = {}): string =>
  signToken(elliptic, { claims: claims(change), header });
const bearer = (text: string): string => `Bearer ${text}`;

const authority = makeCertificate({ name: 'authority of vendors', isAuthority: true });
const otherAuthority = makeCertificate({ name: 'authority of vendors', isAuthority: true });
const serverCertificate = makeCertificate({
  name: 'door',
  by: authority,
  dns: ['localhost'],
  use: 'server',
});
const client = (change: Partial<Parameters<typeof makeCertificate>[0]> = {}): Certificate =>
  makeCertificate({ name: 'client', by: authority, dns: ['gasworks'], use: 'client', ...change });
const gasworks = client();

const reasonOf = (error: ServiceError): string => {
  const [bytes] = error.metadata.get('grpc-status-details-bin');
  if (bytes === undefined) return '';
  const { details } = decodeMessage<{ details: { type_url: string; value: Buffer }[] }>(
    'google.rpc.Status',
    bytes as Buffer,
  );
  const info = details.find((one) => one.type_url.endsWith('google.rpc.ErrorInfo'))!;
  return decodeMessage<{ reason: string }>('google.rpc.ErrorInfo', info.value).reason;
};

let directory = '';
let keysFile = '';
let aheadMs = 0;
const now = (): number => Date.now() + aheadMs;
const tokens = () => createTokenCheck({ jwks: keysFile, audience: AUDIENCE, issuer: ISSUER, now });

before(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'tocsin-credentials-'));
  keysFile = path.join(directory, 'jwks.json');
  fs.writeFileSync(keysFile, keySet(elliptic, rsa, edwards, withdrawn));
});
after(() => fs.rmSync(directory, { recursive: true, force: true }));

async function fillWithRevoked(): Promise<ReturnType<typeof createFakeStores>> {
  const stores = createFakeStores();
  await fillStores(stores);
  await stores.principals.put({
    id: 'left',
    tenant: 'city',
    roles: ['vendor'],
    vendor: 'gasworks',
    keySha256: createHash('sha256').update(REVOKED_KEY).digest('hex'),
    revokedAtMs: 1,
  });
  return stores;
}

describe('a door with certificates, tokens and keys', () => {
  let door: Door;
  const clients: IngestServiceClient[] = [];
  let honest: IngestServiceClient;
  let sequence = 0;

  before(async () => {
    door = await openDoor({
      stores: await fillWithRevoked(),
      credentials: tlsCredentials({
        certificate: serverCertificate.certificate,
        key: serverCertificate.key,
        clientAuthority: authority.certificate,
      }),
      tokens: tokens(),
      certificates: { subjects: { 'spiffe://vendors/gas': 'gasworks' } },
    });
    honest = connect(gasworks);
  });
  after(async () => {
    clients.forEach((one) => one.close());
    await door.stop();
  });

  function connect(certificate: Certificate | null): IngestServiceClient {
    const channel =
      certificate === null
        ? credentials.createSsl(authority.certificate)
        : credentials.createSsl(authority.certificate, certificate.key, certificate.certificate);
    const made = new IngestService(door.address, channel, {
      'grpc.use_local_subchannel_pool': 1,
      'grpc.ssl_target_name_override': 'localhost',
    });
    clients.push(made);
    return made;
  }
  /** What became of one reading: null when it was stored. */
  function send(from: IngestServiceClient, authorization?: string): Promise<ServiceError | null> {
    const metadata = new Metadata();
    if (authorization !== undefined) metadata.set('authorization', authorization);
    const request = { items: [reading(++sequence)], sentAtMs: Date.now() };
    return new Promise((resolve) =>
      from.PublishOnce(request, metadata, { deadline: Date.now() + 5_000 }, (error) => resolve(error)),
    );
  }
  const archivedThrough = (): number => door.server.status().archivedThrough;

  const welcome: Record<string, () => [string, Certificate]> = {
    'a key, from the certificate of its principal': () => [bearer(VENDOR_KEY), gasworks],
    'a token under ES256': () => [bearer(token()), gasworks],
    'a token under RS256': () => [bearer(signToken(rsa, { claims: claims() })), gasworks],
    'a token under EdDSA': () => [bearer(signToken(edwards, { claims: claims() })), gasworks],
    'a token for several audiences': () => [bearer(token({ aud: ['x', AUDIENCE] })), gasworks],
    'a certificate whose URI the settings name': () => [
      bearer(token()),
      client({ dns: [], uris: ['spiffe://vendors/gas'] }),
    ],
  };
  for (const [what, given] of Object.entries(welcome)) {
    it(`lets in ${what}`, async () => {
      const [authorization, certificate] = given();
      const stored = archivedThrough();
      assert.equal(await send(connect(certificate), authorization), null);
      assert.ok(archivedThrough() > stored);
    });
  }

  const embedded = (): string =>
    signToken(stranger, { claims: claims(), header: { kid: 'mine', jwk: stranger.jwk } });
  const publicPem = (): string => rsa.publicKey.export({ format: 'pem', type: 'spki' }).toString();
  const tampered = (): string => {
    const [header, , signature] = token().split('.');
    return `${header}.${Buffer.from(JSON.stringify(claims({ sub: 'other' }))).toString('base64url')}.${signature}`;
  };
  const refusedTokens: Record<string, readonly [() => string, string]> = {
    'that has expired': [
      () => token({ iat: secondsFromNow(-400), exp: secondsFromNow(-60) }),
      'TOKEN_EXPIRED',
    ],
    'that is not valid yet': [() => token({ nbf: secondsFromNow(60) }), 'TOKEN_REFUSED'],
    'that was issued in the future': [() => token({ iat: secondsFromNow(60) }), 'TOKEN_REFUSED'],
    'without exp': [() => token({ exp: undefined }), 'TOKEN_REFUSED'],
    'whose exp is text': [() => token({ exp: String(secondsFromNow(60)) }), 'TOKEN_REFUSED'],
    'without iat': [() => token({ iat: undefined }), 'TOKEN_REFUSED'],
    'that lives longer than 15 minutes': [() => token({ exp: secondsFromNow(900) }), 'TOKEN_REFUSED'],
    'without sub': [() => token({ sub: undefined }), 'TOKEN_REFUSED'],
    'with an empty sub': [() => token({ sub: '' }), 'TOKEN_REFUSED'],
    'whose sub is a list': [() => token({ sub: ['gasworks'] }), 'TOKEN_REFUSED'],
    'for another audience': [() => token({ aud: 'elsewhere' }), 'TOKEN_REFUSED'],
    'for no audience': [() => token({ aud: undefined }), 'TOKEN_REFUSED'],
    'of another issuer': [() => token({ iss: 'https://evil.example/' }), 'TOKEN_REFUSED'],
    'of no issuer': [() => token({ iss: undefined }), 'TOKEN_REFUSED'],
    'without a signature': [() => unsignedToken({ claims: claims() }), 'TOKEN_REFUSED'],
    'without a signature, that names a key': [
      () => unsignedToken({ claims: claims(), header: { alg: 'None', kid: 'ec-1' } }),
      'TOKEN_REFUSED',
    ],
    'signed with the public key as a secret': [
      () => hmacToken(publicPem(), { claims: claims(), header: { kid: 'rsa-1' } }),
      'TOKEN_REFUSED',
    ],
    'signed with the modulus as a secret': [
      () => hmacToken(Buffer.from(rsa.jwk.n!, 'base64url'), { claims: claims(), header: { kid: 'rsa-1' } }),
      'TOKEN_REFUSED',
    ],
    'under an algorithm that is not listed': [() => token({}, { alg: 'ES384' }), 'TOKEN_REFUSED'],
    'under the algorithm of another key': [() => token({}, { alg: 'RS256' }), 'TOKEN_REFUSED'],
    'that names an unknown key': [() => token({}, { kid: 'ec-2' }), 'TOKEN_REFUSED'],
    'that names no key': [() => token({}, { kid: undefined }), 'TOKEN_REFUSED'],
    'that brings its own key': [embedded, 'TOKEN_REFUSED'],
    'signed by somebody else under a known name': [
      () => signToken(stranger, { claims: claims() }),
      'TOKEN_REFUSED',
    ],
    'with another payload than was signed': [tampered, 'TOKEN_REFUSED'],
    'with half a signature': [() => token().slice(0, -40), 'TOKEN_REFUSED'],
    'with an extension that must be understood': [() => token({}, { crit: ['exp'] }), 'TOKEN_REFUSED'],
    'with a payload that is not JSON': [
      () => `${token().split('.')[0]}.bm90IGpzb24.${token().split('.')[2]}`,
      'TOKEN_REFUSED',
    ],
    'of five parts': [() => `${token()}.a.b`, 'UNAUTHENTICATED'],
    'beside another': [() => `${token()},${token()}`, 'UNAUTHENTICATED'],
    'of more than 8 KiB': [() => token({ more: 'x'.repeat(8_192) }), 'UNAUTHENTICATED'],
    'of nobody': [() => token({ sub: 'nobody' }), 'UNAUTHENTICATED'],
    'of a word that objects have': [() => token({ sub: '__proto__' }), 'UNAUTHENTICATED'],
    'of somebody who was revoked': [() => token({ sub: 'left' }), 'UNAUTHENTICATED'],
    'of another vendor than the certificate': [() => token({ sub: 'other' }), 'CERTIFICATE_REFUSED'],
    'of the same vendor of another tenant': [() => token({ sub: 'elsewhere' }), 'CERTIFICATE_REFUSED'],
  };
  for (const [what, [make, reason]] of Object.entries(refusedTokens)) {
    it(`refuses a token ${what}`, async () => {
      const given = make();
      const stored = archivedThrough();
      const error = await send(honest, bearer(given));
      assertRefused(error, status.UNAUTHENTICATED, reason, given);
      assert.equal(archivedThrough(), stored);
    });
  }

  const refusedKeys: Record<string, readonly [string | undefined, string]> = {
    'no authorization': [undefined, 'UNAUTHENTICATED'],
    'a key that is unknown': [bearer('unknown'), 'UNAUTHENTICATED'],
    'a key that was revoked': [bearer(REVOKED_KEY), 'UNAUTHENTICATED'],
    'the hash of a key': [bearer(createHash('sha256').update(VENDOR_KEY).digest('hex')), 'UNAUTHENTICATED'],
    'a key under another scheme': [`Basic ${VENDOR_KEY}`, 'UNAUTHENTICATED'],
    'the key of another vendor': [bearer(OTHER_VENDOR_KEY), 'CERTIFICATE_REFUSED'],
    'the key of the same vendor of another tenant': [bearer(OTHER_TENANT_KEY), 'CERTIFICATE_REFUSED'],
  };
  for (const [what, [authorization, reason]] of Object.entries(refusedKeys)) {
    it(`refuses ${what}`, async () => {
      const error = await send(honest, authorization);
      assertRefused(error, status.UNAUTHENTICATED, reason, authorization ?? 'gasworks');
    });
  }

  it('refuses somebody who is no vendor, with permission denied', async () => {
    const error = await send(connect(client({ dns: ['viewer'] })), bearer(VIEWER_KEY));
    assertRefused(error, status.PERMISSION_DENIED, 'ROLE_REQUIRED', VIEWER_KEY);
  });

  const strangeCertificates: Record<string, () => Certificate> = {
    'of another principal': () => client({ dns: ['other'] }),
    'that names nobody': () => client({ dns: [] }),
    'with the name as common name only': () => client({ name: 'gasworks', dns: [] }),
    'with a name that looks like two': () => client({ dns: ['x'], uris: ['a, DNS:gasworks, b'] }),
    'for all names': () => client({ dns: ['*', '*.gasworks'] }),
  };
  for (const [what, make] of Object.entries(strangeCertificates)) {
    it(`refuses a good token from a certificate ${what}`, async () => {
      const given = token();
      assertRefused(
        await send(connect(make()), bearer(given)),
        status.UNAUTHENTICATED,
        'CERTIFICATE_REFUSED',
        given,
      );
    });
  }

  const unconnected: Record<string, () => Certificate | null> = {
    'without a certificate': () => null,
    'with a certificate of another authority of the same name': () => client({ by: otherAuthority }),
    'with a certificate that signed itself': () =>
      makeCertificate({ name: 'client', dns: ['gasworks'], use: 'client' }),
    'with a certificate that has ended': () => client({ untilMs: Date.now() - 1_000 }),
    'with a certificate that has not begun': () => client({ fromMs: Date.now() + 600_000 }),
    'with a certificate for servers': () => client({ use: 'server' }),
    'with a certificate that another vendor signed': () => client({ by: gasworks }),
  };
  for (const [what, make] of Object.entries(unconnected)) {
    it(`makes no connection ${what}`, async () => {
      const stored = archivedThrough();
      const error = await send(connect(make()), bearer(VENDOR_KEY));
      assert.ok(error?.code === status.UNAVAILABLE || error?.code === status.DEADLINE_EXCEEDED);
      assert.equal(archivedThrough(), stored);
    });
  }
});

it('two authorizations are refused, though both are good', async () => {
  const stores = await fillWithRevoked();
  const check = createCallerCheck({
    auth: createAuth({ principals: stores.principals }),
    principals: createPrincipalDirectory(stores.principals),
    tokens: tokens(),
  });
  const metadata = new Metadata();
  const call = { metadata, getPeer: () => '127.0.0.1:1', getAuthContext: () => ({}) };
  metadata.add('authorization', bearer(VENDOR_KEY));
  assert.equal((await check(call)).id, 'gasworks');
  metadata.add('authorization', bearer(token()));
  await assert.rejects(check(call), { code: 'UNAUTHENTICATED' });
});

describe('a door where a certificate is enough', () => {
  it('takes the one principal that the certificate names, and nobody when it names two', async (t) => {
    const door = await openDoor({
      credentials: tlsCredentials({
        certificate: serverCertificate.certificate,
        key: serverCertificate.key,
        clientAuthority: authority.certificate,
      }),
      certificates: { subjects: {}, alone: true },
    });
    t.after(() => door.stop());
    const sendFrom = (certificate: Certificate): Promise<ServiceError | null> => {
      const from = new IngestService(
        door.address,
        credentials.createSsl(authority.certificate, certificate.key, certificate.certificate),
        { 'grpc.use_local_subchannel_pool': 1, 'grpc.ssl_target_name_override': 'localhost' },
      );
      return new Promise<ServiceError | null>((resolve) =>
        from.PublishOnce({ items: [reading(1)], sentAtMs: Date.now() }, (error) => resolve(error)),
      ).finally(() => from.close());
    };
    assert.equal(await sendFrom(gasworks), null);
    const two = await sendFrom(client({ dns: ['gasworks', 'other'] }));
    assertRefused(two, status.UNAUTHENTICATED, 'CERTIFICATE_REFUSED', 'gasworks');
  });
});

describe('a stream that is open', () => {
  const limits = { reauthenticateEveryMs: 30, uncheckedAtMostMs: 600, authenticateWithinMs: 200 };

  async function given(): Promise<{
    door: Door;
    stores: ReturnType<typeof createFakeStores>;
    /** Set to make the store fail. */
    store: { fails: boolean };
    open: (authorization: string) => OpenStream;
  }> {
    aheadMs = 0;
    const stores = await fillWithRevoked();
    const store = { fails: false };
    const reachable = <A>(work: () => Promise<A>): Promise<A> =>
      store.fails ? Promise.reject(new Error('no connection to the store')) : work();
    const principals = {
      put: stores.principals.put,
      list: () => reachable(() => stores.principals.list()),
      byKeyHash: (hash: string) => reachable(() => stores.principals.byKeyHash(hash)),
    };
    const door = await openDoor({
      stores: { ...stores, principals },
      auth: createAuth({ principals, cacheMs: 0 }),
      tokens: tokens(),
      limits,
      now,
    });
    return { door, stores, store, open: (authorization) => openStream(door, authorization) };
  }

  async function revoke(stores: ReturnType<typeof createFakeStores>): Promise<void> {
    const one = (await stores.principals.list()).find(({ id }) => id === 'gasworks')!;
    await stores.principals.put({ ...one, revokedAtMs: now() });
    // The longest that what was read of principals is kept.
    aheadMs += 5_001;
  }

  for (const [what, authorization] of [
    ['a key', () => bearer(VENDOR_KEY)],
    ['a token', () => bearer(token())],
  ] as const) {
    it(`ends soon after the principal of ${what} was revoked, and opens no more`, async (t) => {
      const { door, stores, open } = await given();
      t.after(() => door.stop());
      const shown = authorization();
      const stream = open(shown);
      await stream.acknowledged(1);
      await revoke(stores);
      const ended = await stream.ended;
      assertRefused(ended, status.UNAUTHENTICATED, 'UNAUTHENTICATED', shown);
      const replayed = await open(shown).ended;
      assertRefused(replayed, status.UNAUTHENTICATED, 'UNAUTHENTICATED', shown);
    });
  }

  it('ends when its token has expired', async (t) => {
    const { door, open } = await given();
    t.after(() => door.stop());
    const stream = open(bearer(token()));
    await stream.acknowledged(1);
    aheadMs += 300_000;
    assertRefused(await stream.ended, status.UNAUTHENTICATED, 'TOKEN_EXPIRED', 'nothing');
  });

  it('ends when the key of its token was withdrawn; a new key needs no restart', async (t) => {
    const { door, open } = await given();
    t.after(() => door.stop());
    const stream = open(bearer(signToken(withdrawn, { claims: claims() })));
    await stream.acknowledged(1);
    const fresh = createTokenIssuer('new-1');
    fs.writeFileSync(keysFile, keySet(elliptic, rsa, edwards, fresh));
    aheadMs += 5_001;
    assertRefused(await stream.ended, status.UNAUTHENTICATED, 'TOKEN_REFUSED', 'nothing');
    const next = open(bearer(signToken(fresh, { claims: claims() })));
    await next.acknowledged(1);
    next.cancel();
  });

  it('outlives a short outage of the store', async (t) => {
    const { door, store, open } = await given();
    t.after(() => door.stop());
    const stream = open(bearer(VENDOR_KEY));
    await stream.acknowledged(1);
    store.fails = true;
    await sleep(300);
    store.fails = false;
    await sleep(500);
    await stream.acknowledged(2);
    stream.cancel();
  });

  it('does not outlive a long outage: nobody could say that it was revoked', async (t) => {
    const { door, store, open } = await given();
    t.after(() => door.stop());
    const stream = open(bearer(VENDOR_KEY));
    await stream.acknowledged(1);
    store.fails = true;
    const failedAt = performance.now();
    const ended = await stream.ended;
    assert.deepEqual([ended.code, reasonOf(ended)], [status.UNAVAILABLE, 'STORE_UNAVAILABLE']);
    assert.ok(
      performance.now() - failedAt >= limits.uncheckedAtMostMs - 2 * limits.reauthenticateEveryMs - 20,
    );
  });
});

interface OpenStream {
  readonly ended: Promise<ServiceError>;
  /** Sends a reading with this number and resolves when it is acknowledged. */
  acknowledged(sequence: number): Promise<void>;
  cancel(): void;
}

let readings = 1_000;

function openStream(door: Door, authorization: string): OpenStream {
  const metadata = new Metadata();
  metadata.set('authorization', authorization);
  const call = door.client.Publish(metadata);
  let through = 0;
  call.on('data', (response: { acknowledgedThrough: number }) => {
    through = Number(response.acknowledgedThrough);
    call.emit('acknowledged');
  });
  call.on('error', () => undefined);
  const ended = new Promise<ServiceError>((resolve) =>
    call.on('status', (told) => resolve(told as unknown as ServiceError)),
  );
  return {
    ended,
    async acknowledged(sequence) {
      call.write({ sequence, sentAtMs: now(), items: [reading(++readings, { observedAtMs: now() })] });
      while (through < sequence) {
        const over = await Promise.race([once(call, 'acknowledged'), ended]);
        if (!Array.isArray(over)) assert.fail(`the stream ended: ${over.details}`);
      }
    },
    cancel: () => call.cancel(),
  };
}

/** The code and the reason, and not a word of what was shown or of whom it was compared with. */
function assertRefused(error: ServiceError | null, code: status, reason: string, given: string): void {
  assert.ok(error !== null, 'it was let in');
  assert.equal(error.code, code);
  assert.equal(reasonOf(error), reason);
  const [bytes] = error.metadata.get('grpc-status-details-bin');
  const told = `${error.details} ${String(bytes)}`;
  for (const secret of [
    ...given.split('.').filter((part) => part.length > 8),
    'gasworks',
    'elsewhere',
    'ec-1',
  ]) {
    assert.ok(!told.includes(secret), told);
  }
}
