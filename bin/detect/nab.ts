import type { Command } from 'commander';
import { detectorNamed } from '../../domain/detect/detectors.ts';
import { leaf, parseCountOption } from '../command-line.ts';
import { facts, print, printJson, say, table } from '../output.ts';
import { readNabCorpus } from './nab-corpus.ts';
import { judge, parameterSets, scoresOf, twoFold } from './nab-judge.ts';
import { parseParametersOption } from './options.ts';

interface Options {
  readonly detector: string;
  readonly params?: Readonly<Record<string, number>>;
  readonly twoFold?: boolean;
  readonly splits: number;
  readonly seed: number;
  readonly json?: boolean;
}

export function declareNab(detect: Command): void {
  leaf(
    detect,
    'nab <folder>',
    'score a detector on a corpus in the layout of the Numenta benchmark: data/*/*.csv, labels/combined_windows.json',
    'tocsin detect nab ../shared/data/nab --two-fold --splits 16',
  )
    .option('--detector <name>', 'see tocsin detect list', 'auto')
    .option('--params <k=v,...>', 'parameters of the detector', parseParametersOption)
    .option('--two-fold', 'also tune parameters and threshold on one half of the streams and score the other')
    .option('--splits <n>', 'random halvings of the corpus', parseCountOption, 16)
    .option('--seed <n>', 'of the halvings', parseCountOption, 1)
    .action(run);
}

async function run(folder: string, options: Options): Promise<void> {
  const named = detectorNamed(options.detector, options.params);
  const corpus = await readNabCorpus(folder);
  const scores = scoresOf(corpus, named);
  const profiles = judge(corpus, scores);
  let heldOut: ReturnType<typeof twoFold> | undefined;
  if (options.twoFold) {
    const sets = parameterSets(named);
    say(`tuning over ${sets.length} parameter sets and the threshold, ${options.splits} splits`);
    heldOut = twoFold(corpus, sets, options);
  }
  if (options.json) {
    printJson({
      detector: options.detector,
      parameters: named.parameters,
      streams: corpus.length,
      windows: corpus.reduce((sum, { windows }) => sum + windows.length, 0),
      profiles,
      twoFold: heldOut ?? null,
    });
    return;
  }
  print(`${options.detector} on ${corpus.length} streams, one parameter set, one threshold a profile`);
  print(
    table(
      ['profile', 'score', 'threshold'],
      profiles.map(({ profile, score, threshold }) => [profile, score.toFixed(2), threshold.toPrecision(4)]),
    ),
  );
  if (heldOut === undefined) return;
  print('');
  print(
    facts([
      ['held-out half', `${heldOut.heldOut.mean.toFixed(1)} ± ${heldOut.heldOut.deviation.toFixed(1)}`],
      ['tuned half', `${heldOut.tuned.mean.toFixed(1)} ± ${heldOut.tuned.deviation.toFixed(1)}`],
      ['splits', `${heldOut.splits}, standard profile`],
    ]),
  );
}
