import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { request } from 'node:http';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { Route } from '../../../api/http/route.ts';
import { ROLES } from '../../../api/http/route.ts';
import { TocsinError } from '../../../domain/errors.ts';
import type { Finding } from '../../../domain/plan/document.ts';
import { fillHualien, GAS_AT, MAIN_SHOCK_AT, PLAN, PROPOSAL, VERSION } from './hualien.ts';
import type { TestApi } from './world.ts';
import { startTestApi } from './world.ts';

const segment = encodeURIComponent;
const WALL_MS = Date.parse('2026-01-01T00:00:00Z');

let findings: Finding[] = [];
let api: TestApi;
let ids: Awaited<ReturnType<typeof fillHualien>>;

async function start(): Promise<void> {
  findings = [];
  api = await startTestApi({
    clock: () => WALL_MS,
    checkPlan: () => Promise.resolve(findings),
    webUiBase: 'http://127.0.0.1:8233/',
  });
  ids = await fillHualien(api.stores, WALL_MS);
}

// Every test has its own API: what one writes must not reach another.
beforeEach(start);
afterEach(() => api.stop());

/** A request with headers that fetch would not send as they are. */
const rawStatus = (path: string, headers: Record<string, string>): Promise<number> =>
  new Promise((resolve, reject) => {
    request(`${api.url}${path}`, { headers }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    })
      .on('error', reject)
      .end();
  });

describe('the API', () => {
  it('answers every documented read with what its schema says', async () => {
    const values: Readonly<Record<string, string>> = {
      incidentId: ids.mainShock,
      planId: 'earthquake',
      hash: VERSION.hash,
      proposalId: PROPOSAL.id,
      unitId: 'hualien-rescue-1',
      name: 'notice-forest',
      placeId: 'hualien',
      sensorId: 'tower-methane-3',
    };
    const reads = api.routes.filter((route) => route.method === 'get' && route.answers[200] !== null);
    for (const route of reads) {
      const filled = {
        ...values,
        ...(route.path.startsWith('/v1/recognisers') ? { hash: 'a'.repeat(64) } : {}),
        ...(route.path.startsWith('/v1/forecasters') ? { name: 'river', hash: 'b'.repeat(64) } : {}),
      };
      const path = route.path.replace(/:(\w+)/g, (_all, name: string) =>
        segment(filled[name as never] ?? ''),
      );
      const answer = await api.call('GET', path, { as: 'viewer' });
      assert.equal(answer.status, 200, `${path}: ${JSON.stringify(answer.body)}`);
      const schema = route.answers[200];
      assert.ok(schema, path);
      const parsed = schema.safeParse(answer.body);
      assert.ok(parsed.success, `${path}: ${parsed.error?.message ?? ''}`);
    }
    assert.ok(reads.length >= 20);
  });

  it('answers what it does not know with a problem document and the request id', async () => {
    const answer = await api.call('GET', '/v1/nothing', { headers: { 'x-request-id': 'mine-1' } });
    assert.equal(answer.status, 404);
    assert.equal(answer.headers.get('content-type'), 'application/problem+json; charset=utf-8');
    assert.equal(answer.headers.get('x-request-id'), 'mine-1');
    assert.equal(answer.body['code'], 'ROUTE_UNKNOWN');
    assert.equal(answer.body['requestId'], 'mine-1');
    assert.equal(answer.body['instance'], '/v1/nothing');
  });

  it('makes its own request id instead of one that could forge a log line', async () => {
    const answer = await api.call('GET', '/healthz', { headers: { 'x-request-id': 'a b"c' } });
    assert.match(answer.headers.get('x-request-id') ?? '', /^[0-9a-f-]{36}$/);
  });

  it('sends a content policy without inline code or styles', async () => {
    const { headers } = await api.call('GET', '/healthz');
    const policy = headers.get('content-security-policy') ?? '';
    assert.match(policy, /default-src 'none'/);
    assert.doesNotMatch(policy, /unsafe/);
    assert.equal(headers.get('x-powered-by'), null);
    assert.equal(headers.get('x-content-type-options'), 'nosniff');
  });

  it('says why it is not ready', async () => {
    const sick = await startTestApi({
      ready: async () => ({ store: 'The store did not answer.', temporal: true }),
    });
    const answer = await sick.call('GET', '/readyz');
    await sick.stop();
    assert.equal(answer.status, 503);
    assert.deepEqual(answer.body, {
      ready: false,
      checks: { store: 'The store did not answer.', temporal: true },
    });
  });
});

