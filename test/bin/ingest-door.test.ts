import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { INGEST_LIMITS } from '../../api/ingest/limits.ts';
import { loadConfig } from '../../bin/config.ts';
import type { Config } from '../../bin/config.ts';
import { ingestDoor, requireCredential } from '../../bin/roles/ingest-door.ts';
import { createFakePrincipalStore } from '../../models/fake-principals.ts';
import { makeCertificate } from '../support/certificates.ts';

const server = makeCertificate({ name: 'door', dns: ['localhost'] });
let directory = '';
const files = { certificate: '', key: '', damaged: '' };

before(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'tocsin-door-'));
  for (const [name, bytes] of [
    ['certificate', server.certificate],
    ['key', server.key],
    ['damaged', Buffer.from('not PEM')],
  ] as const) {
    files[name] = path.join(directory, name);
    fs.writeFileSync(files[name], bytes);
  }
});
after(() => fs.rmSync(directory, { recursive: true, force: true }));

function settings(env: Record<string, string>, text = '{}'): Config {
  const file = path.join(directory, 'settings.yaml');
  fs.writeFileSync(file, text);
  return loadConfig({ env, file }).config;
}

function opened(config: Config): { door: ReturnType<typeof ingestDoor>; warnings: string[] } {
  const warnings: string[] = [];
  const log = { warn: (_facts: object, text: string) => void warnings.push(text) };
  return { door: ingestDoor(config, log as unknown as Parameters<typeof ingestDoor>[1]), warnings };
}

describe('the settings of the vendors’ door', () => {
  it('are the limits of the server unless others are set', () => {
    const { door, warnings } = opened(settings({}));
    assert.deepEqual({ ...INGEST_LIMITS, ...door.limits }, INGEST_LIMITS);
    assert.deepEqual(
      [door.credentials, door.certificates, door.tokens, warnings.length],
      [undefined, undefined, undefined, 0],
    );
    const other = opened(settings({}, 'ingest: { limits: { items: 10, recheck: 20s } }')).door.limits;
    assert.deepEqual([other?.itemsAtMost, other?.reauthenticateEveryMs], [10, 20_000]);
  });

  it('refuse plain text beyond loopback, or warn where it was asked for', () => {
    assert.throws(
      () => opened(settings({ TOCSIN_HOST: '0.0.0.0' })),
      /in plain text.*TOCSIN_TLS_CERTIFICATE/,
    );
    const asked = settings({ TOCSIN_HOST: '0.0.0.0', TOCSIN_ALLOW_PLAINTEXT: 'true' });
    assert.match(opened(asked).warnings.join(), /plain text beyond loopback/);
  });

  it('make TLS of files, and name the file that is none', () => {
    const good = {
      TOCSIN_HOST: '0.0.0.0',
      TOCSIN_TLS_CERTIFICATE: files.certificate,
      TOCSIN_TLS_KEY: files.key,
    };
    assert.notEqual(opened(settings(good)).door.credentials, undefined);
    assert.deepEqual(
      opened(settings({ ...good, TOCSIN_TLS_CLIENT_AUTHORITY: files.certificate })).door.certificates,
      { subjects: {}, alone: false },
    );
    assert.throws(
      () => opened(settings({ ...good, TOCSIN_TLS_KEY: '/nowhere' })),
      /ingest\.tls\.key.*ENOENT/,
    );
    assert.throws(() => opened(settings({ ...good, TOCSIN_TLS_KEY: files.damaged })), /must be PEM/);
  });

  it('take tokens with a key set and an audience', () => {
    const env = { TOCSIN_TOKENS_JWKS: 'jwks.json', TOCSIN_TOKENS_AUDIENCE: 'tocsin' };
    assert.equal(typeof opened(settings(env)).door.tokens, 'function');
  });

  for (const [what, env, text] of [
    ['a key set over http', { TOCSIN_TOKENS_JWKS: 'http://login/jwks', TOCSIN_TOKENS_AUDIENCE: 'a' }, '{}'],
    ['tokens without an audience', { TOCSIN_TOKENS_JWKS: 'jwks.json' }, '{}'],
    [
      'a shared secret as algorithm',
      { TOCSIN_TOKENS_JWKS: 'a', TOCSIN_TOKENS_AUDIENCE: 'a', TOCSIN_TOKENS_ALGORITHMS: 'ES256,HS256' },
      '{}',
    ],
    ['tokens of an hour', {}, 'ingest: { tokens: { jwks: a, audience: a, life_at_most: 1h } }'],
    ['a certificate without its key', { TOCSIN_TLS_CERTIFICATE: 'a' }, '{}'],
    [
      'certificates that are enough, of nobody',
      {},
      'ingest: { tls: { certificate: a, key: b, certificate_alone: true } }',
    ],
    ['a recheck that would miss the minute', {}, 'ingest: { limits: { recheck: 50s } }'],
  ] as const) {
    it(`refuse ${what}`, () => {
      assert.throws(() => settings(env, text), { code: 'CONFIG_REFUSED' });
    });
  }

  it('open nothing beyond loopback before there is a credential', async () => {
    const principals = createFakePrincipalStore();
    const one = { id: 'a', tenant: 't', roles: ['vendor'], keySha256: 'x', revokedAtMs: 1 };
    await principals.put(one);
    await requireCredential('127.0.0.1', principals);
    await assert.rejects(requireCredential('0.0.0.0', principals), /tocsin vendor add/);
    await principals.put({ ...one, revokedAtMs: null });
    await requireCredential('0.0.0.0', principals);
  });
});
