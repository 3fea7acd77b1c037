import type { Place } from '../domain/evidence.ts';
import type { Sensor, SiteStore } from '../domain/ports.ts';
import { createFakeTable } from './fake-table.ts';
import { byId } from './roster.ts';
import { SENSORS_AT_ONCE } from './sites.ts';

export function createFakeSiteStore(): SiteStore {
  const places = createFakeTable<Place>();
  const sensors = createFakeTable<Sensor>();
  return {
    putPlace: async (place) => places.replace(place.id, place),
    places: async () => places.all().sort(byId),
    putSensor: async (sensor) => sensors.replace(sensor.id, sensor),
    sensor: async (id) => sensors.get(id),
    sensors: async () => sensors.all().sort(byId),
    async *sensorsInParts() {
      const left = sensors.all();
      while (left.length > 0) yield left.splice(0, SENSORS_AT_ONCE);
    },
  };
}