describe('a bad request', () => {
  const POST = '/v1/plans';
  const big = JSON.stringify({ pad: 'x'.repeat(300_000) });
  const cases: readonly [string, string, string, Record<string, unknown>, number, string][] = [
    ['a body that is not JSON', 'POST', POST, { body: '{"a":' }, 400, 'REQUEST_INVALID'],
    ['a body over 256 KB', 'POST', POST, { body: big }, 413, 'TOO_LARGE'],
    [
      'a form',
      'POST',
      POST,
      { body: 'a=1', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
      415,
      'MEDIA_TYPE',
    ],
    [
      'a compressed body',
      'POST',
      POST,
      { body: '{}', headers: { 'content-encoding': 'gzip' } },
      415,
      'MEDIA_TYPE',
    ],
    ['no body', 'POST', POST, {}, 415, 'MEDIA_TYPE'],
    ['a member nobody knows', 'POST', POST, { body: { ...PLAN, extra: 1 } }, 400, 'REQUEST_INVALID'],
    ['a null document', 'POST', POST, { body: 'null' }, 400, 'REQUEST_INVALID'],
    ['a limit that is no number', 'GET', '/v1/incidents?limit=many', {}, 400, 'REQUEST_INVALID'],
    ['a limit above the largest', 'GET', '/v1/incidents?limit=1000', {}, 400, 'REQUEST_INVALID'],
    ['a repeated parameter', 'GET', '/v1/incidents?hazard=a&hazard=b', {}, 400, 'REQUEST_INVALID'],
    ['a cursor of nowhere', 'GET', '/v1/incidents?cursor=zzz', {}, 400, 'CURSOR_INVALID'],
    ['a path that cannot be decoded', 'GET', '/v1/incidents/%E0%A4%A', {}, 400, 'REQUEST_INVALID'],
    ['a hash that is none', 'GET', '/v1/plans/earthquake/versions/abc', {}, 400, 'REQUEST_INVALID'],
    ['an operator object in a query', 'GET', '/v1/incidents?level[$ne]=I', {}, 200, ''],
  ];
  for (const [what, method, path, options, status, code] of cases) {
    it(`with ${what} gets ${status} ${code}`, async () => {
      const answer = await api.call(method, path, { as: 'plan-board', ...options });
      assert.equal(answer.status, status, JSON.stringify(answer.body));
      assert.equal(answer.body['code'] ?? '', code);
    });
  }

  it('is refused for the caller before its body is read', async () => {
    const answer = await api.call('POST', POST, { as: 'viewer', body: big });
    assert.equal(answer.body['code'], 'ROLE_REQUIRED');
  });

  it('beyond the limit is told to wait', async () => {
    const small = await startTestApi({ limits: { requestsPerMinute: 3 } });
    const statuses: number[] = [];
    for (let i = 0; i < 4; i += 1) statuses.push((await small.call('GET', '/healthz')).status);
    const last = await small.call('GET', '/healthz');
    await small.stop();
    assert.deepEqual(statuses, [200, 200, 200, 429]);
    assert.equal(last.body['code'], 'RATE_LIMITED');
    assert.equal(last.body['retryable'], true);
    assert.ok(Number(last.headers.get('retry-after')) > 0);
  });

  it('with key after refused key is told to wait, while a viewer without one goes on looking', async () => {
    const small = await startTestApi({ limits: { refusedKeysPerMinute: 2 } });
    const statuses: number[] = [];
    for (let i = 0; i < 3; i += 1) {
      const headers = { authorization: `Bearer guess-${i}` };
      statuses.push((await small.call('GET', '/v1/incidents', { headers })).status);
    }
    const viewer = await small.call('GET', '/v1/incidents');
    await small.stop();
    assert.deepEqual(statuses, [401, 401, 429]);
    assert.equal(viewer.status, 200);
  });
});

describe('access', () => {
  /** Who may what, written down a second time on purpose: a change of the table must be meant. */
  const LOOK = 'viewer operator crew manager auditor admin duty-officer plan-board';
  const EXPECTED: Readonly<Record<string, string>> = {
    'post /v1/incidents/:incidentId/answers': 'operator manager admin duty-officer plan-board',
    'post /v1/incidents/:incidentId/commands': 'operator admin duty-officer',
    'post /v1/incidents/:incidentId/labels': 'operator manager admin duty-officer',
    'post /v1/missions/:missionId/status': 'crew operator',
    'post /v1/plans': 'manager admin',
    'post /v1/plans/check': 'manager admin',
    'post /v1/plans/:planId/activations': 'manager admin',
    'post /v1/proposals/:proposalId/decision': 'manager admin plan-board',
    'post /v1/forecasters/:name/activations': 'manager admin plan-board',
    'get /v1/session': `${LOOK} vendor`,
    'get /healthz': 'everybody',
    'get /readyz': 'everybody',
  };
  const nameOf = (route: Route): string => `${route.method} ${route.path}`;

  it('is decided for every route: writes one by one, every other read for all but vendors', () => {
    for (const route of api.routes) {
      const expected = EXPECTED[nameOf(route)] ?? (route.method === 'get' ? LOOK : 'undecided');
      const actual = route.access === 'open' ? 'everybody' : route.access.join(' ');
      assert.deepEqual(actual.split(' ').sort(), expected.split(' ').sort(), nameOf(route));
    }
  });

  it('is enforced for every route and role', async () => {
    let cells = 0;
    for (const role of ROLES) {
      const id = `only-${role}`;
      await api.stores.principals.put({
        id,
        tenant: 'demo',
        roles: [role],
        keySha256: createHash('sha256').update(`key-of-${id}`).digest('hex'),
        revokedAtMs: null,
      });
      for (const route of api.routes.filter((one) => one.path !== '/v1/changes')) {
        const path = route.path.replace(/:hash/g, '0'.repeat(64)).replace(/:\w+/g, 'x');
        const answer = await api.call(route.method.toUpperCase(), path, {
          as: id,
          ...(route.method === 'post' ? { body: {} } : {}),
        });
        const allowed = route.access === 'open' || route.access.includes(role);
        assert.equal(answer.status === 403, !allowed, `${nameOf(route)} as ${role}: ${answer.status}`);
        assert.notEqual(answer.status, 500, nameOf(route));
        cells += 1;
      }
    }
    assert.equal(cells, ROLES.length * (api.routes.length - 1));
  });

  it('without a key on this machine allows looking and nothing else', async () => {
    assert.equal((await api.call('GET', '/v1/incidents')).status, 200);
    for (const route of api.routes.filter((one) => one.method === 'post')) {
      const answer = await api.call('POST', route.path.replace(/:\w+/g, 'x'), { body: {} });
      assert.equal(answer.status, 403, nameOf(route));
    }
  });

  for (const [what, headers] of [
    ['a proxy passes it on', { 'x-forwarded-for': '203.0.113.9' }],
    ['a proxy says so the new way', { forwarded: 'for=203.0.113.9' }],
  ] as const) {
    it(`without a key needs one when ${what}`, async () => {
      const answer = await api.call('GET', '/v1/incidents', { headers });
      assert.equal(answer.status, 401);
      assert.equal(answer.headers.get('www-authenticate'), 'Bearer');
    });
  }

  it('without a key needs one when another site resolved its name to this machine', async () => {
    const status = await rawStatus('/v1/incidents', { host: 'evil.example' });
    assert.equal(status, 401);
  });

  it('hides the incidents of another tenant, in lists, by name and from every write', async () => {
    const list = await api.call('GET', '/v1/incidents', { as: 'viewer' });
    const items = list.body['items'] as { tenant: string }[];
    assert.deepEqual([...new Set(items.map((item) => item.tenant))], ['demo']);
    const path = `/v1/incidents/${segment(ids.stranger)}`;
    for (const [method, suffix, body] of [
      ['GET', '', undefined],
      ['GET', '/facts', undefined],
      ['GET', '/situation', undefined],
      ['GET', '/missions', undefined],
      ['POST', '/answers', { questionId: 'major.0.1', choice: 'approve' }],
      ['POST', '/commands', { kind: 'close', reason: 'over' }],
    ] as const) {
      const answer = await api.call(method, `${path}${suffix}`, { as: 'duty-officer', body });
      assert.equal(answer.body['code'], 'INCIDENT_UNKNOWN', suffix);
    }
    const waiting = await api.call('GET', '/v1/approvals', { as: 'duty-officer' });
    assert.ok(!JSON.stringify(waiting.body).includes(ids.stranger));
    assert.equal(api.responses.answers.length, 0);
  });

  it('shows an administrator every tenant', async () => {
    const list = await api.call('GET', '/v1/incidents', { as: 'admin' });
    assert.equal((list.body['items'] as unknown[]).length, 5);
  });
});

describe('the incident list', () => {
  it('pages from the newest to the oldest without repeating or losing one', async () => {
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const query: string = cursor === null ? '' : `&cursor=${segment(cursor)}`;
      const page = await api.call('GET', `/v1/incidents?limit=1${query}`, { as: 'admin' });
      seen.push(...(page.body['items'] as { incidentId: string }[]).map((item) => item.incidentId));
      cursor = page.body['nextCursor'] as string | null;
    } while (cursor !== null && seen.length < 20);
    const whole = await api.call('GET', '/v1/incidents', { as: 'admin' });
    assert.deepEqual(
      seen,
      (whole.body['items'] as { incidentId: string }[]).map((item) => item.incidentId),
    );
    assert.equal(new Set(seen).size, 5);
  });

  it('shows only what is asked for', async () => {
    const open = await api.call('GET', '/v1/incidents?open=true&hazard=gas-leak');
    assert.deepEqual(
      (open.body['items'] as { incidentId: string }[]).map((item) => item.incidentId),
      [ids.gasLeak],
    );
    const closed = await api.call('GET', '/v1/incidents?open=false');
    assert.deepEqual(
      (closed.body['items'] as { phase: string }[]).map((item) => item.phase),
      ['closed'],
    );
  });

  it('carries what waits, how far the missions are, and a link to the workflow', async () => {
    const { body } = await api.call('GET', `/v1/incidents/${segment(ids.gasLeak)}`);
    assert.deepEqual(
      (body['waiting'] as { id: string }[]).map((question) => question.id),
      ['major.0.1'],
    );
    assert.equal(
      body['webUi'],
      `http://127.0.0.1:8233/namespaces/tocsin/workflows/${segment(ids.gasLeak)}/7d0c1f4e-2b53-4d8e-a2c4-1f6f8f0b9a11/history`,
    );
    const quake = await api.call('GET', `/v1/incidents/${segment(ids.mainShock)}`);
    assert.deepEqual(quake.body['missions'], { open: 2, onScene: 1, total: 3 });
  });

  it('answers 304 when nothing changed', async () => {
    const first = await api.call('GET', '/v1/incidents');
    const again = await rawStatus('/v1/incidents', { 'if-none-match': first.headers.get('etag') ?? '' });
    assert.equal(again, 304);
  });
});

