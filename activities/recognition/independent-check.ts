import { RandomForestClassifier } from 'ml-random-forest';
import { RECOGNISER_CANARY_DIFFERS } from '../../domain/classify/codes.ts';
import { encodeRow } from '../../domain/classify/features.ts';
import { forestLabel } from '../../domain/classify/forest.ts';
import { toLibraryJson } from '../../domain/classify/forest-json.ts';
import type { Recogniser } from '../../domain/classify/recogniser.ts';
import { TocsinError } from '../../domain/errors.ts';

/**
 * Predicts the artefact's canary rows again with ml-random-forest and refuses the artefact when any label differs
 * (RECOGNISER_CANARY_DIFFERS). The trees' own votes are compared, before calibration, which the library does not know.
 * Only forests and trees have such a second opinion: other kinds answer 0 rows.
 *
 * @returns how many rows were compared.
 */
export function checkWithLibrary(recogniser: Recogniser): number {
  const { learnt } = recogniser;
  if (learnt.kind !== 'forest' && learnt.kind !== 'tree') return 0;
  const rows = recogniser.canary.map(({ row }) => Array.from(encodeRow(recogniser.preprocessing, row)));
  // The library's typings ask for fields that its own `load` never reads.
  type LibraryInput = Parameters<typeof RandomForestClassifier.load>[0];
  const library = RandomForestClassifier.load(
    toLibraryJson(learnt.forest, recogniser.seed) as unknown as LibraryInput,
  );
  const theirs = library.predict(rows);
  for (const [i, row] of rows.entries()) {
    const ours = forestLabel(learnt.forest, row);
    if (ours !== theirs[i]) {
      throw new TocsinError(
        RECOGNISER_CANARY_DIFFERS,
        `Recogniser ${recogniser.name}: canary row ${i + 1} is ${recogniser.classes[ours]}, but the independent ` +
          `library says ${recogniser.classes[theirs[i]!]}.`,
        { details: { recogniser: recogniser.name, row: i + 1 } },
      );
    }
  }
  return rows.length;
}
