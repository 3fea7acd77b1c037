import { canonicalJson } from '../canonical.ts';
import type { IncidentView } from '../ports.ts';
import type { Fact, Situation } from '../situation.ts';
import type { Bundle, Sha256 } from './bundle.ts';
import { isRecord } from './bundle.ts';
import { approvalsOf, votersIn } from './gather.ts';
import type { DecodeBase64, ReadHistory } from './history.ts';
import { readHistory } from './history.ts';

/** One thing that was looked at. A failed one says what it expected and what it found. */
export interface Check {
  readonly check: CheckName;
  /** Path of the item, or `manifest`. */
  readonly item: string;
  readonly ok: boolean;
  readonly detail: string;
}

export type CheckName =
  | 'manifest-hash'
  | 'items-listed'
  | 'item-hash'
  | 'item-readable'
  | 'incident-agrees'
  | 'plan-hash'
  | 'facts-in-order'
  | 'approvals-agree'
  | 'approvals-in-history'
  | 'recogniser-hash'
  | 'runs-chained'
  | 'replay';

export interface VerifyTools {
  readonly sha256: Sha256;
  /** SHA-256 of the bytes behind a base64 text. */
  readonly sha256OfBase64: Sha256;
  readonly decodeBase64: DecodeBase64;
}

const APPROVAL_UPDATES = ['answer', 'approve'];

/**
 * Checks a bundle against itself, without any server: every hash, the plan that the history started with, facts
 * without gaps, approvals that are in facts and history alike, recognisers that are the ones that voted, runs that
 * follow each other. Replaying the histories is the caller's part: it needs the workflow runtime.
 */
export function verifyBundle(bundle: Bundle, tools: VerifyTools): Check[] {
  const { manifest, items } = bundle;
  const checks: Check[] = [...verifyHashes(bundle, tools)];
  const note = (check: CheckName, item: string, ok: boolean, detail: string): void => {
    checks.push({ check, item, ok, detail: ok ? '' : detail });
  };
  const read = <T>(item: string, reader: (text: string) => T | undefined): T | undefined => {
    const text = items[item];
    const value = text === undefined ? undefined : reader(text);
    if (value === undefined) note('item-readable', item, false, 'it is missing or cannot be read');
    return value;
  };

  const view = read('incident.json', (text) => parsed(text, isView));
  const facts = read('facts.jsonl', readFacts);
  const approvals = read('approvals.json', (text) => parsed(text, isRecord));
  const histories = manifest.items
    .filter((item) => item.kind === 'history')
    .flatMap(({ path }) => {
      const history = read(path, (text) => readHistory(text, tools.decodeBase64));
      return history === undefined ? [] : [{ path, history }];
    });
  const runs = histories.filter(({ path }) => path.startsWith(`histories/${manifest.incidentId}/`));

  if (view !== undefined) {
    note(
      'incident-agrees',
      'incident.json',
      view.incidentId === manifest.incidentId &&
        view.tenant === manifest.tenant &&
        view.planHash === manifest.planHash,
      'it belongs to another incident, tenant or plan than the manifest says',
    );
  }
  checks.push(...verifyPlan(bundle, runs, tools));
  if (facts !== undefined)
    note('facts-in-order', 'facts.jsonl', ...orderOf(facts, manifest.incidentId, view));
  if (approvals !== undefined && view !== undefined) {
    note(
      'approvals-agree',
      'approvals.json',
      items['approvals.json'] === canonicalJson(approvalsOf(view.situation)),
      'it differs from the questions and commands in incident.json',
    );
  }
  if (facts !== undefined) {
    checks.push(...verifyApprovals(facts, runs));
    checks.push(...verifyRecognisers(bundle, facts, tools));
  }
  checks.push(...verifyChain(runs));
  return checks;
}

function verifyHashes({ manifest, manifestSha256, items }: Bundle, { sha256 }: VerifyTools): Check[] {
  const actual = sha256(canonicalJson(manifest));
  const listed = new Set(manifest.items.map((item) => item.path));
  const strange = Object.keys(items).filter((path) => !listed.has(path));
  return [
    {
      check: 'manifest-hash',
      item: 'manifest',
      ok: actual === manifestSha256,
      detail: actual === manifestSha256 ? '' : `it says ${manifestSha256} and is ${actual}`,
    },
    ...strange.map((path): Check => ({
      check: 'items-listed',
      item: path,
      ok: false,
      detail: 'it is not in the manifest',
    })),
    ...manifest.items.map(({ path, sha256: expected }): Check => {
      const text = items[path];
      if (text === undefined)
        return { check: 'items-listed', item: path, ok: false, detail: 'it is missing' };
      const found = sha256(text);
      const ok = found === expected;
      return { check: 'item-hash', item: path, ok, detail: ok ? '' : `expected ${expected}, found ${found}` };
    }),
  ];
}

interface Run {
  readonly path: string;
  readonly history: ReadHistory;
}

