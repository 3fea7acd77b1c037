import type { Command } from 'commander';
import { encodeForecaster } from '../../domain/forecast/artefact.ts';
import { activateForecaster } from '../../domain/forecast/register.ts';
import type { StoredForecasterCard } from '../../domain/forecast/register.ts';
import { sha256Hex } from '../../models/hash.ts';
import { leaf } from '../command-line.ts';
import { formatDuration } from '../duration.ts';
import { CommandFailed, EXIT } from '../exit-codes.ts';
import { print, printJson, table, timeText } from '../output.ts';
import { withStores } from '../with-stores.ts';
import { readForecaster } from './files.ts';

/** The register of trained forecasts that plans name. */
export function declareRegister(forecast: Command): void {
  leaf(
    forecast,
    'add',
    'put an artefact into the register, for plans to name; nothing uses it before it is activated',
    'tocsin forecast add --artefact gas.forecast --name well-gas --channel methane --unit %LEL',
  )
    .requiredOption('--artefact <file>', 'what train wrote')
    .requiredOption('--name <name>', 'by which plans name it')
    .option('--channel <channel>', 'of plans (default: the column it was trained on)')
    .option('--unit <unit>', 'of its values (default: what train was told)')
    .action(add);
  leaf(
    forecast,
    'activate <name> <hash>',
    'let plans use a version from now on, if it is whole and serves the plans in force; or an earlier one again',
    'tocsin forecast activate well-gas 4f1c... --reason "trained on two winters"',
  )
    .requiredOption('--reason <text>', 'why, for the record')
    .option('--as <principal>', 'act as this principal of .tocsin/credentials.json (default: admin)')
    .action(activate);
  leaf(forecast, 'list', 'the register: which version of each is in use', 'tocsin forecast list').action(
    list,
  );
}

interface AddOptions {
  readonly artefact: string;
  readonly name: string;
  readonly channel?: string;
  readonly unit?: string;
  readonly json?: boolean;
}

const NAME = /^[A-Za-z][A-Za-z0-9._-]{0,62}$/;

async function add(options: AddOptions): Promise<void> {
  const { stored, artefact } = await readForRegister(options);
  const { name, hash } = stored;
  await withStores(async ({ forecasters }) => {
    const outcome = await forecasters.insert({ name, hash, artefact, card: stored.card, atMs: Date.now() });
    const isNew = outcome === 'inserted';
    if (options.json) return printJson({ ...stored, stored: isNew });
    print(`${name}@${hash} ${isNew ? 'stored' : 'is there already, byte for byte'}`);
    print(`To let plans use it: tocsin forecast activate ${name} ${hash} --reason ...`);
  });
}

/**
 * What an artefact's file becomes in the register.
 *
 * @throws CommandFailed when the name is none, or nobody said in which unit it was trained; TocsinError FORECASTER_…
 */
export async function readForRegister({ artefact, name, channel, unit }: Omit<AddOptions, 'json'>): Promise<{
  readonly stored: { readonly name: string; readonly hash: string; readonly card: StoredForecasterCard };
  readonly artefact: Uint8Array;
}> {
  if (!NAME.test(name)) {
    throw new CommandFailed(EXIT.usage, 'NAME_INVALID', 'A name has letters, digits, ".", "_" and "-".');
  }
  const { forecaster, hash } = await readForecaster(artefact);
  const { card: training, everyMs, steps } = forecaster;
  const ofPlans = unit ?? training.unit;
  if (ofPlans === undefined) {
    throw new CommandFailed(
      EXIT.usage,
      'UNIT_MISSING',
      'Nobody said in which unit it was trained: give --unit, as plans declare it.',
    );
  }
  if (training.unit !== undefined && training.unit !== ofPlans) {
    throw new CommandFailed(
      EXIT.usage,
      'UNIT_DIFFERS',
      `It was trained in ${training.unit}, not in ${ofPlans}.`,
    );
  }
  const card = { name, channel: channel ?? training.channel, unit: ofPlans, everyMs, steps, training };
  return { stored: { name, hash, card }, artefact: encodeForecaster(forecaster) };
}

interface ActivateOptions {
  readonly reason: string;
  readonly as?: string;
  readonly json?: boolean;
}

async function activate(name: string, hash: string, { reason, as, json }: ActivateOptions): Promise<void> {
  const { actingPrincipal } = await import('../acting.ts');
  await withStores(async (stores) => {
    const by = (await actingPrincipal(stores, as)).id;
    const entry = { name, hash, by, reason, atMs: Date.now() };
    const { activation, isNew, gates } = await activateForecaster({ ...stores, sha256: sha256Hex }, entry);
    const { n } = activation;
    if (json) return printJson({ name, hash, n, activated: isNew, gates });
    for (const { reason: found } of gates) print(found);
    print(
      isNew
        ? `${name}@${hash} is used from now on (activation ${n})`
        : `${name}@${hash} is in use already (activation ${n})`,
    );
  });
}

async function list({ json }: { readonly json?: boolean }): Promise<void> {
  await withStores(async ({ forecasters }) => {
    const items = await Promise.all(
      (await forecasters.names()).map(async (name) => {
        const [activations, versions] = await Promise.all([
          forecasters.activations(name),
          forecasters.versions(name),
        ]);
        const active = activations.at(-1) ?? null;
        const inUse = versions.find(({ hash }) => hash === active?.hash);
        return {
          name,
          active,
          card: (inUse?.card ?? null) as StoredForecasterCard | null,
          versions: versions.map(({ hash, atMs }) => ({ hash, atMs })),
        };
      }),
    );
    if (json) return printJson({ items });
    if (items.length === 0) return print('No forecasters. Train one, then: tocsin forecast add');
    print(
      table(
        ['forecaster', 'in use', 'since', 'kind', 'channel', 'looks ahead', 'versions'],
        items.map(({ name, active, card, versions }) => [
          name,
          active?.hash.slice(0, 12) ?? 'none',
          active === null ? '-' : timeText(active.atMs),
          card?.training.kind ?? '-',
          card === null ? '-' : `${card.channel} in ${card.unit}`,
          card === null ? '-' : formatDuration(card.everyMs * card.steps),
          String(versions.length),
        ]),
      ),
    );
  });
}
