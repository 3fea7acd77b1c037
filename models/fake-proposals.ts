import type { Decision, Proposal, ProposalStore } from '../domain/ports.ts';
import { createFakeTable } from './fake-table.ts';
import { byPlanAndNumber } from './proposals.ts';

export function createFakeProposalStore(): ProposalStore {
  const proposals = createFakeTable<Proposal>();
  const decisions = createFakeTable<Decision>();
  return {
    propose: async (proposal) => proposals.insert(proposal.id, proposal),
    get: async (id) => proposals.get(id),
    list: async (planId) =>
      proposals
        .all()
        .filter((proposal) => planId === undefined || proposal.planId === planId)
        .sort(byPlanAndNumber),
    decide: async (decision) => decisions.insert(decision.proposalId, decision),
    decision: async (proposalId) => decisions.get(proposalId),
  };
}
