import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { NamedDetector } from '../../domain/detect/detectors.ts';
import type { ScoredRecording } from '../../domain/detect/multi/skab-score.ts';
import { parseCsv } from '../../domain/table/csv.ts';
import { malformed, numberColumn } from '../../domain/table/table.ts';
import type { Table } from '../../domain/table/table.ts';
import { CommandFailed, EXIT } from '../exit-codes.ts';
import { timeColumn } from './times.ts';

/** One recording of the Skoltech benchmark: a file with the sensors of a water circuit, and where it was disturbed. */
export interface SkabRecording {
  /** `valve1/0.csv` */
  readonly name: string;
  readonly channels: readonly string[];
  readonly timesMs: Float64Array;
  /** Row-major; NaN where nothing was measured. */
  readonly rows: Float64Array;
  /** Null for a recording without the columns of truth, which is one of normal running. */
  readonly truth: { readonly anomaly: Uint8Array; readonly changes: readonly number[] } | null;
}

const TIME = 'datetime';
const ANOMALY = 'anomaly';
const CHANGE = 'changepoint';

/** Reads every CSV file below a folder. Names ending in `.csv` that hold no column `datetime` are refused. */
export async function readSkabCorpus(folder: string): Promise<SkabRecording[]> {
  let names: string[];
  try {
    names = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.csv')).sort();
  } catch (cause) {
    throw new CommandFailed(EXIT.notFound, 'NO_RECORDINGS', `${folder} cannot be read.`, { cause });
  }
  if (names.length === 0) {
    throw new CommandFailed(EXIT.notFound, 'NO_RECORDINGS', `${folder} holds no CSV file.`);
  }
  return Promise.all(
    names.map(async (name) => {
      const source = path.join(folder, name);
      return recordingOf(name, parseCsv(await readFile(source, 'utf8'), { source }));
    }),
  );
}

function recordingOf(name: string, table: Table): SkabRecording {
  const timesMs = timeColumn(table, TIME);
  const channels = table.columns.filter((column) => ![TIME, ANOMALY, CHANGE].includes(column));
  const rows = new Float64Array(table.rows * channels.length);
  for (const [c, channel] of channels.entries()) {
    for (const [row, value] of numberColumn(table, channel).entries())
      rows[row * channels.length + c] = value;
  }
  if (!table.columns.includes(ANOMALY)) return { name, channels, timesMs, rows, truth: null };
  const changes = table.columns.includes(CHANGE)
    ? Array.from(marks(table, CHANGE).entries(), ([row, mark]) => (mark === 1 ? row : -1)).filter(
        (row) => row >= 0,
      )
    : [];
  return { name, channels, timesMs, rows, truth: { anomaly: marks(table, ANOMALY), changes } };
}

function marks(table: Table, column: string): Uint8Array {
  return Uint8Array.from(numberColumn(table, column), (value, row) => {
    if (value === 0 || value === 1) return value;
    const place = { source: table.source, line: table.lines[row]!, column };
    throw malformed(place, `expected 0 or 1, got ${Number.isNaN(value) ? 'nothing' : value}`);
  });
}

/**
 * Runs the two detectors over a recording from its first row; what they say from row `training` on is kept. Both meet
 * the file's first rows as a stream: nothing is known of a row before it comes.
 */
export function judgeRecording(
  { timesMs, rows, channels, truth }: SkabRecording,
  detectors: { readonly outliers: NamedDetector; readonly changes: NamedDetector },
  training: number,
): ScoredRecording {
  const outliers = detectors.outliers.create(channels.length);
  const changes = detectors.changes.create(channels.length);
  const scored = Math.max(0, timesMs.length - training);
  const alarm = new Uint8Array(scored);
  const named: number[] = [];
  for (const [i, timeMs] of timesMs.entries()) {
    const row = rows.subarray(i * channels.length, (i + 1) * channels.length);
    const outlier = outliers.push(timeMs, row).alarm;
    const change = changes.push(timeMs, row).begins;
    if (i < training) continue;
    alarm[i - training] = outlier ? 1 : 0;
    if (change) named.push(i - training);
  }
  return {
    timesMs: timesMs.subarray(training),
    anomaly: truth?.anomaly.subarray(training) ?? new Uint8Array(scored),
    alarm,
    changes: (truth?.changes ?? []).map((row) => row - training).filter((row) => row >= 0),
    named,
  };
}
