import type { LastHeard } from '../../activities/dispatch.ts';

/** The newest evidence that an incident took, by the incident's clock: what reached it is what it has heard. */
export function createLastHeard(): LastHeard {
  return ({ evidence }) => Promise.resolve(evidence.at(-1)?.atMs ?? null);
}
