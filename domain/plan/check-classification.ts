import { levelRank } from '../units.ts';
import type { CheckContext } from './check-context.ts';
import { describeCondition, describeDuration } from './describe.ts';
import type { PlanDocument } from './document.ts';
import type { Say } from './finding.ts';
import { quoted } from './finding.ts';
import { holdsOnOneSensor, implies } from './implies.ts';
import { stepsOf } from './walk.ts';

/** Every severity exists, can be reached and has its steps; doubt has somewhere to go. */
export function checkClassification(plan: PlanDocument, context: CheckContext, say: Say): void {
  checkSeverities(plan, say);
  checkScale(plan, say);
  checkVoters(plan, context, say);
  checkDoubt(plan, say);
}

function checkSeverities(plan: PlanDocument, say: Say): void {
  const { severities, classify, dispatch, evaluate } = plan;
  const named: [severity: string, place: string][] = [
    ...Object.entries(classify.types).map(([type, led]): [string, string] => [led, `classify.types.${type}`]),
    ...classify.scale.map((rule, index): [string, string] => [
      rule.severity,
      `classify.scale.${index}.severity`,
    ]),
    [classify.ifUnsure.otherwise, 'classify.ifUnsure.otherwise'],
    ...Object.keys(dispatch).map((severity): [string, string] => [severity, `dispatch.${severity}`]),
    ...Object.keys(evaluate.resolvedWhenBySeverity ?? {}).map((severity): [string, string] => [
      severity,
      `evaluate.resolvedWhenBySeverity.${severity}`,
    ]),
  ];
  for (const [severity, place] of named) {
    const scaled =
      severity === 'scale' && (place.startsWith('classify.types.') || place.endsWith('otherwise'));
    if (scaled || Object.hasOwn(severities, severity)) continue;
    say(
      'mandatory',
      'PLAN_SEVERITY_UNKNOWN',
      place,
      `The plan has no severity ${quoted(severity)}.`,
      `Declare it under severities with its level, or use one of: ${Object.keys(severities).join(', ')}.`,
    );
  }
  const reached = reachable(plan);
  for (const severity of Object.keys(severities)) {
    if (severity === 'scale') {
      say(
        'mandatory',
        'PLAN_SEVERITY_RESERVED',
        'severities.scale',
        '"scale" means that the scale rules decide, so it cannot name a severity.',
        'Choose another name.',
      );
    }
    if (!Object.hasOwn(dispatch, severity)) {
      say(
        'mandatory',
        'PLAN_SEVERITY_WITHOUT_STEPS',
        `dispatch.${severity}`,
        `Nothing is done at severity ${quoted(severity)}.`,
        'Add a list of steps for it under dispatch.',
      );
    }
    if (!reached.has(severity)) {
      say(
        'mandatory',
        'PLAN_SEVERITY_UNREACHABLE',
        `severities.${severity}`,
        `Nothing in the plan leads to severity ${quoted(severity)}.`,
        'Let a type or a scale rule lead to it, or remove it.',
      );
    }
  }
}

/** Severities that the plan itself can come to, without a person's command. */
function reachable({ classify, severities, evaluate }: PlanDocument): ReadonlySet<string> {
  const led = Object.values(classify.types);
  if (classify.by.kind === 'vote') led.push(classify.ifUnsure.otherwise);
  const reached = new Set(led.filter((severity) => severity !== 'scale'));
  if (led.includes('scale')) for (const { severity } of classify.scale) reached.add(severity);
  if (evaluate.escalateWhen !== undefined) {
    // Each step leads to the least serious of the more serious ones, the first of several: as the engine does.
    const ascending = Object.entries(severities).sort(([, a], [, b]) => levelRank(b) - levelRank(a));
    const ranks = [...reached].flatMap((severity) => {
      const level = severities[severity];
      return level === undefined ? [] : [levelRank(level)];
    });
    let rank = Math.max(0, ...ranks);
    for (const [severity, level] of ascending) {
      if (levelRank(level) >= rank) continue;
      reached.add(severity);
      rank = levelRank(level);
    }
  }
  return reached;
}

