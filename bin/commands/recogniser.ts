import type { Command } from 'commander';
import type { RecogniserCard } from '../../domain/classify/recogniser.ts';
import { createApiClient } from '../client.ts';
import { call, leaf } from '../command-line.ts';
import type { CallOptions } from '../command-line.ts';
import { CommandFailed, EXIT } from '../exit-codes.ts';
import { facts, print, printJson, table, timeText } from '../output.ts';
import { addLearningOptions } from '../recogniser-options.ts';
import { ROUTES } from '../routes.ts';
import { declareTableCommands, trainFromTable } from './recogniser-table.ts';

export function declare(program: Command): void {
  const recogniser = program.command('recogniser').description('list, train and activate recognisers');
  call(recogniser, 'list', 'list recognisers and which version votes', 'tocsin recogniser list').action(list);
  call(
    recogniser,
    'show <name>',
    'show the card of the version that votes: data, metrics, confusion, bounds',
    'tocsin recogniser show notice-forest',
  ).action(show);
  addLearningOptions(
    leaf(
      recogniser,
      'train',
      'train on a table of your own into a file (--csv), or the notice recognisers into the store',
      'tocsin recogniser train --csv wine.csv --target quality --kind forest --weight balanced --out wine.rec',
    ).option('--csv <file>', 'CSV or ARFF file; without it the week of notices teaches, and the store keeps'),
  )
    .option('--out <file>', 'where the artefact goes')
    .option('--name <name>', 'of the recogniser (default: of the file)')
    .action(async (options: Parameters<typeof trainFromTable>[0]) =>
      options.csv === undefined ? train(options) : trainFromTable(options),
    );
  declareTableCommands(recogniser);
  leaf(
    recogniser,
    'activate <name> <hash>',
    'let a stored version vote from now on',
    'tocsin recogniser activate notice-forest 4f1c... --reason "retrained"',
  )
    .requiredOption('--reason <text>', 'why, for the record')
    .action(activate);
}

interface Card {
  readonly name: string;
  readonly hash: string;
  readonly active: boolean;
  readonly atMs: number;
  readonly card: RecogniserCard;
}

async function list(options: CallOptions): Promise<void> {
  const { items } = await createApiClient(options).get<{
    items: { name: string; active: { hash: string; n: number } | null }[];
  }>(ROUTES.recognisers);
  if (options.json) return printJson({ items });
  if (items.length === 0) return print('No recognisers. Train some with: tocsin recogniser train');
  print(
    table(
      ['recogniser', 'votes with', 'activation'],
      items.map(({ name, active }) => [
        name,
        active?.hash.slice(0, 12) ?? 'none',
        active === null ? '-' : String(active.n),
      ]),
    ),
  );
}

async function show(name: string, options: CallOptions): Promise<void> {
  const shown = await createApiClient(options).get<Card>(ROUTES.recogniser(name));
  if (options.json) return printJson(shown);
  const { judged, kind, split, crossValidation, importance } = shown.card;
  print(
    facts([
      ['recogniser', `${shown.name}@${shown.hash}`],
      ['kind', kind],
      ['stored', timeText(shown.atMs)],
      ['split', split.en],
      ['accuracy', judged.accuracy.toFixed(3)],
      ['balanced accuracy', withInterval(judged.balancedAccuracy, judged.balancedAccuracyInterval)],
      ...(crossValidation === null
        ? []
        : Object.entries(crossValidation.rules).map(
            ([rule, { balancedAccuracy, majority, logistic }]) =>
              [
                `cross-validated, ${rule}`,
                `${withInterval(balancedAccuracy.mean, balancedAccuracy)}; majority ${majority.balancedAccuracy.toFixed(3)}, logistic ${logistic.balancedAccuracy.mean.toFixed(3)}`,
              ] as const,
          )),
      [
        'most important',
        importance
          .slice(0, 3)
          .map(({ feature }) => feature)
          .join(', '),
      ],
    ]),
  );
  print('');
  print(
    table(
      ['truth, then answers', ...judged.classes],
      judged.confusion.map((row, index) => [judged.classes[index] ?? '', ...row.map(String)]),
    ),
  );
}

const withInterval = (
  value: number,
  { low, high }: { readonly low: number; readonly high: number },
): string => `${value.toFixed(3)} (95 %: ${low.toFixed(3)} to ${high.toFixed(3)})`;

async function train(options: { json?: boolean }): Promise<void> {
  const { openStores } = await import('../office.ts');
  const { trainNoticeRecognisers } = await import('../../activities/recognition/train-notices.ts');
  const { loadWeekOfNotices } = await import('../../activities/recognition/week-of-notices.ts');
  const office = await openStores();
  try {
    const trained = await trainNoticeRecognisers({ notices: await loadWeekOfNotices() });
    const stored = [];
    for (const { recogniser, hash, artefact, card } of [trained.forest, trained.svm]) {
      const { name } = recogniser;
      const outcome = await office.stores.recognisers.insert({
        name,
        hash,
        artefact,
        card: { ...card },
        atMs: Date.now(),
      });
      stored.push({ name, hash, stored: outcome === 'inserted', judged: card.judged });
    }
    if (options.json) return printJson({ recognisers: stored });
    for (const { name, hash, stored: isNew } of stored) {
      print(`${name}@${hash} ${isNew ? 'stored' : 'is there already, byte for byte'}`);
    }
  } finally {
    await office.close();
  }
}

async function activate(
  name: string,
  hash: string,
  options: { reason: string; json?: boolean },
): Promise<void> {
  const { openStores } = await import('../office.ts');
  const office = await openStores();
  try {
    const { recognisers } = office.stores;
    if ((await recognisers.get(name, hash)) === null) {
      throw new CommandFailed(EXIT.notFound, 'RECOGNISER_UNKNOWN', `There is no recogniser ${name}@${hash}.`);
    }
    const n = await recognisers.activate({
      name,
      hash,
      by: 'admin',
      reason: options.reason,
      atMs: Date.now(),
    });
    if (options.json) printJson({ name, hash, n });
    else print(`${name}@${hash} votes from now on (activation ${n})`);
  } finally {
    await office.close();
  }
}
