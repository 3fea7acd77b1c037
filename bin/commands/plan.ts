import fs from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import pc from 'picocolors';
import type { PlanChange } from '../../domain/plan/diff.ts';
import type { Finding, PlanDocument } from '../../domain/plan/document.ts';
import type { RehearsalFigures, Unit } from '../../domain/ports.ts';
import type { Evaluation } from '../../domain/world.ts';
import { createApiClient } from '../client.ts';
import type { ApiClient } from '../client.ts';
import { call, leaf } from '../command-line.ts';
import type { CallOptions } from '../command-line.ts';
import { CommandFailed, EXIT } from '../exit-codes.ts';
import { print, printJson, table, timeText } from '../output.ts';
import { ROUTES } from '../routes.ts';

export function declare(program: Command): void {
  const plan = program.command('plan').description('check, rehearse, publish and decide on plans');
  leaf(
    plan,
    'check <file>',
    'compile a plan and list the findings; 1 when one is mandatory',
    'tocsin plan check plans/gas-leak.ts',
  ).action(check);
  call(
    plan,
    'rehearse <file>',
    'run the closed incidents of a plan again, in simulated time, under the version in force and under the file',
    'tocsin plan rehearse plans/gas-leak.ts',
  ).action(rehearse);
  call(
    plan,
    'publish <file>',
    'store a version; it is used when it is activated',
    'tocsin plan publish plans/gas-leak.ts --as plan-board',
  ).action(publish);
  call(
    plan,
    'activate <plan> <hash>',
    'use a published version for every incident that starts from now on',
    'tocsin plan activate gas-leak 4f1c... --reason "approved on 3 May" --as plan-board',
  )
    .requiredOption('--reason <text>', 'why, for the record')
    .action(activate);
  call(plan, 'list', 'list plans and the version in force', 'tocsin plan list').action(list);
  call(
    plan,
    'show <plan> [hash]',
    'print a plan document, by default the one in force',
    'tocsin plan show gas-leak',
  ).action(show);
  call(
    plan,
    'diff <plan> <from> [to]',
    'what differs between two versions; `to` is by default the one in force',
    'tocsin plan diff gas-leak 4f1c... 9d02...',
  ).action(diff);
  call(
    plan,
    'proposals [plan]',
    'list proposed changes and what was decided',
    'tocsin plan proposals',
  ).action(proposals);
  call(
    plan,
    'decide <proposal>',
    'approve or refuse a proposal',
    'tocsin plan decide earthquake/1 --approve --reason "rehearsal convinces" --as plan-board',
  )
    .option('--approve', 'make it a version and activate it')
    .option('--refuse', 'keep the plan as it is')
    .requiredOption('--reason <text>', 'why, for the record')
    .action(decide);
  call(
    plan,
    'pull [directory]',
    'write every plan in force as JSON',
    'tocsin plan pull plans-in-force',
  ).action(pull);
  call(
    plan,
    'push <directory>',
    'show how the plans in a directory differ from those in force, and publish them with --yes',
    'tocsin plan push plans-in-force --yes --reason "spring review" --as plan-board',
  )
    .option('--yes', 'publish and activate those that differ')
    .option('--reason <text>', 'why, for the record')
    .action(push);
}

/** Versions are named by the first characters of their hash where a person types them. */
const SHORT = 12;

interface VersionSummary {
  readonly hash: string;
  readonly author: string;
  readonly publishedAtMs: number;
  readonly proposal: string | null;
}

interface PlanSummary {
  readonly planId: string;
  readonly title: { readonly en: string } | null;
  readonly hazard: string | null;
  readonly active: Activation | null;
  readonly versions: number;
}

interface Activation {
  readonly n: number;
  readonly hash: string;
  readonly by: string;
  readonly atMs: number;
}

