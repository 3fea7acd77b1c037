import { z } from 'zod';
import { TocsinError } from '../../domain/errors.ts';
import type { Decision, Proposal } from '../../domain/ports.ts';
import { requireRole } from '../auth.ts';
import type { Dependencies } from './dependencies.ts';
import { PlanDocumentSchema } from './plan-schema.ts';
import type { Route } from './route.ts';
import { defineRoute, MAY } from './route.ts';
import { DecideBody, DecidedSchema, listOf, ProposalSummarySchema } from './schemas.ts';

const ProposalParams = z.object({ proposalId: z.string().min(1).max(200) });
const ProposalSchema = ProposalSummarySchema.extend({ document: PlanDocumentSchema }).meta({
  id: 'Proposal',
});

export function proposalRoutes({ stores, responses, log }: Dependencies): Route[] {
  const { proposals } = stores;

  async function proposalOf(id: string): Promise<Proposal> {
    const proposal = await proposals.get(id);
    if (proposal === null) {
      throw new TocsinError('PROPOSAL_UNKNOWN', `There is no proposal "${id}".`, { details: { id } });
    }
    return proposal;
  }

  return [
    defineRoute({
      method: 'get',
      path: '/v1/proposals',
      tag: 'proposals',
      summary: 'Proposed changes of plans, with their decisions',
      access: MAY.look,
      query: z.object({ planId: z.string().max(100).optional() }),
      answers: { 200: listOf(ProposalSummarySchema) },
      async handle({ query }) {
        const found = await proposals.list(query.planId);
        const items = await Promise.all(
          found.map(async (proposal) => summaryOfProposal(proposal, await proposals.decision(proposal.id))),
        );
        return { body: { items } };
      },
    }),

    defineRoute({
      method: 'get',
      path: '/v1/proposals/:proposalId',
      tag: 'proposals',
      summary: 'One proposal with the document it would put in force',
      access: MAY.look,
      params: ProposalParams,
      answers: { 200: ProposalSchema },
      refusals: ['PROPOSAL_UNKNOWN'],
      async handle({ params }) {
        const proposal = await proposalOf(params.proposalId);
        const decision = await proposals.decision(proposal.id);
        return { body: { ...summaryOfProposal(proposal, decision), document: proposal.document } };
      },
    }),

    defineRoute({
      method: 'post',
      path: '/v1/proposals/:proposalId/decision',
      tag: 'proposals',
      summary: 'Approves or refuses a proposal; an approved one becomes the version in force',
      access: MAY.decideProposals,
      params: ProposalParams,
      body: DecideBody,
      answers: { 200: DecidedSchema },
      refusals: ['PROPOSAL_UNKNOWN', 'PROPOSAL_DECIDED', 'BACKEND_UNAVAILABLE'],
      async handle({ params, body, caller }) {
        const proposal = await proposalOf(params.proposalId);
        requireRole(caller, [proposal.approvedBy, 'admin']);
        const decided = await proposals.decision(proposal.id);
        if (decided !== null) {
          if (decided.by !== caller.id || decided.approve !== body.approve) throw alreadyDecided(decided);
          const active = await stores.plans.active(proposal.planId);
          return {
            body: { proposalId: proposal.id, approved: decided.approve, activeHash: active?.hash ?? '' },
          };
        }
        const answer = await responses.decide(proposal.id, {
          approve: body.approve,
          by: caller.id,
          roles: caller.roles,
          reason: body.reason,
        });
        log.info({ proposalId: proposal.id, approve: body.approve, by: caller.id }, 'proposal decided');
        return { body: answer };
      },
    }),
  ];
}

const alreadyDecided = (decision: Decision): TocsinError =>
  new TocsinError(
    'PROPOSAL_DECIDED',
    `"${decision.by}" already ${decision.approve ? 'approved' : 'refused'} it.`,
    { details: { by: decision.by, approve: decision.approve, atMs: decision.atMs } },
  );

/** The list leaves the document out: a dozen proposals would be a dozen plans. */
function summaryOfProposal(proposal: Proposal, decision: Decision | null): Record<string, unknown> {
  const { document: _document, ...rest } = proposal;
  return { ...rest, decision };
}
