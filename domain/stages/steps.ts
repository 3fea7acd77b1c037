import { TocsinError } from '../errors.ts';
import type { Place } from '../evidence.ts';
import type { ActuateStep, Approval, EvacuateStep, NotifyStep, SendStep, Step } from '../plan/document.ts';
import type { FactKind, Order, OrderState, Situation, StepState } from '../situation.ts';
import type { Text } from '../units.ts';
import type { World } from '../world.ts';
import { askInTime } from './asking.ts';
import { affectedPlaces } from './classify.ts';

/** Where a list of steps runs: the incident's place, or one affected place of a `forEachPlace`. */
export interface At {
  readonly place: Place;
  /** Keeps step ids unique per place: empty, or `#hualien`. */
  readonly suffix: string;
}

export interface Running {
  readonly situation: Situation;
  readonly world: World;
  /** True once the response stands down: steps that have not begun do not begin. */
  readonly withdrawn: () => boolean;
}

type Ending = 'done' | 'missed' | 'held' | 'cancelled';

/** One step after the other. A step that fails is a doubt for a human, and the next one still runs. */
export async function runSteps(steps: readonly Step[], at: At, running: Running): Promise<void> {
  for (const step of steps) {
    if (running.withdrawn()) return;
    await runStep(step, at, running);
  }
}

async function runStep(step: Step, at: At, running: Running): Promise<void> {
  const { situation, world } = running;
  const id = step.id + at.suffix;
  const state: StepState = { id, do: step.do, startedAtMs: world.now(), state: 'running', endedAtMs: null };
  situation.steps[id] = state;
  world.record({
    stage: 'dispatch',
    kind: 'step-started',
    data: { step: id, do: step.do, place: at.place.id },
  });
  try {
    state.state = await carryOut(step, id, at, running);
  } catch (failure) {
    state.state = 'failed';
    const code = failure instanceof TocsinError ? failure.code : 'STEP_FAILED';
    world.record({ stage: 'dispatch', kind: 'step-failed', data: { step: id, code } });
    await askAboutFailure(id, code, running);
  }
  state.endedAtMs = world.now();
  if (state.state === 'failed') return;
  world.record({
    stage: 'dispatch',
    kind: kindOfEnding[state.state as Ending],
    data: { step: id, ending: state.state },
  });
  if (state.state === 'missed' && 'otherwise' in step && step.otherwise !== undefined) {
    await runStep(step.otherwise, at, running);
  }
}

const kindOfEnding: Record<Ending, FactKind> = {
  done: 'step-done',
  missed: 'step-missed',
  held: 'step-held',
  cancelled: 'step-done',
};

async function carryOut(step: Step, id: string, at: At, running: Running): Promise<Ending> {
  switch (step.do) {
    case 'notify':
      return notifyAndAwait(step, id, at, running);
    case 'send':
      return sendInTime(step, id, at, running);
    case 'evacuate':
      return actOnApproval(step.approval, evacuation(step, at), id, at, running);
    case 'actuate':
      return actOnApproval(step.approval, actuation(step, at), id, at, running);
    case 'together':
      await Promise.all(step.steps.map((inner) => runStep(inner, at, running)));
      return 'done';
    case 'forEachPlace': {
      const affected = affectedPlaces(running.situation).filter(
        (effect) => effect.expectedMmi >= step.atLeastMmi,
      );
      const places = affected.slice(0, step.atMost).map((effect) => effect.place);
      await Promise.all(
        places.map((place) => runSteps(step.steps, { place, suffix: `${at.suffix}#${place.id}` }, running)),
      );
      return 'done';
    }
    case 'procedure':
      await running.world.run({ name: step.name, codeHash: step.codeHash, arguments: step.arguments });
      return 'done';
    default:
      return step satisfies never;
  }
}

async function notifyAndAwait(
  step: NotifyStep,
  id: string,
  at: At,
  { situation, world, withdrawn }: Running,
): Promise<Ending> {
  const delivery = await world.notify({
    key: `${situation.incidentId}/${id}`,
    to: step.to,
    mode: situation.mode,
    level: situation.assessment?.level ?? 'IV',
    text: headline(situation, at.place),
  });
  world.record({
    stage: 'dispatch',
    kind: 'notified',
    data: { step: id, to: step.to, channel: delivery.channel, delivered: delivery.delivered },
  });
  if (step.acknowledgedWithinMs === undefined) return delivery.delivered ? 'done' : 'missed';
  const acknowledged = await askInTime(
    situation,
    {
      id,
      about: 'acknowledgement',
      role: step.to,
      text: {
        en: `Acknowledge: ${headline(situation, at.place).en}`,
        zh: `请确认：${headline(situation, at.place).zh}`,
      },
      choices: ['acknowledge'],
      askedAtMs: world.now(),
      deadlineMs: world.now() + step.acknowledgedWithinMs,
      otherwise: step.otherwise === undefined ? 'go on' : `${step.otherwise.do} (${step.otherwise.id})`,
    },
    'dispatch',
    world,
  );
  if (acknowledged !== undefined) return 'done';
  return withdrawn() ? 'cancelled' : 'missed';
}

