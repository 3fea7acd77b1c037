import type { JobContext } from './job.ts';

/** Below this share of the disk, or this many bytes, somebody must act now: ingestion stops when it is full. */
const LEAST_SHARE = 0.05;
const LEAST_BYTES = 512 * 1024 * 1024;

/** Warns at half of the way to the alarm: twice the least share and the least bytes. */
export function run({ disk, log }: JobContext): Promise<void> {
  const { freeBytes, totalBytes } = disk();
  const share = totalBytes === 0 ? 0 : freeBytes / totalBytes;
  const seen = { freeBytes, share: Math.round(share * 1_000) / 1_000 };
  if (share < LEAST_SHARE || freeBytes < LEAST_BYTES)
    log.error(seen, 'the disk is almost full: free some space');
  else if (share < 2 * LEAST_SHARE || freeBytes < 2 * LEAST_BYTES) log.warn(seen, 'the disk is filling up');
  else log.info(seen, 'disk looked at');
  return Promise.resolve();
}
