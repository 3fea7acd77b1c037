import path from 'node:path';
import Bree from 'bree';
import { reportReady } from '../../embedded/role.ts';
import { RUNNER, timetable } from '../../jobs/timetable.ts';
import type { LoadedConfig } from '../config.ts';
import { closeWithParent, createLog } from './context.ts';

/** Housekeeping: each job in a thread of its own, at its times. Nothing is lost when this process is. */
export async function run(loaded: LoadedConfig): Promise<void> {
  const log = createLog('jobs', loaded);
  const closing = closeWithParent(log);
  const { jobs, retention } = loaded.config;
  const appointments = timetable({
    exportClosedBundlesMs: jobs.export_closed_bundles,
    checkDiskMs: jobs.check_disk,
    watchRecognisersMs: jobs.watch_recognisers,
    retrainRecognisersMs: jobs.retrain_recognisers,
  }).filter(({ job }) => job !== 'export-closed-bundles' || retention.bundle_before_expiry);

  const bree = new Bree({
    root: false,
    logger: false,
    errorHandler: (error, about) => log.error({ job: about?.name, err: error }, 'job failed'),
    jobs: appointments.map(({ job, everyMs, lookEveryMs, file }) => ({
      name: job,
      path: RUNNER,
      interval: lookEveryMs,
      worker: {
        workerData: {
          appointment: { job, everyMs, file, context: path.join(import.meta.dirname, 'job-context.ts') },
        },
        execArgv: [],
      },
    })),
  });
  closing.add('jobs', () => bree.stop());
  await bree.start();
  log.info({ jobs: appointments.map(({ job, everyMs }) => ({ job, everyMs })) }, 'keeping house');
  reportReady();
}
