import { createAuth } from '../../api/auth.ts';
import { limitHeapGrowth } from '../../api/ingest/memory.ts';
import { createIngestServer } from '../../api/ingest/server.ts';
import { createTemporalStarter } from '../../api/ingest/temporal-starter.ts';
import { reportReady } from '../../embedded/role.ts';
import { connectStore } from '../../models/connect.ts';
import { createIngestStores } from '../../models/inbox.ts';
import { createStores } from '../../models/stores.ts';
import type { LoadedConfig } from '../config.ts';
import { connectTemporal, storeUri } from '../connections.ts';
import { closeWithParent, createLog } from './context.ts';
import { ingestDoor, requireCredential } from './ingest-door.ts';
import { serveMetrics } from './metrics.ts';

/** Takes in events over gRPC, archives them, and carries what matters to the incidents. */
export async function run(loaded: LoadedConfig): Promise<void> {
  limitHeapGrowth();
  const log = createLog('ingest', loaded);
  const closing = closeWithParent(log);
  const { listen: where, store, clock } = loaded.config;
  const door = ingestDoor(loaded.config, log);
  const connected = await connectStore(storeUri(loaded), { dbName: store.database });
  closing.add('store', () => connected.close());
  const client = await connectTemporal(loaded);
  closing.add('temporal', () => client.connection.close());

  const stores = createStores(connected.connection);
  await requireCredential(where.host, stores.principals);
  const metrics = await serveMetrics('ingest', { host: where.host, port: where.metrics }, closing);
  const server = createIngestServer({
    stores: { ...stores, ...createIngestStores(connected.connection) },
    // The worker of this version composes no live channel: whatever happens here is an exercise.
    starter: createTemporalStarter({ client, settingsOf: () => ({ mode: 'exercise', clock }) }),
    auth: createAuth({ principals: stores.principals }),
    ...door,
    log,
    clockOf: () => clock,
    metrics: metrics.registry,
  });
  closing.add('ingest', () => server.stop());
  const port = await server.start(where.host, where.grpc);
  reportReady({ port, metrics: metrics.port });
}
