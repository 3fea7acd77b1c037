import { z } from 'zod';
import { TocsinError } from '../../domain/errors.ts';
import type { Mission, Situation } from '../../domain/situation.ts';
import { MISSION_STATUSES } from '../../domain/situation.ts';
import type { Dependencies } from './dependencies.ts';
import type { Route } from './route.ts';
import { defineRoute, MAY } from './route.ts';
import { StatusBody, StatusTakenSchema } from './schemas.ts';
import { visibleIncident } from './visible.ts';

/** A crew's clock may be this far ahead of ours. */
const FUTURE_TOLERANCE_MS = 60_000;

export function missionRoutes({ stores, responses, now }: Dependencies): Route[] {
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
        'MISSION_STALE',
        'MISSION_TRANSITION',
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
        // The projection lags a moment behind: a mission granted just now is known to the incident first.
        const mission =
          view.situation.missions[params.missionId] ??
          (await responses.situation(incidentId)).missions[params.missionId];
        if (mission === undefined) throw unknown(params.missionId);
        refuseImpossible(mission, body);
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

/** What is known here is a lower bound of what the incident knows: only what is already impossible is refused. */
function refuseImpossible(mission: Mission, report: { epoch: number; status: Mission['status'] }): void {
  if (report.epoch !== mission.epoch) {
    throw new TocsinError('MISSION_STALE', `This mission runs under epoch ${mission.epoch}.`, {
      details: { epoch: mission.epoch },
    });
  }
  if (report.status === mission.status) return;
  if (MISSION_STATUSES.indexOf(report.status) < MISSION_STATUSES.indexOf(mission.status)) {
    throw new TocsinError('MISSION_TRANSITION', `The mission is already "${mission.status}".`, {
      details: { status: mission.status },
    });
  }
}
