import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, it } from 'node:test';
import { planContext } from '../../../bin/plan-context.ts';
import { encodeForecaster } from '../../../domain/forecast/artefact.ts';
import { checkPlan } from '../../../domain/plan/check.ts';
import {
  always,
  below,
  definePlan,
  expectedAtLeast,
  metres,
  notify,
  rule,
} from '../../../domain/plan/index.ts';
import type { Stores } from '../../../domain/ports.ts';
import { sha256Hex } from '../../../models/hash.ts';
import { createStores } from '../../../models/stores.ts';
import { keyOf, startTestApi } from '../../api/http/world.ts';
import type { TestApi } from '../../api/http/world.ts';
import { fillStores, openDoor, reading } from '../../support/door.ts';
import { T0 } from '../../support/plans.ts';
import { registered, risingRiver } from '../../support/rising-river.ts';
import { startEmbeddedStore } from '../../support/store.ts';
import type { TestStore } from '../../support/store.ts';
import { tocsin } from '../command-line.ts';
import type { Ran } from '../command-line.ts';

const riverPlan = definePlan({
  id: 'river-flood',
  title: { en: 'A river rises', zh: '河水上涨' },
  basis: 'test/support/rising-river.ts',
  covers: { hazard: 'river-flood' },
  channels: { stage: 'm' },
  severities: { warning: 'III' },
  detect: ({ stage }) =>
    expectedAtLeast(stage, metres(4), { within: '30 minutes', probability: 0.9, forecaster: 'river' }),
  classify: {
    by: rule('river-flood'),
    ifUnsure: { ask: 'duty-officer', within: '10 minutes', otherwise: 'warning' },
    types: { 'river-flood': 'warning' },
    scale: () => [{ severity: 'warning', when: always }],
  },
  dispatch: { warning: [notify('duty-officer')] },
  evaluate: {
    every: '1 hour',
    resolvedWhen: ({ stage }) => below(stage, metres(3), { for: '1 hour', onSensors: 'all' }),
  },
  refine: { mayTune: {}, afterIncidents: 5, approvedBy: 'plan-board' },
});

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tocsin-activate-'));
const keys: Record<string, string> = {};
let store: TestStore;
let database = '';
let stores: Stores;
let api: TestApi;

before(async () => {
  store = await startEmbeddedStore();
  const connection = await store.connect();
  database = connection.name;
  stores = createStores(connection);
  await fillStores(stores);
  const gauge = (await stores.sites.sensors()).find(({ id }) => id === 'city/gasworks/a')!;
  await stores.sites.putSensor({ ...gauge, channel: 'stage', unit: 'm', low: -10, high: 100 });
  api = await startTestApi({
    stores,
    checkPlan: async (document) => checkPlan(document, await planContext(stores)),
  });
  for (const [id, roles] of [
    ['admin', ['admin']],
    ['plan-board', ['manager', 'plan-board']],
    ['onlooker', ['viewer']],
  ] as const) {
    const keySha256 = sha256Hex(keyOf(id));
    await stores.principals.put({ id, tenant: 'city', roles, keySha256, revokedAtMs: null });
    keys[id] = keyOf(id);
  }
  fs.writeFileSync(path.join(folder, 'credentials.json'), JSON.stringify(keys));
});
after(async () => {
  await api.stop();
  await store.stop();
  fs.rmSync(folder, { recursive: true, force: true });
});

const forecast = (...args: string[]): Promise<Ran> =>
  tocsin(['forecast', ...args], {
    TOCSIN_DATA: folder,
    MONGODB_URI: store.uri,
    TOCSIN_DATABASE: database,
  });

/** Trains on four rises and stores it as `river`, as a user would; answers its hash. */
async function train(): Promise<string> {
  const csv = path.join(folder, 'past.csv');
  const out = path.join(folder, 'river.forecast');
  const past = [1, 2, 3, 4].flatMap((seed) => risingRiver(seed, T0 - (5 - seed) * 420 * 60_000));
  const lines = past.map(([atMs, value]) => `${new Date(atMs).toISOString()},${value}`);
  fs.writeFileSync(csv, ['at,stage', ...lines, ''].join('\n'));
  const trained = await forecast(
    ...['train', '--csv', csv, '--time', 'at', '--channel', 'stage', '--unit', 'm', '--kind', 'ar'],
    ...['--horizon', '30m', '--clean', 'resample:300', '--out', out],
  );
  assert.equal(trained.code, 0, trained.stderr);
  const added = await forecast('add', '--artefact', out, '--name', 'river', '--json');
  assert.equal(added.code, 0, added.stderr);
  return (JSON.parse(added.stdout) as { hash: string }).hash;
}

