import type { Dependencies } from './dependencies.ts';
import { openQuestions } from './incident-summary.ts';
import type { Route } from './route.ts';
import { defineRoute, MAY } from './route.ts';
import { listOf, WaitingSchema } from './schemas.ts';
import { visibleIncidents } from './visible.ts';

export function approvalRoutes({ stores }: Dependencies): Route[] {
  return [
    defineRoute({
      method: 'get',
      path: '/v1/approvals',
      tag: 'approvals',
      summary: 'Everything that waits for a human: questions by deadline, then proposals',
      access: MAY.look,
      answers: { 200: listOf(WaitingSchema) },
      async handle({ caller }) {
        const views = await visibleIncidents(stores.incidents, caller, { open: true });
        const questions = views
          .flatMap((view) =>
            openQuestions(view.situation).map((question) => ({
              kind: 'question' as const,
              incidentId: view.incidentId,
              hazard: view.hazard,
              place: view.place,
              level: view.level,
              mode: view.mode,
              clock: view.situation.clock,
              nowMs: view.situation.nowMs,
              deadlineMs: question.deadlineMs,
              role: question.role,
              question,
            })),
          )
          // Time left, not the deadline itself: exercises run on clocks of their own.
          .sort((a, b) => timeLeft(a) - timeLeft(b));
        const proposals = [];
        for (const proposal of await stores.proposals.list()) {
          if ((await stores.proposals.decision(proposal.id)) !== null) continue;
          proposals.push({
            kind: 'proposal' as const,
            proposalId: proposal.id,
            planId: proposal.planId,
            role: proposal.approvedBy,
            deadlineMs: null,
            atMs: proposal.atMs,
          });
        }
        return { body: { items: [...questions, ...proposals] } };
      },
    }),
  ];
}

const timeLeft = (item: { readonly deadlineMs: number; readonly nowMs: number }): number =>
  item.deadlineMs - item.nowMs;
