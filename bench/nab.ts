/*
 * npm run bench -- nab: what `auto` scores on the given part of the Numenta benchmark with one parameter set (Q1, Q2),
 * and on halves that it was not tuned on (Q3). The reference is what the published table gives a Random Cut Forest on
 * the whole corpus; `floor` and `goal` are ratios to it.
 */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { readNabCorpus } from '../bin/detect/nab-corpus.ts';
import { judge, parameterSets, scoresOf, twoFold } from '../bin/detect/nab-judge.ts';
import { detectorNamed } from '../domain/detect/detectors.ts';
import { report, skip } from './harness.ts';

const FOLDER = path.join(import.meta.dirname, '..', '..', 'shared', 'data', 'nab');
const RANDOM_CUT_FOREST = { standard: 51.7, lowFp: 38.4 };

if (!existsSync(FOLDER)) skip('nab', `${FOLDER} is not there`);
else {
  const corpus = await readNabCorpus(FOLDER);
  const named = detectorNamed('auto');
  const [standard, lowFp] = judge(corpus, scoresOf(corpus, named));
  const figure = { unit: 'points', better: 'higher' } as const;
  const { standard: reference, lowFp: lowFpReference } = RANDOM_CUT_FOREST;
  report({
    ...figure,
    id: 'Q1 nab.standard',
    ours: standard!.score,
    reference,
    floor: 52 / reference,
    goal: 60 / reference,
  });
  report({
    ...figure,
    id: 'Q2 nab.low-FP',
    ours: lowFp!.score,
    reference: lowFpReference,
    floor: 38 / lowFpReference,
    goal: 48 / lowFpReference,
  });
  const { heldOut, heldOutScores } = twoFold(corpus, parameterSets(named), { splits: 16, seed: 1 });
  report({
    ...figure,
    id: 'Q3 nab.two-fold.held-out',
    ours: heldOut.mean,
    reference,
    min: Math.min(...heldOutScores) / reference,
    max: Math.max(...heldOutScores) / reference,
    n: heldOutScores.length,
    floor: 47 / reference,
    goal: 56 / reference,
  });
}
