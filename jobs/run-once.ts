import type { DurationMs } from '../domain/units.ts';
import type { Job, JobContext } from './job.ts';
import { slotOf } from './job.ts';

/**
 * Runs a job unless another runner has this slot. A job that throws is logged as an error and thrown on; its next
 * slot makes up for it.
 */
export async function runOnce(
  { job, everyMs, holder }: { readonly job: string; readonly everyMs: DurationMs; readonly holder: string },
  context: JobContext,
  run: Job['run'],
): Promise<'ran' | 'taken'> {
  const { jobRuns, log, now } = context;
  const slot = slotOf(now(), everyMs);
  if ((await jobRuns.claim({ job, slot, holder, atMs: now() })) === 'exists') {
    log.info({ job, slot }, 'another runner has this slot');
    return 'taken';
  }
  try {
    await run(context);
    return 'ran';
  } catch (error) {
    log.error({ job, slot, err: error }, 'job failed; its next run makes up for it');
    throw error;
  }
}