async function sendInTime(
  step: SendStep,
  id: string,
  at: At,
  { situation, world, withdrawn }: Running,
): Promise<Ending> {
  const order: Order = {
    id,
    incidentId: situation.incidentId,
    tenant: situation.tenant,
    district: at.place.district,
    capability: step.capability,
    count: step.count,
    place: at.place,
    level: situation.assessment?.level ?? 'IV',
    orderedAtMs: world.now(),
    deadlineMs: world.now() + step.withinMs,
  };
  const state: OrderState = { ...order, state: 'requested' };
  situation.orders[id] = state;
  world.record({
    stage: 'dispatch',
    kind: 'ordered',
    data: {
      order: id,
      capability: order.capability,
      count: order.count,
      place: at.place.id,
      withinMs: step.withinMs,
    },
  });
  await world.order(order);
  const met = (): boolean => state.state === 'met';
  const onSceneInTime = await world.until(() => met() || withdrawn(), order.deadlineMs);
  if (withdrawn()) return 'cancelled';
  if (onSceneInTime) return 'done';
  // The order stays wanted: units on their way keep driving, and a queued one may still be granted.
  state.state = 'missed';
  return 'missed';
}

interface Act {
  readonly device: string;
  readonly action: string;
  readonly text: Text;
}

const evacuation = (step: EvacuateStep, at: At): Act => ({
  device: `public-warning/${at.place.id}`,
  action: `evacuate-${step.radiusM}-m`,
  text: {
    en: `Evacuate ${step.radiusM} m around ${at.place.name.en}?`,
    zh: `疏散${at.place.name.zh}周围${step.radiusM}米范围？`,
  },
});

const actuation = (step: ActuateStep, at: At): Act => ({
  device: `${at.place.id}/${step.device}`,
  action: step.action,
  text: {
    en: `${sentence(step.action)}: ${step.device}, ${at.place.name.en}?`,
    zh: `在${at.place.name.zh}执行${step.action}（${step.device}）？`,
  },
});

const sentence = (slug: string): string => slug.charAt(0).toUpperCase() + slug.slice(1).replace(/-/g, ' ');

/** Nothing irreversible happens before a human said yes, or before the plan's declared silence says proceed. */
async function actOnApproval(
  approval: Approval,
  act: Act,
  id: string,
  at: At,
  running: Running,
): Promise<Ending> {
  const { situation, world, withdrawn } = running;
  const answer = await askInTime(
    situation,
    {
      id,
      about: 'approval',
      role: approval.from,
      text: act.text,
      choices: ['approve', 'refuse'],
      askedAtMs: world.now(),
      deadlineMs: world.now() + approval.withinMs,
      otherwise: approval.otherwise,
    },
    'dispatch',
    world,
  );
  if (withdrawn()) return 'cancelled';
  const proceed = answer === undefined ? approval.otherwise === 'proceed' : answer.choice === 'approve';
  if (!proceed) return 'held';
  const delivery = await world.actuate({
    key: `${situation.incidentId}/${id}`,
    device: act.device,
    action: act.action,
    mode: situation.mode,
  });
  world.record({
    stage: 'dispatch',
    kind: 'actuated',
    data: {
      step: id,
      device: act.device,
      action: act.action,
      place: at.place.id,
      channel: delivery.channel,
      delivered: delivery.delivered,
      authorisedBy: answer === undefined ? 'otherwise' : answer.by,
    },
  });
  return delivery.delivered ? 'done' : 'missed';
}

const FAILURE_ASKED_FOR_MS = 10 * 60_000;

/** A step that failed is never passed over in silence: the duty officer is told, and has ten minutes to say so. */
async function askAboutFailure(id: string, code: string, { situation, world }: Running): Promise<void> {
  await askInTime(
    situation,
    {
      id: `${id}/failed`,
      about: 'doubt',
      role: 'duty-officer',
      text: {
        en: `Step ${id} failed (${code}). Do it by hand.`,
        zh: `步骤 ${id} 失败（${code}），请人工处置。`,
      },
      choices: ['acknowledge'],
      askedAtMs: world.now(),
      deadlineMs: world.now() + FAILURE_ASKED_FOR_MS,
      otherwise: 'go on',
    },
    'dispatch',
    world,
  );
}

function headline(situation: Situation, place: Place): Text {
  const assessment = situation.assessment;
  const type = assessment?.type ?? situation.hazard;
  const level = assessment?.level ?? 'IV';
  return {
    en: `${sentence(type)}, level ${level}, ${place.name.en}`,
    zh: `${place.name.zh}：${type}，${level}级`,
  };
}
