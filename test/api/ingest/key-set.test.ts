import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, describe, it } from 'node:test';
import { createTokenCheck } from '../../../api/ingest/jwt.ts';
import { createTokenIssuer, keySet, signToken } from '../../support/tokens.ts';

const first = createTokenIssuer('first');
const second = createTokenIssuer('second');

describe('a key set at an address', () => {
  let nowMs = 0;
  let answer: { status: number; body: string; location?: string };
  let asked = 0;
  let address = '';
  const server = http.createServer((_request, response) => {
    asked += 1;
    const headers = answer.location === undefined ? {} : { location: answer.location };
    response.writeHead(answer.status, headers).end(answer.body);
  });

  before(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`;
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });
  beforeEach(() => {
    nowMs = 1_800_000_000_000;
    asked = 0;
    answer = { status: 200, body: keySet(first) };
  });

  const open = () =>
    createTokenCheck({ jwks: address, audience: 'a', allowLoopbackHttp: true, now: () => nowMs });
  const token = (issuer = first): string =>
    signToken(issuer, {
      claims: { sub: 'me', aud: 'a', iat: Math.floor(nowMs / 1_000), exp: Math.floor(nowMs / 1_000) + 60 },
    });

  it('is asked once for many tokens, and again after 30 s', async () => {
    const check = open();
    const subjects = await Promise.all(Array.from({ length: 20 }, () => check(token())));
    assert.deepEqual([new Set(subjects), asked], [new Set(['me']), 1]);
    nowMs += 30_001;
    await check(token());
    assert.equal(asked, 2);
  });

  it('is asked at once for a key that is new, and not for every key that nobody knows', async () => {
    const check = open();
    await check(token());
    answer.body = keySet(first, second);
    nowMs += 5_000;
    assert.equal(await check(token(second)), 'me');
    assert.equal(asked, 2);
    for (let n = 0; n < 20; n++) {
      await assert.rejects(check(token(createTokenIssuer(`unknown-${n}`))), { code: 'TOKEN_REFUSED' });
    }
    assert.equal(asked, 2);
  });

  it('lets a withdrawn key go within a minute', async () => {
    const check = open();
    await check(token(first));
    answer.body = keySet(second);
    nowMs += 30_001;
    await assert.rejects(check(token(first)), { code: 'TOKEN_REFUSED' });
  });

  const bad: Record<string, () => typeof answer> = {
    'an error': () => ({ status: 500, body: keySet(first) }),
    'no JSON': () => ({ status: 200, body: '<html>' }),
    'no set': () => ({ status: 200, body: '{"keys":1}' }),
    'too much': () => ({ status: 200, body: `${keySet(first)}${' '.repeat(300_000)}` }),
    'another address': () => ({ status: 302, body: '', location: `${address}?elsewhere` }),
  };
  for (const [what, make] of Object.entries(bad)) {
    it(`serves from memory for 5 minutes when ${what} is answered, then not at all`, async () => {
      const check = open();
      await check(token());
      answer = make();
      nowMs += 60_000;
      assert.equal(await check(token()), 'me');
      nowMs += 5 * 60_000;
      await assert.rejects(check(token()), { code: 'STORE_UNAVAILABLE', retryable: true });
      answer = { status: 200, body: keySet(first) };
      nowMs += 5_000;
      assert.equal(await check(token()), 'me');
    });
  }

  it('refuses nobody for a set that holds a private key: it says that it cannot tell', async () => {
    const jwk = { ...first.privateKey.export({ format: 'jwk' }), kid: 'first', alg: 'ES256' };
    answer.body = JSON.stringify({ keys: [jwk] });
    await assert.rejects(open()(token()), { code: 'STORE_UNAVAILABLE' });
  });

  it('must be https, but for tests on this machine', () => {
    for (const jwks of ['http://127.0.0.1/jwks', 'ftp://example/jwks', 'data:application/json,{}']) {
      assert.throws(() => createTokenCheck({ jwks, audience: 'a' }), RangeError, jwks);
    }
    for (const jwks of ['http://login.example/jwks', 'http://127.0.0.1.example/jwks']) {
      assert.throws(
        () => createTokenCheck({ jwks, audience: 'a', allowLoopbackHttp: true }),
        RangeError,
        jwks,
      );
    }
    createTokenCheck({ jwks: 'https://login.example/jwks', audience: 'a' });
  });
});
