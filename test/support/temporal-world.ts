import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { createDesks } from '../../activities/gateways.ts';
import { obtainTemporal } from '../../embedded/obtain-temporal.mjs';
import { startTemporal } from '../../embedded/run-temporal.ts';
import { workflowBundle } from '../../bin/workflow-bundle.ts';
import { createTemporalClock } from '../../exercise/temporal-clock.ts';
import type { Outside, OutsideOptions } from './outside.ts';
import { createOutside } from './outside.ts';
import type { DurableUnderTest } from './same-scenario.ts';
import {
  RESPOND,
  TASK_QUEUE_PLANS,
  TASK_QUEUE_RECOGNITION,
  TASK_QUEUE_TRAINING,
} from '../../workflows/contract.ts';

export interface TemporalWorld {
  readonly client: Client;
  readonly outside: Outside;
  readonly durable: DurableUnderTest;
}

const NAMESPACE = 'tocsin';
/** No machine's name belongs into a recorded history. */
const identity = 'tocsin-test';

/** A real Temporal server, real workers, fake stores: runs `use` in it and takes everything down again. */
export async function withTemporalWorld<T>(
  options: OutsideOptions & {
    /** Events after which the server suggests to continue as new. @default the server's */
    readonly suggestContinueAsNewAt?: number;
    /** Replaces activities by name. */
    readonly activities?: Partial<Outside['activities']>;
  },
  use: (world: TemporalWorld) => Promise<T>,
): Promise<T> {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  // Our own server, whatever address the user's environment names.
  const { TEMPORAL_ADDRESS: _address, ...env } = process.env;
  const { binary } = await obtainTemporal({ env });
  const limit = options.suggestContinueAsNewAt;
  const server = await startTemporal({
    binary: binary!,
    namespace: NAMESPACE,
    searchAttributes: {
      TocsinTenant: 'Keyword',
      TocsinHazard: 'Keyword',
      TocsinLevel: 'Int',
      TocsinPlan: 'Keyword',
      TocsinMode: 'Keyword',
    },
    ...(limit === undefined ? {} : { dynamicConfig: { 'limit.historyCount.suggestContinueAsNew': limit } }),
  });
  const closing: (() => Promise<unknown>)[] = [() => server.stop()];
  try {
    const connection = await Connection.connect({ address: server.address });
    closing.unshift(() => connection.close());
    const native = await NativeConnection.connect({ address: server.address });
    closing.unshift(() => native.close());
    const client = new Client({ connection, namespace: NAMESPACE, identity });
    const outside = await createOutside({ ...options, desks: createDesks(client) });
    const shared = { connection: native, namespace: NAMESPACE, identity };
    const activities = { ...outside.activities, ...options.activities };
    const workers = await Promise.all([
      Worker.create({
        ...shared,
        taskQueue: TASK_QUEUE_PLANS,
        workflowBundle: await workflowBundle(),
        activities,
      }),
      Worker.create({ ...shared, taskQueue: TASK_QUEUE_RECOGNITION, activities }),
      Worker.create({ ...shared, taskQueue: TASK_QUEUE_TRAINING, activities }),
    ]);
    const running = Promise.all(workers.map((worker) => worker.run()));
    closing.unshift(async () => {
      for (const worker of workers) worker.shutdown();
      await running;
    });
    return await use({ client, outside, durable: durableOver(client) });
  } finally {
    for (const close of closing) await close();
  }
}

function durableOver(client: Client): DurableUnderTest {
  const { clock, desksSettled } = createTemporalClock(client);
  return {
    async start(workflowId, input) {
      await client.workflow.start(RESPOND, { workflowId, taskQueue: TASK_QUEUE_PLANS, args: [input] });
    },
    signal: (workflowId, name, message) => client.workflow.getHandle(workflowId).signal(name, message),
    execute: (workflowId, name, message) =>
      client.workflow.getHandle(workflowId).executeUpdate(name, { args: [message] }),
    isOpen: async (workflowId) =>
      (await client.workflow.getHandle(workflowId).describe()).status.name === 'RUNNING',
    clock,
    desksSettled,
  };
}
