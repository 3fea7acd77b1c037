import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { encodeForecaster } from '../../../domain/forecast/artefact.ts';
import type { RegisteredForecaster } from '../../../domain/forecast/trained.ts';
import { expectedAtLeast, metres } from '../../../domain/plan/index.ts';
import type { PlanDocument } from '../../../domain/plan/document.ts';
import { hashOf } from '../../../models/hash.ts';
import { gasPlan } from '../../support/plans.ts';
import { registered } from '../../support/rising-river.ts';
import type { TestApi } from './world.ts';
import { startTestApi } from './world.ts';

const WALL_MS = Date.parse('2026-01-01T00:00:00Z');
const river = registered('ar');
const calm = registered('persistence');
const NOBODY = 'c'.repeat(64);

let api: TestApi;
beforeEach(async () => (api = await startTestApi({ clock: () => WALL_MS })));
afterEach(() => api.stop());

async function store(
  { name, hash, channel, unit, everyMs, steps, forecaster }: RegisteredForecaster,
  { atMs = 1, artefact = encodeForecaster(forecaster) } = {},
): Promise<void> {
  const card = { name, channel, unit, everyMs, steps, training: forecaster.card };
  await api.stores.forecasters.insert({ name, hash, artefact, card, atMs });
}

/** Puts a plan in force that asks the forecaster `river`. */
async function putInForce(id: string, within: '30 minutes' | '2 hours'): Promise<void> {
  const document: PlanDocument = {
    ...gasPlan,
    id,
    channels: { stage: 'm' },
    detect: expectedAtLeast({ channel: 'stage', unit: 'm' }, metres(4), {
      within,
      probability: 0.9,
      forecaster: 'river',
    }),
  };
  const about = { planId: id, hash: hashOf(document) };
  const { plans } = api.stores;
  await plans.publish({ ...about, document, author: 'a', publishedAtMs: 1, parent: null, proposal: null });
  await plans.activate({ ...about, by: 'a', reason: 'r', atMs: 1 });
}

const activate = (
  hash: string,
  { as = 'plan-board', reason = 'two springs' } = {},
): ReturnType<TestApi['call']> =>
  api.call('POST', '/v1/forecasters/river/activations', { as, body: { hash, reason } });

const linesOf = async (): Promise<(readonly [string, string, string, number])[]> =>
  (await api.stores.forecasters.activations('river')).map(({ hash, by, reason, atMs }) => [
    hash,
    by,
    reason,
    atMs,
  ]);

