import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import type { Command } from 'commander';
import type { StartedRetraining } from '../../activities/gateways.ts';
import type { BeforeAfter, RetrainingCard } from '../../domain/classify/recogniser.ts';
import { shadowOf } from '../../domain/classify/registered.ts';
import type { Stores } from '../../domain/ports.ts';
import type { RetrainingSituation, RetrainOutcome, RetrainResult } from '../../workflows/contract.ts';
import { SITUATION } from '../../workflows/contract.ts';
import { leaf, parseCountOption, parseDurationOption } from '../command-line.ts';
import { loadConfig } from '../config.ts';
import { CommandFailed, EXIT } from '../exit-codes.ts';
import type { ExitCode } from '../exit-codes.ts';
import { facts, print, printJson, say, spanText } from '../output.ts';
import { withStores } from '../with-stores.ts';

export function declareRetrain(recogniser: Command): void {
  leaf(
    recogniser,
    'retrain <name>',
    'train a recogniser again from closed incidents that two people labelled alike; nothing votes until activated',
    'tocsin recogniser retrain notice-forest --as plan-board',
  )
    .option('--as <principal>', 'act as this principal of .tocsin/credentials.json (default: admin)')
    .option('--at-least <n>', 'incidents that must be able to teach (default: the setting)', parseCountOption)
    .option('--shadow', 'let the new version answer beside the voters, for the record only')
    .option('--wait <duration>', 'how long to wait for its end', parseDurationOption, 15 * 60_000)
    .addHelpText(
      'after',
      '\nExit codes: 0 trained or unchanged, 1 refused by the gate or failed, 3 no version votes,\n4 too few labels or not a recogniser of notices, 5 not over within --wait (it goes on).',
    )
    .action(retrain);
}

const EXIT_OF = {
  trained: EXIT.ok,
  unchanged: EXIT.ok,
  'gate-refused': EXIT.failed,
  failed: EXIT.failed,
  'no-active-version': EXIT.notFound,
  'too-few-labels': EXIT.refused,
  'not-retrainable': EXIT.refused,
} as const satisfies Record<RetrainResult, ExitCode>;

interface RetrainOptions {
  readonly as?: string;
  readonly atLeast?: number;
  readonly shadow?: boolean;
  readonly wait: number;
  readonly json?: boolean;
}

async function retrain(name: string, options: RetrainOptions): Promise<void> {
  const { connectTemporal } = await import('../connections.ts');
  const { startRetraining } = await import('../../activities/gateways.ts');
  const { actingPrincipal } = await import('../acting.ts');
  const loaded = loadConfig();
  await withStores(async (stores) => {
    const by = (await actingPrincipal(stores, options.as)).id;
    const client = await connectTemporal(loaded);
    try {
      const incidentsAtLeast = options.atLeast ?? loaded.config.retraining.incidents_at_least;
      const { handle, started } = await startRetraining(client, { name, incidentsAtLeast, by });
      if (!started) say(`A retraining of ${name} is under way already: waiting for it.`);
      const outcome = await followed(client, handle, options.wait);
      const shadow = options.shadow === true && outcome.hash !== null;
      if (shadow) await runAsShadow(stores, outcome.name, outcome.hash, by);
      process.exitCode = EXIT_OF[outcome.result];
      if (options.json) printJson({ ...outcome, started, shadow });
      else await tell(stores, outcome, shadow);
    } finally {
      await client.connection.close();
    }
  }, loaded);
}

const LOOK_EVERY_MS = 1_000;
const QUERY_WITHIN_MS = 2_000;

/**
 * Says how it goes until it is over. Each call is waited for: one under way when the connection closes would end the
 * process with an error.
 *
 * @throws CommandFailed when it takes longer, or was ended from outside
 */
async function followed(
  client: Client,
  handle: StartedRetraining['handle'],
  waitMs: number,
): Promise<RetrainOutcome> {
  const untilMs = Date.now() + waitMs;
  let told = '';
  while ((await handle.describe()).status.name === 'RUNNING') {
    if (Date.now() >= untilMs) {
      throw new CommandFailed(
        EXIT.unavailable,
        'RETRAINING_GOES_ON',
        `${handle.workflowId} is not over after ${spanText(waitMs)} and goes on. Call it again to wait for its end.`,
      );
    }
    const state = await stateOf(client, handle);
    if (state !== told) say(`${state} ...`);
    told = state;
    await sleep(LOOK_EVERY_MS);
  }
  try {
    return await handle.result();
  } catch (cause) {
    throw new CommandFailed(EXIT.failed, 'RETRAINING_ENDED', `${handle.workflowId} was ended from outside.`, {
      cause,
    });
  }
}

/** A worker that is busy or away cannot answer; that is no reason to give up. */
async function stateOf(client: Client, handle: StartedRetraining['handle']): Promise<string> {
  try {
    const within = Date.now() + QUERY_WITHIN_MS;
    const situation = client.withDeadline(within, () => handle.query<RetrainingSituation>(SITUATION));
    return (await situation).state;
  } catch {
    return 'waiting for a worker';
  }
}

async function runAsShadow({ recognisers }: Stores, name: string, hash: string, by: string): Promise<void> {
  const reason = 'retrained, on trial';
  await recognisers.activate({ name: shadowOf(name), hash, by, reason, atMs: Date.now() });
}

async function tell(
  { recognisers }: Stores,
  { name, result, reason, hash, incidents, findings }: RetrainOutcome,
  shadow: boolean,
): Promise<void> {
  const lines: [string, string][] = [
    ['result', result],
    ['reason', reason],
  ];
  if (incidents !== null) {
    const { labelled, usable, taught, leftOut } = incidents;
    lines.push(['incidents', `${labelled} labelled, ${usable} can teach, ${taught} taught`]);
    const out = Object.entries(leftOut).map(([why, count]) => `${count} ${why}`);
    if (out.length > 0) lines.push(['left out', out.join(', ')]);
  }
  if (hash !== null) {
    lines.push(['version', `${name}@${hash}`]);
    const card = (await recognisers.get(name, hash))?.card['retraining'] as RetrainingCard | undefined;
    lines.push(...versusLines(card));
  }
  print(facts(lines));
  for (const finding of findings) print(`  ${finding}`);
  if (shadow) print(`${name}@${hash} answers beside the voters.`);
  if (hash !== null) {
    print(`\nNothing votes differently yet. To activate it:`);
    print(`  tocsin recogniser activate ${name} ${hash} --reason "..."`);
  }
}

/** How a retrained version stands beside the one that voted when it was made. */
export function versusLines(retraining: RetrainingCard | undefined): [string, string][] {
  if (retraining === undefined) return [];
  const { versus } = retraining;
  const share = (value: number | null): string => (value === null ? 'none' : value.toFixed(3));
  const line = (what: string, { before, after }: BeforeAfter): [string, string] => [
    what,
    `${share(after)}, before ${share(before)}`,
  ];
  return [
    line('accuracy', versus.accuracy),
    line('balanced accuracy', versus.balancedAccuracy),
    ...Object.entries(versus.recall).map(([name, recall]) => line(`recall of ${name}`, recall)),
  ];
}
