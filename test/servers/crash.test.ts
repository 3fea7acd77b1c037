import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { writeBookmark } from '../../bin/bookmark.ts';
import { loadConfig } from '../../bin/config.ts';
import type { VendorDoor } from '../../bin/vendor-door.ts';
import { weekFeed } from '../../bin/week-feed.ts';
import type { Report } from '../../bin/summary.ts';
import type { Bulletin } from '../../domain/evidence.ts';
import type { Stores } from '../../domain/ports.ts';
import type { IngestStores } from '../../domain/ports-ingest.ts';
import { obtainStore } from '../../embedded/obtain-store.mjs';
import { startStore } from '../../embedded/run-store.ts';
import { readEarthquakeWeek } from '../../exercise/feeds/earthquakes.ts';
import { connectStore } from '../../models/connect.ts';
import { createIngestStores } from '../../models/inbox.ts';
import { createStores } from '../../models/stores.ts';
import type { Recorded } from './invariants.ts';
import {
  assertEachAnswerCountsOnceBeforeItsAct,
  assertEachKeptItsPlan,
  assertEveryAcknowledgedIsArchivedOnce,
  assertNoUnitWasHeldTwice,
  recorded,
} from './invariants.ts';
import { answerWhatIsAsked } from './officer.ts';
import type { Answered } from './officer.ts';
import type { Part } from './product.ts';
import { startProduct } from './product.ts';

/** A day and a half before the main shock of Hualien, in the middle of its foreshocks. */
const FROM_MS = Date.UTC(2018, 1, 5);
/** How many messages after the first each part is killed. */
const KILLS: readonly (readonly [number, Part])[] = [
  [60, 'worker'],
  [140, 'ingest'],
  [220, 'temporal'],
  [300, 'store'],
  // The main shock, and the response to it.
  [390, 'ingest'],
  [400, 'worker'],
];
const PATIENCE_MS = 400_000;
/** Only the times of the feed are wanted here; the product sends. */
const UNUSED: VendorDoor = {
  send: () => Promise.reject(new Error('not sent from here')),
  describe: () => Promise.reject(new Error('not sent from here')),
  close: () => undefined,
};

/** The last warnings and errors of each part, for when it did not come through. */
const complaintsIn = (logs: string): string =>
  fs
    .readdirSync(logs)
    .map((file) => {
      const lines = fs.readFileSync(path.join(logs, file), 'utf8').trim().split('\n');
      const complaints = lines.filter((line) => /"level":[45]0|ERROR|WARN/.test(line)).slice(-5);
      return [file, ...complaints, ...lines.slice(-2)].map((line) => line.slice(0, 1_000)).join('\n  ');
    })
    .join('\n');

describe('a week in which every part is killed', () => {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'tocsin-crash-'));
  const killed: string[] = [];
  let sent: readonly Bulletin[];
  let code: number | null;
  let report: Report;
  let answered: readonly Answered[];
  let incidents: readonly Recorded[];
  let stores: Stores;
  let ingest: IngestStores;
  let close: () => Promise<void>;

  before(async () => {
    const { bulletins } = await readEarthquakeWeek();
    sent = bulletins.filter(({ observedAtMs }) => observedAtMs >= FROM_MS);
    const feed = await weekFeed(UNUSED, UNUSED, (work) => work());
    const first = feed.findIndex(({ atMs }) => atMs >= FROM_MS);
    writeBookmark(path.join(directory, 'week.json'), {
      event: first,
      events: feed.length,
      feedMs: FROM_MS,
      openIncidents: 0,
    });
    const args = ['--once', '--speed', 'max', '--json', '--hold', '1s'];
    const product = await startProduct(directory, args);
    const officer = answerWhatIsAsked(directory);
    const overdue = setTimeout(() => void product.stop(), PATIENCE_MS);
    try {
      for (const [messages, part] of KILLS) {
        while (product.isRunning() && product.position() < first + messages) {
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
        if (!product.isRunning()) break;
        product.kill(part);
        killed.push(part);
      }
      ({ code } = await product.exited);
    } finally {
      clearTimeout(overdue);
      await product.stop();
      answered = await officer.stop();
    }
    assert.equal(code, 0, `${product.said.join('\n')}\n${complaintsIn(path.join(directory, 'logs'))}`);
    report = product.report() as Report;

    const { binary = '', kind = 'ferret' } = await obtainStore({ env: process.env });
    const server = await startStore({ binary, kind, dir: path.join(directory, 'store') });
    const connected = await connectStore(server.uri, { dbName: loadConfig().config.store.database });
    stores = createStores(connected.connection);
    ingest = createIngestStores(connected.connection);
    close = async () => {
      await connected.close();
      await server.stop();
    };
    incidents = await recorded(stores);
  });

  after(async () => {
    await close?.();
    fs.rmSync(directory, { recursive: true, force: true });
  });

  it('kills the worker, the ingest process, Temporal and the store, each in its middle', () => {
    assert.deepEqual(
      killed,
      KILLS.map(([, part]) => part),
    );
  });

  it('is acknowledged whole, and archived exactly once (I1)', async () => {
    assert.deepEqual(report.events, { sent: sent.length, acknowledged: sent.length, refused: 0 });
    await assertEveryAcknowledgedIsArchivedOnce(
      sent.map(({ source, id }) => `${source}|${id}`),
      ingest,
      incidents,
    );
  });

  it('loses no incident: all run to their close, and every history replays', () => {
    assert.deepEqual(
      report.incidents.filter(({ state }) => state !== 'closed'),
      [],
    );
    const hualien = report.incidents.filter(({ id }) => id.includes('/hualien/'));
    assert.equal(hualien.length, 1);
    assert.ok(['I', 'II'].includes(hualien[0]!.highestLevel!));
    assert.equal(report.histories.replayed, report.histories.exported);
    assert.equal(incidents.length, report.incidents.length);
  });

  it('never has a unit in two places (I4)', () => {
    assert.equal(assertNoUnitWasHeldTwice(incidents), report.missions);
  });

  it('counts each answer of the duty officer once, before what it allows (I6)', () => {
    assert.ok(
      answered.some(({ choice }) => choice === 'approve'),
      'the officer approved something',
    );
    assertEachAnswerCountsOnceBeforeItsAct(answered, incidents);
  });

  it('keeps each incident on the plan that it began with (I13)', async () => {
    await assertEachKeptItsPlan(stores, incidents);
  });
});
