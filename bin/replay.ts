import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js';
import { DefaultLogger, Runtime, Worker, makeTelemetryFilterString } from '@temporalio/worker';
import { workflowBundle } from './workflow-bundle.ts';

export interface HistoryToReplay {
  readonly workflowId: string;
  /** As Temporal writes it. */
  readonly historyJson: string;
}

/**
 * Runs recorded histories through today's workflow code, without a server.
 *
 * @returns one sentence per history in the order given, empty when today's code decides the same from the same
 * messages
 */
export async function replayHistories(histories: readonly HistoryToReplay[]): Promise<string[]> {
  const problems = histories.map(() => '');
  const readable = histories.flatMap(({ workflowId, historyJson }, index) => {
    try {
      const history = historyFromJSON(JSON.parse(historyJson));
      if (!history.events?.length) throw new Error('it has no events');
      return [{ index, workflowId, history }];
    } catch (error) {
      problems[index] = `it is not a history: ${error instanceof Error ? error.message : String(error)}`;
      return [];
    }
  });
  if (readable.length === 0) return problems;
  quiet();
  const replay = Worker.runReplayHistories({ workflowBundle: await workflowBundle() }, readable);
  let next = 0;
  // One history at a time, and answers in the same order.
  for await (const { error } of replay) {
    problems[readable[next++]!.index] = error === undefined ? '' : oneLine(error.message);
  }
  for (const { index } of readable.slice(next)) problems[index] = 'the replay ended before it';
  return problems;
}

const oneLine = (text: string): string => text.split('\n')[0]!;

let installed = false;

/** A failed replay is an answer here, not something to warn of. One runtime a process: the first one stays. */
function quiet(): void {
  if (installed) return;
  installed = true;
  try {
    Runtime.install({
      logger: new DefaultLogger('ERROR', () => {}),
      telemetryOptions: { logging: { filter: makeTelemetryFilterString({ core: 'ERROR' }) } },
    });
  } catch {
    // Another part of the process has installed its own.
  }
}
