import { RECOGNISER_GATE_REFUSED, RECOGNISER_NO_EARLIER } from '../../domain/classify/codes.ts';
import { driftOf, type DriftReport } from '../../domain/classify/drift.ts';
import type { Row } from '../../domain/classify/features.ts';
import { gate, type GateFinding } from '../../domain/classify/gate.ts';
import { noticeOf, SEVERE_NOTICE_CLASSES } from '../../domain/classify/notices.ts';
import { predict, type Recogniser } from '../../domain/classify/recogniser.ts';
import { NONE, shadowOf } from '../../domain/classify/registered.ts';
import { TocsinError } from '../../domain/errors.ts';
import type { RecogniserStore, StoredRecogniser, Stores } from '../../domain/ports.ts';
import { strongestBulletin } from '../../domain/receive.ts';
import type { EpochMs } from '../../domain/units.ts';
import { openRecogniser } from './artefacts.ts';
import { checkCanary } from './independent-check.ts';
import { judgingNotices } from './train-notices.ts';
import { loadWeekOfNotices } from './week-of-notices.ts';

/** Where no plan says otherwise. */
const USUAL_MIN_CONFIDENCE = 0.7;

/** @throws TocsinError RECOGNISER_UNKNOWN */
export async function storedVersion(
  recognisers: RecogniserStore,
  name: string,
  hash: string,
): Promise<StoredRecogniser> {
  const stored = await recognisers.get(name, hash);
  if (stored !== null) return stored;
  throw new TocsinError('RECOGNISER_UNKNOWN', `There is no recogniser ${name}@${hash}.`, {
    details: { name, hash },
  });
}

/** @throws TocsinError RECOGNISER_UNKNOWN, RECOGNISER_HASH_MISMATCH, RECOGNISER_DAMAGED or RECOGNISER_NEWER */
async function openStored(recognisers: RecogniserStore, name: string, hash: string): Promise<Recogniser> {
  return opened(await storedVersion(recognisers, name, hash));
}

const opened = ({ artefact, hash }: Pick<StoredRecogniser, 'artefact' | 'hash'>): Recogniser =>
  openRecogniser(artefact, hash).recogniser;

/** Who a version of this name would vote among, and the confidence that the plans in force ask of them. */
export interface Rivals {
  /** The version that votes now. */
  readonly active: StoredRecogniser | null;
  readonly others: readonly StoredRecogniser[];
  readonly minConfidence: number;
}

export async function rivalsOf(
  { recognisers, plans }: Pick<Stores, 'recognisers' | 'plans'>,
  name: string,
): Promise<Rivals> {
  const active = async (one: string): Promise<StoredRecogniser | null> => {
    const activation = await recognisers.active(one);
    return activation === null ? null : storedVersion(recognisers, one, activation.hash);
  };
  const others = (await recognisers.names()).filter((other) => other !== name);
  return {
    active: await active(name),
    others: (await Promise.all(others.map(active))).filter((other) => other !== null),
    minConfidence: await leastConfidence(plans, name),
  };
}

export interface GateReport {
  /** Canary rows answered again, by this version and, for trees, by the independent library. */
  readonly canaryRows: number;
  /** Empty when no version votes yet: there is nothing to be compared with. */
  readonly findings: readonly GateFinding[];
}

/**
 * Checks a stored version against the one that votes, on the judging part of the week of notices.
 *
 * @throws TocsinError RECOGNISER_CANARY_DIFFERS, or RECOGNISER_GATE_REFUSED with every finding in its details
 */
export async function passGate(
  stores: Pick<Stores, 'recognisers' | 'plans'>,
  name: string,
  hash: string,
): Promise<GateReport> {
  const candidate = await openStored(stores.recognisers, name, hash);
  const canaryRows = checkCanary(candidate);
  const rivals = await rivalsOf(stores, name);
  if (rivals.active === null) return { canaryRows, findings: [] };
  const findings = await gateAgainst(candidate, { ...rivals, active: rivals.active });
  const failed = findings.filter(({ passed }) => !passed);
  if (failed.length > 0) {
    throw new TocsinError(
      RECOGNISER_GATE_REFUSED,
      `${name}@${hash.slice(0, 12)} may not take the place of the version that votes: ${failed.map(({ reason }) => reason).join('; ')}.`,
      { details: { name, hash, findings } },
    );
  }
  return { canaryRows, findings };
}

