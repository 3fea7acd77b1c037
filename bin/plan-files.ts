import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { PlanDocument } from '../domain/plan/document.ts';
import { ROOT } from './config.ts';
import { CommandFailed, EXIT } from './exit-codes.ts';

const PLANS = path.join(ROOT, 'plans');

/** The files in `plans/`, each of which exports one plan. */
export function planFiles(): string[] {
  return fs
    .readdirSync(PLANS)
    .filter((name) => name.endsWith('.ts') && name !== 'index.ts')
    .sort()
    .map((name) => path.join(PLANS, name));
}

/**
 * The plan that a file exports: the one value of form tocsin/plan/v1, or the JSON itself.
 *
 * @throws CommandFailed (usage) with the compiler's words when it does not compile, or when there is none or more
 * than one
 */
export async function readPlan(file: string): Promise<PlanDocument> {
  const at = path.resolve(file);
  if (!fs.existsSync(at)) {
    throw new CommandFailed(EXIT.notFound, 'PLAN_FILE_UNKNOWN', `There is no plan file ${at}.`);
  }
  const found = at.endsWith('.json') ? [readJson(at)] : await exportsOf(at);
  const plans = found.filter(isPlan);
  const [plan] = plans;
  if (plan !== undefined && plans.length === 1) return plan;
  throw new CommandFailed(
    EXIT.usage,
    'PLAN_NOT_FOUND',
    plans.length === 0
      ? `${at} holds no plan. Export what definePlan returns.`
      : `${at} holds ${plans.length} plans. Put each in a file of its own.`,
  );
}

async function exportsOf(file: string): Promise<unknown[]> {
  try {
    return Object.values((await import(pathToFileURL(file).href)) as Record<string, unknown>);
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    throw new CommandFailed(EXIT.failed, 'PLAN_NOT_COMPILED', `${file} does not compile: ${said}`, {
      cause: error,
    });
  }
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8'));
  } catch (error) {
    throw new CommandFailed(
      EXIT.usage,
      'PLAN_NOT_COMPILED',
      `${file} is not JSON: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  }
}

const isPlan = (value: unknown): value is PlanDocument =>
  typeof value === 'object' && value !== null && 'schema' in value && value.schema === 'tocsin/plan/v1';

/** The text of the plan's basis file; null when there is none. */
export function sourcesOf({ basis }: PlanDocument): string | null {
  try {
    return fs.readFileSync(path.join(ROOT, basis), 'utf8');
  } catch {
    return null;
  }
}