describe('the situation', () => {
  it('comes from the incident itself', async () => {
    const { body } = await api.call('GET', `/v1/incidents/${segment(ids.gasLeak)}/situation`);
    assert.equal(body['source'], 'incident');
  });

  it('is what was written last, and says so, when the incident does not answer', async () => {
    api.responses.failure = new TocsinError('BACKEND_UNAVAILABLE', 'away', { retryable: true });
    const { status, body } = await api.call('GET', `/v1/incidents/${segment(ids.gasLeak)}/situation`);
    assert.equal(status, 200);
    assert.equal(body['source'], 'projection');
    assert.equal(body['asOfMs'], WALL_MS);
  });
});

describe('an answer', () => {
  const given = (as: string, body: unknown, incident = ids.gasLeak) =>
    api.call('POST', `/v1/incidents/${segment(incident)}/answers`, { as, body });
  const approve = { questionId: 'major.0.1', choice: 'approve', reason: 'seen on camera' };

  it('reaches the incident with who gave it', async () => {
    const answer = await given('duty-officer', approve);
    assert.equal(answer.status, 200);
    assert.deepEqual(api.responses.answers, [
      { ...approve, by: 'duty-officer', roles: ['operator', 'duty-officer'] },
    ]);
  });

  it('that is repeated by the same person is the same answer', async () => {
    const first = await given('duty-officer', approve);
    const again = await given('duty-officer', approve);
    assert.deepEqual(again.body, first.body);
    assert.equal(api.responses.answers.length, 1);
  });

  it('of somebody else after the first is refused and names the first', async () => {
    await given('duty-officer', approve);
    const second = await given('admin', { ...approve, choice: 'refuse' });
    assert.equal(second.status, 409);
    assert.equal(second.body['code'], 'ALREADY_ANSWERED');
    assert.deepEqual(second.body['details'], {
      by: 'duty-officer',
      choice: 'approve',
      atMs: GAS_AT + 90_000,
    });
    assert.equal(api.responses.answers.length, 1);
  });

  for (const [what, as, body, status, code] of [
    ['by another role', 'plan-board', approve, 403, 'ROLE_REQUIRED'],
    ['to a question never asked', 'duty-officer', { ...approve, questionId: 'x' }, 404, 'QUESTION_UNKNOWN'],
    ['that was not offered', 'duty-officer', { ...approve, choice: 'maybe' }, 422, 'CHOICE_INVALID'],
    ['without a choice', 'duty-officer', { questionId: 'major.0.1' }, 400, 'REQUEST_INVALID'],
    ['in another name', 'duty-officer', { ...approve, by: 'mayor' }, 400, 'REQUEST_INVALID'],
  ] as const) {
    it(`${what} is refused and changes nothing`, async () => {
      const answer = await given(as, body);
      assert.equal(answer.status, status, JSON.stringify(answer.body));
      assert.equal(answer.body['code'], code);
      assert.equal(api.responses.answers.length, 0);
    });
  }

  it('to an unknown incident is refused', async () => {
    assert.equal(
      (await given('duty-officer', approve, 'incident/demo/x/y/z')).body['code'],
      'INCIDENT_UNKNOWN',
    );
  });

  it('may be repeated when Temporal is away', async () => {
    api.responses.failure = new TocsinError('BACKEND_UNAVAILABLE', 'The incident did not answer.', {
      retryable: true,
    });
    const answer = await given('duty-officer', approve);
    assert.equal(answer.status, 503);
    assert.equal(answer.body['retryable'], true);
    assert.equal(answer.headers.get('retry-after'), '1');
  });
});

