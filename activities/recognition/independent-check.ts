import { RandomForestClassifier } from 'ml-random-forest';
import { RECOGNISER_CANARY_DIFFERS } from '../../domain/classify/codes.ts';
import { encodeRow } from '../../domain/classify/features.ts';
import { forestLabel, type Forest } from '../../domain/classify/forest.ts';
import { toLibraryJson } from '../../domain/classify/forest-json.ts';
import { uncalibratedAnswer, type Recogniser } from '../../domain/classify/recogniser.ts';
import { TocsinError } from '../../domain/errors.ts';

/**
 * Answers the artefact's canary rows again and refuses the artefact when any answer is not the one it was given at
 * training (RECOGNISER_CANARY_DIFFERS). Forests and trees are answered twice: by our own walk and, as an independent
 * check, by ml-random-forest. Answers before calibration are compared, because the library knows no calibration.
 *
 * @returns how many rows were compared.
 */
export function checkCanary(recogniser: Recogniser): number {
  const { canary, classes, learnt, name, preprocessing, seed } = recogniser;
  const rows = canary.map(({ row }) => Array.from(encodeRow(preprocessing, row)));
  const compare = (who: string, answers: readonly number[]): void => {
    for (const [i, { answer }] of canary.entries()) {
      const given = classes[answers[i]!];
      if (given === answer) continue;
      throw new TocsinError(
        RECOGNISER_CANARY_DIFFERS,
        `Recogniser ${name}: canary row ${i + 1} was ${answer} at training, but ${who} says ${given}.`,
        { details: { recogniser: name, row: i + 1, expected: answer, actual: given, by: who } },
      );
    }
  };
  compare(
    'this version',
    rows.map((row) => uncalibratedAnswer(learnt, row, classes.length)),
  );
  if (learnt.kind === 'forest' || learnt.kind === 'tree') {
    compare('ml-random-forest', libraryAnswers(learnt.forest, rows, seed));
  }
  for (const member of learnt.kind === 'vote' ? learnt.members : []) {
    if (member.learnt.kind !== 'forest' && member.learnt.kind !== 'tree') continue;
    const { forest } = member.learnt;
    const theirs = libraryAnswers(forest, rows, seed);
    for (const [i, row] of rows.entries()) {
      const own = forestLabel(forest, row);
      if (own === theirs[i]) continue;
      throw new TocsinError(
        RECOGNISER_CANARY_DIFFERS,
        `Recogniser ${name}: on canary row ${i + 1} its forest says ${classes[own]}, but ml-random-forest says ${classes[theirs[i]!]}.`,
        { details: { recogniser: name, row: i + 1, expected: classes[own], actual: classes[theirs[i]!] } },
      );
    }
  }
  return rows.length;
}

function libraryAnswers(forest: Forest, rows: number[][], seed: number): readonly number[] {
  // The library's typings ask for fields that its own `load` never reads.
  type LibraryInput = Parameters<typeof RandomForestClassifier.load>[0];
  const json = toLibraryJson(forest, seed) as unknown as LibraryInput;
  return RandomForestClassifier.load(json).predict(rows);
}
