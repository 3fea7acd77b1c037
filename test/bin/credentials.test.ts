import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { chosenKey, ensureCredentials, keepCredential, readCredentials } from '../../bin/credentials.ts';

let directory: string;
beforeEach(() => (directory = fs.mkdtempSync(path.join(os.tmpdir(), 'tocsin-keys-'))));
afterEach(() => fs.rmSync(directory, { recursive: true, force: true }));

describe('credentials', () => {
  it('are made once, kept, and readable by their owner alone', () => {
    const first = ensureCredentials(directory, 'demo');
    const second = ensureCredentials(directory, 'demo');
    assert.equal(first.created, true);
    assert.equal(second.created, false);
    assert.deepEqual(second.credentials, first.credentials);
    assert.equal(fs.statSync(path.join(directory, 'credentials.json')).mode & 0o777, 0o600);
  });

  it('give the store only the hash of a key, and every key is another', () => {
    const { credentials, principals } = ensureCredentials(directory, 'demo');
    const keys = Object.values(credentials);
    assert.equal(new Set(keys).size, keys.length);
    assert.equal(principals.length, keys.length);
    for (const principal of principals) {
      const key = credentials[principal.id]!;
      assert.equal(principal.keySha256, createHash('sha256').update(key).digest('hex'));
      assert.equal(principal.tenant, 'demo');
      assert.ok(!JSON.stringify(principal).includes(key));
    }
  });

  it('keep a key that was added', () => {
    ensureCredentials(directory, 'demo');
    keepCredential(directory, 'vendor-new', 'tocsin_0123456789abcdef');
    assert.equal(ensureCredentials(directory, 'demo').created, false);
    assert.equal(readCredentials(directory)?.['vendor-new'], 'tocsin_0123456789abcdef');
  });

  it('are chosen by --as, then TOCSIN_KEY, then TOCSIN_AS, then none', () => {
    const { credentials } = ensureCredentials(directory, 'demo');
    const env = { TOCSIN_DATA: directory };
    assert.equal(chosenKey('admin', { ...env, TOCSIN_KEY: 'k' }), credentials['admin']);
    assert.equal(chosenKey(undefined, { ...env, TOCSIN_KEY: 'k', TOCSIN_AS: 'admin' }), 'k');
    assert.equal(chosenKey(undefined, { ...env, TOCSIN_AS: 'viewer' }), credentials['viewer']);
    assert.equal(chosenKey(undefined, env), undefined);
  });

  it('refuse a principal that has no key, and name those that have one', () => {
    ensureCredentials(directory, 'demo');
    assert.throws(() => chosenKey('nobody', { TOCSIN_DATA: directory }), /no key for nobody.*duty-officer/);
  });

  it('refuse a damaged file and say what to do', () => {
    fs.writeFileSync(path.join(directory, 'credentials.json'), '{');
    assert.throws(() => readCredentials(directory), /are damaged\. Move the file away/);
  });
});
