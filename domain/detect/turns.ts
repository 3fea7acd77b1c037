import type { ReadingsEvidence } from '../evidence.ts';

/** What almost every reading brings, without an array each: no condition turned. */
export const NO_TURNS: readonly ReadingsEvidence[] = [];