async function check(file: string, options: { json?: boolean }): Promise<void> {
  const { readPlan, sourcesOf } = await import('../plan-files.ts');
  const { checkPlan } = await import('../../domain/plan/check.ts');
  const { hashOf } = await import('../../models/hash.ts');
  const document = await readPlan(file);
  const findings = checkPlan(document, { sources: sourcesOf(document) });
  const mandatory = findings.filter(({ severity }) => severity === 'mandatory').length;
  const hash = hashOf(document);
  if (options.json) printJson({ planId: document.id, hash, findings });
  else {
    if (findings.length > 0) print(findingsTable(findings));
    print(
      mandatory > 0
        ? `${document.id}: ${mandatory} mandatory findings; it cannot be published.`
        : `${document.id}@${hash.slice(0, SHORT)} can be published.`,
    );
  }
  if (mandatory > 0) process.exitCode = EXIT.failed;
}

function findingsTable(findings: readonly Finding[]): string {
  return table(
    ['', 'code', 'place', 'what', 'remedy'],
    findings.map(({ severity, code, place, message, remedy }) => [
      severity === 'mandatory' ? pc.red(severity) : pc.yellow(severity),
      code,
      place,
      message,
      remedy,
    ]),
  );
}

async function rehearse(file: string, options: CallOptions): Promise<void> {
  const { readPlan } = await import('../plan-files.ts');
  const { figuresOf, rehearse: rehearseOn } = await import('../../domain/refine/rehearse.ts');
  const api = createApiClient(options);
  const document = await readPlan(file);
  const { items: evaluations } = await api.get<{ items: Evaluation[] }>(ROUTES.evaluations(document.id));
  if (evaluations.length === 0) {
    throw new CommandFailed(
      EXIT.notFound,
      'NOTHING_TO_REHEARSE',
      `No incident of ${document.id} has closed yet. Play the week first: tocsin demo.`,
    );
  }
  const { items: units } = await api.get<{ items: Unit[] }>(ROUTES.units);
  const inForce = await documentOf(api, document.id, undefined);
  const figures = async (plan: PlanDocument): Promise<RehearsalFigures> =>
    figuresOf(evaluations, await rehearseOn(plan, evaluations, units));
  const [before, after] = [await figures(inForce), await figures(document)];
  if (options.json) return printJson({ planId: document.id, incidents: evaluations.length, before, after });
  print(`${evaluations.length} closed incidents, run again in simulated time:`);
  print(
    table(
      ['', 'version in force', path.basename(file)],
      (Object.keys(before) as (keyof RehearsalFigures)[]).map((name) => [
        FIGURES[name],
        String(before[name]),
        String(after[name]),
      ]),
    ),
  );
}

const FIGURES: Readonly<Record<keyof RehearsalFigures, string>> = {
  incidents: 'incidents opened',
  nuisance: 'nobody was needed',
  severe: 'severe ones answered as severe',
  severeMissed: 'severe ones missed',
  unitsSent: 'units sent',
  humansAsked: 'times a human was asked',
};

async function publish(file: string, options: CallOptions): Promise<void> {
  const { readPlan } = await import('../plan-files.ts');
  const document = await readPlan(file);
  const { hash, findings } = await publishDocument(createApiClient(options), document);
  if (options.json) return printJson({ planId: document.id, hash, findings });
  if (findings.length > 0) print(findingsTable(findings));
  print(`${document.id}@${hash} is published. Activate it with:`);
  print(`  tocsin plan activate ${document.id} ${hash} --reason "..."`);
}

async function publishDocument(
  api: ApiClient,
  document: PlanDocument,
): Promise<{ readonly hash: string; readonly findings: readonly Finding[] }> {
  return api.post(ROUTES.plans, document);
}

async function activate(
  planId: string,
  hash: string,
  options: CallOptions & { reason: string },
): Promise<void> {
  const api = createApiClient(options);
  const whole = await wholeHash(api, planId, hash);
  const activation = await api.post<Activation>(ROUTES.activations(planId), {
    hash: whole,
    reason: options.reason,
  });
  if (options.json) printJson(activation);
  else print(`${planId}@${whole.slice(0, SHORT)} is in force (activation ${activation.n}).`);
}

async function list(options: CallOptions): Promise<void> {
  const { items } = await createApiClient(options).get<{ items: PlanSummary[] }>(ROUTES.plans);
  if (options.json) return printJson({ items });
  print(
    table(
      ['plan', 'title', 'in force', 'since', 'by', 'versions'],
      items.map(({ planId, title, active, versions }) => [
        planId,
        title?.en ?? '',
        active?.hash.slice(0, SHORT) ?? 'none',
        timeText(active?.atMs),
        active?.by ?? '-',
        String(versions),
      ]),
    ),
  );
}

