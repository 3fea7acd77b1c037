import type { Condition, PlanDocument, Step } from './document.ts';

/** A condition with its path in the document. */
export interface ConditionAt {
  readonly condition: Condition;
  readonly place: string;
}

/** The conditions of `evaluate` under which an incident ends. */
export function resolutionsOf({ evaluate }: PlanDocument): ConditionAt[] {
  return [
    { condition: evaluate.resolvedWhen, place: 'evaluate.resolvedWhen' },
    ...Object.entries(evaluate.resolvedWhenBySeverity ?? {}).map(([severity, condition]) => ({
      condition,
      place: `evaluate.resolvedWhenBySeverity.${severity}`,
    })),
  ];
}

/** The whole conditions of a plan, not their parts. */
export function wholeConditionsOf(plan: PlanDocument): ConditionAt[] {
  const { escalateWhen } = plan.evaluate;
  return [
    { condition: plan.detect, place: 'detect' },
    ...plan.classify.scale.map(({ when }, index) => ({
      condition: when,
      place: `classify.scale.${index}.when`,
    })),
    ...resolutionsOf(plan),
    ...(escalateWhen === undefined ? [] : [{ condition: escalateWhen, place: 'evaluate.escalateWhen' }]),
  ];
}

/** A step with where it stands. */
export interface StepAt {
  readonly step: Step;
  /** Path in the document: `dispatch.major.0.steps.1`. */
  readonly place: string;
  /** The id that its place gives it: `major.0.1`. */
  readonly expectedId: string;
  readonly severity: string;
  /** How many `forEachPlace` it stands in. */
  readonly loops: number;
  /** How many `otherwise` lead to it, in a row. */
  readonly fallbacks: number;
  /** The step whose `otherwise` it is. */
  readonly instead: Step | undefined;
}

/** Every step of a plan, in the order of the document. */
export function* stepsOf(plan: PlanDocument): Generator<StepAt> {
  for (const [severity, steps] of Object.entries(plan.dispatch)) {
    const root = { severity, loops: 0, fallbacks: 0, instead: undefined };
    for (const [index, step] of steps.entries()) {
      yield* stepsIn({
        ...root,
        step,
        place: `dispatch.${severity}.${index}`,
        expectedId: `${severity}.${index}`,
      });
    }
  }
}

function* stepsIn(at: StepAt): Generator<StepAt> {
  yield at;
  const { step, place, expectedId } = at;
  if ('steps' in step) {
    const loops = at.loops + (step.do === 'forEachPlace' ? 1 : 0);
    for (const [index, inner] of step.steps.entries()) {
      yield* stepsIn({
        ...at,
        step: inner,
        place: `${place}.steps.${index}`,
        expectedId: `${expectedId}.${index}`,
        loops,
        fallbacks: 0,
        instead: undefined,
      });
    }
  }
  if ('otherwise' in step && step.otherwise !== undefined) {
    yield* stepsIn({
      ...at,
      step: step.otherwise,
      place: `${place}.otherwise`,
      expectedId: `${expectedId}.otherwise`,
      fallbacks: at.fallbacks + 1,
      instead: step,
    });
  }
}
