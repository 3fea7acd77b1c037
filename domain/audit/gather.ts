import { canonicalJson } from '../canonical.ts';
import { TocsinError } from '../errors.ts';
import type {
  FactStore,
  IncidentStore,
  PlanStore,
  ProposalStore,
  RecogniserStore,
  StoredRecogniser,
} from '../ports.ts';
import type { Fact, Situation } from '../situation.ts';
import type { EpochMs } from '../units.ts';
import type { Bundle, BundleItem, Sha256 } from './bundle.ts';
import { sealBundle } from './bundle.ts';

/** One run of a workflow as Temporal's JSON. */
export interface RecordedRun {
  readonly workflowId: string;
  readonly runId: string;
  readonly historyJson: string;
}

/** Where histories are read from. */
export interface HistorySource {
  /** All runs of a workflow id, oldest first; empty when there is none. */
  runs(workflowId: string): Promise<RecordedRun[]>;
}

export interface GatherPorts {
  readonly incidents: Pick<IncidentStore, 'get'>;
  readonly facts: Pick<FactStore, 'of'>;
  readonly plans: Pick<PlanStore, 'version'>;
  readonly recognisers: Pick<RecogniserStore, 'get'>;
  readonly proposals: Pick<ProposalStore, 'list' | 'decision'>;
  readonly histories: HistorySource;
  readonly sha256: Sha256;
  /** Bytes as base64. */
  readonly base64: (bytes: Uint8Array) => string;
}

/**
 * Collects everything about one incident.
 *
 * @throws TocsinError INCIDENT_UNKNOWN, or EVIDENCE_MISSING when a part of the record is gone
 */
export async function gatherBundle(
  incidentId: string,
  ports: GatherPorts,
  about: { readonly nowMs: EpochMs; readonly versions: Readonly<Record<string, string>> },
): Promise<Bundle> {
  // Histories first: what they tell is then in the facts already, and the facts are never behind them.
  const runs = await ports.histories.runs(incidentId);
  const view = await ports.incidents.get(incidentId);
  if (view === null) {
    throw new TocsinError('INCIDENT_UNKNOWN', `There is no incident ${incidentId}.`, {
      details: { incidentId },
    });
  }
  const facts = await ports.facts.of(incidentId);
  const plan = await ports.plans.version(view.planId, view.planHash);
  if (plan === null) throw missing(`the plan ${view.planId}@${view.planHash}`);
  if (runs.length === 0) throw missing('the history: Temporal no longer keeps it');

  const { document, ...version } = plan;
  const items: BundleItem[] = [
    { path: 'incident.json', kind: 'incident', text: canonicalJson(view) },
    { path: 'facts.jsonl', kind: 'facts', text: facts.map((fact) => `${canonicalJson(fact)}\n`).join('') },
    { path: 'approvals.json', kind: 'approvals', text: canonicalJson(approvalsOf(view.situation)) },
    { path: 'plan.json', kind: 'plan', text: canonicalJson(document) },
    { path: 'plan-version.json', kind: 'plan-version', text: canonicalJson(version) },
    ...runs.map((run, index) => historyItem(run, index)),
  ];
  for (const { name, hash } of votersIn(facts)) {
    const recogniser = await ports.recognisers.get(name, hash);
    if (recogniser === null) throw missing(`the recogniser ${name}@${hash}`);
    items.push(...recogniserItems(recogniser, ports.base64));
  }
  for (const proposal of await ports.proposals.list(view.planId)) {
    if (!proposal.evidence.includes(incidentId)) continue;
    const decision = await ports.proposals.decision(proposal.id);
    items.push({
      path: `proposals/${proposal.id}.json`,
      kind: 'proposal',
      text: canonicalJson({ proposal, decision }),
    });
    const refining = await ports.histories.runs(`refine/${proposal.id}`);
    items.push(...refining.map((run, index) => historyItem(run, index)));
  }
  return sealBundle(
    {
      incidentId,
      tenant: view.tenant,
      planId: view.planId,
      planHash: view.planHash,
      exportedAtMs: about.nowMs,
      versions: about.versions,
    },
    items,
    ports.sha256,
  );
}

/** What people were asked and said, and what they commanded. */
export function approvalsOf(situation: Situation): Pick<Situation, 'questions' | 'commands'> {
  return { questions: situation.questions, commands: situation.commands };
}

/** Every recogniser that voted in this incident. */
export function votersIn(facts: readonly Fact[]): { readonly name: string; readonly hash: string }[] {
  const voters = new Map<string, { name: string; hash: string }>();
  for (const { kind, data } of facts) {
    if (kind !== 'voted' || !Array.isArray(data['votes'])) continue;
    for (const vote of data['votes'] as { recogniser: string; hash: string }[]) {
      voters.set(`${vote.recogniser}@${vote.hash}`, { name: vote.recogniser, hash: vote.hash });
    }
  }
  return [...voters.values()];
}

/** Runs are numbered, so that their order does not hang on run ids. */
function historyItem(run: RecordedRun, index: number): BundleItem {
  const number = String(index + 1).padStart(4, '0');
  return {
    path: `histories/${run.workflowId}/${number}-${run.runId}.json`,
    kind: 'history',
    text: run.historyJson,
  };
}

function recogniserItems(recogniser: StoredRecogniser, base64: (bytes: Uint8Array) => string): BundleItem[] {
  const at = `recognisers/${recogniser.name}@${recogniser.hash}`;
  return [
    { path: `${at}/card.json`, kind: 'recogniser-card', text: canonicalJson(recogniser.card) },
    { path: `${at}/artefact`, kind: 'recogniser-artefact', text: base64(recogniser.artefact) },
  ];
}

function missing(what: string): TocsinError {
  return new TocsinError('EVIDENCE_MISSING', `The record is incomplete: there is no trace of ${what}.`);
}