describe('the register of forecasters over HTTP', () => {
  it('lists names and versions, and says which one plans use', async () => {
    await store(river, { atMs: 1 });
    await store(calm, { atMs: 2 });
    const none = await api.call('GET', '/v1/forecasters');
    assert.deepEqual(none.body, { items: [{ name: 'river', active: null, versions: 2 }] });
    await activate(calm.hash);
    const listed = await api.call('GET', '/v1/forecasters');
    assert.deepEqual(listed.body, {
      items: [{ name: 'river', active: { hash: calm.hash, n: 1 }, versions: 2 }],
    });
    const versions = await api.call('GET', '/v1/forecasters/river/versions');
    const about = { channel: 'stage', unit: 'm', everyMs: 300_000, steps: 6 };
    assert.deepEqual(versions.body, {
      items: [
        { hash: river.hash, active: false, atMs: 1, kind: 'ar', ...about },
        { hash: calm.hash, active: true, atMs: 2, kind: 'persistence', ...about },
      ],
    });
  });

  it('shows the card of a version with what activating it would find', async () => {
    await store(river);
    await putInForce('flood', '30 minutes');
    await putInForce('flood-tomorrow', '2 hours');
    const { status, body } = await api.call('GET', `/v1/forecasters/river/versions/${river.hash}`);
    assert.equal(status, 200);
    assert.equal(body['active'], false);
    assert.equal((body['card'] as { training: { kind: string } }).training.kind, 'ar');
    assert.deepEqual(body['gates'], [
      { check: 'artefact', passed: true, reason: 'Its bytes have the hash that names them.' },
      { check: 'plan', passed: true, reason: 'The plan flood, which is in force, is served.' },
      {
        check: 'plan',
        passed: false,
        reason:
          'The plan flood-tomorrow, which is in force, is not served: it looks 1800 s ahead, not 7200 s.',
      },
    ]);
  });

  it('activates a version in the name of who asked, and shows it as the one in use', async () => {
    await store(river);
    await putInForce('flood', '30 minutes');
    const { status, body } = await activate(river.hash);
    assert.equal(status, 201);
    const entry = { by: 'plan-board', reason: 'two springs', atMs: WALL_MS };
    assert.deepEqual(body, { name: 'river', n: 1, hash: river.hash, ...entry });
    const shown = await api.call('GET', '/v1/forecasters/river');
    assert.deepEqual([shown.body['hash'], shown.body['active']], [river.hash, true]);
    const { body: all } = await api.call('GET', '/v1/forecasters/river/activations');
    assert.deepEqual(all, { items: [body] });
  });

  it('writes nothing when an activation is repeated, and goes back to an earlier version', async () => {
    await store(river);
    await store(calm);
    await activate(river.hash);
    const repeated = await activate(river.hash, { as: 'admin', reason: 'again' });
    assert.equal(repeated.status, 200);
    assert.deepEqual([repeated.body['n'], repeated.body['by']], [1, 'plan-board']);
    assert.equal((await activate(calm.hash, { reason: 'on trial' })).status, 201);
    const back = await activate(river.hash, { reason: 'too many alarms' });
    assert.deepEqual([back.status, back.body['n']], [201, 3]);
    assert.deepEqual(await linesOf(), [
      [river.hash, 'plan-board', 'two springs', WALL_MS],
      [calm.hash, 'plan-board', 'on trial', WALL_MS],
      [river.hash, 'plan-board', 'too many alarms', WALL_MS],
    ]);
  });

  for (const [what, prepare, message] of [
    [
      'whose bytes were altered',
      async () => {
        const artefact = encodeForecaster(river.forecaster);
        artefact[artefact.length - 3]! ^= 1;
        await store(river, { artefact });
      },
      /its bytes do not have the hash that names them/,
    ],
    [
      'whose card tells of other steps',
      () => store({ ...river, steps: 600 }),
      /its card tells of other steps than its bytes/,
    ],
    [
      'that a plan in force cannot use',
      async () => {
        await store(river);
        await putInForce('flood', '2 hours');
      },
      /The plan flood, which is in force, is not served: it looks 1800 s ahead/,
    ],
  ] as const) {
    it(`refuses a version ${what}, with every gate in the details, and leaves the register as it was`, async () => {
      await prepare();
      const { status, body } = await activate(river.hash);
      assert.equal(status, 422);
      assert.equal(body['code'], 'FORECASTER_GATE_REFUSED');
      assert.match(String(body['detail']), message);
      const { gates } = body['details'] as { gates: { passed: boolean }[] };
      assert.equal(gates.filter(({ passed }) => !passed).length, 1);
      assert.deepEqual(await linesOf(), []);
      const shown = await api.call('GET', `/v1/forecasters/river/versions/${river.hash}`);
      assert.deepEqual(shown.body['gates'], gates);
    });
  }

  it('answers 404 for what is not there, and for a name that no version is in use of', async () => {
    await store(river);
    for (const [method, path, body] of [
      ['GET', '/v1/forecasters/river', undefined],
      ['GET', `/v1/forecasters/river/versions/${NOBODY}`, undefined],
      ['GET', '/v1/forecasters/lake/versions', undefined],
      ['POST', '/v1/forecasters/river/activations', { hash: NOBODY, reason: 'x' }],
    ] as const) {
      const answer = await api.call(method, path, { as: 'admin', body });
      assert.equal(answer.status, 404, path);
      assert.equal(answer.headers.get('content-type'), 'application/problem+json; charset=utf-8');
      assert.equal(answer.body['code'], 'FORECASTER_UNKNOWN');
    }
    assert.deepEqual(await linesOf(), []);
  });

  it('takes no activation without a role, a reason or a hash', async () => {
    await store(river);
    assert.equal((await activate(river.hash, { as: 'viewer' })).body['code'], 'ROLE_REQUIRED');
    assert.equal((await activate(river.hash, { as: 'duty-officer' })).body['code'], 'ROLE_REQUIRED');
    assert.equal((await activate(river.hash, { reason: '  ' })).body['code'], 'REQUEST_INVALID');
    assert.equal((await activate('river')).body['code'], 'REQUEST_INVALID');
    assert.deepEqual(await linesOf(), []);
  });
});
