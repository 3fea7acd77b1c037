import { NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { connectStore } from '../../models/connect.ts';
import { hashOf } from '../../models/hash.ts';
import { createStores } from '../../models/stores.ts';
import { createExerciseChannels } from '../../activities/channels.ts';
import { createDesks, createRefinement } from '../../activities/gateways.ts';
import { createActivities } from '../../activities/index.ts';
import { createRecognitionPool } from '../../activities/recognition/pool.ts';
import { reportReady } from '../../embedded/role.ts';
import { TASK_QUEUE_PLANS, TASK_QUEUE_RECOGNITION, TASK_QUEUE_TRAINING } from '../../workflows/contract.ts';
import type { LoadedConfig } from '../config.ts';
import { connectTemporal, storeUri, withRunningTemporal } from '../connections.ts';
import { temporalConnection } from '../temporal-profile.ts';
import { workflowBundle } from '../workflow-bundle.ts';
import { closeWithParent, createLog } from './context.ts';
import { createLastHeard } from './last-heard.ts';

/** Time for everything else to close after the workers have. */
const CLOSING_MS = 1_000;

/** Runs all workflows and activities: plans on one task queue; votes and training, which need a CPU, on two others. */
export async function run(loaded: LoadedConfig): Promise<void> {
  const log = createLog('worker', loaded);
  const { worker: settings, store } = loaded.config;
  const closing = closeWithParent(log, settings.shutdown_grace + CLOSING_MS);
  Runtime.install({ logger: temporalLogger(log) });

  const [connected, bundle] = await Promise.all([
    connectStore(storeUri(loaded), { dbName: store.database }),
    workflowBundle(),
  ]);
  closing.add('store', () => connected.close());
  const client = await connectTemporal(loaded);
  closing.add('temporal client', () => client.connection.close());
  const { connectionOptions, namespace } = temporalConnection(loaded, withRunningTemporal(process.env));
  const connection = await NativeConnection.connect(connectionOptions);
  closing.add('temporal connection', () => connection.close());
  const pool = createRecognitionPool({ threads: settings.recognition_slots });
  closing.add('recognition pool', () => pool.close());

  const stores = createStores(connected.connection);
  const activities = createActivities({
    stores,
    desks: createDesks(client),
    refinement: createRefinement(client, stores),
    // The only channels of this version: nothing here could reach anybody outside.
    channels: createExerciseChannels(log),
    lastHeard: createLastHeard(),
    pool,
    hashOf,
    clock: Date.now,
  });
  const shared = {
    connection,
    namespace,
    shutdownGraceTime: settings.shutdown_grace,
    shutdownForceTime: settings.shutdown_grace + CLOSING_MS,
  };
  const plans = await Worker.create({
    ...shared,
    taskQueue: TASK_QUEUE_PLANS,
    workflowBundle: bundle,
    activities: activities.plans,
    maxCachedWorkflows: settings.max_cached_workflows,
  });
  const recognition = await Worker.create({
    ...shared,
    taskQueue: TASK_QUEUE_RECOGNITION,
    activities: activities.cpu,
    maxConcurrentActivityTaskExecutions: settings.recognition_slots,
  });
  const training = await Worker.create({
    ...shared,
    taskQueue: TASK_QUEUE_TRAINING,
    activities: activities.training,
    maxConcurrentActivityTaskExecutions: 1,
  });
  const workers = [plans, recognition, training];
  const running = Promise.all(workers.map((worker) => worker.run()));
  closing.add('workers', async () => {
    for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
    await running;
  });
  log.info(
    { plans: TASK_QUEUE_PLANS, recognition: TASK_QUEUE_RECOGNITION, training: TASK_QUEUE_TRAINING },
    'working',
  );
  reportReady();
  await running;
}

function temporalLogger(
  log: ReturnType<typeof createLog>,
): NonNullable<Parameters<typeof Runtime.install>[0]['logger']> {
  const at =
    (level: 'trace' | 'debug' | 'info' | 'warn' | 'error') =>
    (message: string, meta?: Record<string, unknown>): void =>
      log[level](meta ?? {}, message);
  const levels = { TRACE: 'trace', DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' } as const;
  return {
    trace: at('trace'),
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    log: (level, message, meta) => log[levels[level]](meta ?? {}, message),
  };
}
