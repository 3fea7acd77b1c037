import type { Client } from '@temporalio/client';
import {
  ServiceError,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
} from '@temporalio/client';
import { TocsinError } from '../../domain/errors.ts';
import { incidentIdOf } from '../../domain/evidence.ts';
import type { IncidentStarter } from '../../domain/ports-ingest.ts';
import type { ClockKind, Mode } from '../../domain/units.ts';
import { EVIDENCE, RESPOND, SEARCH_ATTRIBUTES, TASK_QUEUE_PLANS } from '../../workflows/contract.ts';
import type { EvidenceMessage, RespondInput } from '../../workflows/contract.ts';

/** Priority of an incident that nobody has assessed yet. */
const PRIORITY_BEFORE_ASSESSMENT = 3;

export interface TemporalStarterOptions {
  readonly client: Client;
  /** How a tenant's incidents run. */
  readonly settingsOf: (tenant: string) => { readonly mode: Mode; readonly clock: ClockKind };
  /** How long Temporal may take for one call. @default 10_000 */
  readonly answerWithinMs?: number;
}

/**
 * Opens incidents as workflows. The workflow's id is the incident's, and Temporal runs one workflow per id, so a
 * repeated start finds the first one.
 */
export function createTemporalStarter(options: TemporalStarterOptions): IncidentStarter {
  const { client, settingsOf, answerWithinMs = 10_000 } = options;
  const within = <T>(call: () => Promise<T>): Promise<T> =>
    client.connection.withDeadline(Date.now() + answerWithinMs, call);
  return {
    async start(detection, plan) {
      const { mode, clock } = settingsOf(detection.tenant);
      const input: RespondInput = { detection, plan: plan.document, planHash: plan.hash, mode, clock };
      const message: EvidenceMessage = { evidence: detection.evidence };
      try {
        await within(() =>
          client.workflow.signalWithStart(RESPOND, {
            workflowId: incidentIdOf(detection),
            taskQueue: TASK_QUEUE_PLANS,
            args: [input],
            signal: EVIDENCE,
            signalArgs: [message],
            workflowIdReusePolicy: 'REJECT_DUPLICATE',
            priority: { priorityKey: PRIORITY_BEFORE_ASSESSMENT },
            searchAttributes: {
              [SEARCH_ATTRIBUTES.tenant]: [detection.tenant],
              [SEARCH_ATTRIBUTES.hazard]: [detection.hazard],
              [SEARCH_ATTRIBUTES.plan]: [detection.planId],
              [SEARCH_ATTRIBUTES.mode]: [mode],
            },
          }),
        );
        return 'open';
      } catch (error) {
        if (error instanceof WorkflowExecutionAlreadyStartedError) return 'closed';
        throw failure(error);
      }
    },
    async join(incidentId, evidence) {
      const message: EvidenceMessage = { evidence };
      try {
        await within(() => client.workflow.getHandle(incidentId).signal(EVIDENCE, message));
        return 'open';
      } catch (error) {
        if (error instanceof WorkflowNotFoundError) return 'closed';
        throw failure(error);
      }
    },
  };
}

/** gRPC codes that repeating does not change: INVALID_ARGUMENT, PERMISSION_DENIED, UNIMPLEMENTED, UNAUTHENTICATED. */
const FINAL_CODES: readonly unknown[] = [3, 7, 12, 16];

function failure(error: unknown): TocsinError {
  const cause: unknown = error instanceof ServiceError ? error.cause : error;
  const isFinal = FINAL_CODES.includes((cause as { code?: unknown } | undefined)?.code);
  return new TocsinError('BACKEND_UNAVAILABLE', 'Temporal did not take the evidence.', {
    cause: error,
    retryable: !isFinal,
  });
}
