import { levelRank } from '../units.ts';
import type { CheckContext } from './check-context.ts';
import { describeDuration } from './describe.ts';
import type { PlanDocument, Step } from './document.ts';
import type { Say } from './finding.ts';
import { quoted } from './finding.ts';
import { stepsOf } from './walk.ts';
import type { StepAt } from './walk.ts';

const MOST_STEPS = 500;
const MOST_PLACES = 50;
const MOST_FALLBACKS = 5;
/** Nobody reads, judges and answers faster. Our judgement. */
const FASTEST_APPROVAL_MS = 30_000;
const SLOWEST_APPROVAL_MS = 3_600_000;

/** Steps are bounded, somebody hears of each severity, orders can be met, and people come before what cannot be undone. */
export function checkSteps(plan: PlanDocument, context: CheckContext, say: Say): void {
  const steps = [...stepsOf(plan)];
  if (steps.length > MOST_STEPS) {
    say(
      'mandatory',
      'PLAN_TOO_MANY_STEPS',
      'dispatch',
      `The plan has ${steps.length} steps; ${MOST_STEPS} are the most.`,
      'Split the plan by hazard, or put parts into procedures.',
    );
  }
  for (const at of steps) {
    checkId(at, say);
    checkLoop(at, plan, say);
    checkApproval(at, plan, say);
    checkFallback(at, say);
    checkOrder(at, context, say);
    checkProcedure(at, context, say);
  }
  for (const [severity, list] of Object.entries(plan.dispatch)) {
    const own = steps.filter((at) => at.severity === severity);
    checkSomebodyHears(severity, own, say);
    checkDevices(own, say);
    checkWaiting(list, `dispatch.${severity}`, say);
  }
}

function checkId({ step, place, expectedId }: StepAt, say: Say): void {
  if (step.id === expectedId) return;
  say(
    'mandatory',
    'PLAN_STEP_ID_WRONG',
    `${place}.id`,
    `The step is called ${quoted(step.id)}, but stands at ${quoted(expectedId)}.`,
    'Compile the plan again; ids are given by definePlan.',
  );
}

function checkLoop({ step, place, loops }: StepAt, plan: PlanDocument, say: Say): void {
  if (step.do !== 'forEachPlace') return;
  if (step.atMost > MOST_PLACES) {
    say(
      'mandatory',
      'PLAN_LOOP_UNBOUNDED',
      `${place}.atMost`,
      `These steps may run at ${step.atMost} places; ${MOST_PLACES} are the most.`,
      'Lower atMost: the most affected places come first.',
    );
  }
  if (loops > 0) {
    say(
      'mandatory',
      'PLAN_LOOP_NESTED',
      place,
      'A list for each place inside a list for each place runs for every pair.',
      'Take the inner list out.',
    );
  }
  if (plan.bulletins.length === 0) {
    say(
      'mandatory',
      'PLAN_LOOP_EMPTY',
      place,
      'Only notices say which places are affected, and the plan reads none: this never runs.',
      'Write the steps without forEach; they run at the place of the incident.',
    );
  }
}

function checkApproval({ step, place, severity }: StepAt, plan: PlanDocument, say: Say): void {
  if (step.do !== 'evacuate' && step.do !== 'actuate') return;
  const { withinMs, otherwise } = step.approval;
  if (withinMs < FASTEST_APPROVAL_MS) {
    say(
      'mandatory',
      'PLAN_APPROVAL_TOO_SHORT',
      `${place}.approval.withinMs`,
      `Nobody can judge this in ${describeDuration(withinMs).en}, so it would never really be asked.`,
      `Give at least ${describeDuration(FASTEST_APPROVAL_MS).en}.`,
    );
  }
  if (withinMs > SLOWEST_APPROVAL_MS) {
    say(
      'advisory',
      'PLAN_APPROVAL_TOO_LONG',
      `${place}.approval.withinMs`,
      `The step may wait for ${describeDuration(withinMs).en} before silence counts.`,
      'Ask for an answer within the hour.',
    );
  }
  const level = plan.severities[severity];
  if (otherwise === 'proceed' && level !== undefined && levelRank(level) > 2) {
    say(
      'advisory',
      'PLAN_PROCEEDS_WHEN_MILD',
      `${place}.approval.otherwise`,
      `At level ${level} silence does what cannot be undone.`,
      'Let silence hold it, or raise the severity.',
    );
  }
}

function checkFallback({ step, place, fallbacks, instead }: StepAt, say: Say): void {
  if (fallbacks === MOST_FALLBACKS + 1) {
    say(
      'mandatory',
      'PLAN_FALLBACKS_TOO_DEEP',
      place,
      `More than ${MOST_FALLBACKS} fallbacks follow one another.`,
      'Tell several at once with together.',
    );
  }
  const missed = instead === undefined ? undefined : deadlineOf(instead);
  const own = deadlineOf(step);
  if (missed === undefined || own === undefined || own <= missed) return;
  const [took, takes] = [describeDuration(missed).en, describeDuration(own).en];
  if (step.do === 'notify') {
    say(
      'mandatory',
      'PLAN_ESCALATION_LATE',
      `${place}.acknowledgedWithinMs`,
      `After ${took} were missed, the escalation may take ${takes} more to be acknowledged.`,
      `Ask for it within ${took} or less.`,
    );
  } else {
    say(
      'advisory',
      'PLAN_FALLBACK_SLOWER',
      place,
      `After ${took} were missed, the fallback has ${takes} more.`,
      'Begin both together if the second is likely to be needed.',
    );
  }
}

