import type { Level } from '../units.ts';
import { describeCondition } from './describe.ts';
import type { Condition, PlanDocument } from './document.ts';

/** What the plan says for a type and a scale, and the way to it: each question with its answer. */
export interface Choice {
  readonly severity: string;
  readonly level: Level;
  readonly path: readonly { readonly question: string; readonly answer: string }[];
}

/**
 * Chooses the severity: a decision tree over the assessment, first by type, then by the scale rules in order.
 * The path is part of the record, so that anybody can see why this list of steps runs.
 *
 * @param type recognised type; one the plan does not name is scaled like its own hazard
 * @param otherwise the plan's answer to silence: a severity, `scale`, or undefined when somebody or something decided
 * @param holds reads a condition; `path` addresses it in the document
 * @example
 * choose(plan, 'quarry-blast', undefined, holds).severity // 'blast'
 */
export function choose(
  plan: PlanDocument,
  type: string,
  otherwise: string | undefined,
  holds: (condition: Condition, path: string) => boolean,
): Choice {
  const path: { question: string; answer: string }[] = [];
  const chosen = (severity: string): Choice => ({ severity, level: plan.severities[severity] ?? 'I', path });

  const led = otherwise ?? plan.classify.types[type] ?? 'scale';
  if (otherwise === undefined) path.push({ question: 'What is it?', answer: type });
  else path.push({ question: 'Did anybody say what it is in time?', answer: `no: ${otherwise}` });
  if (led !== 'scale') return chosen(led);

  for (const [index, rule] of plan.classify.scale.entries()) {
    const answer = holds(rule.when, `classify.scale.${index}.when`);
    path.push({ question: describeCondition(rule.when).en, answer: answer ? `yes: ${rule.severity}` : 'no' });
    if (answer) return chosen(rule.severity);
  }
  // checkPlan refuses a scale without a last `always`; should one slip through, the worst severity is the safe answer.
  const worst = Object.entries(plan.severities).sort(([, a], [, b]) => (a < b ? -1 : 1))[0];
  return chosen(worst?.[0] ?? 'unknown');
}
