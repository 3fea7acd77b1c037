import type { Command } from 'commander';
import { createApiClient } from '../client.ts';
import { call } from '../command-line.ts';
import type { CallOptions } from '../command-line.ts';
import { print, printJson, table } from '../output.ts';
import { ROUTES } from '../routes.ts';

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
      items.map(({ id, site, channel, unit, health }) => [
        id,
        site,
        `${channel}, ${unit}`,
        health.status,
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

const timeOf = (atMs: number | null): string => (atMs === null ? 'never' : new Date(atMs).toISOString());
const seconds = (ms: number): string => `${Math.round(ms) / 1_000} s`;
