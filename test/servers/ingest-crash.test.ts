import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { credentials } from '@grpc/grpc-js';
import { FAILPOINTS } from '../../api/ingest/failpoint.ts';
import { readFrame } from '../../api/ingest/frame.ts';
import { obtainStore } from '../../embedded/obtain-store.mjs';
import { startRole } from '../../embedded/role.ts';
import type { RoleHandle } from '../../embedded/role.ts';
import { startStore } from '../../embedded/run-store.ts';
import type { StoreHandle } from '../../embedded/run-store.ts';
import { connectStore } from '../../models/connect.ts';
import { createIngestStores } from '../../models/inbox.ts';
import { createStores } from '../../models/stores.ts';
import { createFakeStores } from '../../models/fake-stores.ts';
import type { Stores } from '../../domain/ports.ts';
import { IngestService } from '../../proto/load.ts';
import type { Item } from '../../proto/gen/tocsin/v1/Item.ts';
import type { PublishResponse__Output } from '../../proto/gen/tocsin/v1/PublishResponse.ts';
import {
  activate,
  bulletin,
  fillStores,
  openDoor,
  OTHER_TENANT_KEY,
  reading,
  VENDOR_KEY,
  withKey,
} from '../support/door.ts';
import type { Door } from '../support/door.ts';
import { gasPlan, T0 } from '../support/plans.ts';

const TIMES_EACH = 3;
const UNDER_WAY = 4;
/** Rounds of messages in which a place must be passed as often as it takes. */
const ROUNDS_AT_MOST = 15;
const STEP_MS = 60_000;

/** Message n of a tenant. The values turn the condition of the plan over and over; every fifth message has more. */
function messageOf(n: number): { readonly sentAtMs: number; readonly items: Item[] } {
  const observedAtMs = T0 + n * STEP_MS;
  const value = n % 4 < 2 ? 1 : 40;
  const items = ['a', 'b'].map((sensor) => reading(n, { sensor, value, observedAtMs }));
  // Nobody registered it: it goes to quarantine.
  items.push(reading(n, { sensor: `nobody-${n}`, observedAtMs }));
  // Too old to count, and put aside.
  items.push(reading(n, { sensor: 'c', observedAtMs: observedAtMs - 3_600_000 }));
  if (n % 5 === 0) items.push(bulletin(`notice-${n}`, { observedAtMs }));
  return { sentAtMs: observedAtMs + 1_000, items };
}

/** A vendor: sends what was not acknowledged, in order, a few messages at a time. */
class Vendor {
  readonly key: string;
  readonly acknowledged = new Set<number>();
  /** Words that are no answer to what was sent: nothing may be refused but what nobody registered. */
  readonly surprises: string[] = [];
  sent = 0;

  constructor(key: string) {
    this.key = key;
  }

  /** Sends until the stream breaks, or until everything up to `until` is acknowledged. */
  async stream(port: number, until: number, again: readonly number[] = []): Promise<void> {
    const client = new IngestService(`127.0.0.1:${port}`, credentials.createInsecure());
    const call = client.Publish(withKey(this.key));
    const numbers: number[] = [];
    const waiting = [...again, ...Array.from({ length: this.sent }, (_, n) => n + 1)].filter(
      (n, index) => index < again.length || !this.acknowledged.has(n),
    );
    let answered = 0;
    const more = (): void => {
      while (numbers.length - answered < UNDER_WAY) {
        const n = waiting.shift() ?? (this.sent < until ? ++this.sent : 0);
        if (n === 0) break;
        numbers.push(n);
        call.write({ sequence: numbers.length, ...messageOf(n) });
      }
      if (numbers.length === answered) call.end();
    };
    const over = new Promise<void>((resolve) => {
      call.on('error', () => resolve());
      call.on('end', () => resolve());
    });
    call.on('data', (response: PublishResponse__Output) => {
      for (const { sequence, items } of response.results) {
        const n = numbers[Number(sequence) - 1]!;
        for (const { disposition, reason } of items) {
          const word = disposition.slice(12);
          const isFine = word === 'QUARANTINED' ? reason.endsWith('UNKNOWN_SENSOR') : word !== 'RETRY_LATER';
          if (!isFine) this.surprises.push(`${word} ${reason}`);
        }
        this.acknowledged.add(n);
      }
      answered = Number(response.acknowledgedThrough);
      more();
    });
    more();
    await over;
    client.close();
  }
}

