import { checkPlan } from '../domain/plan/check.ts';
import type { Finding } from '../domain/plan/document.ts';
import type { Stores } from '../domain/ports.ts';
import { hashOf } from '../models/hash.ts';
import { CommandFailed, EXIT } from './exit-codes.ts';
import { planContext } from './plan-context.ts';
import { planFiles, readPlan, sourcesOf } from './plan-files.ts';

/** A refusal when a finding is mandatory. */
function refuseMandatory(planId: string, findings: readonly Finding[]): void {
  const mandatory = findings.filter(({ severity }) => severity === 'mandatory');
  if (mandatory.length === 0) return;
  const [first] = mandatory;
  throw new CommandFailed(
    EXIT.refused,
    first!.code,
    `The plan ${planId} has ${mandatory.length} mandatory findings and is not published. The first: ${first!.message} (at ${first!.place}) ${first!.remedy}`,
  );
}

/** Publishes what comes with Tocsin, and activates each plan that has no version in force yet. */
export async function publishBuiltInPlans(
  stores: Pick<Stores, 'plans' | 'roster' | 'recognisers' | 'forecasters' | 'sites'>,
  say: (line: string) => void,
  nowMs: number,
): Promise<void> {
  const { plans } = stores;
  const context = await planContext(stores);
  for (const file of planFiles()) {
    const document = await readPlan(file);
    if ((await plans.active(document.id)) !== null) continue;
    refuseMandatory(document.id, checkPlan(document, { ...context, sources: sourcesOf(document) }));
    const hash = hashOf(document);
    const about = { planId: document.id, hash };
    await plans.publish({
      ...about,
      document,
      author: 'admin',
      publishedAtMs: nowMs,
      parent: null,
      proposal: null,
    });
    await plans.activate({ ...about, by: 'admin', reason: 'comes with Tocsin', atMs: nowMs });
    say(`plan: ${document.id} published and activated`);
  }
}
