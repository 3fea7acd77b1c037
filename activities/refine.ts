import { ApplicationFailure } from '@temporalio/activity';
import type { PlanDocument, PlanVersion } from '../domain/plan/document.ts';
import type { EvaluationStore, PlanStore, ProposalStore, RosterStore } from '../domain/ports.ts';
import { propose } from '../domain/refine/propose.ts';

export interface RefineActivities {
  draftProposal(input: { tenant: string; planId: string; n: number }): Promise<DraftResult>;
  applyDecision(input: {
    proposalId: string;
    approve: boolean;
    by: string;
    reason: string;
  }): Promise<DecisionResult>;
}

export interface DraftResult {
  readonly proposed: boolean;
  /** Why nothing was proposed. */
  readonly reason: string;
  readonly approvedBy: string;
}

export interface DecisionResult {
  readonly proposalId: string;
  readonly approved: boolean;
  readonly activeHash: string;
}

export function createRefineActivities({
  plans,
  evaluations,
  proposals,
  roster,
  hashOf,
  clock,
}: {
  readonly plans: PlanStore;
  readonly evaluations: EvaluationStore;
  readonly proposals: ProposalStore;
  readonly roster: RosterStore;
  readonly hashOf: (document: PlanDocument) => string;
  readonly clock: () => number;
}): RefineActivities {
  const versionInForce = async (planId: string): Promise<PlanVersion> => {
    const active = await plans.active(planId);
    const version = active === null ? null : await plans.version(planId, active.hash);
    if (version === null) throw refusal('PLAN_UNKNOWN', `No version of plan "${planId}" is active.`);
    return version;
  };

  return {
    async draftProposal({ planId, n }) {
      const id = `${planId}/${n}`;
      const known = await proposals.get(id);
      if (known !== null) return { proposed: true, reason: '', approvedBy: known.approvedBy };
      const version = await versionInForce(planId);
      const closed = (await evaluations.of(planId)).filter(({ planHash }) => planHash === version.hash);
      const drafted = await propose(version.document, closed, await roster.units());
      const approvedBy = version.document.refine.approvedBy;
      if (!drafted.proposed) return { proposed: false, reason: drafted.reason, approvedBy };
      const { document, changes, evidence, rehearsal } = drafted;
      await proposals.propose({
        id,
        planId,
        n,
        fromHash: version.hash,
        document,
        changes,
        evidence,
        rehearsal,
        approvedBy,
        atMs: clock(),
      });
      return { proposed: true, reason: '', approvedBy };
    },

    /** Every step may be repeated: the first decision wins, a version is its content, an activation is looked for first. */
    async applyDecision({ proposalId, approve, by, reason }) {
      const proposal = await proposals.get(proposalId);
      if (proposal === null) throw refusal('PROPOSAL_UNKNOWN', `There is no proposal ${proposalId}.`);
      await proposals.decide({ proposalId, approve, by, reason, atMs: clock() });
      const decided = await proposals.decision(proposalId);
      if (decided === null || decided.approve !== approve || decided.by !== by) {
        throw refusal('PROPOSAL_DECIDED', `Proposal ${proposalId} is already decided.`);
      }
      const { planId, document } = proposal;
      if (!approve) return { proposalId, approved: false, activeHash: (await versionInForce(planId)).hash };
      const hash = hashOf(document);
      await plans.publish({
        planId,
        hash,
        document,
        author: `refinement, approved by ${by}`,
        publishedAtMs: clock(),
        parent: proposal.fromHash,
        proposal: proposalId,
      });
      if ((await plans.active(planId))?.hash !== hash) {
        await plans.activate({ planId, hash, by, reason, atMs: clock() });
      }
      return { proposalId, approved: true, activeHash: hash };
    },
  };
}

const refusal = (type: string, message: string): ApplicationFailure =>
  ApplicationFailure.create({ type, message, nonRetryable: true });