const deadlineOf = (step: Step): number | undefined =>
  step.do === 'send' ? step.withinMs : step.do === 'notify' ? step.acknowledgedWithinMs : undefined;

function checkOrder({ step, place }: StepAt, { units }: CheckContext, say: Say): void {
  if (step.do !== 'send' || units === undefined) return;
  const perDistrict = new Map<string, number>();
  for (const { district, capabilities } of units) {
    if (!capabilities.includes(step.capability)) continue;
    perDistrict.set(district, (perDistrict.get(district) ?? 0) + 1);
  }
  const most = Math.max(0, ...perDistrict.values());
  if (most >= step.count) return;
  say(
    'mandatory',
    'PLAN_ORDER_UNFULFILLABLE',
    `${place}.${most === 0 ? 'capability' : 'count'}`,
    most === 0
      ? `No unit on the roster has the capability ${quoted(step.capability)}.`
      : `No district has ${step.count} units for ${quoted(step.capability)}; the most is ${most}.`,
    most === 0 ? 'Use a capability of the roster, or add units.' : 'Ask for fewer, or add units.',
  );
}

function checkProcedure({ step, place }: StepAt, { procedures }: CheckContext, say: Say): void {
  if (step.do !== 'procedure') return;
  if (!/^[0-9a-f]{64}$/.test(step.codeHash)) {
    say(
      'mandatory',
      'PLAN_PROCEDURE_UNPINNED',
      `${place}.codeHash`,
      `${quoted(step.codeHash)} is no SHA-256, so another code could run under this name.`,
      'Give the lower-case hex SHA-256 of the procedure.',
    );
  }
  if (procedures?.includes(step.name) ?? true) return;
  say(
    'mandatory',
    'PLAN_PROCEDURE_UNKNOWN',
    `${place}.name`,
    `No worker carries a procedure ${quoted(step.name)}.`,
    'Add it to plans/procedures, or name another.',
  );
}

function checkSomebodyHears(severity: string, steps: readonly StepAt[], say: Say): void {
  if (steps.some(({ step }) => step.do === 'notify' || step.do === 'send')) return;
  say(
    'mandatory',
    'PLAN_NOBODY_TOLD',
    `dispatch.${severity}`,
    `At severity ${quoted(severity)} nobody is notified and nobody is sent.`,
    'Notify somebody, at least.',
  );
}

function checkDevices(steps: readonly StepAt[], say: Say): void {
  const actions = new Map<string, string>();
  for (const { step, place } of steps) {
    if (step.do !== 'actuate') continue;
    const before = actions.get(step.device);
    actions.set(step.device, step.action);
    if (before === undefined) continue;
    const same = before === step.action;
    say(
      same ? 'advisory' : 'mandatory',
      same ? 'PLAN_DEVICE_TWICE' : 'PLAN_DEVICE_CONTRADICTION',
      `${place}.device`,
      same
        ? `${quoted(step.device)} is told to ${step.action} twice.`
        : `${quoted(step.device)} is told to ${before} and to ${step.action}.`,
      'Keep one of them.',
    );
  }
}

/** Steps run one after the other: an order must not begin after its own deadline would have passed. */
function checkWaiting(steps: readonly Step[], place: string, say: Say): void {
  let waitedMs = 0;
  for (const [index, step] of steps.entries()) {
    const at = `${place}.${index}`;
    const tightest = tightestOrder(step);
    if (tightest !== undefined && waitedMs >= tightest) {
      say(
        'advisory',
        'PLAN_ORDER_WAITS',
        at,
        `An order for ${describeDuration(tightest).en} may first wait ${describeDuration(waitedMs).en} for the steps before it.`,
        'Begin it together with them.',
      );
    }
    waitedMs += longest(step);
    if ('steps' in step && step.do === 'forEachPlace') checkWaiting(step.steps, `${at}.steps`, say);
  }
}

/** The tightest deadline among the orders that begin when the step begins. */
function tightestOrder(step: Step): number | undefined {
  if (step.do === 'send') return step.withinMs;
  if (step.do === 'together') {
    const inner = step.steps.map(tightestOrder).filter((ms) => ms !== undefined);
    return inner.length === 0 ? undefined : Math.min(...inner);
  }
  if (step.do === 'forEachPlace')
    return step.steps[0] === undefined ? undefined : tightestOrder(step.steps[0]);
  return undefined;
}

/** How long a step may hold up the next one. */
function longest(step: Step): number {
  switch (step.do) {
    case 'notify':
    case 'send':
      return (deadlineOf(step) ?? 0) + (step.otherwise === undefined ? 0 : longest(step.otherwise));
    case 'evacuate':
    case 'actuate':
      return step.approval.withinMs;
    case 'together':
      return Math.max(...step.steps.map(longest));
    case 'forEachPlace':
      return step.steps.reduce((sum, inner) => sum + longest(inner), 0);
    case 'procedure':
      return 0;
    default:
      return step satisfies never;
  }
}
