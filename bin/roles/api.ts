import fs from 'node:fs';
import http from 'node:http';
import { createRequire } from 'node:module';
import path from 'node:path';
import { createAuth, loopbackViewer } from '../../api/auth.ts';
import { createHttpApi } from '../../api/http/app.ts';
import { createTemporalResponses } from '../../api/http/temporal-responses.ts';
import { createSensorHealthReader } from '../../api/ingest/sensor-health.ts';
import { checkPlan } from '../../domain/plan/check.ts';
import { reportReady } from '../../embedded/role.ts';
import { connectStore } from '../../models/connect.ts';
import { createCheckpointStore } from '../../models/checkpoints.ts';
import { createStores } from '../../models/stores.ts';
import { ROOT } from '../config.ts';
import type { LoadedConfig } from '../config.ts';
import { connectTemporal, storeUri } from '../connections.ts';
import { planContext } from '../plan-context.ts';
import { closeWithParent, createLog } from './context.ts';
import { closeServer, listen, serveMetrics } from './metrics.ts';

/** Serves the HTTP API and the console. */
export async function run(loaded: LoadedConfig): Promise<void> {
  const log = createLog('api', loaded);
  const closing = closeWithParent(log);
  const { listen: where, store, tenant, temporal_ui: webUiBase } = loaded.config;
  const connected = await connectStore(storeUri(loaded), { dbName: store.database });
  closing.add('store', () => connected.close());
  const client = await connectTemporal(loaded);
  closing.add('temporal', () => client.connection.close());

  const stores = createStores(connected.connection);
  const consoleDir = path.join(ROOT, 'console');
  const api = createHttpApi({
    stores,
    responses: createTemporalResponses({ client }),
    sensorHealth: createSensorHealthReader(createCheckpointStore(connected.connection)),
    auth: createAuth({ principals: stores.principals, loopback: loopbackViewer(tenant) }),
    log,
    checkPlan: async (document) => checkPlan(document, await planContext(stores)),
    version: (createRequire(import.meta.url)('../../package.json') as { version: string }).version,
    // The worker of this version composes no live channel.
    mode: 'exercise',
    webUiBase: webUiBase ?? null,
    namespace: client.options.namespace,
    consoleDir: fs.existsSync(consoleDir) ? consoleDir : null,
  });
  closing.add('changes', () => api.close());
  const server = http.createServer(api.app);
  closing.add('http', () => closeServer(server));
  const port = await listen(server, where.host, where.http, 'the HTTP API', 'TOCSIN_PORT_HTTP');
  const metrics = await serveMetrics('api', { host: where.host, port: where.metrics }, closing);
  log.info({ port, metrics: metrics.port }, 'serving');
  reportReady({ port, metrics: metrics.port });
}
