import type { Connection } from 'mongoose';
import { canonicalJson } from '../domain/canonical.ts';
import type { Place } from '../domain/evidence.ts';
import type { Sensor, SiteStore } from '../domain/ports.ts';
import { openCollection } from './collection.ts';
import type { Row } from './collection.ts';
import { byId } from './roster.ts';

/** Read and understood in about a millisecond. */
export const SENSORS_AT_ONCE = 100;

interface SiteRow extends Row {
  readonly json: string;
}

/** Places of care, buildings and their sensors. */
export function createSiteStore(connection: Connection): SiteStore {
  const places = openCollection<SiteRow>(connection, 'places', { json: String });
  const sensors = openCollection<SiteRow>(connection, 'sensors', { json: String });
  const toSensor = (row: SiteRow): Sensor => JSON.parse(row.json) as Sensor;
  return {
    putPlace: (place) => places.replace({ _id: place.id, json: canonicalJson(place) }),
    places: async () => (await places.find({})).map((row) => JSON.parse(row.json) as Place).sort(byId),
    putSensor: (sensor) => sensors.replace({ _id: sensor.id, json: canonicalJson(sensor) }),
    async sensor(id) {
      const row = await sensors.get(id);
      return row === null ? null : toSensor(row);
    },
    sensors: async () => (await sensors.find({})).map(toSensor).sort(byId),
    async *sensorsInParts() {
      for await (const rows of sensors.parts(SENSORS_AT_ONCE)) yield rows.map(toSensor);
    },
  };
}
