import type { JobContext } from './job.ts';

/** Raises an alarm for every recogniser whose inputs, confidence or abstentions are no longer what they were. */
export async function run({ watchRecognisers, log }: JobContext): Promise<void> {
  for (const { name, hash, rows, enough, alarm, monitors, shadow } of await watchRecognisers()) {
    const seen = { recogniser: name, hash, rows, shadow };
    const raised = monitors.filter((monitor) => monitor.alarm).map(({ reason }) => reason);
    if (alarm) log.error({ ...seen, raised }, 'a recogniser drifts: look at it, retrain it or go back');
    else log.info({ ...seen, enough }, 'recogniser looked at');
  }
}
