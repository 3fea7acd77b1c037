import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RefinementSituation } from '../../workflows/contract.ts';
import { DECIDE, REFINE_PLAN, SITUATION } from '../../workflows/contract.ts';
import { createOutside } from '../support/outside.ts';
import type { Sandbox } from '../support/sandbox.ts';
import { createSandbox } from '../support/sandbox.ts';
import { refusalOf } from './incidents.ts';

async function openRefinement(proposed: boolean): Promise<{ sandbox: Sandbox; applied: unknown[] }> {
  const { activities } = await createOutside();
  const applied: unknown[] = [];
  const sandbox = await createSandbox({
    workflow: REFINE_PLAN,
    args: [{ tenant: 'demo', planId: 'test-gas-leak', n: 1 }],
    activities: {
      draftProposal: () => ({
        proposed,
        reason: proposed ? '' : 'too few incidents',
        approvedBy: 'plan-board',
      }),
      applyDecision: (input: Parameters<typeof activities.applyDecision>[0]) => {
        applied.push(input);
        return activities.applyDecision(input);
      },
    },
  });
  return { sandbox, applied };
}

const decision = (approve: boolean, roles = ['plan-board']): object => ({
  approve,
  by: 'chen',
  roles,
  reason: 'read',
});

test('ends with a reason when there is nothing to propose', async () => {
  const { sandbox } = await openRefinement(false);
  assert.deepEqual(sandbox.result(), {
    proposalId: 'test-gas-leak/1',
    state: 'nothing-to-propose',
    reason: 'too few incidents',
  });
});

test('waits for whoever the plan names, and applies the decision once', async () => {
  const { sandbox, applied } = await openRefinement(true);
  await sandbox.advance(30 * 24 * 3_600_000);
  assert.equal(((await sandbox.query(SITUATION)) as RefinementSituation).state, 'waiting');
  assert.equal(await refusalOf(sandbox.execute(DECIDE, decision(true, ['operator']))), 'ROLE_REQUIRED');
  assert.deepEqual(applied, []);

  const first = sandbox.postUpdate(DECIDE, decision(true));
  const second = sandbox.postUpdate(DECIDE, decision(false));
  await sandbox.settle();
  assert.equal(first.status, 'completed');
  assert.equal(second.status, 'rejected');
  assert.equal(await refusalOf(Promise.reject(second.failure as Error)), 'PROPOSAL_DECIDED');
  assert.equal(applied.length, 1);
  assert.equal((sandbox.result() as RefinementSituation).state, 'approved');
});
