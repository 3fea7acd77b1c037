import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startRole } from '../../embedded/role.ts';
import type { RoleHandle } from '../../embedded/role.ts';
import { createStores } from '../../models/stores.ts';
import { tocsin } from '../bin/command-line.ts';
import { fillStores, VENDOR_KEY } from '../support/door.ts';
import { startEmbeddedStore } from '../support/store.ts';

/** Ingestion on a store, in a process of its own, at a port that stays the same. */
it('tocsin vendor conformance --restart kills the server, and what was acknowledged is there afterwards', async (t) => {
  const store = await startEmbeddedStore();
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'tocsin-restart-'));
  const roles: RoleHandle[] = [];
  t.after(async () => {
    for (const role of roles) role.kill();
    await store.stop();
    fs.rmSync(dir, { recursive: true, force: true });
  });
  const connection = await store.connect();
  await fillStores(createStores(connection));
  const serve = async (port: string): Promise<string> => {
    const turn = path.join(dir, `turn-${roles.length}`);
    fs.writeFileSync(turn, '');
    const script = path.join(import.meta.dirname, 'ingest-process.ts');
    roles.push(await startRole({ name: 'ingest', script, args: [store.uri, connection.name, turn, port] }));
    for (const deadline = Date.now() + 60_000; !fs.existsSync(`${turn}.port`); await sleep(20)) {
      assert.ok(Date.now() < deadline, 'ingestion does not serve');
    }
    return fs.readFileSync(`${turn}.port`, 'utf8');
  };
  const port = await serve('0');
  const [wanted, done] = [path.join(dir, 'wanted'), path.join(dir, 'done')];
  let isOver = false;
  let restarts = 0;
  const operator = (async () => {
    while (!isOver) {
      await sleep(20);
      if (!fs.existsSync(wanted)) continue;
      fs.rmSync(wanted);
      roles.at(-1)!.kill();
      await roles.at(-1)!.exited;
      await serve(port);
      restarts += 1;
      fs.writeFileSync(done, '');
    }
  })();
  const ran = await tocsin([
    ...['vendor', 'conformance', `127.0.0.1:${port}`, '--key', VENDOR_KEY, '--site', 'tower'],
    ...['--only', 'ack-', '--restart', `touch ${wanted}; until [ -e ${done} ]; do sleep 0.1; done`],
  ]);
  isOver = true;
  await operator;
  assert.equal(ran.code, 0, `${ran.stdout}\n${ran.stderr}`);
  assert.equal(restarts, 1);
  assert.match(ran.stdout, /pass +ack-survives-restart/);
  assert.match(ran.stdout, / 0 failed, 0 skipped/);
});
