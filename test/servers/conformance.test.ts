import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startRole } from '../../embedded/role.ts';
import type { RoleHandle } from '../../embedded/role.ts';
import { createStores } from '../../models/stores.ts';
import { VendorClient } from '../../vendor/client.ts';
import { tocsin } from '../bin/command-line.ts';
import { fillStores, OTHER_VENDOR_KEY, VENDOR_KEY } from '../support/door.ts';
import { eventually } from '../support/eventually.ts';
import { startEmbeddedStore } from '../support/store.ts';
import type { TestStore } from '../support/store.ts';

const NEIGHBOUR_EVERY_MS = 20;
/** Some forty checks, on whatever machine. */
const RUN_AT_MOST_MS = 180_000;

/** Ingestion on a store, in a process of its own, at a port that stays the same. */
describe('tocsin vendor conformance, against ingestion on the embedded store,', () => {
  const roles: RoleHandle[] = [];
  let store: TestStore;
  let database: string;
  let dir: string;

  beforeEach(async () => {
    store = await startEmbeddedStore();
    dir = fs.mkdtempSync(path.join(os.tmpdir(), 'tocsin-conformance-'));
    const connection = await store.connect();
    database = connection.name;
    await fillStores(createStores(connection));
  });

  afterEach(async () => {
    for (const role of roles.splice(0)) role.kill();
    await store.stop();
    fs.rmSync(dir, { recursive: true, force: true });
  });

  /** @returns its port @param port `0`: any */
  async function serve(port: string): Promise<string> {
    const turn = path.join(dir, `turn-${roles.length}`);
    fs.writeFileSync(turn, '');
    const script = path.join(import.meta.dirname, 'ingest-process.ts');
    roles.push(await startRole({ name: 'ingest', script, args: [store.uri, database, turn, port] }));
    await eventually('ingestion serves', () => fs.existsSync(`${turn}.port`), 60_000);
    return fs.readFileSync(`${turn}.port`, 'utf8');
  }

  it('passes twice, while another vendor sends a reading now and then', async () => {
    const address = `127.0.0.1:${await serve('0')}`;
    const neighbour = new VendorClient({ address, key: OTHER_VENDOR_KEY });
    await neighbour.describe([
      { sensor: 'n', site: 'tower', channel: 'methane', unit: '%LEL', low: 0, high: 100 },
    ]);
    let sequence = 0;
    const sending = setInterval(() => {
      const reading = { sensor: 'n', boot: 'b', sequence: ++sequence, observedAtMs: Date.now(), value: 1 };
      neighbour.publish([{ reading }]).catch(() => undefined);
    }, NEIGHBOUR_EVERY_MS);
    const run = (): ReturnType<typeof tocsin> =>
      tocsin(
        [
          ...['vendor', 'conformance', address, '--key', VENDOR_KEY],
          ...['--other-key', OTHER_VENDOR_KEY, '--site', 'tower'],
        ],
        {},
        RUN_AT_MOST_MS,
      );
    // So long that the door knows it as a quiet one.
    await sleep(3_000);
    const first = await run();
    const second = await run();
    clearInterval(sending);
    neighbour.close();
    for (const ran of [first, second]) {
      assert.match(ran.stdout, / 0 failed, 1 skipped/, `${ran.stdout}\n${ran.stderr}`);
      assert.equal(ran.code, 0);
    }
  });

  it('kills the server with --restart, and what was acknowledged is there afterwards', async () => {
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
});
