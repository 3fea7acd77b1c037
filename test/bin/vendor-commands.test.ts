import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { it } from 'node:test';
import type { Replayed } from '../../bin/vendor-replay.ts';
import { startMockServer } from '../../vendor/index.ts';
import { tocsin } from './command-line.ts';

it('a recorded feed is sent, summed up for people, and by an exit code', async (t) => {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'tocsin-commands-'));
  t.after(() => fs.rmSync(directory, { recursive: true, force: true }));
  const file = path.join(directory, 'small.csv');
  fs.writeFileSync(file, `time,value\n${Date.now()},1\n${Date.now()},2\nnever,3\n`);
  const server = await startMockServer({ keys: ['k'] });
  const args = ['vendor', 'replay', file, '--grpc', server.address, '--site', 'tower', '--key'];
  const sent = await tocsin([...args, 'k']);
  const refused = await tocsin([...args, 'wrong', '--json']);
  await server.stop();
  assert.equal(sent.code, 0, sent.stderr);
  assert.match(
    sent.stdout,
    /accepted +2\nduplicate +0\nquarantined +0\nmalformed lines +1\n\nline 4, time: "never"/,
  );
  assert.equal(refused.code, 4);
  assert.equal((JSON.parse(refused.stderr) as { error: { code: string } }).error.code, 'VENDOR_REFUSED');
});

it('a server is checked, and what came instead is said', async () => {
  const server = await startMockServer({ faults: ['no-duplicates'] });
  const ran = await tocsin(['vendor', 'conformance', server.address, '--key', 'k', '--only', 'duplicate-']);
  await server.stop();
  assert.equal(ran.code, 1, ran.stderr);
  assert.match(
    ran.stdout,
    /FAIL +duplicate-same-stream.*\n +expected .*\n +came +time 2: expected DUPLICATE, got ACCEPTED/,
  );
  assert.match(ran.stdout, /0 passed, 4 failed, 0 skipped/);
});

it('a mock server reports at its end, and knows its faults', async () => {
  const [ran, wrong] = await Promise.all([
    tocsin(['vendor', 'mock', '--for', '1s', '--json']),
    tocsin(['vendor', 'mock', '--fault', 'sleepy']),
  ]);
  assert.equal(ran.code, 0, ran.stderr);
  const report = JSON.parse(ran.stdout) as { passed: boolean } & Pick<Replayed, 'accepted'>;
  assert.deepEqual([report.passed, report.accepted], [true, 0]);
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /There is no fault sleepy[\s\S]*out-of-order: answers messages/);
});