/** Lets the flood come through the vendors' door; answers what detection first said of it. */
async function firstWarning(): Promise<{ forecast: unknown; probability: number; value: number }> {
  const door = await openDoor({ stores, clockOf: () => 'feed' });
  try {
    const items = risingRiver(7, T0).map(([atMs, value], n) =>
      reading(n + 1, { observedAtMs: atMs, value, unit: 'm' }),
    );
    for (let n = 0; n < items.length; n += 2) {
      const sentAtMs = T0 + (n + 1) * 60_000;
      await door.publishOnce(items.slice(n, n + 2), { sentAtMs });
    }
    const seen = await door.status({ relayedThrough: Number.MAX_SAFE_INTEGER, waitMs: 30_000 });
    assert.equal(seen.relayedThrough, seen.archivedThrough, 'the relay did not drain');
    const evidence = [...door.incidents.evidence.values()].flatMap((items) => [...items.values()]);
    const first = evidence.find((item) => item.kind === 'readings')!;
    const { name, hash, probability } = first.forecast!;
    return { forecast: { name, hash }, probability: probability!, value: first.sensors[0]!.value };
  } finally {
    await door.stop();
  }
}

it('a forecaster that was trained, stored and activated lets a plan be published, and forecasts what comes through the door', async () => {
  const hash = await train();
  const early = await api.call('POST', '/v1/plans', { as: 'plan-board', body: riverPlan });
  assert.equal(early.status, 422);
  assert.match(String(early.body['detail']), /No forecaster "river" is in use here/);

  const reason = ['--reason', 'two springs'];
  const activated = await forecast('activate', 'river', hash, ...reason, '--as', 'plan-board');
  assert.equal(activated.code, 0, activated.stderr);
  assert.match(activated.stdout, new RegExp(`river@${hash} is used from now on \\(activation 1\\)`));
  const { body: shown } = await api.call('GET', '/v1/forecasters/river');
  assert.deepEqual([shown['hash'], shown['active'], shown['kind']], [hash, true, 'ar']);
  const { body: who } = await api.call('GET', '/v1/forecasters/river/activations');
  const [line] = who['items'] as { by: string; reason: string }[];
  assert.deepEqual([line?.by, line?.reason], ['plan-board', 'two springs']);

  const published = await api.call('POST', '/v1/plans', { as: 'plan-board', body: riverPlan });
  assert.equal(published.status, 201, JSON.stringify(published.body));
  const inForce = await api.call('POST', '/v1/plans/river-flood/activations', {
    as: 'plan-board',
    body: { hash: published.body['hash'], reason: 'spring' },
  });
  assert.equal(inForce.status, 201);

  const { forecast: by, probability, value } = await firstWarning();
  assert.deepEqual(by, { name: 'river', hash });
  assert.ok(probability >= 0.9);
  assert.ok(value < 4, 'it was told before the water was there');
});

it('what may not be activated is refused, and the version in use stays', async () => {
  const inUse = (await stores.forecasters.active('river'))!;
  const { forecaster, ...about } = registered('ar');
  const card = { ...about, unit: 'km', training: forecaster.card };
  const { hash } = about;
  const artefact = encodeForecaster(forecaster);
  await stores.forecasters.insert({ name: 'river', hash, artefact, card, atMs: Date.now() });
  const reason = ['--reason', 'x', '--json'];
  const [misfit, viewer, again, listed] = await Promise.all([
    forecast('activate', 'river', hash, ...reason),
    forecast('activate', 'river', hash, ...reason, '--as', 'onlooker'),
    forecast('activate', 'river', inUse.hash, ...reason),
    forecast('list'),
  ]);
  const codeOf = ({ code, stderr }: Ran): [number | null, string] => [
    code,
    (JSON.parse(stderr) as { error: { code: string } }).error.code,
  ];
  assert.deepEqual(codeOf(misfit), [4, 'FORECASTER_GATE_REFUSED']);
  assert.match(misfit.stderr, /The plan river-flood, which is in force, is not served: it was trained in km/);
  assert.deepEqual(codeOf(viewer), [4, 'ROLE_REQUIRED']);
  const repeated = JSON.parse(again.stdout) as { n: number; activated: boolean };
  assert.deepEqual([repeated.n, repeated.activated], [1, false]);
  assert.deepEqual(await stores.forecasters.active('river'), inUse);
  assert.match(listed.stdout, new RegExp(`river +${inUse.hash.slice(0, 12)} .*ar +stage in m +30m +2`));
});
