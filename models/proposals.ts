import type { Connection } from 'mongoose';
import { canonicalJson } from '../domain/canonical.ts';
import type { Decision, Proposal, ProposalStore } from '../domain/ports.ts';
import { openCollection } from './collection.ts';
import type { Row } from './collection.ts';

/** `<plan>/<n>`. */
interface ProposalRow extends Row {
  readonly planId: string;
  readonly json: string;
}

/** `_id` is the proposal's: the first decision is the only one. */
interface DecisionRow extends Row, Decision {}

export function createProposalStore(connection: Connection): ProposalStore {
  const proposals = openCollection<ProposalRow>(connection, 'proposals', { planId: String, json: String });
  const decisions = openCollection<DecisionRow>(connection, 'decisions', {
    proposalId: String,
    approve: Boolean,
    by: String,
    reason: String,
    atMs: Number,
  });
  const toProposal = (row: ProposalRow): Proposal => JSON.parse(row.json) as Proposal;
  return {
    propose: (proposal) =>
      proposals.insert({ _id: proposal.id, planId: proposal.planId, json: canonicalJson(proposal) }),
    get: async (id) => {
      const row = await proposals.get(id);
      return row === null ? null : toProposal(row);
    },
    list: async (planId) =>
      (await proposals.find(planId === undefined ? {} : { planId })).map(toProposal).sort(byPlanAndNumber),
    decide: ({ proposalId, approve, by, reason, atMs }) =>
      decisions.insert({ _id: proposalId, proposalId, approve, by, reason, atMs }),
    decision: async (proposalId) => {
      const row = await decisions.get(proposalId);
      if (row === null) return null;
      const { approve, by, reason, atMs } = row;
      return { proposalId, approve, by, reason, atMs };
    },
  };
}

export function byPlanAndNumber(a: Proposal, b: Proposal): number {
  return a.planId === b.planId ? a.n - b.n : a.planId < b.planId ? -1 : 1;
}
