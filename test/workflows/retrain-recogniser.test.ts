import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApplicationFailure } from '@temporalio/common';
import type { RetrainingSituation, RetrainOutcome } from '../../workflows/contract.ts';
import { RETRAIN_RECOGNISER, SITUATION } from '../../workflows/contract.ts';
import type { Sandbox, SandboxActivity } from '../support/sandbox.ts';
import { createSandbox } from '../support/sandbox.ts';
import { trainedOutcome } from '../support/trained-outcome.ts';

const MINUTE = 60_000;
const NAME = 'notice-forest';

const trained = trainedOutcome(NAME);

async function openRetraining(
  activities: Readonly<Record<string, SandboxActivity>>,
): Promise<{ readonly sandbox: Sandbox; readonly recorded: { outcome: RetrainOutcome; by: string }[] }> {
  const recorded: { outcome: RetrainOutcome; by: string }[] = [];
  const sandbox = await createSandbox({
    workflow: RETRAIN_RECOGNISER,
    workflowId: `retrain-recogniser/${NAME}`,
    args: [{ name: NAME, incidentsAtLeast: 20, by: 'chen' }],
    activities: {
      prepareRetraining: () => ({ ready: true, asOfMs: 5, activeHash: 'a'.repeat(64) }),
      trainCandidate: () => trained,
      recordRetraining: (ended: (typeof recorded)[number]) => void recorded.push(ended),
      ...activities,
    },
  });
  return { sandbox, recorded };
}

test('prepares, trains and records, in this order, and ends with the candidate', async () => {
  const { sandbox, recorded } = await openRetraining({});
  assert.deepEqual(sandbox.result(), trained);
  assert.deepEqual(
    sandbox.activityCalls.map(({ name }) => name),
    ['prepareRetraining', 'trainCandidate', 'recordRetraining'],
  );
  const [, training] = sandbox.activityCalls;
  const { run, ...request } = training!.input as { run: string };
  assert.ok(run.length > 0);
  assert.deepEqual(request, { name: NAME, by: 'chen', asOfMs: 5, activeHash: 'a'.repeat(64) });
  assert.deepEqual(
    recorded.map(({ by, outcome }) => [by, outcome.result]),
    [['chen', 'trained']],
  );
});

test('ends without training when too few incidents can teach, and records that', async () => {
  const outcome = { ...trained, result: 'too-few-labels', reason: '3 can teach; 20 are needed.', hash: null };
  const { sandbox, recorded } = await openRetraining({
    prepareRetraining: () => ({ ready: false, outcome }),
    trainCandidate: () => assert.fail('nothing was to be trained'),
  });
  assert.deepEqual(sandbox.result(), outcome);
  assert.equal(recorded.length, 1);
});

test('says what it is at while it trains', async () => {
  let finish!: (outcome: RetrainOutcome) => void;
  const { sandbox } = await openRetraining({
    trainCandidate: () => new Promise<RetrainOutcome>((resolve) => (finish = resolve)),
  });
  const situation = (await sandbox.query(SITUATION)) as RetrainingSituation;
  assert.deepEqual(situation, { state: 'training', outcome: null });
  finish(trained);
  await sandbox.settle();
  assert.equal((sandbox.result() as RetrainOutcome).result, 'trained');
});

test('tries a training that fails three times, then ends with the code of the failure', async () => {
  const { sandbox, recorded } = await openRetraining({
    trainCandidate: () => {
      throw ApplicationFailure.retryable('the thread ended', 'TRAINING_ENDED');
    },
  });
  await sandbox.advance(10 * MINUTE);
  const outcome = sandbox.result() as RetrainOutcome;
  assert.equal(outcome.result, 'failed');
  assert.equal(outcome.reason, 'TRAINING_ENDED in trainCandidate: the thread ended');
  assert.equal(sandbox.activityCalls.filter(({ name }) => name === 'trainCandidate').length, 3);
  assert.deepEqual(
    recorded.map((one) => one.outcome.result),
    ['failed'],
  );
});

test('does not repeat what can never succeed', async () => {
  const { sandbox } = await openRetraining({
    trainCandidate: () => {
      throw ApplicationFailure.nonRetryable('altered', 'RECOGNISER_HASH_MISMATCH');
    },
  });
  assert.match((sandbox.result() as RetrainOutcome).reason, /^RECOGNISER_HASH_MISMATCH in trainCandidate/);
  assert.equal(sandbox.activityCalls.filter(({ name }) => name === 'trainCandidate').length, 1);
});

test('keeps trying to record how it ended while the store is away', async () => {
  let away = true;
  const { sandbox } = await openRetraining({
    recordRetraining: () => {
      if (away) throw ApplicationFailure.retryable('no store', 'STORE_UNREACHABLE');
    },
  });
  await sandbox.advance(60 * MINUTE);
  assert.equal(sandbox.ending().status, 'running');
  assert.equal(((await sandbox.query(SITUATION)) as RetrainingSituation).state, 'recording');
  away = false;
  await sandbox.advance(5 * MINUTE);
  assert.deepEqual(sandbox.result(), trained);
});
