import { setImmediate as nextTurn } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Logger } from 'pino';
import { z } from 'zod';
import { TocsinError } from '../../domain/errors.ts';
import type { ClockQuality } from '../../domain/ingest/clock.ts';
import { DOUBTS } from '../../domain/ingest/health-book.ts';
import { conversionOf } from '../../domain/ingest/units.ts';
import type { PlanStore, Sensor, SiteStore } from '../../domain/ports.ts';
import type { ClockQuality as WireClockQuality } from '../../proto/gen/tocsin/v1/ClockQuality.ts';
import type { DescribeRequest__Output } from '../../proto/gen/tocsin/v1/DescribeRequest.ts';
import { fromPosition, isSensorName } from '../../proto/map.ts';
import type { Sender } from './sender.ts';

const SENSORS_AT_ONCE = 1_000;
/** Faster than any waveform may be sent. */
const SAMPLING_AT_MOST_HZ = 1_000_000;

const CLOCKS: Readonly<Partial<Record<WireClockQuality, ClockQuality>>> = {
  CLOCK_QUALITY_FREE: 'free',
  CLOCK_QUALITY_NETWORK: 'network',
  CLOCK_QUALITY_SATELLITE: 'satellite',
};

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
    samplingHz: z
      .number({ error: 'must be finite' })
      .min(0, 'must be 0 (irregular) or more')
      .max(SAMPLING_AT_MOST_HZ, `must be at most ${SAMPLING_AT_MOST_HZ}`),
    clockQuality: z.string(),
    retired: z.boolean(),
  })
  .refine(({ low, high }) => low < high, { path: ['high'], message: 'must be larger than low' });

const request = z.object({ sensors: z.array(description).min(1).max(SENSORS_AT_ONCE) });

/** The sensors that vendors registered, by their own names. */
export interface Registry {
  of(sender: Sender, name: string): Sensor | undefined;
  /** In the order of their ids. */
  all(): readonly Sensor[];
  /**
   * Registers all, or none. A unit must be one that converts to the unit in which the plans in force measure the
   * channel; where no plan does, any will do.
   * @throws TocsinError REQUEST_INVALID, PLACE_UNKNOWN
   */
  describe(sender: Sender, message: DescribeRequest__Output): Promise<number>;
  /**
   * Reads the store again, in parts: somebody else may have registered sensors. What is described here meanwhile stays as
   * it was described. Who asks while it is being read waits for that reading.
   */
  refresh(): Promise<void>;
  /** Grows whenever something changed. */
  revision(): number;
}

