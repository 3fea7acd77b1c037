import { Context } from '@temporalio/activity';
import { RECOGNISER_CANARY_DIFFERS } from '../domain/classify/codes.ts';
import { verdictsOf } from '../domain/classify/labels.ts';
import { noticeRow } from '../domain/classify/notices.ts';
import type { Recogniser, RetrainingCard } from '../domain/classify/recogniser.ts';
import { NONE, retrainingsOf } from '../domain/classify/registered.ts';
import {
  prepareRows,
  VENDOR_SHARE_AT_MOST,
  type LabelledIncident,
  type PreparedRows,
} from '../domain/classify/retrain.ts';
import { TocsinError } from '../domain/errors.ts';
import type { FactStore, IncidentStore, LabelStore, PlanStore, RecogniserStore } from '../domain/ports.ts';
import type { Fact, VoteInput } from '../domain/situation.ts';
import type { EpochMs } from '../domain/units.ts';
import type { RetrainIncidents, RetrainInput, RetrainOutcome } from '../workflows/contract.ts';
import { openRecogniser } from './recognition/artefacts.ts';
import type { RecognitionPool } from './recognition/pool.ts';
import { rivalsOf, storedVersion } from './recognition/registry.ts';
import { noticeKindOf, type Sealed } from './recognition/retrain-notices.ts';
import { partNotices } from './recognition/train-notices.ts';
import { loadWeekOfNotices } from './recognition/week-of-notices.ts';

export interface RetrainActivities {
  /** Whether there is a version to hold a new one to, and enough to train it from. */
  prepareRetraining(input: RetrainInput): Promise<Prepared>;
  /** Writes how a retraining ended into the register, once for each run. */
  recordRetraining(ended: {
    readonly run: string;
    readonly by: string;
    readonly outcome: RetrainOutcome;
  }): Promise<void>;
}

export interface TrainActivities {
  /** Trains and judges on a CPU thread, and stores what passes. */
  trainCandidate(request: {
    readonly name: string;
    readonly by: string;
    readonly run: string;
    /** Labels given later do not count. */
    readonly asOfMs: EpochMs;
    /** The version that is to be beaten. */
    readonly activeHash: string;
  }): Promise<RetrainOutcome>;
}

export type Prepared =
  | { readonly ready: false; readonly outcome: RetrainOutcome }
  | { readonly ready: true; readonly asOfMs: EpochMs; readonly activeHash: string };

export interface RetrainParts {
  readonly labels: LabelStore;
  readonly incidents: IncidentStore;
  readonly facts: FactStore;
  readonly recognisers: RecogniserStore;
  readonly plans: PlanStore;
  readonly pool: RecognitionPool;
  readonly clock: () => EpochMs;
}

const HEARTBEAT_MS = 5_000;

export function createRetrainActivities(parts: RetrainParts): RetrainActivities & TrainActivities {
  const { recognisers, pool, clock } = parts;
  return {
    prepareRetraining: ({ name, incidentsAtLeast }) =>
      whileBeating(async () => {
        const ended = (
          result: RetrainOutcome['result'],
          reason: string,
          incidents: RetrainIncidents | null = null,
        ): Prepared => ({
          ready: false,
          outcome: { name, result, reason, hash: null, incidents, findings: [] },
        });
        const { active } = await rivalsOf(parts, name);
        if (active === null) return ended('no-active-version', `No version of "${name}" votes.`);
        const { recogniser } = openRecogniser(active.artefact, active.hash);
        if (noticeKindOf(recogniser) === null) {
          return ended('not-retrainable', `"${name}" is not one of the recognisers of notices.`);
        }
        const asOfMs = clock();
        const prepared = await preparedFrom(parts, recogniser, asOfMs);
        if (prepared.usable < incidentsAtLeast) {
          const reason = `${prepared.usable} closed incidents can teach; ${incidentsAtLeast} are needed.`;
          return ended('too-few-labels', reason, countsOf(prepared));
        }
        return { ready: true, asOfMs, activeHash: active.hash };
      }),

    trainCandidate: ({ name, by, run, asOfMs, activeHash }) =>
      whileBeating(async (signal) => {
        const stored = await storedVersion(recognisers, name, activeHash);
        const { recogniser } = openRecogniser(stored.artefact, activeHash);
        const kind = noticeKindOf(recogniser)!;
        const prepared = await preparedFrom(parts, recogniser, asOfMs);
        const incidents = countsOf(prepared);
        const { others, minConfidence } = await rivalsOf(parts, name);
        const ended = (
          result: RetrainOutcome['result'],
          reason: string,
          hash: string | null,
          findings: readonly string[],
        ): RetrainOutcome => ({ name, result, reason, hash, incidents, findings });
        let retrained: Awaited<ReturnType<RecognitionPool['retrainNotices']>>;
        try {
          retrained = await pool.retrainNotices(
            {
              kind,
              added: prepared.rows,
              seed: recogniser.seed,
              active: sealed(stored),
              others: others.map(sealed),
              minConfidence,
            },
            signal,
          );
        } catch (error) {
          if (!(error instanceof TocsinError) || error.code !== RECOGNISER_CANARY_DIFFERS) throw error;
          return ended('gate-refused', error.message, null, [error.message]);
        }
        const { trained, versus } = retrained;
        const { artefact, hash } = trained;
        const findings = retrained.findings.map(({ reason }) => reason);
        const failed = retrained.findings.filter(({ passed }) => !passed).map(({ reason }) => reason);
        if (failed.length > 0) return ended('gate-refused', `${failed.join('; ')}.`, null, findings);
        const retraining: RetrainingCard = {
          run,
          by,
          asOfMs,
          incidents,
          taughtPerClass: perClass(prepared, recogniser),
          vendors: prepared.vendors,
          vendorShareAtMost: VENDOR_SHARE_AT_MOST,
          leftOut: incidents.leftOut,
          versus,
          findings,
        };
        const card = { ...trained.card, retraining };
        const outcome = await recognisers.insert({ name, hash, artefact, card, atMs: asOfMs });
        // A repeated attempt meets what the first one stored.
        if (outcome === 'exists' && !(await isOwn(recognisers, name, hash, run))) {
          return ended('unchanged', 'The same rows gave a version that is stored already.', hash, findings);
        }
        return ended('trained', `${prepared.rows.length} closed incidents taught.`, hash, findings);
      }),

    async recordRetraining({ run, by, outcome: { name, result, reason, hash } }) {
      const list = retrainingsOf(name);
      const mark = `(run ${run})`;
      const earlier = await recognisers.activations(list);
      if (earlier.some((one) => one.reason.endsWith(mark))) return;
      await recognisers.activate({
        name: list,
        hash: hash ?? NONE,
        by,
        reason: `${result}: ${reason} ${mark}`,
        atMs: clock(),
      });
    },
  };
}

