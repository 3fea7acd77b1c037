import { z } from 'zod';
import { verdictsOf } from '../../domain/classify/labels.ts';
import { TocsinError } from '../../domain/errors.ts';
import type { IncidentLabel } from '../../domain/ports.ts';
import type { Dependencies } from './dependencies.ts';
import { IncidentParams } from './incidents.ts';
import type { Route } from './route.ts';
import { defineRoute, MAY } from './route.ts';
import { visibleIncident } from './visible.ts';

const LabelBody = z
  .strictObject({
    label: z.string().regex(/^[a-z][a-z0-9-]{0,63}$/),
    reason: z.string().trim().min(1).max(2_000),
  })
  .meta({ id: 'LabelRequest' });

const LabelSchema = z
  .object({
    incidentId: z.string(),
    label: z.string(),
    by: z.string(),
    reason: z.string(),
    atMs: z.number(),
  })
  .meta({ id: 'IncidentLabel' });

const LabelsSchema = z
  .object({
    items: z.array(LabelSchema),
    state: z.enum(['none', 'alone', 'agreed', 'disputed']),
    label: z.string().nullable(),
  })
  .meta({ id: 'IncidentLabels' });

/** What a closed incident really was, as people say afterwards: what recognisers are trained again from. */
export function labelRoutes({ stores, now, log }: Dependencies): Route[] {
  return [
    defineRoute({
      method: 'get',
      path: '/v1/incidents/:incidentId/labels',
      tag: 'incidents',
      summary: 'What people said the incident really was, and whether they agree',
      access: MAY.look,
      params: IncidentParams,
      answers: { 200: LabelsSchema },
      refusals: ['INCIDENT_UNKNOWN'],
      async handle({ caller, params }) {
        await visibleIncident(stores.incidents, caller, params.incidentId);
        const items = (await stores.labels.list()).filter((one) => one.incidentId === params.incidentId);
        const [verdict] = verdictsOf(items);
        return { body: { items, state: verdict?.state ?? 'none', label: verdict?.label ?? null } };
      },
    }),

    defineRoute({
      method: 'post',
      path: '/v1/incidents/:incidentId/labels',
      tag: 'incidents',
      summary:
        'Says what a closed incident really was; counts for training when a second person says the same',
      access: MAY.label,
      params: IncidentParams,
      body: LabelBody,
      answers: { 200: LabelSchema },
      refusals: ['INCIDENT_UNKNOWN', 'LABEL_TOO_EARLY', 'LABEL_GIVEN'],
      async handle({ caller, params, body }) {
        const { incidentId } = params;
        const view = await visibleIncident(stores.incidents, caller, incidentId);
        if (view.phase !== 'closed') {
          throw new TocsinError('LABEL_TOO_EARLY', 'An incident is labelled when it is closed.', {
            details: { incidentId, phase: view.phase },
          });
        }
        const label: IncidentLabel = { incidentId, by: caller.id, atMs: now(), ...body };
        if ((await stores.labels.insert(label)) === 'inserted') {
          log.info({ incidentId, label: label.label, by: label.by }, 'incident labelled');
          return { body: label };
        }
        const given = await stores.labels.get(incidentId, caller.id);
        if (given?.label === body.label) return { body: given };
        throw new TocsinError('LABEL_GIVEN', `"${caller.id}" already called it "${given?.label ?? ''}".`, {
          details: { incidentId, label: given?.label ?? null },
        });
      },
    }),
  ];
}
