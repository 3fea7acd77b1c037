import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { TocsinError } from '../../domain/errors.ts';
import type { AnswerMessage, CommandMessage } from '../../workflows/contract.ts';
import type { Dependencies } from './dependencies.ts';
import { summaryOf } from './incident-summary.ts';
import { PageQuery, pageOfItems } from './page.ts';
import type { Route } from './route.ts';
import { defineRoute, MAY } from './route.ts';
import {
  AnswerBody,
  AnsweredSchema,
  CommandBody,
  CommandedSchema,
  FactSchema,
  IncidentSchema,
  IncidentSummarySchema,
  LevelSchema,
  listOf,
  LiveSituationSchema,
  MissionSchema,
  pageOf,
} from './schemas.ts';
import { visibleIncident, visibleIncidents } from './visible.ts';

export const IncidentParams = z.object({ incidentId: z.string().min(1).max(300) });

const ListQuery = PageQuery.extend({
  open: z.enum(['true', 'false']).optional().meta({ description: 'Only open, or only closed incidents.' }),
  hazard: z.string().max(100).optional(),
  level: LevelSchema.optional(),
  planId: z.string().max(100).optional(),
});

const FactQuery = z.object({
  after: z.coerce.number().int().min(-1).default(-1).meta({ description: 'Only facts with a larger seq.' }),
  stage: z.enum(['detect', 'classify', 'dispatch', 'evaluate', 'refine']).optional(),
  limit: z.coerce.number().int().min(1).max(2_000).default(500),
});

const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,200}$/;

