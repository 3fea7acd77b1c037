import { z } from 'zod';
import { refusalOf } from '../../domain/dispatch/mission.ts';
import { TocsinError } from '../../domain/errors.ts';
import type { IncidentView } from '../../domain/ports.ts';
import type { Mission, Situation } from '../../domain/situation.ts';
import type { Dependencies } from './dependencies.ts';
import type { Route } from './route.ts';
import { defineRoute, MAY } from './route.ts';
import { StatusBody, StatusTakenSchema } from './schemas.ts';
import { visibleIncident } from './visible.ts';

/** A crew's clock may be this far ahead of ours. */
const FUTURE_TOLERANCE_MS = 60_000;

type Report = z.output<typeof StatusBody>;

export function missionRoutes({ stores, responses, now }: Dependencies): Route[] {
  /**
   * The mission a report is about, when it may move it on. The projection lags a moment behind: what it does not
   * know or would refuse is asked of the incident itself.
   */
  async function missionFor(view: IncidentView, missionId: string, report: Report): Promise<Mission> {
    const written = view.situation.missions[missionId];
    if (written !== undefined && refusalFor(written, report) === null) return written;
    const current = (await responses.situation(view.incidentId)).missions[missionId];
    if (current === undefined) throw unknown(missionId);
    const refusal = refusalFor(current, report);
    if (refusal !== null) throw refusal;
    return current;
  }

  return [
    defineRoute({
      method: 'post',
      path: '/v1/missions/:missionId/status',
      tag: 'missions',
      summary: 'A crew reports how far its mission is',
      access: MAY.reportStatus,
      params: z.object({ missionId: z.string().min(1).max(500) }),
      body: StatusBody,
      answers: { 202: StatusTakenSchema },
      refusals: [
        'MISSION_UNKNOWN',
        'MISSION_EPOCH',
        'MISSION_OVER',
        'MISSION_STATUS_BACKWARDS',
        'MISSION_NOT_ON_SCENE',
        'INCIDENT_CLOSED',
        'BACKEND_UNAVAILABLE',
      ],
      async handle({ caller, params, body }) {
        const incidentId = incidentOf(params.missionId);
        const view = await visibleIncident(stores.incidents, caller, incidentId).catch((error: unknown) => {
          if (error instanceof TocsinError && error.code === 'INCIDENT_UNKNOWN')
            throw unknown(params.missionId);
          throw error;
        });
        if (body.incidentId !== undefined && body.incidentId !== incidentId) throw unknown(params.missionId);
        const mission = await missionFor(view, params.missionId, body);
        const atMs = body.atMs ?? timeOf(view.situation, now());
        if (view.situation.clock === 'wall' && atMs > now() + FUTURE_TOLERANCE_MS) {
          throw new TocsinError('REQUEST_INVALID', 'atMs lies in the future.', {
            details: { issues: [{ path: 'atMs', message: 'later than now' }] },
          });
        }
        await responses.unitStatus(incidentId, {
          missionId: mission.id,
          unit: mission.unit,
          epoch: body.epoch,
          status: body.status,
          atMs,
          by: caller.id,
        });
        return { status: 202, body: { missionId: mission.id, status: body.status, atMs } };
      },
    }),
  ];
}

const timeOf = (situation: Situation, nowMs: number): number =>
  situation.clock === 'feed' ? situation.nowMs : nowMs;

/** `mission/<incident>/<order>/<unit>`, where an incident id has five segments. */
function incidentOf(missionId: string): string {
  const segments = missionId.split('/');
  if (segments[0] !== 'mission' || segments.length < 8) throw unknown(missionId);
  return segments.slice(1, 6).join('/');
}

const unknown = (missionId: string): TocsinError =>
  new TocsinError('MISSION_UNKNOWN', `There is no mission "${missionId}".`, { details: { missionId } });

const refusalFor = (mission: Mission, report: Report): TocsinError | null =>
  report.unit !== undefined && report.unit !== mission.unit
    ? unknown(mission.id)
    : refusalOf(mission, report);
