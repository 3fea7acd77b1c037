import type { Command } from 'commander';
import type { RecogniserCard } from '../../domain/classify/recogniser.ts';
import { NONE, shadowOf } from '../../domain/classify/registered.ts';
import type { Stores } from '../../domain/ports.ts';
import { createApiClient } from '../client.ts';
import { call, leaf, parseCountOption } from '../command-line.ts';
import type { CallOptions } from '../command-line.ts';
import { CommandFailed, EXIT } from '../exit-codes.ts';
import { facts, print, printJson, table, timeText } from '../output.ts';
import { addLearningOptions } from '../recogniser-options.ts';
import { ROUTES } from '../routes.ts';
import { withStores } from '../with-stores.ts';
import { declareRetrain, versusLines } from './recogniser-retrain.ts';
import { declareTableCommands, driftTable, trainFromTable } from './recogniser-table.ts';

export function declare(program: Command): void {
  const recogniser = program.command('recogniser').description('list, train and activate recognisers');
  call(recogniser, 'list', 'list recognisers and which version votes', 'tocsin recogniser list').action(list);
  call(
    recogniser,
    'show <name> [hash]',
    'show the card of the version that votes, or of another: data, metrics, confusion, bounds',
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
  declareRetrain(recogniser);
  leaf(
    recogniser,
    'activate <name> <hash>',
    'let a stored version vote from now on, if it passes: canary, severe recall, accuracy, replay',
    'tocsin recogniser activate notice-forest 4f1c... --reason "retrained"',
  )
    .requiredOption('--reason <text>', 'why, for the record')
    .option('--as <principal>', 'act as this principal of .tocsin/credentials.json (default: admin)')
    .action(activate);
  leaf(
    recogniser,
    'rollback <name>',
    'let the version that voted before vote again',
    'tocsin recogniser rollback notice-forest --reason "too many questions"',
  )
    .requiredOption('--reason <text>', 'why, for the record')
    .option('--as <principal>', 'act as this principal of .tocsin/credentials.json (default: admin)')
    .action(rollback);
  leaf(
    recogniser,
    'shadow <name> [hash]',
    'let a stored version answer beside the voters, for the record only',
    'tocsin recogniser shadow notice-forest 4f1c... --reason "on trial"',
  )
    .option('--off', 'stop the shadow')
    .requiredOption('--reason <text>', 'why, for the record')
    .option('--as <principal>', 'act as this principal of .tocsin/credentials.json (default: admin)')
    .action(shadow);
  leaf(
    recogniser,
    'watch <name>',
    'drift of the version that votes: population, calibration, abstentions; exit code 1 on an alarm',
    'tocsin recogniser watch notice-forest --days 7',
  )
    .option('--days <n>', 'what counts as recent', parseCountOption, 7)
    .action(watch);
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
    items: {
      name: string;
      active: { hash: string; n: number } | null;
      shadow: string | null;
      retraining: { hash: string | null; atMs: number } | null;
    }[];
  }>(ROUTES.recognisers);
  if (options.json) return printJson({ items });
  if (items.length === 0) return print('No recognisers. Train some with: tocsin recogniser train');
  print(
    table(
      ['recogniser', 'votes with', 'activation', 'shadow', 'retrained'],
      items.map(({ name, active, shadow, retraining }) => [
        name,
        active?.hash.slice(0, 12) ?? 'none',
        active === null ? '-' : String(active.n),
        shadow?.slice(0, 12) ?? 'none',
        retraining === null
          ? 'never'
          : `${retraining.hash?.slice(0, 12) ?? 'nothing new'}, ${timeText(retraining.atMs)}`,
      ]),
    ),
  );
}

