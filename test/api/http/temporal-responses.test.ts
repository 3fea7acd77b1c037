import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Client } from '@temporalio/client';
import {
  ServiceError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { createTemporalResponses } from '../../../api/http/temporal-responses.ts';

const ID = 'incident/demo/gas-leak/riverside-tower/20180206T155810Z';
const ANSWER = {
  questionId: 'major.0.1',
  choice: 'approve',
  by: 'duty-officer',
  roles: ['operator'],
  reason: '',
};
const COMMAND = { kind: 'close', by: 'duty-officer', roles: ['operator'], reason: 'over' } as const;
const NOT_FOUND = new WorkflowNotFoundError('workflow execution already completed', ID, undefined);
const unavailable = new ServiceError('Failed', {
  cause: Object.assign(new Error('14 UNAVAILABLE'), { code: 14, details: '', metadata: {} }),
});

interface Sent {
  readonly workflowId: string;
  readonly name: string;
  readonly args: readonly unknown[];
  readonly updateId?: string;
}

/** A client that notes what it is asked, and answers or fails as told. */
function clientThat(options: { fails?: Error; status?: string }): { client: Client; sent: Sent[] } {
  const sent: Sent[] = [];
  const call = async (message: Sent): Promise<unknown> => {
    sent.push(message);
    if (options.fails !== undefined) throw options.fails;
    return { taken: true };
  };
  const client = {
    withDeadline: (_deadline: number, run: () => Promise<unknown>) => run(),
    workflow: {
      getHandle: (workflowId: string) => ({
        executeUpdate: (name: string, { args, updateId }: { args: unknown[]; updateId: string }) =>
          call({ workflowId, name, args, updateId }),
        signal: (name: string, ...args: unknown[]) => call({ workflowId, name, args }),
        query: (name: string, ...args: unknown[]) => call({ workflowId, name, args }),
        describe: async () => {
          if (options.status === undefined) throw NOT_FOUND;
          return { status: { name: options.status } };
        },
      }),
    },
  };
  return { client: client as unknown as Client, sent };
}

describe('responses behind Temporal', () => {
  it('send an approval under one id per question, person and choice', async () => {
    const { client, sent } = clientThat({});
    const responses = createTemporalResponses({ client });
    await responses.answer(ID, ANSWER);
    await responses.answer(ID, { ...ANSWER, by: 'admin' });
    await responses.answer(ID, { ...ANSWER, choice: 'quarry-blast' });
    assert.deepEqual(
      sent.map(({ workflowId, name, updateId }) => [workflowId, name, updateId]),
      [
        [ID, 'approve', 'major.0.1|duty-officer|approve'],
        [ID, 'approve', 'major.0.1|admin|approve'],
        [ID, 'answer', 'major.0.1|duty-officer|quarry-blast'],
      ],
    );
    assert.deepEqual(sent[0]?.args, [ANSWER]);
  });

  it('send a command under the id of its key and its sender', async () => {
    const { client, sent } = clientThat({});
    const responses = createTemporalResponses({ client });
    await responses.command(ID, COMMAND, 'k1');
    await responses.command(ID, COMMAND, 'k1');
    await responses.command(ID, { ...COMMAND, by: 'admin' }, 'k1');
    const [first, again, other] = sent.map(({ updateId }) => updateId);
    assert.equal(first, again);
    assert.notEqual(first, other);
  });

  it('decide a proposal in the workflow of its refinement', async () => {
    const { client, sent } = clientThat({});
    const message = { approve: true, by: 'plan-board', roles: ['plan-board'], reason: 'fits' };
    await createTemporalResponses({ client }).decide('earthquake/1', message);
    assert.deepEqual(
      sent.map(({ workflowId, name }) => [workflowId, name]),
      [['refine/earthquake/1', 'decide']],
    );
  });

  it('pass on the refusal of a workflow with its code and details', async () => {
    const refusal = ApplicationFailure.create({
      type: 'ALREADY_ANSWERED',
      message: '"admin" already answered "approve".',
      nonRetryable: true,
      details: [{ by: 'admin', choice: 'approve', atMs: 5 }],
    });
    const { client } = clientThat({ fails: new WorkflowUpdateFailedError('Update failed', refusal) });
    await assert.rejects(createTemporalResponses({ client }).answer(ID, ANSWER), {
      code: 'ALREADY_ANSWERED',
      message: '"admin" already answered "approve".',
      details: { by: 'admin', choice: 'approve', atMs: 5 },
    });
  });

  for (const [what, fails] of [
    ['the update times out', new WorkflowUpdateRPCTimeoutOrCancelledError('timed out')],
    ['the server is away', unavailable],
  ] as const) {
    it(`may be asked again when ${what}`, async () => {
      const { client } = clientThat({ fails });
      await assert.rejects(createTemporalResponses({ client }).answer(ID, ANSWER), {
        code: 'BACKEND_UNAVAILABLE',
        retryable: true,
      });
    });
  }

  it('tell an incident that ended from one that never was', async () => {
    const ended = createTemporalResponses(clientThat({ fails: NOT_FOUND, status: 'COMPLETED' }));
    await assert.rejects(ended.answer(ID, ANSWER), { code: 'QUESTION_CLOSED' });
    await assert.rejects(ended.command(ID, COMMAND, 'k'), { code: 'INCIDENT_CLOSED' });
    const never = createTemporalResponses(clientThat({ fails: NOT_FOUND }));
    await assert.rejects(never.answer(ID, ANSWER), { code: 'INCIDENT_UNKNOWN' });
    await assert.rejects(never.situation(ID), { code: 'INCIDENT_UNKNOWN' });
  });

  it('say INTERNAL for what nobody expected, and keep the cause for the log', async () => {
    const surprise = new Error('surprise');
    const { client } = clientThat({ fails: surprise });
    await assert.rejects(createTemporalResponses({ client }).situation(ID), {
      code: 'INTERNAL',
      cause: surprise,
    });
  });
});
