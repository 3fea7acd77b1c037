import { z } from 'zod';
import { TocsinError } from '../../domain/errors.ts';
import { maySee } from '../auth.ts';
import type { Dependencies } from './dependencies.ts';
import type { Route } from './route.ts';
import { defineRoute, MAY } from './route.ts';
import { listOf, PlaceSchema, SensorSchema } from './schemas.ts';

export function siteRoutes({ stores }: Dependencies): Route[] {
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
      summary: 'Registered sensors',
      access: MAY.look,
      query: z.object({ site: z.string().max(200).optional() }),
      answers: { 200: listOf(SensorSchema) },
      async handle({ caller, query }) {
        const sensors = await stores.sites.sensors();
        const items = sensors
          .filter((sensor) => maySee(caller, sensor.tenant))
          .filter((sensor) => query.site === undefined || sensor.site === query.site);
        return { body: { items } };
      },
    }),

    defineRoute({
      method: 'get',
      path: '/v1/sensors/:sensorId',
      tag: 'sites',
      summary: 'One sensor',
      access: MAY.look,
      params: z.object({ sensorId: z.string().min(1).max(200) }),
      answers: { 200: SensorSchema },
      refusals: ['SENSOR_UNKNOWN'],
      async handle({ caller, params }) {
        const sensor = (await stores.sites.sensors()).find(
          (one) => one.id === params.sensorId && maySee(caller, one.tenant),
        );
        if (sensor === undefined) {
          throw new TocsinError('SENSOR_UNKNOWN', `There is no sensor "${params.sensorId}".`, {
            details: { sensorId: params.sensorId },
          });
        }
        return { body: sensor };
      },
    }),
  ];
}
