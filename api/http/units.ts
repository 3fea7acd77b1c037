import { z } from 'zod';
import { TocsinError } from '../../domain/errors.ts';
import type { IncidentView, Unit } from '../../domain/ports.ts';
import type { Mission } from '../../domain/situation.ts';
import type { Dependencies } from './dependencies.ts';
import { isOpenMission } from './incident-summary.ts';
import type { Route } from './route.ts';
import { defineRoute, MAY } from './route.ts';
import { listOf, UnitSchema } from './schemas.ts';
import { visibleIncidents } from './visible.ts';

export function unitRoutes({ stores }: Dependencies): Route[] {
  return [
    defineRoute({
      method: 'get',
      path: '/v1/units',
      tag: 'units',
      summary: 'The roster, and what each unit does now',
      access: MAY.look,
      query: z.object({ district: z.string().max(100).optional() }),
      answers: { 200: listOf(UnitSchema) },
      async handle({ caller, query }) {
        const [units, incidents] = await Promise.all([
          stores.roster.units(query.district),
          visibleIncidents(stores.incidents, caller, { open: true }),
        ]);
        const doing = newestMissions(incidents);
        return { body: { items: units.map((unit) => withMission(unit, doing)) } };
      },
    }),

    defineRoute({
      method: 'get',
      path: '/v1/units/:unitId',
      tag: 'units',
      summary: 'One unit, and what it does now',
      access: MAY.look,
      params: z.object({ unitId: z.string().min(1).max(200) }),
      answers: { 200: UnitSchema },
      refusals: ['UNIT_UNKNOWN'],
      async handle({ caller, params }) {
        const unit = (await stores.roster.units()).find((one) => one.id === params.unitId);
        if (unit === undefined) {
          throw new TocsinError('UNIT_UNKNOWN', `There is no unit "${params.unitId}".`, {
            details: { unitId: params.unitId },
          });
        }
        const incidents = await visibleIncidents(stores.incidents, caller, { open: true });
        return { body: withMission(unit, newestMissions(incidents)) };
      },
    }),
  ];
}

interface Doing {
  readonly incidentId: string;
  readonly mission: Mission;
}

/** Open mission of the largest epoch per unit: a larger one ends all smaller ones. */
function newestMissions(incidents: readonly IncidentView[]): Map<string, Doing> {
  const newest = new Map<string, Doing>();
  for (const { incidentId, situation } of incidents) {
    for (const mission of Object.values(situation.missions)) {
      if (!isOpenMission(mission)) continue;
      const known = newest.get(mission.unit);
      if (known === undefined || known.mission.epoch < mission.epoch) {
        newest.set(mission.unit, { incidentId, mission });
      }
    }
  }
  return newest;
}

function withMission(unit: Unit, doing: Map<string, Doing>): z.input<typeof UnitSchema> {
  const current = doing.get(unit.id);
  return {
    ...unit,
    capabilities: [...unit.capabilities],
    doing:
      current === undefined
        ? null
        : {
            missionId: current.mission.id,
            incidentId: current.incidentId,
            capability: current.mission.capability,
            status: current.mission.status,
            sinceMs: current.mission.times[current.mission.status] ?? current.mission.grantedAtMs,
          },
  };
}