export function createRegistry(options: {
  readonly sites: SiteStore;
  readonly plans: PlanStore;
  readonly log: Pick<Logger, 'info'>;
}): Registry {
  const { sites, plans, log } = options;
  const known = new Map<string, Sensor>();
  let revision = 0;
  let inOrder: { readonly revision: number; readonly sensors: readonly Sensor[] } | null = null;
  let reading: Promise<void> | null = null;
  /** What was described while the store is being read: the part that is on its way may be older. */
  const describedMeanwhile = new Set<string>();
  const isKnown = (sensor: Sensor): boolean => isDeepStrictEqual(known.get(sensor.id), sensor);
  const learn = (sensor: Sensor): void => {
    if (isKnown(sensor)) return;
    known.set(sensor.id, sensor);
    revision += 1;
  };
  const read = async (): Promise<void> => {
    describedMeanwhile.clear();
    for await (const part of sites.sensorsInParts()) {
      for (const sensor of part) if (!describedMeanwhile.has(sensor.id)) learn(sensor);
      // Acknowledgements go between.
      await nextTurn();
    }
  };
  /** Sensors that the operator entered go by their id, described ones by the vendor's name; nobody sees another's. */
  const of = (sender: Sender, name: string): Sensor | undefined => {
    const entered = known.get(name);
    const isOwn = entered?.tenant === sender.tenant && entered.vendor === sender.vendor;
    const sensor = isOwn ? entered : known.get(sensorIdOf(sender, name));
    return sensor?.retired === undefined ? sensor : undefined;
  };
  return {
    of,
    revision: () => revision,
    all() {
      if (inOrder?.revision !== revision) inOrder = { revision, sensors: [...known.values()].sort(byId) };
      return inOrder.sensors;
    },
    refresh: () => (reading ??= read().finally(() => (reading = null))),
    async describe(sender, message) {
      if (sender.vendor === DOUBTS.vendor) {
        throw new TocsinError('REQUEST_INVALID', `The vendor name "${DOUBTS.vendor}" is Tocsin's own.`);
      }
      const parsed = request.safeParse(message);
      if (!parsed.success) {
        throw notAsTheyMustBe(
          parsed.error.issues.map(({ path, message: text }) => ({ path: path.join('.'), message: text })),
        );
      }
      const wanted = await channelUnits(plans);
      const mismatches = parsed.data.sensors.flatMap(({ channel, unit }, index) =>
        (wanted.get(channel) ?? [])
          .filter((needed) => conversionOf(unit, needed, channel) === null)
          .map((needed) => ({
            path: `sensors.${index}.unit`,
            message: `"${unit}" cannot be converted to ${needed}, the unit of ${channel}`,
          })),
      );
      if (mismatches.length > 0) throw notAsTheyMustBe(mismatches);
      const places = new Set((await sites.places()).map(({ id }) => id));
      for (const { site } of parsed.data.sensors) {
        if (!places.has(site)) {
          throw new TocsinError('PLACE_UNKNOWN', `There is no place "${site}".`, { details: { site } });
        }
      }
      const sensors = parsed.data.sensors.map(
        ({ sensor, position, samplingHz, clockQuality, retired, ...rest }): Sensor => {
          const clock = CLOCKS[clockQuality as WireClockQuality];
          const id = sensorIdOf(sender, sensor);
          return {
            ...rest,
            id,
            vendor: sender.vendor,
            tenant: sender.tenant,
            position: position ?? null,
            ...(samplingHz === 0 ? {} : { samplingHz }),
            ...(clock === undefined ? {} : { clockQuality: clock }),
            ...(retired ? { retired: 'vendor' } : {}),
          };
        },
      );
      for (const described of sensors) {
        const before = known.get(described.id);
        if (isKnown(keptRetired(described, before))) continue;
        // An operator may have retired it since the store was read.
        const stored = before === undefined ? null : await sites.sensor(described.id);
        const sensor = keptRetired(described, stored ?? before);
        await sites.putSensor(sensor);
        if (reading !== null) describedMeanwhile.add(sensor.id);
        learn(sensor);
      }
      log.info({ ...sender, sensors: sensors.length }, 'sensors described');
      return sensors.length;
    },
  };
}

/** The units in which the plans in force measure each channel. */
async function channelUnits(plans: PlanStore): Promise<Map<string, readonly string[]>> {
  const units = new Map<string, readonly string[]>();
  for (const planId of await plans.plans()) {
    const active = await plans.active(planId);
    const version = active === null ? null : await plans.version(planId, active.hash);
    for (const [channel, unit] of Object.entries(version?.document.channels ?? {})) {
      units.set(channel, [...new Set([...(units.get(channel) ?? []), unit])]);
    }
  }
  return units;
}

const notAsTheyMustBe = (issues: readonly { path: string; message: string }[]): TocsinError =>
  new TocsinError('REQUEST_INVALID', 'The sensors are not described as they must be.', {
    details: { issues },
  });

/** One that the operator retired stays retired, whatever its vendor describes. */
const keptRetired = (described: Sensor, before: Sensor | undefined): Sensor =>
  before?.retired === 'operator' ? { ...described, retired: 'operator' } : described;

/** A vendor's name for a sensor is unique for the vendor only. */
export const sensorIdOf = ({ tenant, vendor }: Sender, name: string): string => `${tenant}/${vendor}/${name}`;

const byId = (a: Sensor, b: Sensor): number => (a.id < b.id ? -1 : Number(a.id > b.id));
