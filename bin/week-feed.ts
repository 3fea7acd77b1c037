import type { Sensor } from '../domain/ports.ts';
import type { EpochMs } from '../domain/units.ts';
import type { FeedEvent } from '../exercise/conductor.ts';
import { readEarthquakeWeek } from '../exercise/feeds/earthquakes.ts';
import { methaneScenario } from '../exercise/feeds/methane.ts';
import type { MethaneSweep } from '../exercise/feeds/methane.ts';
import { SENSORS } from '../exercise/places.ts';
import { bulletinToWire, readingsToWire } from '../proto/map.ts';
import type { VendorDoor } from './vendor-door.ts';

/** A Friday evening where the building stands, in the middle of the week. */
const METHANE_STARTS_MS: EpochMs = Date.UTC(2018, 1, 3, 4);
const METHANE_SEED = 7;
/** The building's gateway sends twice a minute: six sweeps of all sensors. */
const SWEEPS_A_MESSAGE = 6;

/** The week of notices, and an afternoon of methane in an invented building, each through its vendor's door. */
export async function weekFeed(
  quakes: VendorDoor,
  gas: VendorDoor,
  patient: <T>(work: () => Promise<T>) => Promise<T>,
): Promise<FeedEvent[]> {
  const { bulletins } = await readEarthquakeWeek();
  const notices = bulletins.map((bulletin): FeedEvent => ({
    atMs: bulletin.observedAtMs,
    send: () => patient(() => quakes.send([bulletinToWire(bulletin)], bulletin.observedAtMs)),
  }));
  const readings = messagesOf(SENSORS).map(({ atMs, items }): FeedEvent => ({
    atMs,
    async send() {
      const { refused } = await patient(() => gas.send(items, atMs));
      // The summary counts notices; a refused reading must show all the same.
      return { sent: 0, acknowledged: 0, refused };
    },
  }));
  return [...notices, ...readings].sort((a, b) => a.atMs - b.atMs);
}

/** How a vendor names a sensor: what follows the last slash of its id here. */
const nameOf = ({ id }: Sensor): string => id.slice(id.lastIndexOf('/') + 1);

/** What the gas vendor registers before it sends. */
export const gasSensors = SENSORS.map((sensor) => ({
  sensor: nameOf(sensor),
  site: sensor.site,
  channel: sensor.channel,
  unit: sensor.unit,
  low: sensor.low,
  high: sensor.high,
  position: sensor.position,
  samplingHz: 0.2,
}));

function messagesOf(
  sensors: readonly Sensor[],
): { readonly atMs: EpochMs; readonly items: ReturnType<typeof readingsToWire>[] }[] {
  const names = sensors.map(nameOf);
  const { sweeps } = methaneScenario({ startMs: METHANE_STARTS_MS, seed: METHANE_SEED, sensors: names });
  const messages = [];
  for (let first = 0; first < sweeps.length; first += SWEEPS_A_MESSAGE) {
    const sent = sweeps.slice(first, first + SWEEPS_A_MESSAGE);
    messages.push({
      atMs: sent.at(-1)!.atMs,
      items: names.map((sensor, index) =>
        readingsToWire({
          sensor,
          boot: 'exercise',
          firstSequence: first + 1,
          atMs: sent.map(({ atMs }) => atMs),
          values: sent.map(valueOf(index)),
        }),
      ),
    });
  }
  return messages;
}

const valueOf =
  (index: number) =>
  ({ readings }: MethaneSweep): number =>
    readings[index]!.valueLel;
