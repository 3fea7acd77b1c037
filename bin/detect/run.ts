import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { z } from 'zod';
import type { Detector, DetectorState } from '../../domain/detect/detector.ts';
import { detectorNamed } from '../../domain/detect/detectors.ts';
import type { NamedDetector } from '../../domain/detect/detectors.ts';
import { parseCsv } from '../../domain/table/csv.ts';
import { numberColumn } from '../../domain/table/table.ts';
import { leaf } from '../command-line.ts';
import { CommandFailed, EXIT } from '../exit-codes.ts';
import { print, printJson, say } from '../output.ts';
import { parseNamesOption, parseParametersOption } from './options.ts';
import { timeColumn } from './times.ts';

interface Options {
  readonly csv: string;
  readonly time: string;
  readonly channels: readonly string[];
  readonly detector: string;
  readonly params?: Readonly<Record<string, number>>;
  readonly state?: string;
  readonly json?: boolean;
}

export function declareRun(detect: Command): void {
  leaf(
    detect,
    'run',
    'run a detector over the rows of a CSV file: a score and an alarm a row',
    'tocsin detect run --csv pump.csv --time timestamp --channels pressure --detector auto',
  )
    .requiredOption('--csv <file>', 'the rows, with a header')
    .requiredOption(
      '--time <column>',
      'column of the times: ISO 8601 (UTC when it names no zone), or since 1970',
    )
    .requiredOption(
      '--channels <a,b>',
      'columns of numbers; an empty cell is a missing value',
      parseNamesOption,
    )
    .option('--detector <name>', 'see tocsin detect list', 'auto')
    .option('--params <k=v,...>', 'parameters of the detector', parseParametersOption)
    .option('--state <file>', 'go on from this file when it is there, and write it at the end')
    .action(run);
}

async function run(options: Options): Promise<void> {
  const named = detectorNamed(options.detector, options.params);
  const rows = await readRows(options);
  const start = options.state === undefined ? undefined : await readState(options.state, named, options);
  const detectors = createDetectors(named, options.channels.length, start);
  const watched = watch(detectors, rows);
  if (options.state !== undefined) {
    const state = {
      detector: options.detector,
      parameters: named.parameters,
      channels: options.channels,
      states: detectors.map((detector) => detector.save()),
    };
    await writeFile(options.state, `${JSON.stringify(state)}\n`);
  }

  const alarms = watched.filter(({ alarm }) => alarm).length;
  const began = watched.filter(({ begins }) => begins);
  const learnt = detectors.map((detector) => detector.describe?.() ?? {});
  if (options.json) {
    printJson({
      detector: options.detector,
      parameters: named.parameters,
      channels: options.channels,
      summary: {
        rows: watched.length,
        outOfOrder: rows.outOfOrder,
        alarms,
        detections: began.length,
        learnt,
      },
      rows: watched,
    });
  } else {
    print(
      [
        'time,score,alarm,begins',
        ...watched.map(({ timeMs, score, alarm, begins }) =>
          [new Date(timeMs).toISOString(), score.toPrecision(6), alarm ? 1 : 0, begins ? 1 : 0].join(','),
        ),
      ].join('\n'),
    );
  }
  const late = rows.outOfOrder > 0 ? `, ${rows.outOfOrder} out of time order and not looked at` : '';
  say(`${options.detector}: ${watched.length} rows${late}, ${alarms} alarm rows, ${began.length} detections`);
  for (const { timeMs, score } of began.slice(0, SHOWN)) {
    say(`  ${new Date(timeMs).toISOString()}  score ${score.toFixed(3)}`);
  }
  if (began.length > SHOWN) say(`  and ${began.length - SHOWN} more`);
  for (const facts of learnt) {
    const told = Object.entries(facts).map(([name, value]) => `${name} ${value.toPrecision(5)}`);
    if (told.length > 0) say(`  learnt: ${told.join(', ')}`);
  }
}

/** Detections named in the summary. */
const SHOWN = 10;

interface Rows {
  readonly timesMs: Float64Array;
  readonly channels: readonly Float64Array[];
  readonly outOfOrder: number;
}

async function readRows({ csv, time, channels }: Options): Promise<Rows> {
  let text: string;
  try {
    text = await readFile(csv, 'utf8');
  } catch (cause) {
    throw new CommandFailed(EXIT.notFound, 'FILE_UNREADABLE', `${csv} cannot be read.`, { cause });
  }
  const table = parseCsv(text, { source: csv });
  const timesMs = timeColumn(table, time);
  let latest = -Infinity;
  let outOfOrder = 0;
  for (const timeMs of timesMs) {
    if (timeMs < latest) outOfOrder++;
    else latest = timeMs;
  }
  return { timesMs, channels: channels.map((channel) => numberColumn(table, channel)), outOfOrder };
}

/** One detector over all channels, or one each when the kind takes only one. */
function createDetectors(
  named: NamedDetector,
  channels: number,
  states?: readonly DetectorState[],
): Detector[] {
  if (named.kind.channels.maximum > 1 || channels === 1) return [named.create(channels, states?.[0])];
  return Array.from({ length: channels }, (_, channel) => named.create(1, states?.[channel]));
}

interface WatchedRow {
  readonly timeMs: number;
  readonly score: number;
  readonly alarm: boolean;
  readonly begins: boolean;
}

/** Every row through every detector: the highest score counts, and any alarm. */
function watch(detectors: readonly Detector[], { timesMs, channels }: Rows): WatchedRow[] {
  const row = new Float64Array(channels.length);
  return Array.from(timesMs, (timeMs, i) => {
    for (const [channel, values] of channels.entries()) row[channel] = values[i]!;
    let score = 0;
    let alarm = false;
    let begins = false;
    for (const [index, detector] of detectors.entries()) {
      const verdict = detector.push(timeMs, detectors.length === 1 ? row : row.subarray(index, index + 1));
      score = Math.max(score, verdict.score);
      alarm ||= verdict.alarm;
      begins ||= verdict.begins;
    }
    return { timeMs, score, alarm, begins };
  });
}

const stateSchema = z.object({
  detector: z.string(),
  parameters: z.record(z.string(), z.number()),
  channels: z.array(z.string()),
  states: z.array(z.record(z.string(), z.unknown())),
});

async function readState(
  file: string,
  named: NamedDetector,
  { channels }: Options,
): Promise<readonly DetectorState[] | undefined> {
  if (!existsSync(file)) return undefined;
  let state: z.infer<typeof stateSchema>;
  try {
    state = stateSchema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (cause) {
    throw new CommandFailed(EXIT.usage, 'STATE_UNREADABLE', `${file} is not a detector's state.`, { cause });
  }
  const same =
    state.detector === named.kind.name &&
    JSON.stringify(state.channels) === JSON.stringify(channels) &&
    JSON.stringify(state.parameters) === JSON.stringify(named.parameters);
  if (same) return state.states;
  throw new CommandFailed(
    EXIT.refused,
    'STATE_MISMATCH',
    `${file} is the state of ${state.detector} on ${state.channels.join(', ')}, with its own parameters: go on with the same ones, or name another file.`,
  );
}
