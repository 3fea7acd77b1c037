import type { Client } from '@temporalio/client';
import { WorkflowNotFoundError, WorkflowUpdateFailedError } from '@temporalio/client';
import type { EpochMs } from '../domain/units.ts';
import type { ClockAnswer, ClockMessage, DeskSituation } from '../workflows/contract.ts';
import { CLOCK, DESK, SITUATION } from '../workflows/contract.ts';
import { patiently } from './patience.ts';

/** Moves feed incidents through time and waits for desks, by the names of workflows/contract.ts. */
export interface TemporalClock {
  clock(incidentId: string, atMs: EpochMs): Promise<ClockAnswer | null>;
  desksSettled(): Promise<void>;
}

const ANSWER_WITHIN_MS = 30_000;

export function createTemporalClock(client: Client, signal?: AbortSignal): TemporalClock {
  return {
    clock: (incidentId, atMs) =>
      patiently(
        async () => {
          try {
            const handle = client.workflow.getHandle(incidentId);
            return await client.connection.withDeadline(Date.now() + ANSWER_WITHIN_MS, () =>
              handle.executeUpdate<ClockAnswer, [ClockMessage]>(CLOCK, { args: [{ atMs }] }),
            );
          } catch (error) {
            if (error instanceof WorkflowNotFoundError) return null;
            // The incident closed while it was being told the time.
            if (error instanceof WorkflowUpdateFailedError && isClosed(error)) return null;
            throw error;
          }
        },
        (error) => !(error instanceof WorkflowUpdateFailedError),
        signal,
      ),
    desksSettled: () =>
      patiently(
        async () => {
          const desks = client.workflow.list({
            query: `WorkflowType = '${DESK}' AND ExecutionStatus = 'Running'`,
          });
          for await (const { workflowId } of desks) {
            const handle = client.workflow.getHandle(workflowId);
            while ((await handle.query<DeskSituation>(SITUATION)).busy) {
              await new Promise((resolve) => setTimeout(resolve, 20));
            }
          }
        },
        () => true,
        signal,
      ),
  };
}

const isClosed = (error: WorkflowUpdateFailedError): boolean =>
  /completed|closed|not found/i.test(`${error.message} ${String(error.cause)}`);
