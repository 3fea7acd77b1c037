import type { CheckContext } from './check-context.ts';
import { checkClassification } from './check-classification.ts';
import { checkConditions } from './check-conditions.ts';
import { checkEvaluation } from './check-evaluation.ts';
import { checkRefinement } from './check-refinement.ts';
import { checkSources } from './check-sources.ts';
import { checkSteps } from './check-steps.ts';
import type { Finding, PlanDocument } from './document.ts';
import { createFindings } from './finding.ts';
import { parsePlan } from './parse.ts';

/**
 * What a compiler cannot see in a plan: the form first, and where that is right, the sense. A `mandatory` finding
 * keeps a plan from being published; an `advisory` one is for people to judge.
 *
 * @param document may be untrusted: nothing is assumed of its form
 * @example
 * checkPlan(plan, { units, sources }).filter(({ severity }) => severity === 'mandatory')
 */
export function checkPlan(document: PlanDocument, context: CheckContext = {}): Finding[] {
  const parsed = parsePlan(document);
  if ('findings' in parsed) return [...parsed.findings];
  const plan = parsed.document;
  const { findings, say } = createFindings();
  checkConditions(plan, context, say);
  checkClassification(plan, context, say);
  checkSteps(plan, context, say);
  checkEvaluation(plan, say);
  checkRefinement(plan, say);
  if (context.sources !== undefined) checkSources(plan, context.sources, say);
  return findings;
}