/** Findings of the gate on the judging part of the week of notices. */
export async function gateAgainst(
  candidate: Recogniser,
  {
    active,
    others,
    minConfidence,
  }: {
    readonly active: Pick<StoredRecogniser, 'artefact' | 'hash'>;
    readonly others: readonly Pick<StoredRecogniser, 'artefact' | 'hash'>[];
    readonly minConfidence: number;
  },
): Promise<GateFinding[]> {
  return gate({
    candidate,
    active: opened(active),
    others: others.map(opened),
    ...judgingNotices(await loadWeekOfNotices()),
    severe: SEVERE_NOTICE_CLASSES,
    minConfidence,
  });
}

/** The confidence that the plans in force ask of a vote this recogniser has a part in. */
async function leastConfidence(plans: Stores['plans'], name: string): Promise<number> {
  const asked: number[] = [];
  for (const planId of await plans.plans()) {
    const active = await plans.active(planId);
    const version = active === null ? null : await plans.version(planId, active.hash);
    const spec = version?.document.classify;
    if (spec?.by.kind === 'vote' && spec.by.recognisers.includes(name)) asked.push(spec.minConfidence);
  }
  return asked.length === 0 ? USUAL_MIN_CONFIDENCE : Math.min(...asked);
}

/**
 * The last version that voted before the present one and is another.
 *
 * @throws TocsinError RECOGNISER_NO_EARLIER
 */
export async function earlierVersion(recognisers: RecogniserStore, name: string): Promise<string> {
  const activations = await recognisers.activations(name);
  const present = activations.at(-1)?.hash;
  const earlier = activations.filter(({ hash }) => hash !== present).at(-1);
  if (earlier !== undefined) return earlier.hash;
  throw new TocsinError(
    RECOGNISER_NO_EARLIER,
    `No earlier version of "${name}" has voted: there is nothing to go back to.`,
    { details: { name } },
  );
}

export interface WatchReport extends DriftReport {
  readonly name: string;
  readonly hash: string;
  /** Rows of the time before, which the recent ones are compared with. */
  readonly earlierRows: number;
  /** How the shadow answered the same recent rows; null when none runs. */
  readonly shadow: { readonly hash: string; readonly rows: number; readonly agrees: number } | null;
}

/** Incidents read for a report. */
const INCIDENTS_READ = 1_000;

/**
 * Drift of the version that votes, over the bulletins that incidents were classified by: those since `sinceMs`
 * against those before. Truth is what a person answered when asked for the type.
 *
 * @throws TocsinError RECOGNISER_UNKNOWN when no version votes
 */
export async function watchRecogniser(
  {
    recognisers,
    incidents,
  }: Pick<Stores, 'recognisers'> & { readonly incidents: Pick<Stores['incidents'], 'list'> },
  name: string,
  sinceMs: EpochMs,
): Promise<WatchReport> {
  const active = await recognisers.active(name);
  if (active === null) {
    throw new TocsinError('RECOGNISER_UNKNOWN', `No recogniser named "${name}" is active.`, {
      details: { name },
    });
  }
  const recogniser = await openStored(recognisers, name, active.hash);
  const recent: { row: Row; truth: string | null }[] = [];
  const earlier: Row[] = [];
  for (const { situation, openedAtMs } of await incidents.list({ limit: INCIDENTS_READ })) {
    const evidence = strongestBulletin(situation.evidence);
    if (evidence === undefined || evidence.bulletin.position === null) continue;
    const row = noticeOf(evidence.bulletin);
    if (openedAtMs < sinceMs) earlier.push(row);
    else {
      const answered = Object.values(situation.questions).find(
        ({ about, answer }) => about === 'type' && answer !== undefined,
      );
      recent.push({ row, truth: answered?.answer?.choice ?? null });
    }
  }
  const report = driftOf({
    recogniser,
    rows: recent.map(({ row }) => row),
    truths: recent.map(({ truth }) => truth),
    reference: earlier,
    minConfidence: USUAL_MIN_CONFIDENCE,
  });
  const shadow = await recognisers.active(shadowOf(name));
  return {
    ...report,
    name,
    hash: active.hash,
    earlierRows: earlier.length,
    shadow:
      shadow === null || shadow.hash === NONE
        ? null
        : await besideShadow(recognisers, name, shadow.hash, recogniser, recent),
  };
}

async function besideShadow(
  recognisers: RecogniserStore,
  name: string,
  hash: string,
  active: Recogniser,
  recent: readonly { readonly row: Row }[],
): Promise<NonNullable<WatchReport['shadow']>> {
  const recogniser = await openStored(recognisers, name, hash);
  const same = recent.filter(({ row }) => predict(recogniser, row).label === predict(active, row).label);
  return { hash, rows: recent.length, agrees: same.length };
}
