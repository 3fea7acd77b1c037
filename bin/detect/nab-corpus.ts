import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import type { RowWindow } from '../../domain/detect/nab-score.ts';
import { parseCsv } from '../../domain/table/csv.ts';
import { numberColumn } from '../../domain/table/table.ts';
import { CommandFailed, EXIT } from '../exit-codes.ts';
import { parseTime, timeColumn } from './times.ts';

/** One stream of a corpus in the layout of the Numenta benchmark. */
export interface NabStream {
  /** `folder/file.csv`, as the labels call it. */
  readonly name: string;
  readonly timesMs: Float64Array;
  readonly values: Float64Array;
  readonly windows: readonly RowWindow[];
}

const labelsSchema = z.record(z.string(), z.array(z.tuple([z.string(), z.string()])));

/**
 * Reads `data/<group>/<stream>.csv` (columns `timestamp,value`) and `labels/combined_windows.json`. Streams without
 * an entry in the labels are left out, and so are labels without a stream.
 */
export async function readNabCorpus(folder: string): Promise<NabStream[]> {
  const labelsFile = path.join(folder, 'labels', 'combined_windows.json');
  const labels = await readLabels(labelsFile);
  const streams: NabStream[] = [];
  for (const group of await entries(path.join(folder, 'data'))) {
    for (const file of await entries(path.join(folder, 'data', group))) {
      const name = `${group}/${file}`;
      if (!file.endsWith('.csv') || labels[name] === undefined) continue;
      const at = path.join(folder, 'data', group, file);
      const table = parseCsv(await readFile(at, 'utf8'), { source: at });
      const timesMs = timeColumn(table, 'timestamp');
      streams.push({
        name,
        timesMs,
        values: numberColumn(table, 'value'),
        windows: labels[name].map((window) => rowsOf(window, timesMs, `${labelsFile}: ${name}`)),
      });
    }
  }
  if (streams.length === 0) {
    throw new CommandFailed(EXIT.notFound, 'NO_STREAMS', `${folder} has no labelled stream in data/*/*.csv.`);
  }
  return streams;
}

async function readLabels(file: string): Promise<z.infer<typeof labelsSchema>> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw new CommandFailed(EXIT.notFound, 'NO_LABELS', `${file} cannot be read.`, { cause });
  }
  try {
    return labelsSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new CommandFailed(
      EXIT.usage,
      'LABELS_MALFORMED',
      `${file} is not an object of file names with lists of [start, end].`,
      { cause },
    );
  }
}

async function entries(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch (cause) {
    throw new CommandFailed(EXIT.notFound, 'NO_STREAMS', `${folder} cannot be read.`, { cause });
  }
}

/** The rows whose times lie in a window, both ends included. */
function rowsOf(window: readonly [string, string], timesMs: Float64Array, place: string): RowWindow {
  const [start, end] = window.map((text) => parseTime(text));
  if (start === undefined || end === undefined) {
    throw new CommandFailed(
      EXIT.usage,
      'LABELS_MALFORMED',
      `${place}: ${window.join(', ')} are not two times.`,
    );
  }
  // The labels name rows by their times. Where the clock was set back, the first row of that time is meant.
  const first = indexOrElse(timesMs.indexOf(start), () => timesMs.findIndex((time) => time >= start));
  const last = indexOrElse(timesMs.indexOf(end), () => timesMs.findLastIndex((time) => time <= end));
  if (first < 0 || last < first) {
    throw new CommandFailed(
      EXIT.usage,
      'LABELS_MALFORMED',
      `${place}: no row lies between ${window[0]} and ${window[1]}.`,
    );
  }
  return [first, last];
}

function indexOrElse(index: number, otherwise: () => number): number {
  return index >= 0 ? index : otherwise();
}
