import { walkConditions } from '../detect/condition.ts';
import { describeDuration } from './describe.ts';
import type { PlanDocument } from './document.ts';
import type { Say } from './finding.ts';
import { quoted } from './finding.ts';
import { holdsOnOneSensor } from './implies.ts';
import { resolutionsOf, stepsOf } from './walk.ts';

/** Each review is a few lines of history for ever. */
const SHORTEST_REVIEW_MS = 10_000;
const LONGEST_REVIEW_MS = 24 * 3_600_000;

/** Reviews come at a sensible pace, what is measured is done, and escalation leads somewhere. */
export function checkEvaluation(plan: PlanDocument, say: Say): void {
  checkReviews(plan, say);
  checkMeasures(plan, say);
  checkEscalation(plan, say);
  checkSequence(plan, say);
}

function checkReviews({ evaluate: { everyMs, staleAfterMs } }: PlanDocument, say: Say): void {
  if (everyMs < SHORTEST_REVIEW_MS) {
    say(
      'mandatory',
      'PLAN_REVIEW_TOO_OFTEN',
      'evaluate.everyMs',
      `A review every ${describeDuration(everyMs).en} would fill the record with itself. Evidence is judged at once anyway.`,
      `Review every ${describeDuration(SHORTEST_REVIEW_MS).en} or less often.`,
    );
  }
  if (everyMs > LONGEST_REVIEW_MS) {
    say(
      'advisory',
      'PLAN_REVIEW_TOO_RARE',
      'evaluate.everyMs',
      `An open incident is looked at only every ${describeDuration(everyMs).en}.`,
      'Review at least once a day.',
    );
  }
  if (staleAfterMs !== undefined && staleAfterMs < everyMs) {
    say(
      'advisory',
      'PLAN_STALE_UNSEEN',
      'evaluate.staleAfterMs',
      `Data is stale after ${describeDuration(staleAfterMs).en}, but that is seen only at a review, every ${describeDuration(everyMs).en}.`,
      'Review at least as often as data becomes stale.',
    );
  }
}

function checkMeasures(plan: PlanDocument, say: Say): void {
  const sent = new Set(
    [...stepsOf(plan)].flatMap(({ step }) => (step.do === 'send' ? [step.capability] : [])),
  );
  for (const [name, { capability }] of Object.entries(plan.evaluate.measures)) {
    if (sent.has(capability)) continue;
    say(
      'mandatory',
      'PLAN_MEASURE_WITHOUT_ORDER',
      `evaluate.measures.${name}.capability`,
      `No step sends ${quoted(capability)}, so there is nothing to measure.`,
      `Measure one of: ${[...sent].join(', ')}.`,
    );
  }
}

function checkEscalation({ evaluate: { escalateWhen }, severities }: PlanDocument, say: Say): void {
  if (escalateWhen === undefined) return;
  if (new Set(Object.values(severities)).size < 2) {
    say(
      'advisory',
      'PLAN_ESCALATION_NOWHERE',
      'evaluate.escalateWhen',
      'All severities have the same level, so there is nothing more serious to escalate to.',
      'Add a more serious severity, or remove escalateWhen.',
    );
  }
  if (holdsOnOneSensor(escalateWhen)) {
    say(
      'advisory',
      'PLAN_ESCALATION_ON_ONE_SENSOR',
      'evaluate.escalateWhen',
      'One sensor alone can escalate; one that drifts can too.',
      'Ask for at least two sensors.',
    );
  }
}

/** An event that comes after `within` and before the end would open a second incident for one cause. */
function checkSequence(plan: PlanDocument, say: Say): void {
  const { sequence } = plan;
  if (sequence === undefined) return;
  for (const whole of resolutionsOf(plan)) {
    for (const { condition, path: place } of walkConditions(whole.condition, whole.place)) {
      if (condition.when !== 'quietFor' || condition.bulletin !== sequence.bulletin) continue;
      if (condition.forMs <= sequence.withinMs) continue;
      say(
        'advisory',
        'PLAN_SEQUENCE_SHORT',
        'sequence.withinMs',
        `An incident may stay open for ${describeDuration(condition.forMs).en} of quiet (${place}), but later events join for ${describeDuration(sequence.withinMs).en} only; the next would open another.`,
        'Let events join as long as the incident can stay open.',
      );
    }
  }
}
