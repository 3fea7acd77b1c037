import type { VoteInput } from '../situation.ts';
import { createRandom } from '../random.ts';
import type { EpochMs } from '../units.ts';
import { encodeRow, type Row } from './features.ts';
import type { Verdict } from './labels.ts';
import type { Recogniser } from './recogniser.ts';

/** Most of the training rows that may come from one vendor: whoever speaks loudest must not decide what is learnt. */
export const VENDOR_SHARE_AT_MOST = 0.1;

/** A labelled incident as retraining sees it. */
export interface LabelledIncident {
  readonly verdict: Verdict;
  readonly closed: boolean;
  /** What the recognisers voted on; null when the record has none. */
  readonly input: VoteInput | null;
}

/** Why a labelled incident does not teach. The first reason that holds is counted. */
export type LeftOut =
  /** Fewer than two people have said what it was. */
  | 'one-person'
  | 'disputed'
  | 'not-closed'
  /** What people say it was is nothing that the recogniser tells apart. */
  | 'other-class'
  /** No recogniser voted in it, or before inputs were kept. */
  | 'no-input'
  /** The recogniser cannot read what was voted on: other inputs, or a value out of its kind. */
  | 'other-inputs'
  /** Observed in the time that judges: it must not teach what is judged. */
  | 'judging-period'
  /** The same row teaches already. */
  | 'teaches-already'
  /** Its vendor has its share. */
  | 'vendor-share';

export const LEFT_OUT: readonly LeftOut[] = [
  'one-person',
  'disputed',
  'not-closed',
  'other-class',
  'no-input',
  'other-inputs',
  'judging-period',
  'teaches-already',
  'vendor-share',
];

/** A row that incidents add to those a recogniser was first trained on. */
export interface AddedRow {
  readonly incidentId: string;
  readonly vendor: string;
  readonly label: string;
  readonly row: Row;
}

export interface PreparedRows {
  /** In order of the incidents' names. */
  readonly rows: readonly AddedRow[];
  /** Incidents that could teach, before the vendors' shares were cut. */
  readonly usable: number;
  readonly leftOut: Readonly<Record<LeftOut, number>>;
  /** Rows that each vendor offered, and how many of them teach. */
  readonly vendors: Readonly<Record<string, { readonly offered: number; readonly kept: number }>>;
}

export interface PreparationInput {
  readonly incidents: readonly LabelledIncident[];
  /** Whose classes and inputs the rows must have. */
  readonly recogniser: Pick<Recogniser, 'classes' | 'preprocessing'>;
  /** Rows that teach in any case; they count for the share, and come from no vendor. */
  readonly base: readonly Row[];
  /** From the first to the last row that judges. */
  readonly judging: { readonly fromMs: EpochMs; readonly untilMs: EpochMs };
  /** Decides which rows of a vendor that offers too many are kept. */
  readonly seed: number;
}

/**
 * Which closed incidents teach: those that two people or more called the same, whose input the recogniser can read,
 * once each, and of one vendor at most a tenth of all training rows. Which rows of a vendor with more are kept is
 * drawn by the seed and the incidents' names, not by label, value or order of arrival: a vendor cannot choose. The
 * same incidents give the same rows in whatever order they come.
 */
export function prepareRows({ incidents, recogniser, base, judging, seed }: PreparationInput): PreparedRows {
  const leftOut = Object.fromEntries(LEFT_OUT.map((reason) => [reason, 0])) as Record<LeftOut, number>;
  const known = new Set(base.map(keyOf));
  const ofVendor = new Map<string, AddedRow[]>();
  let usable = 0;
  for (const incident of inOrder(incidents)) {
    const found = rowOrReason(incident, recogniser, judging, known);
    if (typeof found === 'string') {
      leftOut[found]++;
      continue;
    }
    usable++;
    known.add(keyOf(found.row));
    ofVendor.set(found.vendor, [...(ofVendor.get(found.vendor) ?? []), found]);
  }
  const offered = [...ofVendor.values()].map((rows) => rows.length);
  const atMost = rowsPerVendor(base.length, offered);
  const rows: AddedRow[] = [];
  const vendors: [string, { offered: number; kept: number }][] = [];
  for (const [vendor, own] of [...ofVendor].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const kept = draw(own, atMost, seed);
    vendors.push([vendor, { offered: own.length, kept: kept.length }]);
    leftOut['vendor-share'] += own.length - kept.length;
    rows.push(...kept);
  }
  rows.sort((a, b) => (a.incidentId < b.incidentId ? -1 : 1));
  return { rows, usable, leftOut, vendors: Object.fromEntries(vendors) };
}

/**
 * The most rows that every vendor may bring, so that none has more than its share of `base` plus all that is kept.
 *
 * @param offered rows of each vendor.
 */
export function rowsPerVendor(base: number, offered: readonly number[]): number {
  const kept = (atMost: number): number => offered.reduce((sum, own) => sum + Math.min(own, atMost), base);
  // Kept rows grow ever slower with the bound, so the first bound that fails is followed by none that holds.
  let atMost = 0;
  const most = Math.max(0, ...offered);
  while (atMost < most && atMost + 1 <= VENDOR_SHARE_AT_MOST * kept(atMost + 1)) atMost++;
  return atMost;
}

function rowOrReason(
  { verdict, closed, input }: LabelledIncident,
  recogniser: PreparationInput['recogniser'],
  judging: PreparationInput['judging'],
  known: ReadonlySet<string>,
): AddedRow | LeftOut {
  if (verdict.state === 'alone') return 'one-person';
  if (verdict.state === 'disputed' || verdict.label === null) return 'disputed';
  if (!closed) return 'not-closed';
  if (!recogniser.classes.includes(verdict.label)) return 'other-class';
  if (input === null) return 'no-input';
  if (!canRead(recogniser, input.row)) return 'other-inputs';
  if (input.observedAtMs >= judging.fromMs && input.observedAtMs <= judging.untilMs) return 'judging-period';
  if (known.has(keyOf(input.row))) return 'teaches-already';
  return {
    incidentId: verdict.incidentId,
    vendor: input.vendor,
    label: verdict.label,
    // The artefact keeps some rows: their fields stand in one order, however they were stored.
    row: Object.fromEntries(
      recogniser.preprocessing.features.map(({ spec: { name } }) => [name, input.row[name] ?? null]),
    ),
  };
}

function canRead({ preprocessing }: PreparationInput['recogniser'], row: Row): boolean {
  const names = preprocessing.features.map(({ spec }) => spec.name);
  if (Object.keys(row).length !== names.length || !names.every((name) => name in row)) return false;
  try {
    encodeRow(preprocessing, row);
    return true;
  } catch {
    return false;
  }
}

function draw(rows: readonly AddedRow[], atMost: number, seed: number): readonly AddedRow[] {
  if (rows.length <= atMost) return rows;
  return rows
    .map((row) => ({ row, lot: createRandom(seed ^ hashOf(row.incidentId)).bits() }))
    .sort((a, b) => a.lot - b.lot || (a.row.incidentId < b.row.incidentId ? -1 : 1))
    .slice(0, atMost)
    .map(({ row }) => row);
}

/** FNV-1a, 32 bits. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash;
}

function inOrder(incidents: readonly LabelledIncident[]): LabelledIncident[] {
  return [...incidents].sort((a, b) => (a.verdict.incidentId < b.verdict.incidentId ? -1 : 1));
}

/** Two rows with the same values are one, whatever the order of their fields. */
function keyOf(row: Row): string {
  return JSON.stringify(
    Object.keys(row)
      .sort()
      .map((name) => [name, row[name]]),
  );
}
