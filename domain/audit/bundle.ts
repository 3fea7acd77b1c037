import { canonicalJson } from '../canonical.ts';
import { TocsinError } from '../errors.ts';
import type { EpochMs } from '../units.ts';

/**
 * An evidence bundle: everything about one incident in one file, with the hash of every part. One file and not a
 * folder, because it is mailed, filed and compared whole: a part can be changed, but not lost on the way.
 *
 * The hashes show that the parts belong together and are unchanged since the export. That the whole was not made
 * anew by someone else shows only `manifestSha256`, when it was kept elsewhere at the export.
 */
export interface Bundle {
  readonly format: 'tocsin/bundle/v1';
  /** SHA-256 of the manifest's canonical JSON: the bundle's name. */
  readonly manifestSha256: string;
  readonly manifest: Manifest;
  /** Text of each item by its path. */
  readonly items: Readonly<Record<string, string>>;
}

export interface Manifest {
  readonly incidentId: string;
  readonly tenant: string;
  readonly planId: string;
  readonly planHash: string;
  readonly exportedAtMs: EpochMs;
  /** What exported it: `tocsin`, `node`, `temporal-sdk`. */
  readonly versions: Readonly<Record<string, string>>;
  /** In order of path. */
  readonly items: readonly ManifestItem[];
}

export interface ManifestItem {
  readonly path: string;
  readonly kind: ItemKind;
  /** SHA-256 of the item's text in UTF-8, lower-case hexadecimal. */
  readonly sha256: string;
}

/**
 * - `incident`: the incident's view as the store had it
 * - `facts`: one fact a line, canonical JSON, in order
 * - `approvals`: questions with their answers, and commands
 * - `plan`: the plan document, canonical JSON: its SHA-256 is the plan's hash
 * - `plan-version`: who published it when
 * - `recogniser-card`: JSON; `recogniser-artefact`: base64
 * - `history`: one run of a workflow, Temporal's JSON
 * - `proposal`: a change of the plan that this incident was evidence for
 */
export type ItemKind =
  | 'incident'
  | 'facts'
  | 'approvals'
  | 'plan'
  | 'plan-version'
  | 'recogniser-card'
  | 'recogniser-artefact'
  | 'history'
  | 'proposal';

/** SHA-256 of the text's UTF-8 bytes, lower-case hexadecimal. */
export type Sha256 = (text: string) => string;

export interface BundleItem {
  readonly path: string;
  readonly kind: ItemKind;
  readonly text: string;
}

/** Puts the items and their hashes together. */
export function sealBundle(
  head: Omit<Manifest, 'items'>,
  items: readonly BundleItem[],
  sha256: Sha256,
): Bundle {
  const ordered = [...items].sort((a, b) => (a.path < b.path ? -1 : 1));
  const manifest: Manifest = {
    ...head,
    items: ordered.map(({ path, kind, text }) => ({ path, kind, sha256: sha256(text) })),
  };
  return {
    format: 'tocsin/bundle/v1',
    manifestSha256: sha256(canonicalJson(manifest)),
    manifest,
    items: Object.fromEntries(ordered.map(({ path, text }) => [path, text])),
  };
}

/** The one text of a bundle. */
export function writeBundle(bundle: Bundle): string {
  return `${canonicalJson(bundle)}\n`;
}

/**
 * Reads a bundle's text. Only the one text that `writeBundle` makes is taken: a byte that means nothing to a JSON
 * parser would otherwise be a byte that nobody checks.
 *
 * @throws TocsinError BUNDLE_UNREADABLE
 */
export function readBundle(text: string): Bundle {
  const value = parse(text);
  if (!isBundle(value)) {
    throw new TocsinError(
      'BUNDLE_UNREADABLE',
      'This is not an evidence bundle of the form tocsin/bundle/v1.',
    );
  }
  if (writeBundle(value) !== text) {
    throw new TocsinError(
      'BUNDLE_UNREADABLE',
      'This bundle is not as it was written: spelling, order or spacing differ. Export it again.',
    );
  }
  return value;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new TocsinError('BUNDLE_UNREADABLE', 'This is not an evidence bundle: it is not JSON.', { cause });
  }
}

function isBundle(value: unknown): value is Bundle {
  if (!isRecord(value) || value['format'] !== 'tocsin/bundle/v1') return false;
  const { manifest, items, manifestSha256 } = value;
  return (
    typeof manifestSha256 === 'string' &&
    isRecord(items) &&
    Object.values(items).every((item) => typeof item === 'string') &&
    isRecord(manifest) &&
    ['incidentId', 'tenant', 'planId', 'planHash'].every((key) => typeof manifest[key] === 'string') &&
    typeof manifest['exportedAtMs'] === 'number' &&
    isRecord(manifest['versions']) &&
    Array.isArray(manifest['items']) &&
    manifest['items'].every(
      (item) => isRecord(item) && ['path', 'kind', 'sha256'].every((key) => typeof item[key] === 'string'),
    )
  );
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