interface Loaded extends RoleHandle {
  /** @returns the port it serves on; null: what the last one left to do led it to the place where it dies */
  go(): Promise<number | null>;
}

const noHold = { ...gasPlan, detect: { ...gasPlan.detect, forMs: 0 } } as typeof gasPlan;

async function fill(stores: Stores): Promise<void> {
  await fillStores(stores);
  await activate(stores, noHold);
  for (const sensor of await stores.sites.sensors()) {
    await stores.sites.putSensor({ ...sensor, id: sensor.id.replace('city', 'village'), tenant: 'village' });
  }
}

/** What the same messages lead to when nothing breaks. */
async function undisturbed(messages: number): Promise<string[]> {
  const stores = createFakeStores();
  await fill(stores);
  const door: Door = await openDoor({ stores, clockOf: () => 'feed', refreshEveryMs: 50 });
  for (const key of [VENDOR_KEY, OTHER_TENANT_KEY]) {
    for (let n = 1; n <= messages; n++) {
      const { items, sentAtMs } = messageOf(n);
      await door.publishOnce(items, { key, sentAtMs });
    }
  }
  await door.status({ relayedThrough: Number.MAX_SAFE_INTEGER, waitMs: 10_000 });
  const keys = [...door.incidents.evidence].flatMap(([id, items]) =>
    [...items.keys()].map((key) => `${id}|${key}`),
  );
  await door.stop();
  return keys.sort();
}

