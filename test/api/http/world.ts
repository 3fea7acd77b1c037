import { createHash } from 'node:crypto';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import type { Logger } from 'pino';
import { createAuth, loopbackViewer } from '../../../api/auth.ts';
import type { HttpApi, HttpApiOptions } from '../../../api/http/app.ts';
import { createHttpApi } from '../../../api/http/app.ts';
import { createSensorHealthReader } from '../../../api/ingest/sensor-health.ts';
import type { CheckpointStore } from '../../../domain/ports-ingest.ts';
import type { Stores } from '../../../domain/ports.ts';
import { createFakeIngestStores } from '../../../models/fake-inbox.ts';
import { createFakeStores } from '../../../models/fake-stores.ts';
import type { FakeResponses } from './fake-responses.ts';
import { createFakeResponses } from './fake-responses.ts';

export const KEYS: Readonly<Record<string, readonly string[]>> = {
  admin: ['admin'],
  'duty-officer': ['operator', 'duty-officer'],
  'plan-board': ['manager', 'plan-board'],
  viewer: ['viewer'],
  auditor: ['auditor'],
  crew: ['crew'],
  'vendor-quakes': ['vendor'],
};

/** The key of a principal of the tests. */
export const keyOf = (principal: string): string => `key-of-${principal}`;

export interface TestApi extends HttpApi {
  readonly url: string;
  readonly stores: Stores;
  readonly responses: FakeResponses;
  /** Where ingestion writes how its sensors are. */
  readonly checkpoints: CheckpointStore;
  call(
    method: string,
    path: string,
    options?: { readonly as?: string; readonly body?: unknown; readonly headers?: Record<string, string> },
  ): Promise<{ status: number; headers: Headers; body: Record<string, unknown> }>;
  /** Cuts every connection; new ones are taken. */
  stopStreams(): void;
  /** Ends every connection and stops listening. */
  stop(): Promise<void>;
}

/** A whole API over fake stores on a free port, with one principal per kind of user. */
export async function startTestApi(options: Partial<HttpApiOptions> = {}): Promise<TestApi> {
  const stores = createFakeStores();
  for (const [id, roles] of Object.entries(KEYS)) await putPrincipal(stores, id, 'demo', roles);
  await putPrincipal(stores, 'stranger', 'elsewhere', ['operator', 'duty-officer', 'crew']);
  const responses = createFakeResponses(stores);
  const { checkpoints } = createFakeIngestStores();
  const log: Logger = options.log ?? pino({ level: 'silent' });
  const api = createHttpApi({
    stores,
    responses,
    sensorHealth: createSensorHealthReader(checkpoints),
    auth: createAuth({ principals: stores.principals, loopback: loopbackViewer('demo'), cacheMs: 0 }),
    log,
    checkPlan: () => Promise.resolve([]),
    version: '0.0.0',
    changesEveryMs: 20,
    heartbeatMs: 100,
    ...options,
  });
  const server = await new Promise<Server>((resolve, reject) => {
    const opened: Server = api.app.listen(0, '127.0.0.1', (error?: Error) =>
      error === undefined ? resolve(opened) : reject(error),
    );
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    ...api,
    url,
    stores,
    responses,
    checkpoints,
    async call(method, path, { as, body, headers = {} } = {}) {
      const response = await fetch(`${url}${path}`, {
        method,
        headers: {
          ...(as === undefined ? {} : { authorization: `Bearer ${keyOf(as)}` }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      const text = await response.text();
      const json = (response.headers.get('content-type') ?? '').includes('json');
      return {
        status: response.status,
        headers: response.headers,
        body: json ? (JSON.parse(text) as Record<string, unknown>) : { text },
      };
    },
    stopStreams: () => server.closeAllConnections(),
    async stop() {
      api.close();
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

async function putPrincipal(
  stores: Stores,
  id: string,
  tenant: string,
  roles: readonly string[],
): Promise<void> {
  await stores.principals.put({
    id,
    tenant,
    roles,
    keySha256: createHash('sha256').update(keyOf(id)).digest('hex'),
    revokedAtMs: null,
  });
}
