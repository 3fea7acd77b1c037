import fs from 'node:fs';
import path from 'node:path';
import pc from 'picocolors';
import type { Check } from '../domain/audit/verify.ts';
import type { IncidentView } from '../domain/ports.ts';
import type { Level } from '../domain/units.ts';
import { bundleFileName, checkBundle, collectBundle, saveBundle } from './bundles.ts';
import { facts, levelText, say, table, timeText } from './output.ts';
import type { Office } from './office.ts';
import { replayHistories } from './replay.ts';

/** What the door took in. */
export interface Receipt {
  readonly sent: number;
  readonly acknowledged: number;
  readonly refused: number;
}

/** The one JSON object of `--json`. Its shape is stable. */
export interface Report {
  readonly events: Receipt;
  readonly incidents: readonly {
    readonly id: string;
    readonly hazard: string;
    readonly level: Level | null;
    readonly highestLevel: Level | null;
    readonly place: string;
    readonly startedAt: string;
    /** `classifying`, `responding`, `resolved` or `closed`. */
    readonly state: string;
    /** Pieces of evidence that joined it. */
    readonly events: number;
  }[];
  readonly orders: number;
  readonly missions: number;
  readonly humansAsked: number;
  readonly proposals: number;
  readonly histories: { readonly exported: number; readonly replayed: number };
  readonly seconds: number;
}

export interface Summary {
  readonly report: Report;
  /** Sentences; empty when everything is as it should be. */
  readonly problems: readonly string[];
}

export interface SummariseOptions {
  readonly events: Receipt;
  readonly tenant: string;
  readonly office: Office;
  /** Directory for the evidence bundles. */
  readonly bundles: string;
  /** `performance.now()` when it all began. */
  readonly startedMs: number;
}

/** Exports the evidence of every incident, verifies it, replays every history, and counts. */
export async function summarise(options: SummariseOptions): Promise<Summary> {
  const { events, tenant, office, bundles, startedMs } = options;
  const { stores } = office;
  const views = (await stores.incidents.list({ tenant, limit: 10_000 })).sort(
    (a, b) => a.openedAtMs - b.openedAtMs,
  );
  const problems: string[] = [];
  if (events.refused > 0) problems.push(`${events.refused} events were refused.`);
  problems.push(...views.flatMap(unfinished));

  const histories = { exported: 0, replayed: 0 };
  for (const { incidentId } of views) {
    const bundle = await collectBundle(incidentId, stores, office.histories);
    saveBundle(bundle, path.join(bundles, bundleFileName(incidentId)));
    const checks = await checkBundle(bundle);
    histories.exported += bundle.manifest.items.filter(({ kind }) => kind === 'history').length;
    histories.replayed += checks.filter(({ check, ok }) => check === 'replay' && ok).length;
    problems.push(...checks.filter(({ ok }) => !ok).map((check) => sentence(incidentId, check)));
  }
  const desks = await replayDesks(options, views);
  histories.exported += desks.exported;
  histories.replayed += desks.replayed;
  problems.push(...desks.problems);

  const situations = views.map(({ situation }) => situation);
  const count = (of: (situation: IncidentView['situation']) => object): number =>
    situations.reduce((total, situation) => total + Object.keys(of(situation)).length, 0);
  const report: Report = {
    events: { sent: events.sent, acknowledged: events.acknowledged, refused: events.refused },
    incidents: views.map((view) => ({
      id: view.incidentId,
      hazard: view.hazard,
      level: view.level,
      highestLevel: view.highestLevel,
      place: view.place.name.en,
      startedAt: new Date(view.openedAtMs).toISOString(),
      state: view.phase,
      events: view.situation.evidenceCount,
    })),
    orders: count(({ orders }) => orders),
    missions: count(({ missions }) => missions),
    humansAsked: count(({ questions }) => questions),
    proposals: (await stores.proposals.list()).length,
    histories,
    seconds: Math.round((performance.now() - startedMs) / 100) / 10,
  };
  return { report, problems };
}

/** After the week an incident is closed, or it waits for somebody with a name. */
function unfinished(view: IncidentView): string[] {
  if (view.phase === 'closed') return [];
  const waits = Object.values(view.situation.questions).some(
    (question) => question.answer === undefined && question.expiredAtMs === undefined,
  );
  return waits ? [] : [`${view.incidentId} is ${view.phase} and waits for nobody.`];
}

const sentence = (incidentId: string, { check, item, detail }: Check): string =>
  `${incidentId}: ${check} failed on ${item}: ${detail}`;

/** Desks belong to no incident: their histories are replayed, and kept beside the bundles. */
async function replayDesks(
  { office, tenant, bundles }: SummariseOptions,
  views: readonly IncidentView[],
): Promise<{ exported: number; replayed: number; problems: string[] }> {
  const districts = new Set(
    views.flatMap(({ situation }) => Object.values(situation.orders).map(({ district }) => district)),
  );
  const runs = (
    await Promise.all([...districts].map((district) => office.histories.runs(`desk/${tenant}/${district}`)))
  ).flat();
  for (const { workflowId, runId, historyJson } of runs) {
    const directory = path.join(bundles, ...workflowId.split('/'));
    fs.mkdirSync(directory, { recursive: true, mode: 0o700 });
    fs.writeFileSync(path.join(directory, `${runId}.json`), historyJson, { mode: 0o600 });
  }
  const answers = await replayHistories(runs);
  const problems = answers.flatMap((problem, index) =>
    problem === '' ? [] : [`${runs[index]!.workflowId}: replay failed: ${problem}`],
  );
  return { exported: runs.length, replayed: runs.length - problems.length, problems };
}

/** For people, on standard error. */
export function printSummary({ report, problems }: Summary): void {
  say(
    table(
      ['level', 'highest', 'hazard', 'place', 'started', 'state', 'events'],
      report.incidents.map((one) => [
        levelText(one.level),
        levelText(one.highestLevel),
        one.hazard,
        one.place,
        timeText(Date.parse(one.startedAt)),
        one.state,
        String(one.events),
      ]),
    ),
  );
  const { events, histories } = report;
  say(
    `\n${facts([
      ['events', `${events.sent} sent, ${events.acknowledged} acknowledged, ${events.refused} refused`],
      ['incidents', `${report.incidents.length}: ${tally(report.incidents.map(({ hazard }) => hazard))}`],
      ['dispatched', `${report.orders} orders, ${report.missions} missions`],
      ['humans', `asked ${report.humansAsked} times, ${report.proposals} proposals`],
      ['histories', `${histories.exported} exported, ${histories.replayed} replayed`],
      ['time', `${report.seconds} s`],
    ])}`,
  );
  for (const problem of problems) say(pc.red(problem));
}

function tally(words: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts].map(([word, times]) => `${times} ${word}`).join(', ') || 'none';
}
