import type { Command } from 'commander';
import { createApiClient } from '../client.ts';
import { call, leaf } from '../command-line.ts';
import type { CallOptions } from '../command-line.ts';
import { CommandFailed, EXIT } from '../exit-codes.ts';
import { print, printJson, table } from '../output.ts';
import { ROUTES } from '../routes.ts';
import { withStores } from '../with-stores.ts';

export function declare(program: Command): void {
  const sensor = program.command('sensor').description('see which sensors can be relied on');
  call(sensor, 'list', 'list sensors and how they are', 'tocsin sensor list --doubtful')
    .option('--site <site>', 'only of this place')
    .option('--doubtful', 'only those that are silent, stuck, flat or noisy')
    .action(list);
  call(
    sensor,
    'show <sensor>',
    'one sensor: what it is, and its health',
    'tocsin sensor show demo/vendor-gas/riser',
  ).action(show);
  leaf(
    sensor,
    'retire <sensor>',
    'take a sensor out of service: what it sends is refused, and its silence pages nobody',
    'tocsin sensor retire demo/vendor-gas/riser',
  ).action((id: string, options: { json?: boolean }) => service(id, true, options));
  leaf(
    sensor,
    'restore <sensor>',
    'put a retired sensor into service again',
    'tocsin sensor restore demo/vendor-gas/riser',
  ).action((id: string, options: { json?: boolean }) => service(id, false, options));
}

interface ListedSensor {
  readonly id: string;
  readonly site: string;
  readonly channel: string;
  readonly unit: string;
  readonly low: number;
  readonly high: number;
  readonly samplingHz?: number;
  readonly clockQuality?: string;
  readonly retired?: string;
  readonly health: {
    readonly status: string;
    readonly sinceMs: number | null;
    readonly lastObservedAtMs: number | null;
    readonly lastReceivedAtMs: number | null;
    readonly lastValue: number | null;
    readonly readings: number;
    readonly missing: number;
    readonly disordered: number;
    readonly spikes: number;
    readonly late: number;
    readonly skewed: number;
    readonly clock: { readonly offsetMs: number; readonly spreadMs: number } | null;
    readonly correctedByMs: number;
  };
}

interface ListOptions extends CallOptions {
  readonly site?: string;
  readonly doubtful?: boolean;
}

async function list(options: ListOptions): Promise<void> {
  const { items } = await createApiClient(options).get<{ items: ListedSensor[] }>(ROUTES.sensors, {
    site: options.site,
    doubtful: options.doubtful,
  });
  if (options.json) return printJson({ items });
  if (items.length === 0) {
    return print(options.doubtful ? 'No sensor is in doubt.' : 'No sensors. Vendors register theirs.');
  }
  print(
    table(
      ['sensor', 'site', 'measures', 'state', 'last value', 'received'],
      items.map(({ id, site, channel, unit, retired, health }) => [
        id,
        site,
        `${channel}, ${unit}`,
        retired === undefined ? health.status : 'retired',
        health.lastValue === null ? '' : `${health.lastValue} ${unit}`,
        timeOf(health.lastReceivedAtMs),
      ]),
    ),
  );
}

async function show(id: string, options: CallOptions): Promise<void> {
  const sensor = await createApiClient(options).get<ListedSensor>(ROUTES.sensor(id));
  if (options.json) return printJson(sensor);
  const { unit, health } = sensor;
  const clock =
    health.clock === null
      ? 'unknown'
      : `${seconds(health.clock.offsetMs)} ahead, give or take ${seconds(health.clock.spreadMs)}${health.correctedByMs === 0 ? '' : '; its times are corrected'}`;
  print(
    table(
      ['', sensor.id],
      [
        ['measures', `${sensor.channel}, ${sensor.low} to ${sensor.high} ${unit}, at ${sensor.site}`],
        ['sampling', sensor.samplingHz ? `every ${seconds(1_000 / sensor.samplingHz)}` : 'irregular'],
        ['clock', `${sensor.clockQuality ?? 'not declared'}; ${clock}`],
        ...(sensor.retired === undefined ? [] : [['retired', `by the ${sensor.retired}`]]),
        ['state', `${health.status}${health.sinceMs === null ? '' : ` since ${timeOf(health.sinceMs)}`}`],
        ['last value', health.lastValue === null ? 'none' : `${health.lastValue} ${unit}`],
        ['observed', timeOf(health.lastObservedAtMs)],
        ['received', timeOf(health.lastReceivedAtMs)],
        ['readings', String(health.readings)],
        ['missing', String(health.missing)],
        ['out of order', String(health.disordered)],
        ['spikes', String(health.spikes)],
        ['too late, ahead of time', `${health.late}, ${health.skewed}`],
      ],
    ),
  );
}

/** Ingestion reads the sensors again every few seconds. */
async function service(id: string, retires: boolean, options: { json?: boolean }): Promise<void> {
  await withStores(async ({ sites }) => {
    const sensor = await sites.sensor(id);
    if (sensor === null) {
      throw new CommandFailed(EXIT.notFound, 'SENSOR_UNKNOWN', `There is no sensor "${id}".`);
    }
    const { retired: _by, ...inService } = sensor;
    await sites.putSensor(retires ? { ...inService, retired: 'operator' } : inService);
  });
  if (options.json) return printJson({ sensor: id, retired: retires });
  print(`${id} ${retires ? 'is retired' : 'is in service'}`);
}

const timeOf = (atMs: number | null): string => (atMs === null ? 'never' : new Date(atMs).toISOString());
const seconds = (ms: number): string => `${Math.round(ms) / 1_000} s`;
