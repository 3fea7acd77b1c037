import type { RetrainOutcome } from '../../workflows/contract.ts';

/** How a retraining ends that gave a new version. */
export const trainedOutcome = (name: string): RetrainOutcome => ({
  name,
  result: 'trained',
  reason: '25 closed incidents taught.',
  hash: 'c'.repeat(64),
  incidents: { labelled: 30, usable: 25, taught: 25, leftOut: { 'one-person': 5 } },
  findings: [],
});
