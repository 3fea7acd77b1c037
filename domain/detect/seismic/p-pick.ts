import { candidatesOf } from './p-candidates.ts';
import type { Seismogram } from './p-candidates.ts';
import { likelihoods } from './rank.ts';
import type { Ranking } from './rank.ts';
import { RANKING } from './ranking.ts';

export interface Pick {
  /** First sample of the P wave. */
  readonly sample: number;
  /** How likely it is the P wave, given that the record holds one: 0 to 1. */
  readonly likelihood: number;
}

/**
 * Picks the P wave of a record that can be looked at as a whole: rises of power in several bands are candidates,
 * each moved to its onset by the Akaike criterion, and a ranking learnt from picks of analysts chooses among them.
 *
 * @param seismogram at least 3 s, at 40 Hz or more; any unit; gaps filled with a constant
 * @returns the pick, or null where nothing rises
 */
export function pickP(seismogram: Seismogram, ranking: Ranking = RANKING): Pick | null {
  const candidates = candidatesOf(seismogram);
  if (candidates.length === 0) return null;
  const likely = likelihoods(candidates, ranking);
  const best = likely.indexOf(Math.max(...likely));
  return { sample: candidates[best]!.sample, likelihood: likely[best]! };
}
