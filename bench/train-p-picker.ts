/*
 * npm run bench -- train-p-picker: learns the ranking of P wave candidates from the records at hand and writes
 * domain/detect/seismic/ranking.ts. Held-out figures are those of `npm run bench -- seismic`, which learns from one
 * half and picks on the other.
 */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { FEATURES } from '../domain/detect/seismic/p-candidates.ts';
import { learnFrom, recordsAtHand } from './seismic-records.ts';

const records = await recordsAtHand();
if (records === null) {
  process.stderr.write('There are no records in ../shared/data/phasenet.\n');
  process.exit(1);
}
const provenance = `Learnt from ${records.length} regional records of the PhaseNet samples, 8 crops each.`;
const { mean, scale, weight } = learnFrom(records, provenance);
const rounded = (values: readonly number[]): string =>
  `[${values.map((x) => Number(x.toPrecision(6))).join(', ')}]`;
const source = `import type { Ranking } from './rank.ts';

/**
 * Which rise of a record is its P wave. ${provenance}
 * Written by \`npm run bench -- train-p-picker\`; not edited by hand. Method: \`trainRanking\`.
 *
 * Data: PhaseNet's sample set (Zhu & Beroza 2019, Geophys. J. Int. 216; MIT licence), from the Northern California
 * Earthquake Data Center.
 */
export const RANKING: Ranking = {
  provenance: '${provenance}',
  features: ${JSON.stringify(FEATURES).replaceAll('"', "'")},
  mean: ${rounded(mean)},
  scale: ${rounded(scale)},
  weight: ${rounded(weight)},
};
`;
const file = path.join(import.meta.dirname, '../domain/detect/seismic/ranking.ts');
const { format, resolveConfig } = await import('prettier');
await writeFile(file, await format(source, { ...(await resolveConfig(file)), parser: 'typescript' }));
process.stdout.write(
  `${JSON.stringify({ written: 'domain/detect/seismic/ranking.ts', records: records.length })}\n`,
);