test(
  'whatever is killed between receipt and incident, nothing acknowledged is lost or doubled',
  { timeout: 600_000 },
  async () => {
    const { MONGODB_URI: _uri, ...env } = process.env;
    const { binary = '', kind = 'ferret' } = await obtainStore({ env });
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'tocsin-crash-'));
    const data = path.join(dir, 'store');
    let store: StoreHandle = await startStore({ binary, kind, dir: data });
    const { port: storePort } = store;
    const dbName = `crash_${process.pid}`;
    let turns = 0;
    const roles: RoleHandle[] = [];
    /** Loads a process; it begins with `go`. While one serves the next is loaded: loading is what takes long. */
    const load = (failpoint: string): Promise<Loaded> => {
      const turn = path.join(dir, `turn-${++turns}`);
      return startRole({
        name: 'ingest',
        script: path.join(import.meta.dirname, 'ingest-process.ts'),
        args: [store.uri, dbName, turn],
        env: { TOCSIN_FAILPOINT: failpoint },
      }).then((role) => {
        roles.push(role);
        const go = async (): Promise<number | null> => {
          fs.writeFileSync(turn, '');
          const ended = role.exited.then(() => null);
          let isOver = false;
          void ended.then(() => (isOver = true));
          const served = async (): Promise<number> => {
            while (!fs.existsSync(`${turn}.port`) && !isOver) await sleep(5);
            return Number(fs.readFileSync(`${turn}.port`, 'utf8'));
          };
          return Promise.race([ended, served()]);
        };
        return { ...role, go };
      });
    };
    const vendors = [new Vendor(VENDOR_KEY), new Vendor(OTHER_TENANT_KEY)];
    let connected = await connectStore(store.uri, { dbName });
    try {
      await fill(createStores(connected.connection));

      const survived: string[] = [];
      // '': not the process is killed but the store, in the middle of a stream.
      const deaths = Array.from({ length: TIMES_EACH }, (_, n) => [
        ...FAILPOINTS.map((name) => `${name}:${n + 1}`),
        '',
      ]).flat();
      let next = load(deaths[0]!);
      for (const [index, death] of deaths.entries()) {
        const role = await next;
        next = load(deaths[index + 1] ?? '');
        const port = await role.go();
        if (port === null) continue;
        const begun = Math.max(...vendors.map(({ sent }) => sent));
        const sendUntil = (until: number): Promise<unknown> =>
          Promise.all(vendors.map((vendor) => vendor.stream(port, until)));
        if (death === '') {
          const streams = sendUntil(begun + 40);
          await sleep(30);
          store.kill();
          await store.exited;
          store = await startStore({ binary, kind, dir: data, port: storePort });
          await streams;
          await role.stop();
          continue;
        }
        // The faster it is the more it does at once, and the later a place is passed the third time.
        const died = role.exited.then(() => true);
        let isOver = false;
        for (let more = 1; !isOver && more <= ROUNDS_AT_MOST; more++) {
          const streams = sendUntil(begun + more * 20);
          await Promise.race([died, streams]);
          isOver = await Promise.race([died, sleep(500, false)]);
          if (isOver) await streams;
        }
        if (!isOver) survived.push(death);
        role.kill();
        await role.exited;
      }
      assert.deepEqual(survived, [], 'places that were never passed');

      // Everything once more: what is there already is a duplicate, whoever forgot that it was acknowledged.
      const role = await next;
      const port = (await role.go())!;
      const total = Math.max(...vendors.map(({ sent }) => sent));
      for (const vendor of vendors) {
        await vendor.stream(port, total);
        await vendor.stream(
          port,
          total,
          Array.from({ length: total }, (_, n) => n + 1),
        );
        assert.deepEqual(vendor.surprises, []);
        assert.equal(vendor.acknowledged.size, total);
      }
      await connected.close();
      connected = await connectStore(store.uri, { dbName });
      const ingest = createIngestStores(connected.connection);
      const expected = await undisturbed(total);
      const evidences = connected.connection.collection<{ _id: string }>('test_evidence');
      let evidence: string[] = [];
      for (let tries = 0; tries < 600 && evidence.length < expected.length; tries++) {
        await sleep(100);
        evidence = (await evidences.find({}).toArray()).map(({ _id }) => _id).sort();
      }
      while ((await ingest.inbox.pending()).length > 0) await sleep(50);
      await role.stop();

      // I1 and I2: each reading exactly once, under the tenant of the key that sent it.
      const archived: string[] = [];
      for (let seq = 1; ; seq++) {
        const frame = await ingest.frames.read(seq);
        if (frame === null) break;
        for (const block of readFrame(frame.bytes)) {
          if (block.kind === 'bulletin')
            archived.push(`${block.tenant} ${block.bulletin.id}@${block.revision}`);
          else if (block.kind === 'readings') {
            for (let n = 0; n < block.values.length; n++) {
              archived.push(`${block.tenant} ${block.sensor} ${block.firstSequence + n}`);
            }
          }
        }
      }
      const wanted = ['city', 'village'].flatMap((tenant) =>
        Array.from({ length: total }, (_, n) => n + 1).flatMap((n) => [
          ...['a', 'b', 'c'].map((sensor) => `${tenant} ${tenant}/gasworks/${sensor} ${n}`),
          ...(n % 5 === 0 ? [`${tenant} notice-${n}@1`] : []),
        ]),
      );
      assert.deepEqual(archived.sort(), wanted.sort());
      const refused = JSON.stringify(await connected.connection.collection('quarantine').find({}).toArray());
      for (let n = 1; n <= total; n++)
        assert.ok(refused.includes(`nobody-${n}`), `nobody-${n} is in quarantine`);

      // I3, and the evidence of I1: the incidents know what they would know had nothing been killed.
      assert.deepEqual(evidence, expected);
    } finally {
      roles.forEach((role) => role.kill());
      await connected.close();
      await store.stop();
      fs.rmSync(dir, { recursive: true, force: true });
    }
  },
);