describe('a command', () => {
  const send = (body: unknown, key?: string) =>
    api.call('POST', `/v1/incidents/${segment(ids.mainShock)}/commands`, {
      as: 'duty-officer',
      body,
      ...(key === undefined ? {} : { headers: { 'idempotency-key': key } }),
    });

  it('with one Idempotency-Key is one command however often it is sent', async () => {
    const first = await send({ kind: 'stand-down', reason: 'all safe' }, 'k1');
    const again = await send({ kind: 'stand-down', reason: 'all safe' }, 'k1');
    assert.deepEqual(again.body, first.body);
    assert.equal(api.responses.commands.length, 1);
  });

  it('under the key of another command is refused', async () => {
    await send({ kind: 'stand-down', reason: 'all safe' }, 'k1');
    const other = await send({ kind: 'close', reason: 'all safe' }, 'k1');
    assert.equal(other.status, 422);
    assert.equal(other.body['code'], 'IDEMPOTENCY_MISMATCH');
    assert.equal(api.responses.commands.length, 1);
  });

  it('without a reason, or to escalate to nowhere, is refused', async () => {
    for (const body of [
      { kind: 'close' },
      { kind: 'close', reason: '  ' },
      { kind: 'escalate', reason: 'worse' },
    ]) {
      assert.equal((await send(body)).body['code'], 'REQUEST_INVALID');
    }
  });
});

