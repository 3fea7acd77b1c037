import type { JobContext } from './job.ts';

/** Incidents looked at in one run; the rest come in the next. */
const AT_MOST = 50;

/**
 * Writes an evidence bundle for every closed incident that has none, before Temporal forgets its history. One that
 * cannot be bundled does not keep the others waiting.
 */
export async function run({ incidents, bundles, log }: JobContext): Promise<void> {
  const closed = (await incidents.list()).filter(
    ({ phase, incidentId }) => phase === 'closed' && !bundles.has(incidentId),
  );
  // Oldest first: its history is the next to be forgotten.
  const due = closed.sort((a, b) => a.writtenAtMs - b.writtenAtMs).slice(0, AT_MOST);
  let failed = 0;
  for (const { incidentId } of due) {
    try {
      await bundles.put(incidentId);
    } catch (error) {
      failed += 1;
      log.error({ incidentId, err: error }, 'evidence bundle not written');
    }
  }
  if (due.length > 0) log.info({ written: due.length - failed, failed }, 'evidence bundles written');
}