async function show(planId: string, hash: string | undefined, options: CallOptions): Promise<void> {
  const document = await documentOf(createApiClient(options), planId, hash);
  if (options.json) printJson(document);
  else print(JSON.stringify(document, null, 2));
}

async function diff(
  planId: string,
  from: string,
  to: string | undefined,
  options: CallOptions,
): Promise<void> {
  const api = createApiClient(options);
  const { diffPlans } = await import('../../domain/plan/diff.ts');
  const changes = diffPlans(await documentOf(api, planId, from), await documentOf(api, planId, to));
  if (options.json) printJson({ changes });
  else print(changesText(changes));
}

function changesText(changes: readonly PlanChange[]): string {
  if (changes.length === 0) return 'No difference.';
  return table(
    ['place', 'what'],
    changes.map(({ path: place, text }) => [place, text.en]),
  );
}

interface ListedProposal {
  readonly id: string;
  readonly changes: readonly { readonly path: string; readonly from: number; readonly to: number }[];
  readonly evidence: readonly string[];
  readonly rehearsal: { readonly before: RehearsalFigures; readonly after: RehearsalFigures };
  readonly approvedBy: string;
  readonly decision: { readonly approve: boolean; readonly by: string } | null;
}

async function proposals(plan: string | undefined, options: CallOptions): Promise<void> {
  const { items } = await createApiClient(options).get<{ items: ListedProposal[] }>(ROUTES.proposals, {
    planId: plan,
  });
  if (options.json) return printJson({ items });
  if (items.length === 0) return print('No proposals.');
  print(
    table(
      ['proposal', 'changes', 'incidents', 'nuisance', 'severe missed', 'decision'],
      items.map(({ id, changes, evidence, rehearsal, approvedBy, decision }) => [
        id,
        changes.map((change) => `${change.path} ${change.from} to ${change.to}`).join(', '),
        String(evidence.length),
        `${rehearsal.before.nuisance} to ${rehearsal.after.nuisance}`,
        `${rehearsal.before.severeMissed} to ${rehearsal.after.severeMissed}`,
        decision === null
          ? pc.bold(`waits for ${approvedBy}`)
          : `${decision.approve ? 'approved' : 'refused'} by ${decision.by}`,
      ]),
    ),
  );
}

async function decide(
  id: string,
  options: CallOptions & { approve?: boolean; refuse?: boolean; reason: string },
): Promise<void> {
  if (Boolean(options.approve) === Boolean(options.refuse)) {
    throw new CommandFailed(EXIT.usage, 'DECISION_MISSING', 'Say either --approve or --refuse.');
  }
  const decided = await createApiClient(options).post<{ approved: boolean; activeHash: string }>(
    ROUTES.decision(id),
    { approve: options.approve === true, reason: options.reason },
  );
  if (options.json) return printJson(decided);
  print(
    decided.approved
      ? `${id} is approved; ${decided.activeHash.slice(0, SHORT)} is in force for the incidents that start from now on.`
      : `${id} is refused; ${decided.activeHash.slice(0, SHORT)} stays in force.`,
  );
}

async function pull(directory: string | undefined, options: CallOptions): Promise<void> {
  const api = createApiClient(options);
  const target = path.resolve(directory ?? 'plans-in-force');
  fs.mkdirSync(target, { recursive: true });
  const written = [];
  for (const { planId, active } of await activePlans(api)) {
    const file = path.join(target, `${planId}.json`);
    const document = await documentOf(api, planId, active.hash);
    fs.writeFileSync(file, `${JSON.stringify(document, null, 2)}\n`);
    written.push({ planId, hash: active.hash, file });
  }
  if (options.json) printJson({ written });
  else for (const { planId, hash, file } of written) print(`${planId}@${hash.slice(0, SHORT)}  ${file}`);
}

