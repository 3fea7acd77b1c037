import { createHash } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { collectBundle } from '../../bin/bundles.ts';
import { createHistorySource } from '../../bin/histories.ts';
import { workflowBundle } from '../../bin/workflow-bundle.ts';
import type { Bundle } from '../../domain/audit/bundle.ts';
import { incidentIdOf } from '../../domain/evidence.ts';
import { obtainTemporal } from '../../embedded/obtain-temporal.mjs';
import { startTemporal } from '../../embedded/run-temporal.ts';
import { hashOf } from '../../models/hash.ts';
import type { AnswerMessage, CommandMessage } from '../../workflows/contract.ts';
import {
  APPROVE,
  COMMAND,
  RESPOND,
  TASK_QUEUE_PLANS,
  TASK_QUEUE_RECOGNITION,
} from '../../workflows/contract.ts';
import type { Situation } from '../../domain/situation.ts';
import { createOutside } from '../support/outside.ts';
import { agreed, inputFor, notice, quakePlan } from '../support/plans.ts';

const QUESTION = 'severe.0';

/** The evidence bundle of one severe earthquake, answered and closed by people, from a real Temporal server. */
export async function recordBundle(): Promise<Bundle> {
  const { TEMPORAL_ADDRESS: _given, ...env } = process.env;
  const { binary = '' } = await obtainTemporal({ env });
  const server = await startTemporal({
    binary,
    namespace: 'tocsin',
    searchAttributes: {
      TocsinTenant: 'Keyword',
      TocsinHazard: 'Keyword',
      TocsinLevel: 'Int',
      TocsinPlan: 'Keyword',
      TocsinMode: 'Keyword',
    },
  });
  try {
    return await recordOn(server.address);
  } finally {
    await server.stop();
  }
}

async function recordOn(address: string): Promise<Bundle> {
  const artefact = Buffer.from('the artefact of a recogniser');
  const hash = createHash('sha256').update(artefact).digest('hex');
  const outside = await createOutside({
    vote: () => {
      const result = agreed();
      return { ...result, votes: result.votes.map((vote) => ({ ...vote, hash })) };
    },
  });
  const { stores } = outside;
  const planHash = hashOf(quakePlan);
  await stores.plans.publish({
    planId: quakePlan.id,
    hash: planHash,
    document: quakePlan,
    author: 'plan-board',
    publishedAtMs: 0,
    parent: null,
    proposal: null,
  });
  for (const name of ['forest', 'svm']) {
    await stores.recognisers.insert({ name, hash, artefact, card: { name, hash }, atMs: 0 });
  }

  const connection = await NativeConnection.connect({ address });
  const shared = { connection, namespace: 'tocsin', activities: { ...outside.activities } };
  const workers = await Promise.all([
    Worker.create({ ...shared, taskQueue: TASK_QUEUE_PLANS, workflowBundle: await workflowBundle() }),
    Worker.create({ ...shared, taskQueue: TASK_QUEUE_RECOGNITION }),
  ]);
  const running = Promise.all(workers.map((worker) => worker.run()));
  const client = new Client({ connection: await Connection.connect({ address }), namespace: 'tocsin' });
  try {
    const input = {
      ...inputFor(quakePlan, [notice({ mmi: 8.5, magnitude: 7 })], { clock: 'feed' }),
      planHash,
    };
    const incidentId = incidentIdOf(input.detection);
    const handle = await client.workflow.start(RESPOND, {
      workflowId: incidentId,
      taskQueue: TASK_QUEUE_PLANS,
      args: [input],
    });
    await until(async () => {
      const situation = await handle.query<Situation>('situation');
      return situation.questions[QUESTION] !== undefined;
    });
    const by = 'duty-officer';
    const roles = ['operator', 'duty-officer'];
    await handle.executeUpdate<unknown, [AnswerMessage]>(APPROVE, {
      args: [{ questionId: QUESTION, choice: 'approve', by, roles, reason: 'felt here' }],
      updateId: `${QUESTION}|${by}|approve`,
    });
    await handle.executeUpdate<unknown, [CommandMessage]>(COMMAND, {
      args: [{ kind: 'close', by, roles, reason: 'end of the test' }],
    });
    await handle.result();
    return await collectBundle(incidentId, stores, createHistorySource(client), 1_000);
  } finally {
    for (const worker of workers) worker.shutdown();
    await running;
    await client.connection.close();
    await connection.close();
  }
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error('the incident did not come so far within 30 s');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