describe('a crew report', () => {
  const missionId = (): string => `mission/${ids.mainShock}/major.0.0/hualien-rescue-2`;
  const report = (body: unknown, id = missionId()) =>
    api.call('POST', `/v1/missions/${segment(id)}/status`, { as: 'crew', body });

  it('reaches the incident with the time of the incident when the crew gives none', async () => {
    const answer = await report({ status: 'on-scene', epoch: 4 });
    assert.equal(answer.status, 202);
    assert.deepEqual(api.responses.statuses, [
      {
        missionId: missionId(),
        unit: 'hualien-rescue-2',
        epoch: 4,
        status: 'on-scene',
        atMs: MAIN_SHOCK_AT + 26 * 60_000,
        by: 'crew',
      },
    ]);
  });

  for (const [what, body, status, code] of [
    ['under an older grant', { status: 'on-scene', epoch: 3 }, 409, 'MISSION_EPOCH'],
    ['back to an earlier step', { status: 'acknowledged', epoch: 4 }, 409, 'MISSION_STATUS_BACKWARDS'],
    [
      'of a unit that is not its own',
      { status: 'on-scene', epoch: 4, unit: 'other' },
      404,
      'MISSION_UNKNOWN',
    ],
    ['of a status nobody knows', { status: 'lost', epoch: 4 }, 400, 'REQUEST_INVALID'],
  ] as const) {
    it(`${what} is refused`, async () => {
      const answer = await report(body);
      assert.equal(answer.status, status, JSON.stringify(answer.body));
      assert.equal(answer.body['code'], code);
      assert.equal(api.responses.statuses.length, 0);
    });
  }

  for (const id of [
    'mission/x',
    'nonsense',
    'mission/incident/demo/earthquake/hualien/20180204T131252Z/a/b',
  ]) {
    it(`about the unknown mission ${id} is refused`, async () => {
      assert.equal((await report({ status: 'done', epoch: 1 }, id)).body['code'], 'MISSION_UNKNOWN');
    });
  }
});

