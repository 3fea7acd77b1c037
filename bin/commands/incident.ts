import type { Command } from 'commander';
import pc from 'picocolors';
import type { IncidentLabel } from '../../domain/ports.ts';
import type { Fact, Situation } from '../../domain/situation.ts';
import type { Level } from '../../domain/units.ts';
import { createApiClient } from '../client.ts';
import type { ApiClient } from '../client.ts';
import { call, parseCountOption } from '../command-line.ts';
import type { CallOptions } from '../command-line.ts';
import { CommandFailed, EXIT } from '../exit-codes.ts';
import { evidenceLines } from '../evidence-lines.ts';
import { facts, levelText, print, printJson, say, spanText, table, timeText } from '../output.ts';
import { ROUTES } from '../routes.ts';

const EXAMPLE_ID = 'incident/demo/earthquake/hualien/20180204T131252Z';

export function declare(program: Command): void {
  const incident = program.command('incident').description('watch and steer incidents');
  call(incident, 'list', 'list incidents, newest first', 'tocsin incident list --open')
    .option('--open', 'only those that are not closed')
    .option('--limit <count>', 'at most so many', parseCountOption, 100)
    .action(list);
  call(
    incident,
    'show <incident>',
    'show one incident: what, how bad, why, what is being done',
    `tocsin incident show ${EXAMPLE_ID}`,
  ).action(show);
  call(
    incident,
    'approve <incident> [question]',
    'approve what waits for approval',
    `tocsin incident approve ${EXAMPLE_ID} --as duty-officer --reason "crew confirms"`,
  )
    .option('--refuse', 'refuse instead')
    .option('--reason <text>', 'why, for the record', '')
    .action(approve);
  call(
    incident,
    'answer <incident> <question> <choice>',
    'answer a question',
    `tocsin incident answer ${EXAMPLE_ID} classify/1 earthquake --as duty-officer`,
  )
    .option('--reason <text>', 'why, for the record', '')
    .action(answer);
  call(
    incident,
    'command <incident> <kind>',
    'command an incident: escalate, stand-down or close',
    `tocsin incident command ${EXAMPLE_ID} escalate --severity major --reason "second shock felt" --as duty-officer`,
  )
    .option('--severity <severity>', 'what to escalate to')
    .requiredOption('--reason <text>', 'why, for the record')
    .action(command);
  call(
    incident,
    'label <incident> <type>',
    'say what a closed incident really was; it may teach when a second person says the same',
    `tocsin incident label ${EXAMPLE_ID} earthquake --as duty-officer --reason "felt by the crew"`,
  )
    .requiredOption('--reason <text>', 'why, for the record')
    .action(label);
  call(
    incident,
    'labels <incident>',
    'what people said the incident really was, and whether they agree',
    `tocsin incident labels ${EXAMPLE_ID}`,
  ).action(labels);
  call(
    incident,
    'report <incident>',
    'the after-action record: every fact in order, and the measured intervals',
    `tocsin incident report ${EXAMPLE_ID}`,
  ).action(report);
  call(incident, 'watch [incident]', 'print what changes, until Ctrl-C', 'tocsin incident watch').action(
    watch,
  );
}

interface Question {
  readonly id: string;
  readonly about: string;
  readonly role: string;
  readonly text: { readonly en: string };
  readonly choices: readonly string[];
  readonly deadlineMs: number;
  readonly otherwise: string;
}

interface Summary {
  readonly incidentId: string;
  readonly mode: string;
  readonly hazard: string;
  readonly type: string | null;
  readonly severity: string | null;
  readonly confidence: number | null;
  readonly doubt: string;
  readonly place: { readonly id: string; readonly name: { readonly en: string } };
  readonly planId: string;
  readonly planHash: string;
  readonly level: Level | null;
  readonly highestLevel: Level | null;
  readonly phase: string;
  readonly openedAtMs: number;
  readonly nowMs: number;
  readonly writtenAtMs: number;
  readonly waiting: readonly Question[];
  readonly evidenceCount: number;
  readonly missions: { readonly open: number; readonly onScene: number; readonly total: number };
  readonly webUi: string | null;
}

interface Whole extends Summary {
  readonly situation: Situation;
}

interface Page<T> {
  readonly items: readonly T[];
  readonly nextCursor?: string | null;
}

async function list(options: CallOptions & { open?: boolean; limit: number }): Promise<void> {
  const api = createApiClient(options);
  const items = await pages<Summary>(api, ROUTES.incidents, options.limit, {
    ...(options.open ? { open: true } : {}),
  });
  if (options.json) return printJson({ items });
  if (items.length === 0) return print('No incidents.');
  print(
    table(
      ['incident', 'level', 'highest', 'phase', 'type', 'place', 'opened', 'waiting'],
      items.map((one) => [
        one.incidentId,
        levelText(one.level),
        levelText(one.highestLevel),
        one.phase,
        one.type ?? one.hazard,
        one.place.name.en,
        timeText(one.openedAtMs),
        one.waiting.length === 0 ? '' : pc.bold(`${one.waiting.length} for ${rolesOf(one.waiting)}`),
      ]),
    ),
  );
}

