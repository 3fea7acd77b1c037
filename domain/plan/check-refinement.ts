import { walkConditions } from '../detect/condition.ts';
import type { PlanDocument } from './document.ts';
import type { Say } from './finding.ts';
import { quoted } from './finding.ts';
import { tunableValues, writeTunable } from './tune.ts';
import { resolutionsOf } from './walk.ts';

/** Fewer incidents are no evidence (reliability rule against poisoning). */
const FEWEST_INCIDENTS = 5;

/** Refinement may move only numbers that are there, within bounds that make sense. */
export function checkRefinement(plan: PlanDocument, say: Say): void {
  const { mayTune, afterIncidents } = plan.refine;
  if (afterIncidents < FEWEST_INCIDENTS) {
    say(
      'mandatory',
      'PLAN_REFINES_TOO_SOON',
      'refine.afterIncidents',
      `${afterIncidents} incidents are no evidence for a change.`,
      `Wait for at least ${FEWEST_INCIDENTS}.`,
    );
  }
  for (const [path, { low, high }] of Object.entries(mayTune)) {
    const place = `refine.mayTune.${path}`;
    const values = tunableValues(plan, path);
    const [value] = values;
    if (value === undefined) {
      say(
        'mandatory',
        'PLAN_TUNE_UNKNOWN',
        place,
        `${quoted(path)} names no number of this plan that may be tuned.`,
        'Name classify.minConfidence, or detect.threshold, .magnitude, .withinKm or .atLeastMmi where detect has it.',
      );
      continue;
    }
    if (values.length > 1) {
      say(
        'mandatory',
        'PLAN_TUNE_AMBIGUOUS',
        place,
        `${quoted(path)} names ${values.length} numbers of this plan.`,
        'Tune only what stands once in detect.',
      );
      continue;
    }
    if (low >= high) {
      say(
        'mandatory',
        'PLAN_TUNE_BOUNDS_EMPTY',
        place,
        `Between ${low} and ${high} there is no room to tune.`,
        'Give a lower bound below the upper one, or remove the entry.',
      );
    } else if (value < low || value > high) {
      say(
        'mandatory',
        'PLAN_TUNE_OUTSIDE',
        place,
        `The plan says ${value}, outside its own bounds ${low} to ${high}.`,
        'Move the bounds or the number.',
      );
    }
    if (path === 'classify.minConfidence') {
      if (plan.classify.by.kind === 'rule') {
        say(
          'advisory',
          'PLAN_TUNE_WITHOUT_EFFECT',
          place,
          'The plan decides by rule, so confidence plays no part in it.',
          'Remove the entry.',
        );
      }
      continue;
    }
    for (const bound of [low, high]) checkBound(writeTunable(plan, path, bound), bound, place, say);
  }
}

/** At its bounds the plan must still end its incidents where it does not begin them. */
function checkBound(plan: PlanDocument, bound: number, place: string, say: Say): void {
  const begins = [...walkConditions(plan.detect, 'detect')].map(({ condition }) => condition);
  for (const whole of resolutionsOf(plan)) {
    for (const { condition: ends } of walkConditions(whole.condition, whole.place)) {
      if (ends.when !== 'below') continue;
      const meets = begins.some(
        (one) =>
          one.when === 'atLeast' &&
          one.channel === ends.channel &&
          one.threshold === bound &&
          ends.threshold >= bound,
      );
      if (!meets) continue;
      say(
        'mandatory',
        'PLAN_TUNE_MEETS_RESOLUTION',
        place,
        `Tuned to ${bound}, detection would begin where ${whole.place} ends: below ${ends.threshold} ${ends.unit}.`,
        'Keep the bounds clear of the resolution.',
      );
      return;
    }
  }
}
