import { detectorNamed } from '../../domain/detect/detectors.ts';
import type { NamedDetector } from '../../domain/detect/detectors.ts';
import { bestScore, NAB_PROFILES, scoreAt, scoreSteps } from '../../domain/detect/nab-score.ts';
import type { ScoreSteps } from '../../domain/detect/nab-score.ts';
import { createRandom, shuffle } from '../../domain/random.ts';
import type { NabStream } from './nab-corpus.ts';

/** A fresh detector over every stream: its scores, row by row. */
export function scoresOf(corpus: readonly NabStream[], named: NamedDetector): Float64Array[] {
  const row = new Float64Array(1);
  return corpus.map(({ timesMs, values }) => {
    const detector = named.create();
    return values.map((value, i) => {
      row[0] = value;
      return detector.push(timesMs[i]!, row).score;
    });
  });
}

export interface ProfileScore {
  readonly profile: string;
  readonly score: number;
  readonly threshold: number;
}

export function judge(corpus: readonly NabStream[], scores: readonly Float64Array[]): ProfileScore[] {
  return NAB_PROFILES.map((profile) => ({
    profile: profile.name,
    ...bestScore(
      corpus.map(({ windows }, i) => scoreSteps(scores[i]!, windows, profile)),
      profile,
    ),
  }));
}

/** What tuning may choose from beside the threshold: a coarse grid about the defaults. Others are tuned by threshold only. */
const GRIDS: Readonly<Record<string, Readonly<Record<string, readonly number[]>>>> = {
  auto: { window: [10, 20, 30], memory: [2000, 5000], seasonRate: [0.05, 0.2] },
};

export function parameterSets(named: NamedDetector): NamedDetector[] {
  let sets: Readonly<Record<string, number>>[] = [named.parameters];
  for (const [name, values] of Object.entries(GRIDS[named.kind.name] ?? {})) {
    sets = sets.flatMap((set) => values.map((value) => ({ ...set, [name]: value })));
  }
  return sets.map((set) => detectorNamed(named.kind.name, set));
}

export interface Spread {
  readonly mean: number;
  readonly deviation: number;
}

/**
 * Chooses parameters and threshold on a random half of the streams and scores the other half with both frozen, and
 * then the other way about. Standard profile.
 */
export function twoFold(
  corpus: readonly NabStream[],
  sets: readonly NamedDetector[],
  { splits, seed }: { readonly splits: number; readonly seed: number },
): {
  readonly splits: number;
  readonly heldOut: Spread;
  readonly tuned: Spread;
  readonly heldOutScores: number[];
} {
  const profile = NAB_PROFILES[0]!;
  const steps = sets.map((named) => {
    const scores = scoresOf(corpus, named);
    return corpus.map(({ windows }, i) => scoreSteps(scores[i]!, windows, profile));
  });
  const random = createRandom(seed);
  const heldOut: number[] = [];
  const tuned: number[] = [];
  while (heldOut.length < splits) {
    const order = shuffle(Array.from(corpus.keys()), random);
    const halves = [order.slice(0, corpus.length >> 1), order.slice(corpus.length >> 1)] as const;
    for (const [mine, other] of [halves, [halves[1], halves[0]] as const]) {
      if (heldOut.length === splits) break;
      const of = (set: readonly ScoreSteps[], half: readonly number[]): ScoreSteps[] =>
        half.map((i) => set[i]!);
      const ranked = steps.map((set) => ({ set, ...bestScore(of(set, mine), profile) }));
      const chosen = ranked.reduce((best, each) => (each.score > best.score ? each : best));
      tuned.push(chosen.score);
      heldOut.push(scoreAt(chosen.threshold, of(chosen.set, other), profile));
    }
  }
  return { splits, heldOut: spread(heldOut), tuned: spread(tuned), heldOutScores: heldOut };
}

function spread(values: readonly number[]): Spread {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: Math.sqrt(squares / values.length) };
}
