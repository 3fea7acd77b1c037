import type { Logger } from 'pino';
import { z } from 'zod';
import { TocsinError } from '../../domain/errors.ts';
import type { Sensor, SiteStore } from '../../domain/ports.ts';
import type { DescribeRequest__Output } from '../../proto/gen/tocsin/v1/DescribeRequest.ts';
import { fromPosition, isSensorName } from '../../proto/map.ts';
import type { Sender } from './intake.ts';

const SENSORS_AT_ONCE = 1_000;

const description = z
  .object({
    sensor: z.string().refine(isSensorName, 'must be 1 to 128 letters, digits, ".", "_", ":", "/" or "-"'),
    site: z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/, 'must be the id of a place'),
    channel: z.string().regex(/^[A-Za-z][A-Za-z0-9]{0,63}$/, 'must be letters and digits'),
    unit: z.string().regex(/^[^\p{Cc}|]{1,20}$/u, 'must have 1 to 20 characters'),
    low: z.number({ error: 'must be finite' }),
    high: z.number({ error: 'must be finite' }),
    position: z
      .any()
      .transform((position) => fromPosition(position))
      .refine((position) => position !== undefined, 'is not on Earth'),
  })
  .refine(({ low, high }) => low < high, { path: ['high'], message: 'must be larger than low' });

const request = z.object({ sensors: z.array(description).min(1).max(SENSORS_AT_ONCE) });

/** The sensors that vendors registered, by their own names. */
export interface Registry {
  of(sender: Sender, name: string): Sensor | undefined;
  /**
   * Registers all, or none.
   * @throws TocsinError REQUEST_INVALID, PLACE_UNKNOWN
   */
  describe(sender: Sender, message: DescribeRequest__Output): Promise<number>;
  /** Reads the store again: somebody else may have registered sensors. */
  refresh(): Promise<void>;
}

export function createRegistry(options: {
  readonly sites: SiteStore;
  readonly log: Pick<Logger, 'info'>;
}): Registry {
  const { sites, log } = options;
  const known = new Map<string, Sensor>();
  /** Sensors that the operator entered go by their id, described ones by the vendor's name; nobody sees another's. */
  const of = (sender: Sender, name: string): Sensor | undefined => {
    const entered = known.get(name);
    if (entered?.tenant === sender.tenant && entered.vendor === sender.vendor) return entered;
    return known.get(sensorIdOf(sender, name));
  };
  return {
    of,
    async refresh() {
      for (const sensor of await sites.sensors()) known.set(sensor.id, sensor);
    },
    async describe(sender, message) {
      const parsed = request.safeParse(message);
      if (!parsed.success) {
        const issues = parsed.error.issues.map(({ path, message: text }) => ({
          path: path.join('.'),
          message: text,
        }));
        throw new TocsinError('REQUEST_INVALID', 'The sensors are not described as they must be.', {
          details: { issues },
        });
      }
      const places = new Set((await sites.places()).map(({ id }) => id));
      for (const { site } of parsed.data.sensors) {
        if (!places.has(site)) {
          throw new TocsinError('PLACE_UNKNOWN', `There is no place "${site}".`, { details: { site } });
        }
      }
      const sensors = parsed.data.sensors.map(({ sensor, position, ...rest }): Sensor => ({
        ...rest,
        id: sensorIdOf(sender, sensor),
        vendor: sender.vendor,
        tenant: sender.tenant,
        position: position ?? null,
      }));
      for (const sensor of sensors) {
        if (JSON.stringify(known.get(sensor.id)) === JSON.stringify(sensor)) continue;
        await sites.putSensor(sensor);
        known.set(sensor.id, sensor);
      }
      log.info({ ...sender, sensors: sensors.length }, 'sensors described');
      return sensors.length;
    },
  };
}

/** A vendor's name for a sensor is unique for the vendor only. */
export const sensorIdOf = ({ tenant, vendor }: Sender, name: string): string => `${tenant}/${vendor}/${name}`;