async function show(name: string, hash: string | undefined, options: CallOptions): Promise<void> {
  const route = hash === undefined ? ROUTES.recogniser(name) : ROUTES.recogniserVersion(name, hash);
  const shown = await createApiClient(options).get<Card>(route);
  if (options.json) return printJson(shown);
  const { judged, kind, split, crossValidation, importance, retraining } = shown.card;
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
      ...versusLines(retraining).map(
        ([what, both]) => [`beside ${retraining!.versus.hash.slice(0, 12)}: ${what}`, both] as const,
      ),
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

async function train(options: { json?: boolean; seed?: number }): Promise<void> {
  const { trainNoticeRecognisers } = await import('../../activities/recognition/train-notices.ts');
  const { loadWeekOfNotices } = await import('../../activities/recognition/week-of-notices.ts');
  await withStores(async ({ recognisers }) => {
    const trained = await trainNoticeRecognisers({
      notices: await loadWeekOfNotices(),
      ...(options.seed === undefined ? {} : { seed: options.seed }),
    });
    const stored = [];
    for (const { recogniser, hash, artefact, card } of [trained.forest, trained.svm]) {
      const { name } = recogniser;
      const outcome = await recognisers.insert({ name, hash, artefact, card: { ...card }, atMs: Date.now() });
      stored.push({ name, hash, stored: outcome === 'inserted', judged: card.judged });
    }
    if (options.json) return printJson({ recognisers: stored });
    for (const { name, hash, stored: isNew } of stored) {
      print(`${name}@${hash} ${isNew ? 'stored' : 'is there already, byte for byte'}`);
    }
  });
}

async function activate(name: string, hash: string, options: RegisterOptions): Promise<void> {
  const { passGate } = await import('../../activities/recognition/registry.ts');
  await withStores(async (stores) => {
    const entry = await entryFor(stores, options);
    const { canaryRows, findings } = await passGate(stores, name, hash);
    const n = await stores.recognisers.activate({ ...entry, name, hash });
    if (options.json) return printJson({ name, hash, n, canaryRows, findings });
    for (const { reason } of findings) print(reason);
    print(`${name}@${hash} votes from now on (activation ${n}; ${canaryRows} canary rows answered again)`);
  });
}

async function rollback(name: string, options: RegisterOptions): Promise<void> {
  const { earlierVersion } = await import('../../activities/recognition/registry.ts');
  await withStores(async (stores) => {
    const { recognisers } = stores;
    const entry = await entryFor(stores, options);
    const hash = await earlierVersion(recognisers, name);
    const n = await recognisers.activate({ ...entry, name, hash });
    if (options.json) printJson({ name, hash, n });
    else print(`${name}@${hash} votes again (activation ${n})`);
  });
}

async function shadow(
  name: string,
  hash: string | undefined,
  options: RegisterOptions & { off?: boolean },
): Promise<void> {
  if ((hash === undefined) !== (options.off === true)) {
    throw new CommandFailed(EXIT.usage, 'OPTION_MISSING', 'Give the hash of a version, or --off.');
  }
  await withStores(async (stores) => {
    const { recognisers } = stores;
    const entry = await entryFor(stores, options);
    if (hash !== undefined && (await recognisers.get(name, hash)) === null) {
      throw new CommandFailed(EXIT.notFound, 'RECOGNISER_UNKNOWN', `There is no recogniser ${name}@${hash}.`);
    }
    const n = await recognisers.activate({ ...entry, name: shadowOf(name), hash: hash ?? NONE });
    if (options.json) printJson({ name, shadow: hash ?? null, n });
    else
      print(hash === undefined ? `${name} has no shadow now` : `${name}@${hash} answers beside the voters`);
  });
}

async function watch(name: string, options: { days: number; json?: boolean }): Promise<void> {
  const { watchRecogniser } = await import('../../activities/recognition/registry.ts');
  await withStores(async (stores) => {
    const report = await watchRecogniser(stores, name, Date.now() - options.days * DAY_MS);
    if (report.alarm) process.exitCode = EXIT.failed;
    if (options.json) return printJson(report);
    print(
      `${name}@${report.hash.slice(0, 12)}: ${report.rows} recent rows, ${report.earlierRows} earlier ones`,
    );
    if (!report.enough) print('Too few rows to tell: 30 recent and 30 earlier ones are needed.');
    print(driftTable(report));
    if (report.shadow !== null) {
      const { hash, rows, agrees } = report.shadow;
      print(`shadow ${hash.slice(0, 12)} says the same on ${agrees} of ${rows} rows`);
    }
  });
}

const DAY_MS = 86_400_000;

interface RegisterOptions {
  readonly reason: string;
  readonly as?: string;
  readonly json?: boolean;
}

/** What every line of the register says: who wrote it, why and when. */
async function entryFor(
  stores: Stores,
  { as, reason }: RegisterOptions,
): Promise<{ readonly by: string; readonly reason: string; readonly atMs: number }> {
  const { actingPrincipal } = await import('../acting.ts');
  return { by: (await actingPrincipal(stores, as)).id, reason, atMs: Date.now() };
}