/** Only what a thread is to be sent. */
const sealed = ({ artefact, hash }: Sealed): Sealed => ({ artefact, hash });

async function isOwn(
  recognisers: RecogniserStore,
  name: string,
  hash: string,
  run: string,
): Promise<boolean> {
  const stored = await recognisers.get(name, hash);
  return (stored?.card['retraining'] as RetrainingCard | undefined)?.run === run;
}

/** Labels never change and closed incidents stay as they are: the same instant gives the same rows. */
async function preparedFrom(
  { labels, incidents, facts }: Pick<RetrainParts, 'labels' | 'incidents' | 'facts'>,
  recogniser: Recogniser,
  asOfMs: EpochMs,
): Promise<PreparedRows> {
  const given = (await labels.list()).filter(({ atMs }) => atMs <= asOfMs);
  const labelled: LabelledIncident[] = [];
  for (const verdict of verdictsOf(given)) {
    const view = verdict.state === 'agreed' ? await incidents.get(verdict.incidentId) : null;
    const closed = view?.phase === 'closed';
    const input = closed ? inputOf(await facts.of(verdict.incidentId)) : null;
    labelled.push({ verdict, closed, input });
  }
  const { judgeFromMs, teaching, judging } = partNotices(await loadWeekOfNotices());
  return prepareRows({
    incidents: labelled,
    recogniser,
    base: teaching.map(noticeRow),
    judging: { fromMs: judgeFromMs, untilMs: judging.at(-1)!.observedAtMs },
    seed: recogniser.seed,
  });
}

/** What the recognisers last voted on in an incident. */
function inputOf(record: readonly Fact[]): VoteInput | null {
  const voted = record.findLast(({ kind, data }) => kind === 'voted' && data['input'] !== undefined);
  return voted === undefined ? null : (voted.data['input'] as unknown as VoteInput);
}

function countsOf({ rows, usable, leftOut }: PreparedRows): RetrainIncidents {
  const out = Object.entries(leftOut).filter(([, count]) => count > 0);
  const cut = leftOut['vendor-share'];
  return {
    labelled: out.reduce((sum, [, count]) => sum + count, usable - cut),
    usable,
    taught: rows.length,
    leftOut: Object.fromEntries(out),
  };
}

function perClass({ rows }: PreparedRows, { classes }: Recogniser): Record<string, number> {
  return Object.fromEntries(classes.map((name) => [name, rows.filter(({ label }) => label === name).length]));
}

/** Work that takes longer than a heartbeat; `signal` aborts when Temporal gives the activity up. */
async function whileBeating<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const context = Context.current();
  const beating = setInterval(() => context.heartbeat(), HEARTBEAT_MS);
  try {
    return await work(context.cancellationSignal);
  } finally {
    clearInterval(beating);
  }
}
