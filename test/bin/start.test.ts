import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { ROOT } from '../../bin/config.ts';
import type { Running } from '../../bin/running.ts';
import { spawnGuarded } from '../../embedded/guard.mjs';
import type { GuardedProcess } from '../../embedded/guard.mjs';
import { tocsin } from './command-line.ts';

let directory: string;
beforeEach(() => (directory = fs.mkdtempSync(path.join(os.tmpdir(), 'tocsin-start-'))));
afterEach(() => fs.rmSync(directory, { recursive: true, force: true }));

const PORTS = ['HTTP', 'GRPC', 'METRICS', 'TEMPORAL', 'TEMPORAL_UI', 'STORE'];
const free = (): NodeJS.ProcessEnv => ({
  TOCSIN_DATA: directory,
  ...Object.fromEntries(PORTS.map((name) => [`TOCSIN_PORT_${name}`, '0'])),
});

interface Begun {
  readonly process: GuardedProcess;
  readonly running: Running;
  readonly said: string[];
}

async function begin(): Promise<Begun> {
  const said: string[] = [];
  const kept = ['PATH', 'HOME', 'NODE_EXTRA_CA_CERTS'].map((name) => [name, process.env[name]]);
  const started = await spawnGuarded(
    process.execPath,
    ['--import', import.meta.resolve('tsx'), path.join(ROOT, 'bin', 'tocsin.ts'), 'start', '--no-demo'],
    {
      cwd: ROOT,
      env: { ...Object.fromEntries(kept), ...free() },
      onLine: (line) => void said.push(line),
    },
  );
  const file = path.join(directory, 'running.json');
  const deadline = performance.now() + 90_000;
  while (!fs.existsSync(file)) {
    assert.ok(started.isRunning() && performance.now() < deadline, said.join('\n'));
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return { process: started, running: JSON.parse(fs.readFileSync(file, 'utf8')) as Running, said };
}

const isThere = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

describe('tocsin start', () => {
  it('says which port is taken and what to do, starts nothing and leaves the directory free', async () => {
    const other = net.createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as net.AddressInfo;
    try {
      for (const name of ['HTTP', 'GRPC', 'TEMPORAL']) {
        const { code, stderr } = await tocsin(['start', '--once'], {
          ...free(),
          [`TOCSIN_PORT_${name}`]: String(port),
        });
        assert.equal(code, 5, stderr);
        assert.match(
          stderr,
          new RegExp(`Port ${port} .* is taken by another program\\. Stop that program, or`),
        );
      }
    } finally {
      other.close();
    }
    assert.ok(!fs.existsSync(path.join(directory, 'running.json')));
  });

  it('says that its data directory cannot be used', async () => {
    const file = path.join(directory, 'a-file');
    fs.writeFileSync(file, '');
    const { code, stderr } = await tocsin(['start', '--once'], {
      ...free(),
      TOCSIN_DATA: path.join(file, 'data'),
    });
    assert.equal(code, 5);
    assert.match(stderr, /The data directory .* cannot be used .*choose another with TOCSIN_DATA/);
  });

  it('serves until it is told to stop, keeps its keys and plans, and leaves nothing behind', async () => {
    const first = await begin();
    const { http } = first.running;
    const refused = await tocsin(['start'], free());
    assert.equal(refused.code, 5);
    assert.match(refused.stderr, /is in use by a running Tocsin/);

    const env = { TOCSIN_DATA: directory };
    const plans = await tocsin(['plan', 'list', '--json'], env);
    assert.equal(plans.code, 0, plans.stderr);
    const { items } = JSON.parse(plans.stdout) as { items: { planId: string; active: { hash: string } }[] };
    assert.deepEqual(items.map(({ planId }) => planId).sort(), ['earthquake', 'gas-leak', 'sensor-outage']);
    const doctor = await tocsin(['doctor', '--json'], env);
    assert.equal(doctor.code, 0, doctor.stdout);
    assert.equal((await fetch(`${http}/v1/incidents`)).status, 200);
    const change = await fetch(`${http}/v1/plans`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    });
    assert.ok([401, 403].includes(change.status), 'nobody changes anything without a key');
    const keys = fs.readFileSync(path.join(directory, 'credentials.json'), 'utf8');

    const stoppedAt = performance.now();
    process.kill(first.process.pid, 'SIGTERM');
    await first.process.exited;
    assert.ok(performance.now() - stoppedAt < 10_000);
    assert.ok(!fs.existsSync(path.join(directory, 'running.json')));
    assert.ok(!isThere(first.running.pid));
    await assert.rejects(fetch(`${http}/healthz`));

    const second = await begin();
    assert.equal(fs.readFileSync(path.join(directory, 'credentials.json'), 'utf8'), keys);
    assert.ok(
      !second.said.some((line) => line.includes('trained')),
      'what is there already is not made again',
    );
    await second.process.stop();
  });
});
