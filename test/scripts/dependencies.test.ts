import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { whyOutOfDate } from '../../scripts/dependencies.mjs';

interface Place {
  version: string;
  integrity?: string;
  optional?: boolean;
}

const express: Place = { version: '5.2.1', integrity: 'sha512-express' };
const swcForMac: Place = { version: '1.0.0', integrity: 'sha512-swc', optional: true };

/** A project whose manifest asks for express, with that lock and that record of what is installed. */
function project(t: TestContext, lock: Record<string, Place>, installed?: Record<string, Place>): string {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'tocsin-test-'));
  t.after(() => fs.rmSync(root, { recursive: true, force: true }));
  const manifest = { dependencies: { express: '^5.0.0' } };
  const inModules = (places: Record<string, Place>) =>
    Object.fromEntries(Object.entries(places).map(([name, place]) => [`node_modules/${name}`, place]));
  const write = (file: string, content: unknown): void => {
    fs.mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    fs.writeFileSync(path.join(root, file), JSON.stringify(content));
  };
  write('package.json', manifest);
  write('package-lock.json', { packages: { '': manifest, ...inModules(lock) } });
  if (installed) write('node_modules/.package-lock.json', { packages: inModules(installed) });
  return root;
}

test('what the lock file asks for is up to date, other platforms aside', (t) => {
  assert.equal(whyOutOfDate(project(t, { express, swcForMac }, { express })), undefined);
});

test('a fresh clone, and an install that was interrupted, have nothing installed', (t) => {
  assert.equal(whyOutOfDate(project(t, { express })), 'nothing is installed');
});

for (const { what, lock, installed, reason } of [
  { what: 'a missing package', lock: { express }, installed: {}, reason: /^express is missing$/ },
  {
    what: 'another version',
    lock: { express },
    installed: { express: { ...express, version: '5.0.0' } },
    reason: /^express is 5\.0\.0 and should be 5\.2\.1$/,
  },
  {
    what: 'another content under the same version',
    lock: { express },
    installed: { express: { ...express, integrity: 'sha512-other' } },
    reason: /^express is/,
  },
  {
    what: 'a package that is no longer asked for',
    lock: { express },
    installed: { express, koa: { version: '1.0.0' } },
    reason: /^koa is no longer asked for$/,
  },
]) {
  test(`${what} is out of date`, (t) => {
    assert.match(whyOutOfDate(project(t, lock, installed)) ?? '', reason);
  });
}

test('a manifest that was edited without the lock file is out of date', (t) => {
  const root = project(t, { express }, { express });
  fs.writeFileSync(path.join(root, 'package.json'), JSON.stringify({ dependencies: { express: '^4.0.0' } }));

  assert.match(whyOutOfDate(root) ?? '', /dependencies of package\.json and package-lock\.json differ/);
});
