import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Client, Connection } from '@temporalio/client';
import { createTemporalStarter } from '../../../api/ingest/temporal-starter.ts';
import { TocsinError } from '../../../domain/errors.ts';
import { incidentIdOf } from '../../../domain/evidence.ts';
import type { BulletinEvidence, Detection } from '../../../domain/evidence.ts';
import type { IncidentStarter } from '../../../domain/ports-ingest.ts';
import { obtainTemporal } from '../../../embedded/obtain-temporal.mjs';
import { startTemporal } from '../../../embedded/run-temporal.ts';
import type { TemporalHandle } from '../../../embedded/run-temporal.ts';
import { RESPOND, TASK_QUEUE_PLANS } from '../../../workflows/contract.ts';
import { quakePlan, riverside, T0 } from '../../support/plans.ts';

const NAMESPACE = 'starter-test';
const plan = { document: quakePlan, hash: 'q1' };

const evidence = (id: string): BulletinEvidence => ({
  kind: 'bulletin',
  key: `net|${id}`,
  atMs: T0,
  receivedAtMs: T0,
  vendor: 'net',
  bulletin: { source: 'net', id, type: 'earthquake-notice', observedAtMs: T0, position: null, fields: {} },
  effects: [],
});
const detection = (window: string): Detection => ({
  tenant: 'city',
  planId: quakePlan.id,
  hazard: 'earthquake',
  place: riverside,
  cell: 'riverside',
  window,
  atMs: T0,
  receivedAtMs: T0,
  evidence: [evidence('1')],
});

describe('incidents as workflows', () => {
  let temporal: TemporalHandle;
  let connection: Connection;
  let client: Client;
  let starter: IncidentStarter;
  before(async () => {
    const { TEMPORAL_ADDRESS: _address, ...env } = process.env;
    const { binary = '' } = await obtainTemporal({ env });
    temporal = await startTemporal({
      binary,
      namespace: NAMESPACE,
      searchAttributes: {
        TocsinTenant: 'Keyword',
        TocsinHazard: 'Keyword',
        TocsinLevel: 'Int',
        TocsinPlan: 'Keyword',
        TocsinMode: 'Keyword',
      },
    });
    connection = await Connection.connect({ address: temporal.address });
    client = new Client({ connection, namespace: NAMESPACE });
    starter = createTemporalStarter({ client, settingsOf: () => ({ mode: 'exercise', clock: 'feed' }) });
  });
  after(async () => {
    await connection.close();
    await temporal.stop();
  });
  const signals = async (id: string): Promise<number> => {
    const { events = [] } = await client.workflow.getHandle(id).fetchHistory();
    return events!.filter((event) => event.workflowExecutionSignaledEventAttributes).length;
  };

  it('are opened once, however often that is asked for', async () => {
    const first = detection('once');
    const id = incidentIdOf(first);
    assert.equal(await starter.start(first, plan), 'open');
    assert.equal(await starter.start(first, plan), 'open');
    const description = await client.workflow.getHandle(id).describe();
    assert.equal(description.type, RESPOND);
    assert.equal(description.taskQueue, TASK_QUEUE_PLANS);
    assert.equal(description.priority?.priorityKey, 3);
    const { events = [] } = await client.workflow.getHandle(id).fetchHistory();
    assert.equal(events!.filter((event) => event.workflowExecutionStartedEventAttributes).length, 1);
    const attributes = description.typedSearchAttributes.getAll().map(({ key, value }) => [key.name, value]);
    assert.deepEqual(attributes.sort(), [
      ['TocsinHazard', 'earthquake'],
      ['TocsinMode', 'exercise'],
      ['TocsinPlan', 'test-earthquake'],
      ['TocsinTenant', 'city'],
    ]);
  });

  it('get evidence while they are open', async () => {
    const one = detection('joined');
    await starter.start(one, plan);
    assert.equal(await starter.join(incidentIdOf(one), [evidence('2')]), 'open');
    assert.equal(await signals(incidentIdOf(one)), 2);
  });

  it('that are closed take no evidence and are not opened again', async () => {
    const one = detection('closed');
    await starter.start(one, plan);
    await client.workflow.getHandle(incidentIdOf(one)).terminate();
    assert.equal(await starter.join(incidentIdOf(one), [evidence('2')]), 'closed');
    assert.equal(await starter.start(one, plan), 'closed');
  });

  it('that never were are closed too', async () => {
    assert.equal(await starter.join('incident/city/earthquake/riverside/never', [evidence('2')]), 'closed');
  });

  it('cannot be reached when Temporal is away: the same call may be repeated', async () => {
    const lazy = Connection.lazy({ address: '127.0.0.1:1', connectTimeout: 200 });
    const away = createTemporalStarter({
      client: new Client({ connection: lazy }),
      settingsOf: () => ({ mode: 'live', clock: 'wall' }),
      answerWithinMs: 300,
    });
    await assert.rejects(
      away.join('incident/x', []),
      (error) => error instanceof TocsinError && error.code === 'BACKEND_UNAVAILABLE' && error.retryable,
    );
    await lazy.close();
  });
});
