import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Replayed } from '../../bin/vendor-replay.ts';
import { tlsCredentials } from '../../api/ingest/credentials.ts';
import { makeCertificate } from '../support/certificates.ts';
import { openDoor, VENDOR_KEY } from '../support/door.ts';
import type { Door } from '../support/door.ts';
import { tocsin } from './command-line.ts';

const authority = makeCertificate({ name: 'authority', isAuthority: true });
const stranger = makeCertificate({ name: 'stranger', isAuthority: true });
const ofServer = makeCertificate({ name: 'door', by: authority, dns: ['localhost'], use: 'server' });
const gasworks = makeCertificate({ name: 'client', by: authority, dns: ['gasworks'], use: 'client' });

/** `vendor replay` and `vendor conformance` against a door that speaks TLS and wants certificates. */
describe('over TLS', () => {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'tocsin-tls-'));
  const file = (name: string, content: string | Buffer): string => {
    const at = path.join(directory, name);
    fs.writeFileSync(at, content);
    return at;
  };
  const ca = file('authority.pem', authority.certificate);
  const certificate = [
    '--certificate',
    file('gasworks.pem', gasworks.certificate),
    '--certificate-key',
    file('gasworks.key', gasworks.key),
  ];
  const token = file('token', `${VENDOR_KEY}\n`);
  const feed = file('riser.csv', `time,value\n${Date.now() - 1_000},1\n${Date.now()},2\n`);
  let door: Door;
  let alone: Door;
  const files = {
    certificate: ofServer.certificate,
    key: ofServer.key,
    clientAuthority: authority.certificate,
  };
  before(async () => {
    door = await openDoor({
      credentials: tlsCredentials(files),
      certificates: { subjects: {}, alone: false },
    });
    alone = await openDoor({
      credentials: tlsCredentials(files),
      certificates: { subjects: {}, alone: true },
    });
  });
  after(async () => {
    await door.stop();
    await alone.stop();
    fs.rmSync(directory, { recursive: true, force: true });
  });
  const at = ({ address }: Door): string => address.replace('127.0.0.1', 'localhost');
  const replay = async (where: Door, ...more: string[]): Promise<{ accepted: number } | string> => {
    const ran = await tocsin(
      ['vendor', 'replay', feed, '--grpc', at(where), '--site', 'tower', '--json', ...more],
      { TOCSIN_DATA: directory },
    );
    if (ran.code === 0) return { accepted: (JSON.parse(ran.stdout) as Replayed).accepted };
    return (JSON.parse(ran.stderr) as { error: { code: string } }).error.code;
  };

  it('a feed is sent with a certificate and the key in a file, and with a certificate alone where that is enough', async () => {
    assert.deepEqual(await replay(door, '--authority', ca, ...certificate, '--token-file', token), {
      accepted: 2,
    });
    assert.deepEqual(await replay(alone, '--authority', ca, ...certificate), { accepted: 2 });
    assert.equal(await replay(door, '--authority', ca, ...certificate), 'VENDOR_REFUSED');
  });

  it('says what is missing: the authority, the certificate, its key, or a file', async () => {
    const wrong = file('stranger.pem', stranger.certificate);
    const key = ['--key', VENDOR_KEY];
    assert.equal(await replay(door, '--authority', wrong, ...certificate, ...key), 'INGEST_UNREACHABLE');
    assert.equal(await replay(door, ...key), 'INGEST_UNREACHABLE');
    assert.equal(await replay(door, ...certificate.slice(0, 2), ...key), 'TLS_FILES_REFUSED');
    assert.equal(await replay(door, '--authority', token, ...key, ...certificate), 'TLS_FILES_REFUSED');
    assert.equal(await replay(door, '--authority', `${ca}.gone`, ...key), 'FILE_UNREADABLE');
  });

  it('a server is checked', async () => {
    const ran = await tocsin([
      ...['vendor', 'conformance', at(door), '--site', 'tower', '--only', 'duplicate-'],
      ...['--authority', ca, ...certificate, '--token-file', token],
    ]);
    assert.equal(ran.code, 0, `${ran.stdout}${ran.stderr}`);
    assert.match(ran.stdout, /4 passed, 0 failed, 0 skipped/);
  });
});
