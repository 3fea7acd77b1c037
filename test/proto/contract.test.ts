import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = path.resolve(import.meta.dirname, '../..');
const BUF = fileURLToPath(import.meta.resolve('@bufbuild/buf/bin/buf'));
const bufIn = (directory: string, ...args: string[]): string =>
  execFileSync(process.execPath, [BUF, ...args], { cwd: directory, encoding: 'utf8', stdio: 'pipe' });
const buf = (...args: string[]): string => bufIn(path.join(root, 'proto'), ...args);

const files = (directory: string): string[] =>
  fs
    .readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .sort();

describe('the wire contract', () => {
  it('is written as contracts are', () => {
    assert.equal(buf('lint'), '');
  });

  it('breaks no vendor of version 1', () => {
    assert.equal(buf('breaking', '--against', 'released/v1.binpb'), '');
  });

  it('notices a change that would break one', () => {
    const copy = fs.mkdtempSync(path.join(os.tmpdir(), 'tocsin-proto-'));
    try {
      fs.cpSync(path.join(root, 'proto'), copy, { recursive: true });
      const file = path.join(copy, 'tocsin/v1/ingest.proto');
      fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replace('double value = 5;', 'float value = 5;'));
      assert.throws(
        () => bufIn(copy, 'breaking', '--against', 'released/v1.binpb'),
        (error) => /Field "5"/.test((error as { stdout: string }).stdout),
      );
    } finally {
      fs.rmSync(copy, { recursive: true });
    }
  });

  it('has its types generated from it as it is now', () => {
    const fresh = fs.mkdtempSync(path.join(os.tmpdir(), 'tocsin-gen-'));
    try {
      execFileSync(process.execPath, [path.join(root, 'proto/generate.mjs'), fresh], { stdio: 'pipe' });
      const committed = path.join(root, 'proto/gen');
      assert.deepEqual(files(fresh), files(committed));
      for (const file of files(fresh)) {
        assert.equal(
          fs.readFileSync(path.join(committed, file), 'utf8'),
          fs.readFileSync(path.join(fresh, file), 'utf8'),
          `${file}: run node proto/generate.mjs`,
        );
      }
    } finally {
      fs.rmSync(fresh, { recursive: true });
    }
  });
});