describe('what waits for a human', () => {
  it('is listed across incidents with its deadline, and undecided proposals after it', async () => {
    const { body } = await api.call('GET', '/v1/approvals');
    const items = body['items'] as { kind: string; deadlineMs: number | null; role: string }[];
    assert.deepEqual(
      items.map(({ kind, deadlineMs, role }) => ({ kind, deadlineMs, role })),
      [
        { kind: 'question', deadlineMs: GAS_AT + 270_000, role: 'duty-officer' },
        { kind: 'proposal', deadlineMs: null, role: 'plan-board' },
      ],
    );
  });
});

describe('publishing a plan', () => {
  const changed = { ...PLAN, evaluate: { ...PLAN.evaluate, everyMs: 5 * 60_000 } };

  it('stores the version under the hash of its content, once', async () => {
    const first = await api.call('POST', '/v1/plans', { as: 'plan-board', body: changed });
    const again = await api.call('POST', '/v1/plans', { as: 'admin', body: changed });
    assert.deepEqual([first.status, again.status], [201, 200]);
    assert.equal(first.body['author'], 'plan-board');
    assert.equal(again.body['author'], 'plan-board');
    assert.equal(first.body['parent'], VERSION.hash);
    assert.equal((await api.stores.plans.versions('earthquake')).length, 2);
  });

  it('is refused with every finding when one is mandatory, and nothing is stored', async () => {
    findings = [
      {
        code: 'PLAN_UNREACHABLE',
        severity: 'mandatory',
        place: 'dispatch.felt',
        message: 'Nothing leads here.',
        remedy: 'Remove it.',
      },
    ];
    const answer = await api.call('POST', '/v1/plans', { as: 'plan-board', body: changed });
    assert.equal(answer.status, 422);
    assert.equal(answer.body['code'], 'PLAN_INVALID');
    assert.deepEqual(answer.body['details'], { findings });
    assert.equal((await api.stores.plans.versions('earthquake')).length, 1);
  });

  it('goes through with advice', async () => {
    findings = [{ code: 'PLAN_NO_SOURCE', severity: 'advisory', place: 'basis', message: 'm', remedy: 'r' }];
    const answer = await api.call('POST', '/v1/plans', { as: 'plan-board', body: changed });
    assert.equal(answer.status, 201);
    assert.deepEqual(answer.body['findings'], findings);
  });

  it('can be activated once, however often it is asked', async () => {
    const { body } = await api.call('POST', '/v1/plans', { as: 'plan-board', body: changed });
    const activate = { hash: body['hash'], reason: 'reviewed' };
    const first = await api.call('POST', '/v1/plans/earthquake/activations', {
      as: 'plan-board',
      body: activate,
    });
    const again = await api.call('POST', '/v1/plans/earthquake/activations', {
      as: 'plan-board',
      body: activate,
    });
    assert.deepEqual([first.status, again.status], [201, 200]);
    assert.equal(first.body['n'], 2);
    assert.deepEqual(again.body, first.body);
  });

  it('cannot activate a version that was never published', async () => {
    const body = { hash: '0'.repeat(64), reason: 'hope' };
    const answer = await api.call('POST', '/v1/plans/earthquake/activations', { as: 'plan-board', body });
    assert.equal(answer.body['code'], 'PLAN_UNKNOWN');
  });
});

