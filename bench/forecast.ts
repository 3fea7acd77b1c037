import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { readSeries } from '../bin/forecast/files.ts';
import { TocsinError } from '../domain/errors.ts';
import { trainForecaster } from '../domain/forecast/forecaster.ts';
import { report, skip } from './harness.ts';

/**
 * Forecasts half an hour ahead beside persistence on recorded streams: mean squared error (skill is 1 - 1/ratio) and
 * coverage of the 90 % interval, both on rolling origins that were neither trained nor calibrated on. `chosen` is what
 * `auto` would use. `--all`: every stream, not only the first three of a group.
 */
const all = process.argv.includes('--all');
const HALF_HOUR_MS = 1_800_000;
const LEVEL = 0.9;
const data = fileURLToPath(new URL('../../shared/data', import.meta.url));

const groups = [
  { folder: 'nab/data/realTraffic', time: 'timestamp', channels: ['value'], horizonMs: HALF_HOUR_MS },
  { folder: 'nab/data/realAWSCloudwatch', time: 'timestamp', channels: ['value'], horizonMs: HALF_HOUR_MS },
  // At one row a second: a minute ahead.
  {
    folder: 'skab/anomaly-free',
    time: 'datetime',
    channels: ['Temperature', 'Pressure', 'Volume Flow RateRMS'],
    horizonMs: 60_000,
  },
] as const;

for (const { folder, time, channels, horizonMs } of groups) {
  const at = path.join(data, folder);
  if (!existsSync(at)) {
    skip(`forecast/${folder}`, `data ../shared/data/${folder} is absent`);
    continue;
  }
  const files = readdirSync(at).filter((file) => file.endsWith('.csv'));
  for (const file of all ? files.sort() : files.sort().slice(0, 3)) {
    for (const channel of channels)
      await measure(path.join(at, file), { folder, file, time, channel, horizonMs });
  }
}

async function measure(
  source: string,
  {
    folder,
    file,
    time,
    channel,
    horizonMs,
  }: {
    readonly folder: string;
    readonly file: string;
    readonly time: string;
    readonly channel: string;
    readonly horizonMs: number;
  },
): Promise<void> {
  const name = `${folder.split('/').at(-1)}/${path.basename(file, '.csv')}/${channel}`;
  const series = await readSeries(source, time, channel);
  // Rows a second apart would make 60 steps: ten seconds are what such a warning needs.
  const clean = horizonMs < HALF_HOUR_MS ? [{ do: 'resample', everyMs: 10_000 } as const] : [];
  try {
    const { card } = trainForecaster(series, { channel, kind: 'auto', horizonMs, clean, level: LEVEL });
    const persistence = card.validated.find(({ kind }) => kind === 'persistence')!;
    for (const each of card.validated) {
      const chosen = each.kind === card.kind ? '/chosen' : '';
      if (each.kind !== 'persistence') {
        report({
          id: `forecast-mse/${name}/${each.kind}${chosen}`,
          ours: each.meanSquaredError,
          reference: persistence.meanSquaredError,
          unit: 'squared units of the channel',
          better: 'lower',
          floor: 0,
          goal: 1,
        });
      }
      report({
        id: `forecast-coverage/${name}/${each.kind}${chosen}`,
        ours: each.adaptiveCoverage,
        reference: LEVEL,
        unit: `share inside; fixed width ${each.coverage.toFixed(3)}`,
        better: 'higher',
        floor: chosen === '' ? 0 : 0.95,
        goal: 1,
      });
    }
  } catch (error) {
    if (!(error instanceof TocsinError)) throw error;
    skip(`forecast/${name}`, error.message);
  }
}
