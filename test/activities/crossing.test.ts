import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApplicationFailure } from '@temporalio/activity';
import { crossing } from '../../activities/crossing.ts';
import { TocsinError } from '../../domain/errors.ts';

const refuses = (retryable: boolean) => ({
  refuse: (unit: string): Promise<never> =>
    Promise.reject(new TocsinError('UNIT_UNKNOWN', `No unit ${unit}.`, { retryable, details: { unit } })),
});

const failureOf = async (work: Promise<never>): Promise<ApplicationFailure> => {
  const failure: unknown = await work.catch((error: unknown) => error);
  assert.ok(failure instanceof ApplicationFailure);
  return failure;
};

test('a refusal crosses Temporal with its code, its words and its details', async () => {
  const failure = await failureOf(crossing(refuses(false), 'as-it-says').refuse('engine-7'));
  assert.equal(failure.type, 'UNIT_UNKNOWN');
  assert.equal(failure.message, 'No unit engine-7.');
  assert.deepEqual(failure.details, [{ unit: 'engine-7' }]);
});

test('whether it is tried again is what it says, or what the queue says', async () => {
  const nonRetryable = async (retryable: boolean, retrying: 'as-it-says' | 'for-ever'): Promise<unknown> =>
    (await failureOf(crossing(refuses(retryable), retrying).refuse('engine-7'))).nonRetryable;
  assert.equal(await nonRetryable(false, 'as-it-says'), true);
  assert.equal(await nonRetryable(true, 'as-it-says'), false);
  assert.equal(await nonRetryable(false, 'for-ever'), false);
});

test('what is no refusal of ours passes as it is', async () => {
  const bug = new TypeError('x is not a function');
  await assert.rejects(crossing({ run: () => Promise.reject(bug) }, 'as-it-says').run(), bug);
});
