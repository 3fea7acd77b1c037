import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Seismogram } from '../../domain/detect/seismic/p-candidates.ts';
import type { Random } from '../../domain/random.ts';
import { CommandFailed, EXIT } from '../exit-codes.ts';

/** One record of a folder laid out as PhaseNet's samples are. */
export interface SeismicRecord {
  readonly index: string;
  readonly file: string;
  readonly rateHz: number;
  /** Sample of the analyst's P pick, or null where there is none. */
  readonly pSample: number | null;
  /** East, north, up, as in the source; a component that the station has not is flat. */
  readonly components: readonly Float32Array[];
}

const COMPONENTS = 3;

/** Reads `labels.csv` (a line a record) and `waveforms.f32le` (records x samples x 3, little-endian float32). */
export async function readRecords(folder: string, rateHz: number): Promise<SeismicRecord[]> {
  const found = await stat(folder).catch(() => null);
  if (!found?.isDirectory()) {
    throw new CommandFailed(EXIT.notFound, 'FOLDER_MISSING', `There is no folder ${folder}.`);
  }
  const labelsFile = path.join(folder, 'labels.csv');
  const wavesFile = path.join(folder, 'waveforms.f32le');
  const [labels, waves] = await Promise.all([
    readFile(labelsFile, 'utf8').catch((cause: unknown) => {
      throw new CommandFailed(EXIT.notFound, 'LABELS_MISSING', `There is no file ${labelsFile}.`, { cause });
    }),
    readFile(wavesFile).catch((cause: unknown) => {
      throw new CommandFailed(EXIT.notFound, 'WAVEFORMS_MISSING', `There is no file ${wavesFile}.`, {
        cause,
      });
    }),
  ]);
  const [head = '', ...lines] = labels.trim().split(/\r?\n/);
  const columns = head.split(',').map((name) => name.trim());
  const rows = lines.filter((line) => line.trim() !== '').map((line) => line.split(','));
  if (rows.length === 0) {
    throw new CommandFailed(EXIT.failed, 'LABELS_INVALID', `${labelsFile} names no record.`);
  }
  const samples = waves.byteLength / 4 / COMPONENTS / rows.length;
  if (!Number.isInteger(samples) || samples === 0) {
    throw new CommandFailed(
      EXIT.failed,
      'WAVEFORMS_INVALID',
      `${wavesFile} has ${waves.byteLength} bytes, which is not ${rows.length} records (the lines of labels.csv) of 3 components of float32.`,
    );
  }
  const cell = (row: readonly string[], name: string): string | undefined =>
    row[columns.indexOf(name)]?.trim();
  return rows.map((row, n) => {
    const pick = cell(row, 'itp');
    const pSample = pick === undefined || pick === '' ? null : Number(pick);
    if (pSample !== null && !(Number.isInteger(pSample) && pSample >= 0 && pSample < samples)) {
      throw new CommandFailed(
        EXIT.failed,
        'LABELS_INVALID',
        `${labelsFile}, line ${n + 2}: itp is ${pick}, no sample of 0 to ${samples - 1}.`,
      );
    }
    return {
      index: cell(row, 'index') ?? String(n),
      file: cell(row, 'file') ?? '',
      rateHz,
      pSample,
      components: componentsOf(waves, n * samples, samples),
    };
  });
}

function componentsOf(waves: Buffer, first: number, samples: number): Float32Array[] {
  const components = Array.from({ length: COMPONENTS }, () => new Float32Array(samples));
  for (let i = 0; i < samples; i++) {
    for (let c = 0; c < COMPONENTS; c++)
      components[c]![i] = waves.readFloatLE(((first + i) * COMPONENTS + c) * 4);
  }
  return components;
}

/** Part of a record, as a picker gets it. */
export interface Crop {
  readonly record: SeismicRecord;
  readonly from: number;
  readonly seismogram: Seismogram;
  /** The P pick within the crop, or null. */
  readonly pSample: number | null;
}

export function whole(record: SeismicRecord): Crop {
  return cut(record, 0, record.components[0]!.length);
}

/**
 * A random part of 20 to 80 s, with the P wave at least 1.5 s after its start and 2 s before its end, so that where
 * in the record it was cannot help. A record without a pick, or one too short to cut, stays whole.
 */
export function cropped(record: SeismicRecord, random: Random): Crop {
  const { rateHz, pSample, components } = record;
  const samples = components[0]!.length;
  const length = Math.round((20 + 60 * random.unit()) * rateHz);
  const luck = random.unit();
  if (pSample === null) return whole(record);
  const shortest = Math.round(1.5 * rateHz);
  const longest = Math.min(pSample, length - 2 * rateHz);
  if (longest <= shortest) return whole(record);
  const from = pSample - shortest - Math.floor(luck * (longest - shortest));
  return cut(record, from, Math.min(samples, from + length));
}

function cut(record: SeismicRecord, from: number, to: number): Crop {
  const [east, north, up] = record.components.map((component) => component.subarray(from, to)) as [
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  const moves = (component: Float32Array): boolean => component.some((x) => x !== component[0]);
  const vertical = moves(up) ? up : moves(north) ? north : east;
  const horizontals = vertical === up && moves(east) && moves(north) ? [east, north] : [];
  return {
    record,
    from,
    seismogram: { rateHz: record.rateHz, vertical, horizontals },
    pSample: record.pSample === null ? null : record.pSample - from,
  };
}

/** Whether a record holds a value that is no number. */
export function isBroken({ components }: SeismicRecord): boolean {
  return components.some((component) => component.some((x) => !Number.isFinite(x)));
}
