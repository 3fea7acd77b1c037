import { cropped, readRecords } from '../bin/detect/records.ts';
import type { Crop, SeismicRecord } from '../bin/detect/records.ts';
import { candidatesOf } from '../domain/detect/seismic/p-candidates.ts';
import { trainRanking } from '../domain/detect/seismic/rank.ts';
import type { Ranking } from '../domain/detect/seismic/rank.ts';
import { createRandom } from '../domain/random.ts';

const FOLDER = '../shared/data/phasenet';
const RATE_HZ = 100;
const CROPS = 8;
const NEAR_SECONDS = 0.5;

/** Labelled records, or null where they are absent. */
export async function recordsAtHand(): Promise<SeismicRecord[] | null> {
  try {
    return (await readRecords(FOLDER, RATE_HZ)).filter(({ pSample }) => pSample !== null);
  } catch {
    return null;
  }
}

/** Several random crops of each record; the same seed cuts the same. */
export function cropsOf(records: readonly SeismicRecord[], each: number, seed: number): Crop[] {
  return records.flatMap((record, index) => {
    const random = createRandom(seed).fork(index);
    return Array.from({ length: each }, () => cropped(record, random));
  });
}

export function learnFrom(records: readonly SeismicRecord[], provenance: string): Ranking {
  const taught = cropsOf(records, CROPS, 1).map(({ seismogram, pSample }) => {
    const candidates = candidatesOf(seismogram);
    const near = NEAR_SECONDS * seismogram.rateHz;
    return { candidates, right: candidates.map(({ sample }) => Math.abs(sample - pSample!) <= near) };
  });
  return trainRanking(taught, provenance);
}
