import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import type { Principal } from '../domain/ports.ts';
import { sha256Hex } from '../models/hash.ts';
import { dataDirectory } from './config.ts';
import { CommandFailed, EXIT } from './exit-codes.ts';

const credentialsSchema = z.record(z.string(), z.string().min(1));

/** Principal id to key, as kept for the people of this machine in `credentials.json` (mode 0600). */
export type Credentials = z.infer<typeof credentialsSchema>;

/** Who exists on a Tocsin that was just started on one machine. */
const FIRST_PRINCIPALS: readonly Pick<Principal, 'id' | 'roles' | 'vendor'>[] = [
  { id: 'admin', roles: ['admin'] },
  { id: 'duty-officer', roles: ['operator', 'duty-officer'] },
  { id: 'plan-board', roles: ['manager', 'plan-board'] },
  { id: 'viewer', roles: ['viewer'] },
  { id: 'auditor', roles: ['auditor'] },
  { id: 'crew', roles: ['crew'] },
  { id: 'vendor-quakes', roles: ['vendor'], vendor: 'vendor-quakes' },
  { id: 'vendor-gas', roles: ['vendor'], vendor: 'vendor-gas' },
];

const fileIn = (directory: string): string => path.join(directory, 'credentials.json');

/**
 * The keys of the first principals, made on the first start and kept: a key is 32 random bytes, and the store
 * gets only its SHA-256.
 */
export function ensureCredentials(
  directory: string,
  tenant: string,
): {
  readonly credentials: Credentials;
  readonly principals: readonly Principal[];
  readonly created: boolean;
} {
  const known = readCredentials(directory) ?? {};
  const credentials = { ...known };
  for (const { id } of FIRST_PRINCIPALS) credentials[id] ??= newKey();
  const created = Object.keys(credentials).length > Object.keys(known).length;
  if (created) writeCredentials(directory, credentials);
  const principals = FIRST_PRINCIPALS.map((principal) => ({
    ...principal,
    tenant,
    keySha256: sha256Hex(credentials[principal.id]!),
    revokedAtMs: null,
  }));
  return { credentials, principals, created };
}

/** Adds one key to the file. */
export function keepCredential(directory: string, principal: string, key: string): void {
  writeCredentials(directory, { ...readCredentials(directory), [principal]: key });
}

export function newKey(): string {
  return `tocsin_${randomBytes(32).toString('base64url')}`;
}

/**
 * The key to call with: of `--as`, of TOCSIN_KEY, of TOCSIN_AS; undefined to call without one, which on loopback
 * may read.
 *
 * @throws CommandFailed (usage) when `--as` names nobody in the file
 */
export function chosenKey(as: string | undefined, env: NodeJS.ProcessEnv = process.env): string | undefined {
  const principal = as ?? (env['TOCSIN_KEY'] ? undefined : env['TOCSIN_AS']);
  if (principal === undefined) return env['TOCSIN_KEY'] || undefined;
  const directory = dataDirectory(env);
  const credentials = readCredentials(directory) ?? {};
  const key = credentials[principal];
  if (key !== undefined) return key;
  const names = Object.keys(credentials);
  throw new CommandFailed(
    EXIT.usage,
    'CREDENTIAL_UNKNOWN',
    names.length === 0
      ? `There are no credentials in ${fileIn(directory)}. Start Tocsin once on this machine, or give a key with TOCSIN_KEY.`
      : `There is no key for ${principal}. Known are: ${names.join(', ')}. Or give a key with TOCSIN_KEY.`,
  );
}

/** @throws CommandFailed (usage) when the file is not what it should be */
export function readCredentials(directory: string): Credentials | null {
  const file = fileIn(directory);
  let text: string;
  try {
    text = fs.readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new CommandFailed(
      EXIT.usage,
      'CREDENTIALS_UNREADABLE',
      `The credentials in ${file} cannot be read (${(error as NodeJS.ErrnoException).code}). They belong to the user who started Tocsin.`,
      { cause: error },
    );
  }
  try {
    return credentialsSchema.parse(JSON.parse(text));
  } catch (error) {
    throw new CommandFailed(
      EXIT.usage,
      'CREDENTIALS_UNREADABLE',
      `The credentials in ${file} are damaged. Move the file away and start Tocsin again: it makes new keys.`,
      { cause: error },
    );
  }
}

function writeCredentials(directory: string, credentials: Credentials): void {
  const file = fileIn(directory);
  const draft = `${file}.${process.pid}`;
  fs.mkdirSync(directory, { recursive: true, mode: 0o700 });
  fs.writeFileSync(draft, `${JSON.stringify(credentials, null, 2)}\n`, { mode: 0o600 });
  fs.renameSync(draft, file);
}