async function push(
  directory: string,
  options: CallOptions & { yes?: boolean; reason?: string },
): Promise<void> {
  if (options.yes && !options.reason) {
    throw new CommandFailed(EXIT.usage, 'REASON_MISSING', 'Say why with --reason, for the record.');
  }
  const { readPlan } = await import('../plan-files.ts');
  const { diffPlans } = await import('../../domain/plan/diff.ts');
  const { parsePlan } = await import('../../domain/plan/parse.ts');
  const api = createApiClient(options);
  const active = new Map((await activePlans(api)).map((plan) => [plan.planId, plan.active.hash]));
  const pushed = [];
  for (const name of planFilesIn(directory)) {
    const parsed = parsePlan(await readPlan(path.join(directory, name)));
    if ('findings' in parsed) {
      const [first] = parsed.findings;
      throw new CommandFailed(
        EXIT.refused,
        first?.code ?? 'PLAN_INVALID',
        `${name} is no sound plan: ${first?.message ?? ''} (at ${first?.place ?? ''}) Nothing of it was pushed.`,
      );
    }
    const { document } = parsed;
    const inForce = active.get(document.id);
    const before = inForce === undefined ? undefined : await documentOf(api, document.id, inForce);
    const changes = before === undefined ? [NEW_PLAN] : diffPlans(before, document);
    if (changes.length === 0) continue;
    if (!options.json) print(`${pc.bold(document.id)}\n${changesText(changes)}\n`);
    const hash = options.yes ? await putInForce(api, document, options.reason!) : null;
    pushed.push({ planId: document.id, changes, hash });
  }
  if (options.json) return printJson({ pushed });
  if (pushed.length === 0) print('Everything is in force as it is here.');
  else if (!options.yes) print('Nothing was published. Publish and activate with --yes --reason "...".');
  else for (const { planId, hash } of pushed) print(`${planId}@${hash?.slice(0, SHORT)} is in force.`);
}

const NEW_PLAN: PlanChange = {
  path: '',
  from: null,
  to: null,
  text: { en: 'a new plan', zh: '新预案' },
};

async function putInForce(api: ApiClient, document: PlanDocument, reason: string): Promise<string> {
  const { hash } = await publishDocument(api, document);
  await api.post(ROUTES.activations(document.id), { hash, reason });
  return hash;
}

function planFilesIn(directory: string): string[] {
  try {
    return fs.readdirSync(directory).filter((name) => /\.(json|ts)$/.test(name) && name !== 'index.ts');
  } catch (error) {
    throw new CommandFailed(
      EXIT.notFound,
      'DIRECTORY_UNKNOWN',
      `The directory ${directory} cannot be read (${(error as NodeJS.ErrnoException).code}).`,
    );
  }
}

async function activePlans(
  api: ApiClient,
): Promise<readonly { readonly planId: string; readonly active: Activation }[]> {
  const { items } = await api.get<{ items: PlanSummary[] }>(ROUTES.plans);
  return items.flatMap(({ planId, active }) => (active === null ? [] : [{ planId, active }]));
}

async function documentOf(api: ApiClient, planId: string, hash: string | undefined): Promise<PlanDocument> {
  const at =
    hash === undefined ? ROUTES.plan(planId) : ROUTES.version(planId, await wholeHash(api, planId, hash));
  const { document } = await api.get<{ document: PlanDocument }>(at);
  return document;
}

/** The full hash for the first characters of it. */
async function wholeHash(api: ApiClient, planId: string, start: string): Promise<string> {
  if (/^[0-9a-f]{64}$/.test(start)) return start;
  const { items } = await api.get<{ items: VersionSummary[] }>(ROUTES.versions(planId));
  const matching = items.filter(({ hash }) => hash.startsWith(start.toLowerCase()));
  const [only] = matching;
  if (only !== undefined && matching.length === 1) return only.hash;
  throw new CommandFailed(
    matching.length === 0 ? EXIT.notFound : EXIT.usage,
    'PLAN_VERSION_UNKNOWN',
    matching.length === 0
      ? `No version of ${planId} begins with ${start}.`
      : `${matching.length} versions of ${planId} begin with ${start}. Give more of the hash.`,
  );
}
