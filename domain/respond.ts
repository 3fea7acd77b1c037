import type { PlanDocument } from './plan/document.ts';
import type { Outcome, Situation } from './situation.ts';
import { classify } from './stages/classify.ts';
import { dispatch } from './stages/dispatch.ts';
import { evaluate } from './stages/evaluate.ts';
import { refine } from './stages/refine.ts';
import type { World } from './world.ts';

/**
 * One response, whole. Detection opened the situation; what follows is the same code for a real incident, a
 * rehearsal and a counterfactual: only the World differs. A carried situation takes up where it was.
 */
export async function respond(plan: PlanDocument, situation: Situation, world: World): Promise<Outcome> {
  if (situation.phase === 'classifying') await classify(plan, situation, world);
  const response = dispatch(plan, situation, world);
  const outcome = await evaluate(plan, situation, response, world);
  await refine(plan, situation, outcome, world);
  return outcome;
}
