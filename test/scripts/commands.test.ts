import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { findTests } from '../../scripts/find-tests.mjs';

const ROOT = path.resolve(import.meta.dirname, '..', '..');

const PASSING_CHECKS = {
  typecheck: 'true',
  lint: 'true',
  'format:check': 'true',
  boundaries: 'true',
  unused: 'true',
};

/** A small project with our scripts, whose packages are in place and whose servers are given by address. */
function project(t: TestContext, files: Record<string, string>, checks: Record<string, string> = {}) {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'tocsin-test-'));
  t.after(() => fs.rmSync(root, { recursive: true, force: true }));
  for (const folder of ['scripts', 'embedded']) {
    fs.cpSync(path.join(ROOT, folder), path.join(root, folder), { recursive: true });
  }
  const manifest = { type: 'module', scripts: { ...PASSING_CHECKS, ...checks } };
  const all = {
    'package.json': JSON.stringify(manifest),
    'package-lock.json': JSON.stringify({ packages: { '': {} } }),
    'node_modules/.package-lock.json': JSON.stringify({ packages: {} }),
    ...files,
  };
  for (const [file, text] of Object.entries(all)) {
    fs.mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    fs.writeFileSync(path.join(root, file), text);
  }
  const tsx = path.dirname(path.dirname(fileURLToPath(import.meta.resolve('tsx'))));
  fs.symlinkSync(tsx, path.join(root, 'node_modules', 'tsx'));
  return {
    root,
    run(script: string, ...args: string[]) {
      const { NODE_TEST_CONTEXT: _, npm_lifecycle_event: __, ...outer } = process.env;
      const env = {
        ...outer,
        TEMPORAL_ADDRESS: 'temporal.example:7233',
        MONGODB_URI: 'mongodb://db.example/',
      };
      return spawnSync(process.execPath, [path.join('scripts', script), ...args], {
        cwd: root,
        env,
        encoding: 'utf8',
        timeout: 60_000,
      });
    },
  };
}

const passing = `import { test } from 'node:test'; test('holds', () => {});`;
const failing = `import { test } from 'node:test'; test('breaks', () => { throw new Error('broken'); });`;

test('npm test closes standard output with the counts, and passes when all passed', (t) => {
  const { run } = project(t, { 'test/a.test.ts': passing, 'test/deep/b.test.ts': passing });

  const { status, stdout, stderr } = run('test.mjs');

  assert.equal(status, 0, stderr);
  assert.match(
    stdout,
    /tests 2\n.*suites 0\n.*pass 2\n.*fail 0\n.*cancelled 0\n.*skipped 0\n.*todo 0\n.*duration_ms [\d.]+\n$/,
  );
  assert.match(stderr, /npm packages: up to date\n.*Temporal: from the address given/);
});

test('npm test fails when a test fails', (t) => {
  const { run } = project(t, { 'test/a.test.ts': passing, 'test/b.test.ts': failing });

  assert.equal(run('test.mjs').status, 1);
});

test('a failed check is shown with its words, the tests still run, and npm test fails', (t) => {
  const { run } = project(t, { 'test/a.test.ts': passing }, { lint: 'echo a stray semicolon; exit 1' });

  const { status, stdout, stderr } = run('test.mjs');

  assert.equal(status, 1);
  assert.match(stderr, /--- lint: .*\na stray semicolon\n/);
  assert.match(stderr, /Failed before the tests: lint/);
  assert.match(stdout, /pass 1\n/);
});

test('npm test can be limited to some files and do without the checks', (t) => {
  const { run } = project(t, { 'test/a.test.ts': passing, 'test/b.test.ts': failing }, { lint: 'exit 1' });

  const { status, stdout } = run('test.mjs', '--only', 'test/a', '--no-checks');

  assert.equal(status, 0);
  assert.match(stdout, /tests 1\n/);
});

test('npm test that would run nothing is refused', (t) => {
  const { run } = project(t, { 'test/a.test.ts': passing });

  assert.deepEqual(
    [run('test.mjs', '--only', 'zebra').status, run('test.mjs', '--olny', 'a').status],
    [2, 2],
  );
  assert.match(run('test.mjs', '--only', 'zebra').stderr, /No test file matches zebra/);
});

test('npm start hands over its options, and only the product writes to standard output', (t) => {
  const { run } = project(t, {
    'bin/tocsin.ts': `console.log(JSON.stringify(process.argv.slice(2) as string[])); process.exitCode = 5;`,
  });

  const { status, stdout } = run('start.mjs', '--once', '--speed', 'max');

  assert.equal(stdout, '["start","--once","--speed","max"]\n');
  assert.equal(status, 5);
});

test('a benchmark is run by its name, and an unknown one is refused with the names', (t) => {
  const { run } = project(t, { 'bench/ingest.ts': `console.log(process.argv.slice(2).join(' '));` });

  assert.equal(run('bench.mjs', 'ingest', '--json').stdout, '--json\n');
  const unknown = run('bench.mjs', 'digest');
  assert.equal(unknown.status, 2);
  assert.match(unknown.stderr, /There is no benchmark digest\. There are: ingest\./);
});

test('a set-up that cannot go on lists what it tried and starts nothing', (t) => {
  const { root, run } = project(t, { 'bin/tocsin.ts': `console.log('started');` });
  fs.rmSync(path.join(root, 'package-lock.json'));

  const { status, stdout, stderr } = run('start.mjs');

  assert.equal(status, 1);
  assert.equal(stdout, '');
  assert.match(stderr, /npm ci failed[\s\S]*fix: /);
});

test('test files are found in every folder, in order', (t) => {
  const { root } = project(t, { 'test/b.test.ts': '', 'test/a/c.test.ts': '', 'test/a/support.ts': '' });

  const found = findTests(root).map((file) => path.relative(root, file));

  assert.deepEqual(found, ['test/a/c.test.ts', 'test/b.test.ts']);
});
