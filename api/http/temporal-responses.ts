import type { Client, WorkflowHandle } from '@temporalio/client';
import {
  isGrpcServiceError,
  ServiceError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import { TocsinError } from '../../domain/errors.ts';
import type { Situation } from '../../domain/situation.ts';
import type {
  Answered,
  AnswerMessage,
  Commanded,
  CommandMessage,
  Decided,
  DecideMessage,
  UnitStatusMessage,
} from '../../workflows/contract.ts';
import { ANSWER, APPROVE, COMMAND, DECIDE, SITUATION, UNIT_STATUS } from '../../workflows/contract.ts';
import { toTocsinError } from '../errors.ts';
import { sha256Hex } from '../hash.ts';
import type { Responses } from './responses.ts';

export interface TemporalResponsesOptions {
  readonly client: Client;
  /**
   * How long an update may take before the caller is told to repeat it.
   * @default 10_000
   */
  readonly updateWithinMs?: number;
  /**
   * How long a query or a signal may take.
   * @default 3_000
   */
  readonly queryWithinMs?: number;
}

/** Running responses behind Temporal. */
export function createTemporalResponses({
  client,
  updateWithinMs = 10_000,
  queryWithinMs = 3_000,
}: TemporalResponsesOptions): Responses {
  const within = <T>(ms: number, call: () => Promise<T>): Promise<T> =>
    client.withDeadline(Date.now() + ms, call);

  /** Runs one call to a workflow and says in our words why it failed. */
  async function reach<T>(
    workflowId: string,
    call: (handle: WorkflowHandle) => Promise<T>,
    gone: { readonly unknown: string; readonly closed: string; readonly noun: string },
  ): Promise<T> {
    const handle = client.workflow.getHandle(workflowId);
    try {
      return await call(handle);
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError)) throw failureOf(error);
      const ended = await hasEnded(handle);
      throw ended
        ? new TocsinError(gone.closed, `This ${gone.noun} has ended: nothing was changed.`, { cause: error })
        : new TocsinError(gone.unknown, `There is no such ${gone.noun}.`, { cause: error });
    }
  }

  async function hasEnded(handle: WorkflowHandle): Promise<boolean> {
    try {
      const { status } = await within(queryWithinMs, () => handle.describe());
      return status.name !== 'RUNNING';
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return false;
      throw failureOf(error);
    }
  }

  return {
    answer: (incidentId, message) =>
      reach(
        incidentId,
        (handle) =>
          within(updateWithinMs, () =>
            handle.executeUpdate<Answered, [AnswerMessage]>(
              message.choice === 'approve' || message.choice === 'refuse' ? APPROVE : ANSWER,
              {
                args: [message],
                // One per person and choice: a retry is the same answer, and another's answer is refused, not shared.
                updateId: `${message.questionId}|${message.by}|${message.choice}`,
              },
            ),
          ),
        { unknown: 'INCIDENT_UNKNOWN', closed: 'QUESTION_CLOSED', noun: 'incident' },
      ),
    command: (incidentId, message, idempotencyKey) =>
      reach(
        incidentId,
        (handle) =>
          within(updateWithinMs, () =>
            handle.executeUpdate<Commanded, [CommandMessage]>(COMMAND, {
              args: [message],
              updateId: `command|${digest(message.by, idempotencyKey)}`,
            }),
          ),
        { unknown: 'INCIDENT_UNKNOWN', closed: 'INCIDENT_CLOSED', noun: 'incident' },
      ),
    unitStatus: (incidentId, message) =>
      reach(
        incidentId,
        (handle) => within(queryWithinMs, () => handle.signal<[UnitStatusMessage]>(UNIT_STATUS, message)),
        { unknown: 'INCIDENT_UNKNOWN', closed: 'INCIDENT_CLOSED', noun: 'incident' },
      ),
    situation: (incidentId) =>
      reach(incidentId, (handle) => within(queryWithinMs, () => handle.query<Situation>(SITUATION)), {
        unknown: 'INCIDENT_UNKNOWN',
        closed: 'INCIDENT_CLOSED',
        noun: 'incident',
      }),
    decide: (proposalId, message) =>
      reach(
        `refine/${proposalId}`,
        (handle) =>
          within(updateWithinMs, () =>
            handle.executeUpdate<Decided, [DecideMessage]>(DECIDE, {
              args: [message],
              updateId: `decide|${message.by}|${message.approve ? 'approve' : 'refuse'}`,
            }),
          ),
        { unknown: 'PROPOSAL_UNKNOWN', closed: 'PROPOSAL_DECIDED', noun: 'proposal' },
      ),
  };
}

const digest = (...parts: readonly string[]): string => sha256Hex(parts.join('\n')).slice(0, 32);

/** gRPC UNAVAILABLE, DEADLINE_EXCEEDED, CANCELLED, RESOURCE_EXHAUSTED, ABORTED. */
const PASSING = new Set([14, 4, 1, 8, 10]);

function failureOf(error: unknown): TocsinError {
  if (error instanceof WorkflowUpdateFailedError) return toTocsinError(error);
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError || isPassing(error)) {
    return new TocsinError(
      'BACKEND_UNAVAILABLE',
      'The incident did not answer in time. Repeat the request.',
      {
        cause: error,
        retryable: true,
      },
    );
  }
  return toTocsinError(error);
}

function isPassing(error: unknown): boolean {
  const inner = error instanceof ServiceError ? error.cause : error;
  return isGrpcServiceError(inner) && PASSING.has(inner.code);
}