const rolesOf = (questions: readonly Question[]): string =>
  [...new Set(questions.map(({ role }) => role))].join(', ');

/** Follows the cursor until there is no more, or enough. */
async function pages<T>(
  api: ApiClient,
  path: string,
  limit: number,
  query: Readonly<Record<string, string | number | boolean>> = {},
): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | null | undefined;
  do {
    const page: Page<T> = await api.get(path, {
      ...query,
      limit: Math.min(limit - items.length, 200),
      ...(cursor ? { cursor } : {}),
    });
    items.push(...page.items);
    cursor = page.nextCursor;
  } while (cursor && items.length < limit);
  return items;
}

async function show(id: string, options: CallOptions): Promise<void> {
  const whole = await createApiClient(options).get<Whole>(ROUTES.incident(id));
  if (options.json) return printJson(whole);
  const { situation } = whole;
  const { assessment } = situation;
  print(
    facts([
      ['incident', pc.bold(whole.incidentId)],
      ['level', `${levelText(whole.level)} (highest ${levelText(whole.highestLevel)})`],
      ['phase', whole.phase + (whole.mode === 'exercise' ? ', exercise' : '')],
      ['place', whole.place.name.en],
      ['plan', `${whole.planId}@${whole.planHash.slice(0, 12)}`],
      ['opened', `${timeText(whole.openedAtMs)}, its clock is at ${timeText(whole.nowMs)}`],
      ['data', `written ${spanText(Date.now() - whole.writtenAtMs)} ago`],
      ['evidence', `${whole.evidenceCount}`],
      ...(whole.webUi === null ? [] : [['history', whole.webUi] as const]),
    ]),
  );
  if (assessment !== null) {
    print(
      `\n${pc.bold('What it believes')}: ${assessment.type}, ${assessment.severity}, confidence ${assessment.confidence.toFixed(2)}, decided by ${assessment.decidedBy}`,
    );
    for (const line of assessment.path) print(`  ${line.question} ${pc.bold(line.answer)}`);
    for (const vote of assessment.votes) {
      print(`  ${vote.recogniser}: ${vote.sentence.en}`);
      if (vote.change !== undefined) print(`    ${vote.change.en}`);
    }
    if (assessment.doubt) print(`  Doubt: ${assessment.doubt}`);
  }
  const heard = evidenceLines(situation.evidence);
  if (heard.length > 0) {
    print(`\n${pc.bold('What was heard')}`);
    for (const line of heard) print(`  ${line}`);
  }
  if (whole.waiting.length > 0) {
    print(`\n${pc.bold('Waits for a human')}`);
    for (const question of whole.waiting) {
      print(
        `  ${question.id} (${question.role}, until ${timeText(question.deadlineMs)}, otherwise ${question.otherwise})\n    ${question.text.en} [${question.choices.join(' | ')}]`,
      );
    }
  }
  const missions = Object.values(situation.missions);
  if (missions.length > 0) {
    print(`\n${pc.bold('Missions')}`);
    print(
      table(
        ['unit', 'capability', 'status', 'granted', 'travel'],
        missions.map((mission) => [
          mission.unit,
          mission.capability,
          mission.status,
          timeText(mission.grantedAtMs),
          spanText(mission.travelMs),
        ]),
      ),
    );
  }
  printOutcome(situation);
}

function printOutcome({ outcome }: Situation): void {
  if (outcome === null) return;
  print(`\n${pc.bold('Outcome')}: ${outcome.result}${outcome.falseAlarm ? ', nobody was needed' : ''}`);
  const measures = Object.entries(outcome.measures);
  if (measures.length === 0) return;
  print(
    table(
      ['measure', 'value', 'goal', 'met', 'of'],
      measures.map(([name, { valueMs, goalMs, met, count }]) => [
        name,
        spanText(valueMs),
        spanText(goalMs),
        met === null ? 'not measured' : met ? 'yes' : 'no',
        String(count),
      ]),
    ),
  );
}

async function approve(
  id: string,
  question: string | undefined,
  options: CallOptions & { refuse?: boolean; reason: string },
): Promise<void> {
  const api = createApiClient(options);
  const chosen = question ?? (await onlyApproval(api, id));
  await send(api, id, chosen, options.refuse ? 'refuse' : 'approve', options);
}

async function onlyApproval(api: ApiClient, id: string): Promise<string> {
  const { waiting } = await api.get<Whole>(ROUTES.incident(id));
  const approvals = waiting.filter(({ choices }) => choices.includes('approve'));
  const [only] = approvals;
  if (only !== undefined && approvals.length === 1) return only.id;
  if (only === undefined) {
    throw new CommandFailed(EXIT.notFound, 'QUESTION_UNKNOWN', 'Nothing waits for an approval there.');
  }
  const ids = approvals.map((one) => one.id).join(', ');
  throw new CommandFailed(
    EXIT.usage,
    'QUESTION_AMBIGUOUS',
    `Several approvals wait there. Name one of: ${ids}.`,
  );
}

