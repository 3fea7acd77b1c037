import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import type { Client } from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/common';
import type { HistorySource, RecordedRun } from '../domain/audit/gather.ts';
import { TocsinError } from '../domain/errors.ts';

/** No incident of ours continues this often; a chain that does is a loop. */
const MOST_RUNS = 1_000;

/** Reads histories from Temporal, following each run to the one that it continues. */
export function createHistorySource(client: Client): HistorySource {
  return {
    async runs(workflowId) {
      const runs: RecordedRun[] = [];
      let runId: string | undefined;
      do {
        const history = await fetchHistory(client, workflowId, runId);
        if (history === null) break;
        const started = history.events?.[0]?.workflowExecutionStartedEventAttributes;
        runs.unshift({
          workflowId,
          runId: started?.originalExecutionRunId ?? '',
          historyJson: historyToJSON(history),
        });
        runId = started?.continuedExecutionRunId ?? '';
      } while (runId !== '' && runs.length < MOST_RUNS);
      return runs;
    },
  };
}

type History = Awaited<ReturnType<ReturnType<Client['workflow']['getHandle']>['fetchHistory']>>;

async function fetchHistory(
  client: Client,
  workflowId: string,
  runId: string | undefined,
): Promise<History | null> {
  try {
    return await client.workflow.getHandle(workflowId, runId).fetchHistory();
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw new TocsinError('BACKEND_UNAVAILABLE', 'Temporal did not give the history.', {
      cause: error,
      retryable: true,
    });
  }
}
