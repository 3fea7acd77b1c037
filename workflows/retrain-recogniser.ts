import {
  ActivityFailure,
  ApplicationFailure,
  proxyActivities,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { RetrainActivities, TrainActivities } from '../activities/retrain.ts';
import type { RetrainingSituation, RetrainInput, RetrainOutcome } from './contract.ts';
import { TASK_QUEUE_TRAINING } from './contract.ts';
import { retrainingQuery } from './messages.ts';

// Reads every labelled incident's record: seconds on a small store, minutes on a large one.
const { prepareRetraining } = proxyActivities<RetrainActivities>({
  startToCloseTimeout: '10 minutes',
  scheduleToCloseTimeout: '1 hour',
  heartbeatTimeout: '1 minute',
  retry: { maximumAttempts: 5 },
});
// The queue takes one training at a time: the hour is for those that wait behind it.
const { trainCandidate } = proxyActivities<TrainActivities>({
  taskQueue: TASK_QUEUE_TRAINING,
  startToCloseTimeout: '10 minutes',
  scheduleToCloseTimeout: '1 hour',
  heartbeatTimeout: '1 minute',
  retry: { maximumAttempts: 3 },
});
// How it ended must not be lost: tried until the store takes it.
const { recordRetraining } = proxyActivities<RetrainActivities>({ startToCloseTimeout: '20 seconds' });

/**
 * One recogniser, trained again from closed incidents that two people labelled alike. It makes a candidate and lets
 * nobody vote: activation stays with people. Every way it can end is an outcome with a reason, and is recorded.
 */
export async function retrainRecogniser(input: RetrainInput): Promise<RetrainOutcome> {
  let situation: RetrainingSituation = { state: 'preparing', outcome: null };
  setHandler(retrainingQuery, () => situation);
  const outcome = await trainedOrReason(input, () => {
    situation = { state: 'training', outcome: null };
  });
  situation = { state: 'recording', outcome };
  await recordRetraining({ run: workflowInfo().runId, by: input.by, outcome });
  situation = { state: 'over', outcome };
  return outcome;
}

async function trainedOrReason(input: RetrainInput, training: () => void): Promise<RetrainOutcome> {
  const { name, by } = input;
  try {
    const prepared = await prepareRetraining(input);
    if (!prepared.ready) return prepared.outcome;
    training();
    const { asOfMs, activeHash } = prepared;
    return await trainCandidate({ name, by, run: workflowInfo().runId, asOfMs, activeHash });
  } catch (error) {
    if (!(error instanceof ActivityFailure)) throw error;
    return { name, result: 'failed', reason: reasonOf(error), hash: null, incidents: null, findings: [] };
  }
}

function reasonOf({ activityType, cause }: ActivityFailure): string {
  const code = cause instanceof ApplicationFailure && cause.type ? cause.type : (cause?.name ?? 'FAILED');
  return `${code} in ${activityType}: ${cause?.message ?? 'no message'}`;
}