function checkScale({ classify: { scale }, severities, detect }: PlanDocument, say: Say): void {
  const last = scale.at(-1);
  if (last?.when.when !== 'always') {
    say(
      'mandatory',
      'PLAN_SCALE_WITHOUT_END',
      `classify.scale.${scale.length - 1}`,
      'When no rule holds, nothing says how serious it is.',
      'End the scale with a rule whose condition is always.',
    );
  }
  for (const [index, rule] of scale.entries()) {
    const place = `classify.scale.${index}`;
    const shadow = scale.slice(0, index).findIndex((earlier) => implies(rule.when, earlier.when));
    if (shadow >= 0) {
      say(
        'mandatory',
        'PLAN_SCALE_RULE_UNREACHABLE',
        place,
        `Whenever this holds, rule ${shadow + 1} (${describeCondition(scale[shadow]!.when).en}) has decided before.`,
        'Put the stricter rule first.',
      );
    }
    const level = severities[rule.severity];
    if (level === undefined) continue;
    const milder = scale
      .slice(0, index)
      .find((earlier) => levelRank(severities[earlier.severity] ?? 'I') > levelRank(level));
    if (milder !== undefined) {
      say(
        'advisory',
        'PLAN_SCALE_NOT_ORDERED',
        place,
        `${quoted(rule.severity)} is more serious than ${quoted(milder.severity)}, which is tried before it.`,
        'Order the scale from the most serious to the mildest.',
      );
    }
    const oneSensor = rule.when.when === 'always' ? holdsOnOneSensor(detect) : holdsOnOneSensor(rule.when);
    if (levelRank(level) <= 2 && oneSensor) {
      say(
        'advisory',
        'PLAN_SEVERE_ON_ONE_SENSOR',
        `${place}.when`,
        `One sensor alone can lead to level ${level}; one that drifts can too.`,
        'Ask for at least two sensors, or let a person confirm.',
      );
    }
  }
}

function checkVoters(
  { classify: { by, types }, covers }: PlanDocument,
  context: CheckContext,
  say: Say,
): void {
  const type = by.kind === 'rule' ? by.type : covers.hazard;
  if (!Object.hasOwn(types, type)) {
    say(
      'mandatory',
      'PLAN_TYPE_UNKNOWN',
      'classify.types',
      `Nothing says what type ${quoted(type)} leads to.`,
      `Add ${quoted(type)} to types.`,
    );
  }
  if (by.kind === 'rule') return;
  if (new Set(by.recognisers).size < 2) {
    say(
      'mandatory',
      'PLAN_VOTERS_TOO_FEW',
      'classify.by.recognisers',
      'One recogniser cannot disagree with itself, so its mistakes would go unnoticed.',
      'Let at least two different recognisers vote.',
    );
  }
  for (const [index, recogniser] of by.recognisers.entries()) {
    if (context.recognisers?.includes(recogniser) ?? true) continue;
    say(
      'mandatory',
      'PLAN_RECOGNISER_UNKNOWN',
      `classify.by.recognisers.${index}`,
      `No recogniser ${quoted(recogniser)} is in use here.`,
      'Train and activate it, or name another.',
    );
  }
}

function checkDoubt(plan: PlanDocument, say: Say): void {
  const { by, ifUnsure, minConfidence } = plan.classify;
  if (by.kind === 'rule') return;
  if (minConfidence < 0.5) {
    say(
      'advisory',
      'PLAN_CONFIDENCE_LOW',
      'classify.minConfidence',
      `An answer that is wrong more often than right, ${minConfidence}, would count as sure.`,
      'Ask for at least 0.5.',
    );
  }
  const level = plan.severities[ifUnsure.otherwise];
  const severe = Object.values(plan.severities).some((one) => levelRank(one) <= 2);
  if (level === 'IV' && severe) {
    say(
      'advisory',
      'PLAN_SILENCE_DISMISSES',
      'classify.ifUnsure.otherwise',
      `When nobody answers, a doubt becomes the mildest level: ${quoted(ifUnsure.otherwise)}.`,
      'Let silence lead to the scale, or to a severity that somebody looks into.',
    );
  }
  const tightest = Math.min(
    ...[...stepsOf(plan)].flatMap(({ step }) => (step.do === 'send' ? [step.withinMs] : [])),
  );
  if (ifUnsure.withinMs >= tightest) {
    say(
      'advisory',
      'PLAN_QUESTION_SLOW',
      'classify.ifUnsure.withinMs',
      `The question may take ${describeDuration(ifUnsure.withinMs).en}, as long as the tightest order: ${describeDuration(tightest).en}.`,
      'Give the person less time than the units have.',
    );
  }
}
