import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { it } from 'node:test';
import type { TestContext } from 'node:test';
import { startMockServer } from '../../vendor/index.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');

interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(
  command: string,
  args: readonly string[],
  cwd: string,
  env: NodeJS.ProcessEnv = {},
): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, timeout: 60_000 });
    const said = { stdout: '', stderr: '' };
    child.stdout.on('data', (chunk: Buffer) => (said.stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (said.stderr += chunk.toString()));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, ...said }));
  });
}

function directory(t: TestContext): string {
  const made = fs.mkdtempSync(path.join(os.tmpdir(), 'tocsin-example-'));
  t.after(() => fs.rmSync(made, { recursive: true, force: true }));
  return made;
}

const troublesome = { lose: 0.05, retryLater: 0.05, retryAfterMs: 50, delayMs: 2 };

it('the example in TypeScript loses nothing, whatever the server does', async (t) => {
  const server = await startMockServer(troublesome);
  const ran = await run(
    process.execPath,
    ['--import', import.meta.resolve('tsx'), 'examples/vendor-typescript/send.ts', server.address, '40'],
    ROOT,
    { TOCSIN_KEY: 'k', TOCSIN_SPOOL: directory(t) },
  );
  const { lost, missing, violations, accepted, duplicate } = server.report();
  await server.stop();
  assert.equal(ran.code, 0, ran.stderr);
  assert.match(ran.stdout, /^\d+ accepted, \d+ duplicate, 0 quarantined$/m);
  assert.deepEqual([lost, missing, violations], [[], [], []]);
  assert.ok(accepted + duplicate >= 40);
});

it('the example in Python loses nothing, whatever the server does', async (t) => {
  const python = process.env['TOCSIN_PYTHON'] ?? 'python3';
  const hasTools = await run(python, ['-c', 'import grpc_tools'], ROOT).then(
    ({ code }) => code === 0,
    () => false,
  );
  if (!hasTools) return t.skip('there is no python3 with grpcio-tools');
  const at = directory(t);
  const generated = await run(
    python,
    [
      ...['-m', 'grpc_tools.protoc', '-I', path.join(ROOT, 'proto')],
      ...[`--python_out=${at}`, `--grpc_python_out=${at}`, 'tocsin/v1/ingest.proto'],
    ],
    at,
  );
  assert.equal(generated.code, 0, generated.stderr);
  const server = await startMockServer(troublesome);
  const script = path.join(ROOT, 'examples/vendor-python/send.py');
  const ran = await run(python, [script, server.address, '300'], at, {
    TOCSIN_KEY: 'k',
    PYTHONPATH: at,
    PYTHONDONTWRITEBYTECODE: '1',
  });
  const { lost, missing, violations, accepted, duplicate } = server.report();
  await server.stop();
  assert.equal(ran.code, 0, ran.stderr);
  assert.match(ran.stdout, /accepted/);
  assert.deepEqual([lost, missing, violations], [[], [], []]);
  assert.ok(accepted + duplicate >= 300);
});
