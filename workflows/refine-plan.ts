import { allHandlersFinished, condition, proxyActivities, setHandler } from '@temporalio/workflow';
import type { RefineActivities } from '../activities/refine.ts';
import { TocsinError } from '../domain/errors.ts';
import type { Decided, DecideMessage, RefinePlanInput, RefinementSituation } from './contract.ts';
import { TASK_QUEUE_RECOGNITION } from './contract.ts';
import { decideUpdate, refinementQuery, refusing } from './messages.ts';

// Drafting rehearses the plan on past incidents: CPU work, on the CPU queue.
const { draftProposal } = proxyActivities<RefineActivities>({
  taskQueue: TASK_QUEUE_RECOGNITION,
  startToCloseTimeout: '2 minutes',
});
const { applyDecision } = proxyActivities<RefineActivities>({ startToCloseTimeout: '20 seconds' });

/** One proposal: draft it from the closed incidents, then wait for the person the plan names, however long that takes. */
export async function refinePlan(input: RefinePlanInput): Promise<RefinementSituation> {
  const proposalId = `${input.planId}/${input.n}`;
  let situation: RefinementSituation = { proposalId, state: 'drafting', reason: '' };
  let approvedBy = '';
  let decided = false;

  setHandler(refinementQuery, () => situation);
  const mayDecide = ({ roles }: DecideMessage): void =>
    refusing(() => {
      if (decided) throw new TocsinError('PROPOSAL_DECIDED', `Proposal ${proposalId} is already decided.`);
      if (situation.state !== 'waiting') {
        throw new TocsinError('PROPOSAL_UNKNOWN', `Proposal ${proposalId} is not waiting for a decision.`);
      }
      if (!roles.includes(approvedBy) && !roles.includes('admin')) {
        throw new TocsinError('ROLE_REQUIRED', `This needs the role "${approvedBy}".`, {
          details: { role: approvedBy },
        });
      }
    });
  setHandler(
    decideUpdate,
    async (message): Promise<Decided> => {
      mayDecide(message);
      decided = true;
      const { approve, by, reason } = message;
      const result = await applyDecision({ proposalId, approve, by, reason });
      situation = { proposalId, state: approve ? 'approved' : 'refused', reason };
      return result;
    },
    { validator: mayDecide },
  );

  const drafted = await draftProposal(input);
  if (!drafted.proposed) {
    situation = { proposalId, state: 'nothing-to-propose', reason: drafted.reason };
    return situation;
  }
  approvedBy = drafted.approvedBy;
  situation = { proposalId, state: 'waiting', reason: '' };
  await condition(() => situation.state !== 'waiting' && allHandlersFinished());
  return situation;
}