async function answer(
  id: string,
  question: string,
  choice: string,
  options: CallOptions & { reason: string },
): Promise<void> {
  await send(createApiClient(options), id, question, choice, options);
}

async function send(
  api: ApiClient,
  id: string,
  questionId: string,
  choice: string,
  options: { json?: boolean; reason: string },
): Promise<void> {
  const taken = await api.post<{ atMs: number }>(ROUTES.answers(id), {
    questionId,
    choice,
    reason: options.reason,
  });
  if (options.json) printJson(taken);
  else print(`${questionId}: ${choice}, recorded at ${timeText(taken.atMs)}`);
}

async function command(
  id: string,
  kind: string,
  options: CallOptions & { severity?: string; reason: string },
): Promise<void> {
  const taken = await createApiClient(options).post<{ commandId: string; atMs: number }>(
    ROUTES.commands(id),
    {
      kind,
      reason: options.reason,
      ...(options.severity === undefined ? {} : { severity: options.severity }),
    },
  );
  if (options.json) printJson(taken);
  else print(`${kind}: recorded as ${taken.commandId} at ${timeText(taken.atMs)}`);
}

async function label(id: string, type: string, options: CallOptions & { reason: string }): Promise<void> {
  const given = await createApiClient(options).post<{ label: string; by: string; atMs: number }>(
    ROUTES.labels(id),
    { label: type, reason: options.reason },
  );
  if (options.json) printJson(given);
  else print(`${given.by} calls it ${given.label}, recorded at ${timeText(given.atMs)}`);
}

async function labels(id: string, options: CallOptions): Promise<void> {
  const given = await createApiClient(options).get<{ items: IncidentLabel[]; state: string }>(
    ROUTES.labels(id),
  );
  if (options.json) return printJson(given);
  print(given.state);
  print(
    table(
      ['label', 'by', 'time', 'reason'],
      given.items.map((one) => [one.label, one.by, timeText(one.atMs), one.reason]),
    ),
  );
}

const FACTS_A_CALL = 2_000;

/** The whole record of an incident, in order. */
async function recordOf(api: ApiClient, id: string): Promise<Fact[]> {
  const record: Fact[] = [];
  for (;;) {
    const { items } = await api.get<{ items: Fact[] }>(ROUTES.facts(id), {
      after: record.at(-1)?.seq ?? -1,
      limit: FACTS_A_CALL,
    });
    record.push(...items);
    if (items.length < FACTS_A_CALL) return record;
  }
}

async function report(id: string, options: CallOptions): Promise<void> {
  const api = createApiClient(options);
  const whole = await api.get<Whole>(ROUTES.incident(id));
  const record = await recordOf(api, id);
  if (options.json) {
    return printJson({ incidentId: id, outcome: whole.situation.outcome, facts: record });
  }
  print(
    pc.bold(`${whole.incidentId}, ${whole.place.name.en}, highest level ${levelText(whole.highestLevel)}`),
  );
  print(
    table(
      ['time', 'stage', 'what', ''],
      record.map((fact) => [timeText(fact.atMs), fact.stage, fact.kind, brief(fact, id)]),
    ),
  );
  printOutcome(whole.situation);
}

/** Scalars of a fact, and lists of words, on one line without the incident's own id; the rest is in `--json`. */
function brief({ data }: Fact, incidentId: string): string {
  return Object.entries(data)
    .filter(([, value]) => value !== null && value !== '' && (typeof value !== 'object' || isWords(value)))
    .map(
      ([name, value]) =>
        `${name} ${(isWords(value) ? value.join('; ') : String(value)).replace(`mission/${incidentId}/`, '')}`,
    )
    .join(', ')
    .slice(0, 120);
}

const isWords = (value: unknown): value is string[] =>
  Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === 'string');

async function watch(id: string | undefined, options: CallOptions): Promise<void> {
  const api = createApiClient(options);
  const stopping = new AbortController();
  process.once('SIGINT', () => stopping.abort());
  if (!options.json) say(`Watching ${api.url}. Ctrl-C ends it.`);
  for await (const { event, data } of api.events(ROUTES.changes, stopping.signal)) {
    const about = incidentOf(data);
    if (about === undefined || (id !== undefined && about.incidentId !== id)) continue;
    if (options.json) printJson({ event, data });
    else {
      print(
        `${timeText(about.nowMs ?? about.updatedAtMs ?? Date.now())}  ${levelText(about.level ?? null)}  ${about.phase ?? event}  ${about.incidentId}`,
      );
    }
  }
}

type Change = Partial<Summary> & { readonly incidentId: string; readonly updatedAtMs?: number };

function incidentOf(data: unknown): Change | undefined {
  return typeof data === 'object' && data !== null && 'incidentId' in data ? (data as Change) : undefined;
}
