import type { JobContext } from './job.ts';

/** Starts the retraining of every recogniser that votes; a workflow does the work, and people activate what it makes. */
export async function run({ retrainRecognisers, log }: JobContext): Promise<void> {
  for (const { name, started } of await retrainRecognisers()) {
    log.info({ recogniser: name }, started ? 'retraining started' : 'retraining is under way already');
  }
}
