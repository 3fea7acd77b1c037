import fs from 'node:fs';
import type { Command } from 'commander';
import { z } from 'zod';
import { createApiClient } from '../client.ts';
import { call, leaf } from '../command-line.ts';
import type { CallOptions } from '../command-line.ts';
import { CommandFailed, EXIT } from '../exit-codes.ts';
import { print, printJson, table } from '../output.ts';
import { ROUTES } from '../routes.ts';
import { withStores } from '../with-stores.ts';

export function declare(program: Command): void {
  const roster = program.command('roster').description('import and list units');
  call(roster, 'list', 'list units and what they do now', 'tocsin roster list --district hualien')
    .option('--district <district>', 'only of this district')
    .action(list);
  leaf(
    roster,
    'import <file>',
    'add or replace units from a JSON file: an array of { id, name: { en, zh }, district, capabilities, home: { latitudeDeg, longitudeDeg }, speedKmh }',
    'tocsin roster import units.json',
  ).action(importUnits);
}

const unitsSchema = z
  .array(
    z.strictObject({
      id: z.string().regex(/^[a-z0-9][a-z0-9-]{0,60}$/, 'must be lower-case letters, digits and -'),
      name: z.strictObject({ en: z.string().min(1), zh: z.string().min(1) }),
      district: z.string().min(1).max(60),
      capabilities: z.array(z.string().min(1)).min(1),
      home: z.strictObject({
        latitudeDeg: z.number().min(-90).max(90),
        longitudeDeg: z.number().min(-180).max(180),
      }),
      speedKmh: z.number().positive().max(1_000),
      fictional: z.boolean().default(false),
    }),
  )
  .min(1);

interface ListedUnit {
  readonly id: string;
  readonly name: { readonly en: string };
  readonly district: string;
  readonly capabilities: readonly string[];
  readonly fictional: boolean;
  readonly doing?: { readonly status: string; readonly incidentId: string } | null;
}

async function list(options: CallOptions & { district?: string }): Promise<void> {
  const { items } = await createApiClient(options).get<{ items: ListedUnit[] }>(ROUTES.units, {
    district: options.district,
  });
  if (options.json) return printJson({ items });
  if (items.length === 0) return print('No units. Import some with: tocsin roster import <file>');
  print(
    table(
      ['unit', 'name', 'district', 'can', 'doing'],
      items.map((unit) => [
        unit.id,
        nameOf(unit),
        unit.district,
        unit.capabilities.join(', '),
        unit.doing ? `${unit.doing.status}, ${unit.doing.incidentId}` : 'free',
      ]),
    ),
  );
}

/** Invented units say so, whatever they are called. */
const nameOf = ({ name, fictional }: ListedUnit): string =>
  fictional && !name.en.includes('fictional') ? `${name.en} (fictional)` : name.en;

async function importUnits(file: string, options: { json?: boolean }): Promise<void> {
  const units = read(file);
  await withStores(({ roster }) => roster.put(units));
  if (options.json) printJson({ imported: units.length });
  else print(`${units.length} units imported.`);
}

function read(file: string): z.output<typeof unitsSchema> {
  let value: unknown;
  try {
    value = JSON.parse(fs.readFileSync(file, 'utf8'));
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    throw new CommandFailed(EXIT.usage, 'ROSTER_UNREADABLE', `${file} cannot be read as JSON: ${said}`);
  }
  const parsed = unitsSchema.safeParse(value);
  if (!parsed.success) {
    const places = parsed.error.issues.map((issue) => `${file} [${issue.path.join('.')}]: ${issue.message}`);
    throw new CommandFailed(EXIT.usage, 'ROSTER_REFUSED', `Nothing was imported.\n${places.join('\n')}`);
  }
  const ids = parsed.data.map(({ id }) => id);
  const twice = ids.find((id, index) => ids.indexOf(id) !== index);
  if (twice !== undefined) {
    throw new CommandFailed(
      EXIT.usage,
      'ROSTER_REFUSED',
      `Nothing was imported: the unit ${twice} is in ${file} twice.`,
    );
  }
  return parsed.data;
}
