import { z } from 'zod';
import { TocsinError } from '../../domain/errors.ts';
import { isDoubtful } from '../../domain/ingest/health.ts';
import type { SensorHealth } from '../../domain/ingest/health.ts';
import type { Sensor } from '../../domain/ports.ts';
import { maySee } from '../auth.ts';
import type { Dependencies } from './dependencies.ts';
import type { Route } from './route.ts';
import { defineRoute, MAY } from './route.ts';
import { listOf, PlaceSchema, SensorSchema } from './schemas.ts';
import type { SensorHealthSchema } from './schemas.ts';

export function siteRoutes({ stores, sensorHealth }: Dependencies): Route[] {
  async function withHealth(sensors: readonly Sensor[]): Promise<z.input<typeof SensorSchema>[]> {
    const tenants = [...new Set(sensors.map(({ tenant }) => tenant))];
    const known = await Promise.all(tenants.map((tenant) => sensorHealth.all(tenant)));
    const health = new Map(known.flat().map((one) => [one.sensor, one]));
    return sensors.map((sensor) => ({ ...sensor, health: shown(health.get(sensor.id)) }));
  }

  return [
    defineRoute({
      method: 'get',
      path: '/v1/places',
      tag: 'sites',
      summary: 'Places of care and buildings with sensors',
      access: MAY.look,
      answers: { 200: listOf(PlaceSchema) },
      handle: async () => ({ body: { items: await stores.sites.places() } }),
    }),

    defineRoute({
      method: 'get',
      path: '/v1/places/:placeId',
      tag: 'sites',
      summary: 'One place',
      access: MAY.look,
      params: z.object({ placeId: z.string().min(1).max(200) }),
      answers: { 200: PlaceSchema },
      refusals: ['PLACE_UNKNOWN'],
      async handle({ params }) {
        const place = (await stores.sites.places()).find((one) => one.id === params.placeId);
        if (place === undefined) {
          throw new TocsinError('PLACE_UNKNOWN', `There is no place "${params.placeId}".`, {
            details: { placeId: params.placeId },
          });
        }
        return { body: place };
      },
    }),

    defineRoute({
      method: 'get',
      path: '/v1/sensors',
      tag: 'sites',
      summary: 'Registered sensors, and how far each can be relied on',
      access: MAY.look,
      query: z.object({
        site: z.string().max(200).optional(),
        doubtful: z
          .enum(['true', 'false'])
          .optional()
          .meta({ description: 'Only those that are silent, stuck, flat or noisy; or only the others.' }),
      }),
      answers: { 200: listOf(SensorSchema) },
      async handle({ caller, query }) {
        const sensors = await stores.sites.sensors();
        const items = sensors
          .filter((sensor) => maySee(caller, sensor.tenant))
          .filter((sensor) => query.site === undefined || sensor.site === query.site);
        const known = (await withHealth(items)).filter(
          ({ health }) =>
            query.doubtful === undefined || String(isDoubtful(health.status)) === query.doubtful,
        );
        return { body: { items: known } };
      },
    }),

    defineRoute({
      method: 'get',
      path: '/v1/sensors/:sensorId',
      tag: 'sites',
      summary: 'One sensor: what it is, and its health',
      access: MAY.look,
      params: z.object({ sensorId: z.string().min(1).max(200) }),
      answers: { 200: SensorSchema },
      refusals: ['SENSOR_UNKNOWN'],
      async handle({ caller, params }) {
        const sensor = await stores.sites.sensor(params.sensorId);
        if (sensor === null || !maySee(caller, sensor.tenant)) {
          throw new TocsinError('SENSOR_UNKNOWN', `There is no sensor "${params.sensorId}".`, {
            details: { sensorId: params.sensorId },
          });
        }
        const health = await sensorHealth.of(sensor.tenant, sensor.id);
        return { body: { ...sensor, health: shown(health ?? undefined) } };
      },
    }),
  ];
}

const UNHEARD: z.input<typeof SensorHealthSchema> = {
  status: 'unheard',
  sinceMs: null,
  lastObservedAtMs: null,
  lastReceivedAtMs: null,
  lastValue: null,
  readings: 0,
  missing: 0,
  disordered: 0,
  spikes: 0,
  late: 0,
  skewed: 0,
  clock: null,
  correctedByMs: 0,
};

function shown(health: SensorHealth | undefined): z.input<typeof SensorHealthSchema> {
  if (health === undefined) return UNHEARD;
  const { sensor: _sensor, site: _site, ...rest } = health;
  return rest;
}
