import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ERRORS, toGrpcStatus, toProblem, toTocsinError } from '../../api/errors.ts';
import { TocsinError } from '../../domain/errors.ts';

const ROOT = join(import.meta.dirname, '../..');
const ROOMS = [
  'activities',
  'api',
  'bin',
  'domain',
  'embedded',
  'exercise',
  'jobs',
  'models',
  'plans',
  'proto',
  'workflows',
];
const AT = { instance: '/v1/incidents/x', requestId: 'r-1' };

const GRPC_NAMES: Readonly<Record<string, number>> = {
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  UNAUTHENTICATED: 16,
};

/** Rows of the table in docs/errors.md. */
function documented(): Map<string, { http: number; grpc: number; retryable: boolean }> {
  const rows = new Map<string, { http: number; grpc: number; retryable: boolean }>();
  for (const line of readFileSync(join(ROOT, 'docs/errors.md'), 'utf8').split('\n')) {
    const match = /^\| `([A-Z_]+)` +\| (\d{3}) +\| ([A-Z_]+) +\| (yes|no) +\| \S.* \| \S.* \|$/.exec(line);
    if (match === null) continue;
    const [, code = '', http, grpc = '', repeat] = match;
    rows.set(code, { http: Number(http), grpc: GRPC_NAMES[grpc] ?? -1, retryable: repeat === 'yes' });
  }
  return rows;
}

/** Every code that stands as a literal in `new TocsinError('…')`. */
function thrown(): Map<string, string> {
  const codes = new Map<string, string>();
  for (const room of ROOMS) {
    for (const file of readdirSync(join(ROOT, room), { recursive: true, encoding: 'utf8' })) {
      if (!/\.m?ts$/.test(file) || file.includes('node_modules')) continue;
      const text = readFileSync(join(ROOT, room, file), 'utf8');
      for (const [, code = ''] of text.matchAll(/new TocsinError\(\s*'([A-Z][A-Z_]+)'/g)) {
        codes.set(code, join(room, file));
      }
    }
  }
  return codes;
}

describe('error codes', () => {
  it('are documented with the same statuses as they are registered, and nothing else is', () => {
    const registered = Object.entries(ERRORS).map(([code, { http, grpc, retryable }]) => [
      code,
      { http, grpc, retryable },
    ]);
    assert.deepEqual(Object.fromEntries(documented()), Object.fromEntries(registered));
  });

  it('are registered before the source may throw them', () => {
    const missing = [...thrown()].filter(([code]) => !(code in ERRORS));
    assert.deepEqual(missing, []);
  });

  it('say in words what happened and what to do', () => {
    for (const [code, entry] of Object.entries(ERRORS)) {
      assert.match(entry.title, /^[A-Z].{3,}[^.]$/, code);
      assert.match(entry.remedy, /^.{10,}\.$/, code);
    }
  });
});

describe('a problem document', () => {
  it('carries the safe message and never the cause', () => {
    const error = new TocsinError('STORE_UNAVAILABLE', 'The store did not answer.', {
      cause: new Error('password=hunter2'),
    });
    const problem = toProblem(error, AT);
    assert.deepEqual(problem, {
      type: '/docs/errors#STORE_UNAVAILABLE',
      title: 'The store did not answer',
      status: 503,
      detail: 'The store did not answer.',
      code: 'STORE_UNAVAILABLE',
      retryable: true,
      instance: '/v1/incidents/x',
      requestId: 'r-1',
      details: {},
    });
  });

  for (const [what, value] of [
    ['a plain error', new Error('secret')],
    ['a string', 'secret'],
    ['null', null],
    ['undefined', undefined],
    ['an unregistered code', new TocsinError('SECRET_CODE', 'secret')],
  ] as const) {
    it(`says INTERNAL and nothing more for ${what}`, () => {
      const problem = toProblem(value, AT);
      assert.equal(problem.code, 'INTERNAL');
      assert.equal(problem.status, 500);
      assert.ok(!JSON.stringify(problem).toLowerCase().includes('secret'));
    });
  }

  it('ends on a cause that points at itself', () => {
    const loop = new Error('loop');
    loop.cause = loop;
    assert.equal(toTocsinError(loop).code, 'INTERNAL');
  });
});

describe('a refusal by a workflow', () => {
  const failure = (type: string): Error =>
    Object.assign(new Error('"duty-officer" already answered "approve".'), {
      name: 'ApplicationFailure',
      type,
      details: [{ by: 'duty-officer', choice: 'approve' }],
    });

  it('keeps its code, its message and its details through the update failure around it', () => {
    const error = new Error('Workflow Update failed', { cause: failure('ALREADY_ANSWERED') });
    const problem = toProblem(error, AT);
    assert.equal(problem.code, 'ALREADY_ANSWERED');
    assert.equal(problem.status, 409);
    assert.equal(problem.detail, '"duty-officer" already answered "approve".');
    assert.deepEqual(problem.details, { by: 'duty-officer', choice: 'approve' });
  });

  it('is an internal error when its type is none of our codes', () => {
    assert.equal(toTocsinError(failure('TypeError')).code, 'INTERNAL');
  });

  it('has a gRPC status with the code in its text', () => {
    const status = toGrpcStatus(failure('INCIDENT_UNKNOWN'));
    assert.equal(status.code, 5);
    assert.match(status.details, /^INCIDENT_UNKNOWN: /);
    assert.equal(status.retryable, false);
  });
});
