import fs from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';
import type { Bundle } from '../domain/audit/bundle.ts';
import { readBundle, writeBundle } from '../domain/audit/bundle.ts';
import { gatherBundle } from '../domain/audit/gather.ts';
import type { HistorySource } from '../domain/audit/gather.ts';
import type { Check } from '../domain/audit/verify.ts';
import { verifyBundle } from '../domain/audit/verify.ts';
import { TocsinError } from '../domain/errors.ts';
import type { Stores } from '../domain/ports.ts';
import { sha256Hex } from '../models/hash.ts';
import { CommandFailed, EXIT } from './exit-codes.ts';
import { replayHistories } from './replay.ts';

/** Collects the evidence about one incident. @throws TocsinError INCIDENT_UNKNOWN, EVIDENCE_MISSING */
export function collectBundle(
  incidentId: string,
  stores: Stores,
  histories: HistorySource,
  nowMs = Date.now(),
): Promise<Bundle> {
  return gatherBundle(
    incidentId,
    { ...stores, histories, sha256: sha256Hex, base64: (bytes) => Buffer.from(bytes).toString('base64') },
    { nowMs, versions: versions() },
  );
}

/** `incident/demo/earthquake/hualien/20180204T131252Z` becomes a file name. */
export function bundleFileName(incidentId: string): string {
  return `${incidentId.replace(/^incident\//, '').replaceAll('/', '--')}.tocsin-bundle.json`;
}

/** Writes the whole file or nothing. */
export function saveBundle(bundle: Bundle, file: string): void {
  const draft = `${file}.${process.pid}.draft`;
  try {
    fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    fs.writeFileSync(draft, writeBundle(bundle), { mode: 0o600 });
    fs.renameSync(draft, file);
  } catch (error) {
    fs.rmSync(draft, { force: true });
    throw new CommandFailed(
      EXIT.unavailable,
      'BUNDLE_NOT_WRITTEN',
      `The bundle cannot be written to ${file} (${(error as NodeJS.ErrnoException).code}). Choose another file with --out.`,
      { cause: error },
    );
  }
}

/** @throws CommandFailed (not found) or TocsinError BUNDLE_UNREADABLE */
export function openBundle(file: string): Bundle {
  let text: string;
  try {
    text = fs.readFileSync(file, 'utf8');
  } catch (error) {
    throw new CommandFailed(
      EXIT.notFound,
      'BUNDLE_UNKNOWN',
      `There is no bundle to read at ${file} (${(error as NodeJS.ErrnoException).code}).`,
      { cause: error },
    );
  }
  return readBundle(text);
}

/** Every check of a bundle, offline; the histories run through today's workflow code. */
export async function checkBundle(bundle: Bundle): Promise<Check[]> {
  return [...checkParts(bundle), ...(await replayBundle(bundle))];
}

/** Every check but the replay. */
export function checkParts(bundle: Bundle): Check[] {
  return verifyBundle(bundle, {
    sha256: sha256Hex,
    sha256OfBase64: (text) => sha256Hex(Buffer.from(text, 'base64')),
    decodeBase64: (text) => Buffer.from(text, 'base64').toString('utf8'),
  });
}

/** Only the replay. */
export async function replayBundle(bundle: Bundle): Promise<Check[]> {
  const histories = bundle.manifest.items
    .filter(({ kind, path: item }) => kind === 'history' && bundle.items[item] !== undefined)
    .map(({ path: item }) => ({
      item,
      // histories/<workflow id>/<number>-<run>.json
      workflowId: item.split('/').slice(1, -1).join('/'),
      historyJson: bundle.items[item]!,
    }));
  const problems = await replayHistories(histories);
  return histories.map(({ item }, index): Check => {
    const detail = problems[index]!;
    return { check: 'replay', item, ok: detail === '', detail };
  });
}

/** Wraps what a damaged file says of itself as a failed check, so that it is reported like the others. */
export function unreadable(error: unknown): Check {
  if (!(error instanceof TocsinError) || error.code !== 'BUNDLE_UNREADABLE') throw error;
  return { check: 'item-readable', item: 'bundle', ok: false, detail: error.message };
}

function versions(): Record<string, string> {
  const require = createRequire(import.meta.url);
  const of = (name: string): string => (require(name) as { version: string }).version;
  return {
    tocsin: of('../package.json'),
    node: process.versions.node,
    '@temporalio/worker': of('@temporalio/worker/package.json'),
  };
}