export function incidentRoutes({ stores, responses, now, log, webUi }: Dependencies): Route[] {
  return [
    defineRoute({
      method: 'get',
      path: '/v1/incidents',
      tag: 'incidents',
      summary: 'Incidents, newest first',
      access: MAY.look,
      query: ListQuery,
      answers: { 200: pageOf(IncidentSummarySchema) },
      refusals: ['CURSOR_INVALID'],
      async handle({ caller, query }) {
        const views = await visibleIncidents(
          stores.incidents,
          caller,
          query.open === undefined ? {} : { open: query.open === 'true' },
        );
        const wanted = views
          .filter((view) => query.hazard === undefined || view.hazard === query.hazard)
          .filter((view) => query.level === undefined || view.level === query.level)
          .filter((view) => query.planId === undefined || view.planId === query.planId)
          .sort((a, b) => b.openedAtMs - a.openedAtMs || (a.incidentId < b.incidentId ? 1 : -1));
        const page = pageOfItems(wanted, (view) => [view.openedAtMs, view.incidentId], query);
        return {
          body: { items: page.items.map((view) => summaryOf(view, webUi)), nextCursor: page.nextCursor },
        };
      },
    }),

    defineRoute({
      method: 'get',
      path: '/v1/incidents/:incidentId',
      tag: 'incidents',
      summary: 'One incident with its whole situation, as last written',
      access: MAY.look,
      params: IncidentParams,
      answers: { 200: IncidentSchema },
      refusals: ['INCIDENT_UNKNOWN'],
      async handle({ caller, params }) {
        const view = await visibleIncident(stores.incidents, caller, params.incidentId);
        return { body: { ...summaryOf(view, webUi), situation: view.situation } };
      },
    }),

    defineRoute({
      method: 'get',
      path: '/v1/incidents/:incidentId/situation',
      tag: 'incidents',
      summary: 'The situation, asked of the running incident itself',
      access: MAY.look,
      params: IncidentParams,
      answers: { 200: LiveSituationSchema },
      refusals: ['INCIDENT_UNKNOWN'],
      async handle({ caller, params }) {
        const view = await visibleIncident(stores.incidents, caller, params.incidentId);
        try {
          const situation = await responses.situation(params.incidentId);
          return { body: { source: 'incident', asOfMs: now(), situation } };
        } catch (error) {
          // A view that is minutes old and says so is worth more than none.
          log.warn({ err: error, incidentId: params.incidentId }, 'situation not answered, projection sent');
          return { body: { source: 'projection', asOfMs: view.writtenAtMs, situation: view.situation } };
        }
      },
    }),

    defineRoute({
      method: 'get',
      path: '/v1/incidents/:incidentId/facts',
      tag: 'incidents',
      summary: 'The record of one incident, oldest first',
      access: MAY.look,
      params: IncidentParams,
      query: FactQuery,
      answers: { 200: listOf(FactSchema) },
      refusals: ['INCIDENT_UNKNOWN'],
      async handle({ caller, params, query }) {
        await visibleIncident(stores.incidents, caller, params.incidentId);
        const facts = await stores.facts.of(params.incidentId);
        const items = facts
          .filter((fact) => fact.seq > query.after)
          .filter((fact) => query.stage === undefined || fact.stage === query.stage)
          .slice(0, query.limit);
        return { body: { items } };
      },
    }),

    defineRoute({
      method: 'get',
      path: '/v1/incidents/:incidentId/missions',
      tag: 'missions',
      summary: 'Missions of one incident, oldest first',
      access: MAY.look,
      params: IncidentParams,
      query: z.object({ open: z.enum(['true', 'false']).optional() }),
      answers: { 200: listOf(MissionSchema) },
      refusals: ['INCIDENT_UNKNOWN'],
      async handle({ caller, params, query }) {
        const { situation } = await visibleIncident(stores.incidents, caller, params.incidentId);
        const ended = (status: string): boolean => status === 'done' || status === 'stood-down';
        const items = Object.values(situation.missions)
          .filter((mission) => query.open === undefined || ended(mission.status) !== (query.open === 'true'))
          .sort((a, b) => a.grantedAtMs - b.grantedAtMs || (a.id < b.id ? -1 : 1));
        return { body: { items } };
      },
    }),

    defineRoute({
      method: 'post',
      path: '/v1/incidents/:incidentId/answers',
      tag: 'incidents',
      summary: 'Answers an open question: an approval, a type, an acknowledgement',
      access: MAY.answer,
      params: IncidentParams,
      body: AnswerBody,
      answers: { 200: AnsweredSchema },
      refusals: [
        'INCIDENT_UNKNOWN',
        'QUESTION_UNKNOWN',
        'QUESTION_CLOSED',
        'ALREADY_ANSWERED',
        'CHOICE_INVALID',
        'BACKEND_UNAVAILABLE',
      ],
      async handle({ caller, params, body }) {
        await visibleIncident(stores.incidents, caller, params.incidentId);
        const message: AnswerMessage = { ...body, by: caller.id, roles: caller.roles };
        try {
          return { body: await responses.answer(params.incidentId, message) };
        } catch (error) {
          const own = ownAnswer(error, message);
          if (own === null) throw error;
          return { body: own };
        }
      },
    }),

    defineRoute({
      method: 'post',
      path: '/v1/incidents/:incidentId/commands',
      tag: 'incidents',
      summary: 'Commands a running incident; send an Idempotency-Key so that a repeat is the same command',
      access: MAY.command,
      params: IncidentParams,
      body: CommandBody,
      answers: { 200: CommandedSchema },
      refusals: [
        'INCIDENT_UNKNOWN',
        'INCIDENT_CLOSED',
        'CHOICE_INVALID',
        'IDEMPOTENCY_MISMATCH',
        'BACKEND_UNAVAILABLE',
      ],
      async handle({ caller, params, body, request }) {
        await visibleIncident(stores.incidents, caller, params.incidentId);
        const given = request.get('idempotency-key');
        if (given !== undefined && !IDEMPOTENCY_KEY.test(given)) {
          throw new TocsinError('REQUEST_INVALID', 'Idempotency-Key is 1 to 200 visible ASCII characters.');
        }
        const message: CommandMessage = {
          kind: body.kind,
          ...(body.severity === undefined ? {} : { severity: body.severity }),
          by: caller.id,
          roles: caller.roles,
          reason: body.reason,
        };
        const commanded = await responses.command(params.incidentId, message, given ?? randomUUID());
        if (given !== undefined) await refuseOtherRequest(params.incidentId, commanded.commandId, message);
        return { body: commanded };
      },
    }),
  ];

  /** A key that came before with another body would be answered as if this command had been taken. */
  async function refuseOtherRequest(
    incidentId: string,
    commandId: string,
    message: CommandMessage,
  ): Promise<void> {
    const situation = await responses.situation(incidentId);
    const taken = situation.commands.find((command) => command.id === commandId);
    if (taken === undefined) return;
    const same =
      taken.kind === message.kind && taken.severity === message.severity && taken.reason === message.reason;
    if (!same) {
      throw new TocsinError('IDEMPOTENCY_MISMATCH', `This key belongs to the command "${taken.kind}".`, {
        details: { commandId, kind: taken.kind },
      });
    }
  }
}

/** A repeat of one's own answer is that answer: the first reply may have been lost on the way. */
function ownAnswer(
  error: unknown,
  message: AnswerMessage,
): { questionId: string; choice: string; atMs: number } | null {
  if (!(error instanceof TocsinError) || error.code !== 'ALREADY_ANSWERED') return null;
  const { by, choice, atMs } = error.details;
  if (by !== message.by || choice !== message.choice || typeof atMs !== 'number') return null;
  return { questionId: message.questionId, choice: message.choice, atMs };
}
