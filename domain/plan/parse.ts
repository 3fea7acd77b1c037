import type { Finding, PlanDocument } from './document.ts';
import { createFindings } from './finding.ts';
import { REFUSED, plainJson } from './plain-json.ts';
import { readPlanShape } from './shape.ts';

/** At most this many findings: the first ones cause the others. */
const FINDINGS_KEPT = 100;

/**
 * A plan document out of data nobody vouches for: a copy that is plain JSON of the right form, or what is wrong with
 * it. Whether the plan makes sense is for `checkPlan`.
 */
export function parsePlan(
  value: unknown,
): { readonly document: PlanDocument } | { readonly findings: readonly Finding[] } {
  const { findings, say } = createFindings();
  const json = plainJson(value, say);
  if (json === REFUSED) return { findings };
  readPlanShape(json, '', say);
  if (findings.length > 0) return { findings: findings.slice(0, FINDINGS_KEPT) };
  return { document: json as unknown as PlanDocument };
}
