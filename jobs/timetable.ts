import path from 'node:path';
import type { DurationMs } from '../domain/units.ts';

/** When each job runs, and which file it is. */
export interface Appointment {
  /** Verb first; also the name of its file. */
  readonly job: 'export-closed-bundles' | 'check-disk' | 'watch-recognisers' | 'retrain-recognisers';
  readonly everyMs: DurationMs;
  /** How often it is looked whether this period's run is still to come: a restart must not put it off for a week. */
  readonly lookEveryMs: DurationMs;
  readonly file: string;
}

/** bree starts this for every job; it loads TypeScript and then the job. */
export const RUNNER = path.join(import.meta.dirname, 'run-job.mjs');

const LOOK_EVERY_AT_MOST_MS = 3_600_000;

export function timetable(every: {
  readonly exportClosedBundlesMs: DurationMs;
  readonly checkDiskMs: DurationMs;
  readonly watchRecognisersMs: DurationMs;
  readonly retrainRecognisersMs: DurationMs;
}): Appointment[] {
  const at = (job: Appointment['job'], everyMs: DurationMs): Appointment => ({
    job,
    everyMs,
    lookEveryMs: Math.min(everyMs, LOOK_EVERY_AT_MOST_MS),
    file: path.join(import.meta.dirname, `${job}.ts`),
  });
  return [
    at('export-closed-bundles', every.exportClosedBundlesMs),
    at('check-disk', every.checkDiskMs),
    at('watch-recognisers', every.watchRecognisersMs),
    at('retrain-recognisers', every.retrainRecognisersMs),
  ];
}
