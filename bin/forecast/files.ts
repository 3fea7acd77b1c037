import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import type { Series } from '../../domain/clean/series.ts';
import { TocsinError } from '../../domain/errors.ts';
import { decodeForecaster, encodeForecaster } from '../../domain/forecast/artefact.ts';
import type { Forecaster } from '../../domain/forecast/forecaster.ts';
import { parseCsv } from '../../domain/table/csv.ts';
import { malformed, numberColumn } from '../../domain/table/table.ts';
import { timeColumn } from '../detect/times.ts';
import { CommandFailed, EXIT } from '../exit-codes.ts';

/** An artefact's file is its bytes and, as the last 32, their SHA-256: cut or altered files are refused. */
const HASH_BYTES = 32;

/** Writes the artefact; answers the hash that names it. */
export async function writeForecaster(file: string, forecaster: Forecaster): Promise<string> {
  const bytes = encodeForecaster(forecaster);
  const hash = sha256(bytes);
  await writeFile(file, Buffer.concat([bytes, hash]));
  return hash.toString('hex');
}

/** @throws TocsinError FORECASTER_DAMAGED when the hash is another one, FORECASTER_NEWER */
export async function readForecaster(file: string): Promise<{ forecaster: Forecaster; hash: string }> {
  const whole = await readOrFail(file);
  const bytes = whole.subarray(0, -HASH_BYTES);
  const hash = sha256(bytes);
  if (whole.length <= HASH_BYTES || !hash.equals(whole.subarray(-HASH_BYTES))) {
    throw new TocsinError(
      'FORECASTER_DAMAGED',
      `${file} is not an intact forecaster artefact: its hash differs from what was written.`,
      { details: { file, reason: 'hash' } },
    );
  }
  return { forecaster: decodeForecaster(bytes), hash: hash.toString('hex') };
}

/**
 * One channel of a CSV file over time.
 *
 * @throws TocsinError TABLE_MALFORMED, TABLE_COLUMN_UNKNOWN with file, line and column, also for times that go back
 */
export async function readSeries(file: string, time: string, channel: string): Promise<Series> {
  const table = parseCsv((await readOrFail(file)).toString('utf8'), { source: file });
  const timesMs = timeColumn(table, time);
  for (let i = 1; i < timesMs.length; i++) {
    if (timesMs[i]! < timesMs[i - 1]!) {
      throw malformed(
        { source: file, line: table.lines[i]!, column: time },
        'a time before the one of the row above',
      );
    }
  }
  return { timesMs, values: numberColumn(table, channel) };
}

async function readOrFail(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (cause) {
    throw new CommandFailed(EXIT.notFound, 'FILE_UNREADABLE', `${file} cannot be read.`, { cause });
  }
}

const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();