/** The plan in the bundle is the one that every run was started with. */
function verifyPlan({ manifest, items }: Bundle, runs: readonly Run[], { sha256 }: VerifyTools): Check[] {
  const agrees = (item: string, found: string): Check => ({
    check: 'plan-hash',
    item,
    ok: found === manifest.planHash,
    detail: found === manifest.planHash ? '' : `the manifest says ${manifest.planHash}, here it is ${found}`,
  });
  return [
    agrees('plan.json', sha256(items['plan.json'] ?? '')),
    ...runs.flatMap(({ path, history: { input } }) => {
      const stated = isRecord(input) ? input['planHash'] : undefined;
      const document = isRecord(input) ? input['plan'] : undefined;
      return [
        agrees(path, typeof stated === 'string' ? stated : 'not stated'),
        agrees(path, isRecord(document) ? sha256(canonicalJson(document)) : 'not there'),
      ];
    }),
  ];
}

function orderOf(
  facts: readonly Fact[],
  incidentId: string,
  view: IncidentView | undefined,
): readonly [boolean, string] {
  const gap = facts.findIndex((fact, index) => fact.seq !== index || fact.incidentId !== incidentId);
  if (gap >= 0) return [false, `line ${gap + 1} should be fact ${gap} of ${incidentId}`];
  // Facts are written before the view, and an open incident may have written more since.
  const counted = view?.situation.factCount ?? 0;
  return facts.length >= counted
    ? [true, '']
    : [false, `the incident recorded ${counted} facts, here are ${facts.length}`];
}

/** Every answer and command that changed the incident stands once in a history, and the other way round. */
function verifyApprovals(facts: readonly Fact[], runs: readonly Run[]): Check[] {
  const updates = runs.flatMap(({ path, history }) =>
    history.updates
      .filter(({ outcome }) => outcome === 'completed')
      .flatMap(({ name, argument }) => {
        const act = isRecord(argument) ? actOfUpdate(name, argument) : undefined;
        return act === undefined ? [] : [{ path, act }];
      }),
  );
  const recorded = facts.flatMap((fact) => {
    const act = actOfFact(fact);
    return act === undefined ? [] : [{ seq: fact.seq, act }];
  });
  const unclaimed = [...updates];
  const checks = recorded.map(({ seq, act }): Check => {
    const at = unclaimed.findIndex((update) => update.act === act);
    if (at >= 0) unclaimed.splice(at, 1);
    return {
      check: 'approvals-in-history',
      item: 'facts.jsonl',
      ok: at >= 0,
      detail: at >= 0 ? '' : `fact ${seq} (${act}) is in no history`,
    };
  });
  return [
    ...checks,
    ...unclaimed.map(({ path, act }): Check => ({
      check: 'approvals-in-history',
      item: path,
      ok: false,
      detail: `it holds an update (${act}) that no fact records`,
    })),
  ];
}

function actOfUpdate(name: string, argument: Record<string, unknown>): string | undefined {
  if (APPROVAL_UPDATES.includes(name)) return act(argument['questionId'], argument['choice'], argument['by']);
  if (name === 'command') return act(argument['kind'], argument['severity'] ?? null, argument['by']);
  return undefined;
}

function actOfFact({ kind, data }: Fact): string | undefined {
  if (kind === 'answered') return act(data['question'], data['choice'], data['by']);
  if (kind === 'commanded') return act(data['kind'], data['severity'] ?? null, data['by']);
  return undefined;
}

const act = (...words: unknown[]): string => words.map(String).join(' ');

/** Every recogniser that voted is here, and its bytes have the hash that was recorded with its vote. */
function verifyRecognisers({ items }: Bundle, facts: readonly Fact[], tools: VerifyTools): Check[] {
  return votersIn(facts).map(({ name, hash }): Check => {
    const item = `recognisers/${name}@${hash}/artefact`;
    const artefact = items[item];
    const found = artefact === undefined ? 'missing' : tools.sha256OfBase64(artefact);
    const ok = found === hash;
    return { check: 'recogniser-hash', item, ok, detail: ok ? '' : `${hash} voted, and this is ${found}` };
  });
}

/** The runs of the incident follow each other from the first, without a gap inside or between. */
function verifyChain(runs: readonly Run[]): Check[] {
  if (runs.length === 0) {
    return [
      { check: 'runs-chained', item: 'manifest', ok: false, detail: 'there is no history of the incident' },
    ];
  }
  return runs.map(({ path, history }, index): Check => {
    const before = runs[index - 1]?.history;
    const problem = !history.eventsInOrder
      ? 'its events have a gap'
      : before === undefined
        ? history.continuedRunId && `it continues run ${history.continuedRunId}, which is not here`
        : history.continuedRunId !== before.runId || before.newRunId !== history.runId
          ? 'it does not continue the run before it'
          : '';
    return { check: 'runs-chained', item: path, ok: problem === '', detail: problem };
  });
}

function readFacts(text: string): Fact[] | undefined {
  const facts = text
    .split('\n')
    .slice(0, -1)
    .map((line) => parsed(line, isFact));
  return facts.every((fact) => fact !== undefined) ? facts : undefined;
}

function parsed<T>(text: string, isExpected: (value: unknown) => value is T): T | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isExpected(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const isFact = (value: unknown): value is Fact =>
  isRecord(value) && typeof value['seq'] === 'number' && isRecord(value['data']);

const isView = (value: unknown): value is IncidentView =>
  isRecord(value) && typeof value['incidentId'] === 'string' && isSituation(value['situation']);

const isSituation = (value: unknown): value is Situation =>
  isRecord(value) && isRecord(value['questions']) && Array.isArray(value['commands']);
