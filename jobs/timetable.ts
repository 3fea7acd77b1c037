import path from 'node:path';
import type { DurationMs } from '../domain/units.ts';

/** When each job runs, and which file it is. */
export interface Appointment {
  /** Verb first; also the name of its file. */
  readonly job: 'export-closed-bundles' | 'check-disk' | 'watch-recognisers';
  readonly everyMs: DurationMs;
  readonly file: string;
}

/** bree starts this for every job; it loads TypeScript and then the job. */
export const RUNNER = path.join(import.meta.dirname, 'run-job.mjs');

export function timetable(every: {
  readonly exportClosedBundlesMs: DurationMs;
  readonly checkDiskMs: DurationMs;
  readonly watchRecognisersMs: DurationMs;
}): Appointment[] {
  const at = (job: Appointment['job'], everyMs: DurationMs): Appointment => ({
    job,
    everyMs,
    file: path.join(import.meta.dirname, `${job}.ts`),
  });
  return [
    at('export-closed-bundles', every.exportClosedBundlesMs),
    at('check-disk', every.checkDiskMs),
    at('watch-recognisers', every.watchRecognisersMs),
  ];
}