describe('deciding a proposal', () => {
  const decide = (as: string, approve: boolean) =>
    api.call('POST', `/v1/proposals/${segment(PROPOSAL.id)}/decision`, {
      as,
      body: { approve, reason: 'fits' },
    });

  it('needs the role that the plan names', async () => {
    await api.stores.principals.put({
      id: 'manager',
      tenant: 'demo',
      roles: ['manager'],
      keySha256: createHash('sha256').update('key-of-manager').digest('hex'),
      revokedAtMs: null,
    });
    assert.equal((await decide('manager', true)).body['code'], 'ROLE_REQUIRED');
    assert.equal(api.responses.decisions.length, 0);
  });

  it('happens once: the same again is the same, another is refused', async () => {
    assert.equal((await decide('plan-board', true)).status, 200);
    assert.equal((await decide('plan-board', true)).status, 200);
    const other = await decide('admin', false);
    assert.equal(other.status, 409);
    assert.equal(other.body['code'], 'PROPOSAL_DECIDED');
    assert.equal(api.responses.decisions.length, 1);
  });
});

describe('units', () => {
  it('show what each does now', async () => {
    const { body } = await api.call('GET', '/v1/units?district=hualien');
    const doing = (body['items'] as { id: string; doing: { status: string } | null }[]).map((unit) => [
      unit.id,
      unit.doing?.status ?? 'free',
    ]);
    assert.deepEqual(Object.fromEntries(doing), {
      'hualien-rescue-1': 'on-scene',
      'hualien-rescue-2': 'en-route',
      'hualien-medical-1': 'free',
    });
  });
});
