import { measure } from '../evaluate/measures.ts';
import type { Condition, PlanDocument } from '../plan/document.ts';
import { strongestBulletin } from '../receive.ts';
import type { Command, Outcome, Situation } from '../situation.ts';
import type { EpochMs } from '../units.ts';
import { levelRank } from '../units.ts';
import type { World } from '../world.ts';
import { assess, recognise } from './classify.ts';
import type { Recognised } from './classify.ts';
import { conditionState, holdsNow } from './conditions.ts';
import type { Response } from './dispatch.ts';

/** Watches the incident go: new evidence, escalation, commands and reviews, until it is resolved. Then measures it. */
export async function evaluate(
  plan: PlanDocument,
  situation: Situation,
  response: Response,
  world: World,
): Promise<Outcome> {
  let ended: Outcome['result'] | undefined;

  while (ended === undefined) {
    if (situation.judgedEvidence !== situation.evidenceCount) {
      situation.judgedEvidence = situation.evidenceCount;
      await rejudge(plan, situation, response, world);
    }
    for (const command of situation.commands.slice(situation.obeyedCommands)) {
      situation.obeyedCommands += 1;
      ended = obey(command, plan, situation, response, world) ?? ended;
    }
    if (world.now() >= situation.reviewedAtMs + plan.evaluate.everyMs) {
      situation.reviewedAtMs = world.now();
      await review(plan, situation, world);
    }
    const resolved = conditionState(...resolvedWhen(plan, situation), situation, world.now());
    if (resolved.holds) ended ??= 'resolved';
    if (ended !== undefined) break;

    if (response.idle()) await world.checkpoint();
    const nextReviewMs = situation.reviewedAtMs + plan.evaluate.everyMs;
    await world.until(
      () =>
        situation.evidenceCount !== situation.judgedEvidence ||
        situation.commands.length !== situation.obeyedCommands,
      Math.min(nextReviewMs, resolved.mightHoldAtMs ?? Infinity),
    );
  }

  situation.phase = 'resolved';
  situation.resolvedAtMs = world.now();
  world.record({
    stage: 'evaluate',
    kind: 'resolved',
    data: { result: ended, severity: situation.assessment?.severity ?? null },
  });
  await response.standDown();
  return afterAction(plan, situation, ended, world);
}

/** The resolution that fits the severity reached: a blast report closes sooner than a rescue. */
function resolvedWhen(plan: PlanDocument, situation: Situation): [Condition, string] {
  const severity = situation.assessment?.severity ?? '';
  const own = plan.evaluate.resolvedWhenBySeverity?.[severity];
  return own === undefined
    ? [plan.evaluate.resolvedWhen, 'evaluate.resolvedWhen']
    : [own, `evaluate.resolvedWhenBySeverity.${severity}`];
}

/** New evidence: recognise again when it is the strongest yet, read the scale again in any case, escalate when worse. */
async function rejudge(
  plan: PlanDocument,
  situation: Situation,
  response: Response,
  world: World,
): Promise<void> {
  const strongest = strongestBulletin(situation.evidence);
  const newest = situation.evidence.at(-1);
  const recognised =
    strongest !== undefined && strongest === newest
      ? await recognise(plan, situation, world)
      : asBefore(situation);
  const worse = assess(plan, situation, recognised, world);
  const severity = situation.assessment?.severity;
  if (severity !== undefined) response.start(severity);
  if (worse) {
    world.record({
      stage: 'evaluate',
      kind: 'escalated',
      data: { to: severity ?? null, level: situation.assessment?.level ?? null, because: 'new evidence' },
    });
  }
  const escalateWhen = plan.evaluate.escalateWhen;
  if (escalateWhen !== undefined && holdsNow(escalateWhen, 'evaluate.escalateWhen', situation, world.now())) {
    escalate(
      nextWorse(plan, situation),
      'the plan’s escalation condition holds',
      plan,
      situation,
      response,
      world,
    );
  }
}

/** The type stays as it was recognised or answered before. */
function asBefore(situation: Situation): Recognised {
  const assessment = situation.assessment;
  if (assessment === null)
    return { type: situation.hazard, confidence: 0, decidedBy: 'otherwise', doubt: '', votes: [] };
  const { type, confidence, decidedBy, doubt, votes } = assessment;
  return { type, confidence, decidedBy, doubt, votes };
}

/** The least serious severity that is more serious than the present one; undefined at the top. */
function nextWorse(plan: PlanDocument, situation: Situation): string | undefined {
  const present = situation.assessment === null ? 5 : levelRank(situation.assessment.level);
  const worse = Object.entries(plan.severities).filter(([, level]) => levelRank(level) < present);
  worse.sort(([, a], [, b]) => levelRank(b) - levelRank(a));
  return worse[0]?.[0];
}

function escalate(
  severity: string | undefined,
  because: string,
  plan: PlanDocument,
  situation: Situation,
  response: Response,
  world: World,
): void {
  const level = severity === undefined ? undefined : plan.severities[severity];
  if (severity === undefined || level === undefined || situation.assessment === null) return;
  // Each condition escalates once: what it led to is already running.
  if (situation.steps[`severity/${severity}`] !== undefined) return;
  situation.assessment = { ...situation.assessment, severity, level, atMs: world.now() };
  if (situation.highestLevel === null || levelRank(level) < levelRank(situation.highestLevel))
    situation.highestLevel = level;
  world.record({ stage: 'evaluate', kind: 'escalated', data: { to: severity, level, because } });
  response.start(severity);
}

function obey(
  command: Command,
  plan: PlanDocument,
  situation: Situation,
  response: Response,
  world: World,
): Outcome['result'] | undefined {
  switch (command.kind) {
    case 'escalate':
      escalate(
        command.severity,
        `commanded by ${command.by}: ${command.reason}`,
        plan,
        situation,
        response,
        world,
      );
      return undefined;
    case 'stand-down':
      return 'stood-down';
    case 'close':
      return 'closed-by-command';
    default:
      return command.kind satisfies never;
  }
}

/** The periodic look: how old the data is. Silence where data is due is a doubt for a human. */
async function review(plan: PlanDocument, situation: Situation, world: World): Promise<void> {
  const { lastHeardMs } = await world.observe();
  const ageMs = lastHeardMs === null ? null : Math.max(0, world.now() - lastHeardMs);
  const stale =
    plan.evaluate.staleAfterMs !== undefined && (ageMs === null || ageMs > plan.evaluate.staleAfterMs);
  world.record({ stage: 'evaluate', kind: 'reviewed', data: { evidence: situation.evidenceCount, stale } });
  const id = 'evaluate/stale';
  if (!stale || situation.questions[id] !== undefined) return;
  const nowMs = world.now();
  situation.questions[id] = {
    id,
    about: 'doubt',
    role: plan.classify.ifUnsure.ask,
    text: {
      en: `No fresh data from ${situation.place.name.en}. Check on site.`,
      zh: `${situation.place.name.zh}数据中断，请现场核实。`,
    },
    choices: ['acknowledge'],
    askedAtMs: nowMs,
    deadlineMs: nowMs + plan.evaluate.everyMs,
    otherwise: 'stay open',
  };
  await world.ask(situation.questions[id]);
  world.record({ stage: 'evaluate', kind: 'asked', data: { question: id, about: 'doubt' } });
}

/** The after-action record: intervals against their goals, and whether anybody was needed at all. */
function afterAction(
  plan: PlanDocument,
  situation: Situation,
  result: Outcome['result'],
  world: World,
): Outcome {
  const measures = Object.fromEntries(
    Object.entries(plan.evaluate.measures).map(([name, spec]) => [name, measure(spec, situation)]),
  );
  const severity = situation.assessment?.severity ?? 'unknown';
  const level = situation.assessment?.level ?? 'IV';
  const outcome: Outcome = {
    result,
    severity,
    level,
    highestLevel: situation.highestLevel ?? level,
    measures,
    falseAlarm: isFalseAlarm(situation),
  };
  for (const [name, value] of Object.entries(measures)) {
    world.record({ stage: 'evaluate', kind: 'measured', data: { measure: name, ...value } });
  }
  world.record({
    stage: 'evaluate',
    kind: 'evaluated',
    data: {
      result,
      severity,
      highestLevel: outcome.highestLevel,
      evidence: situation.evidenceCount,
      orders: Object.keys(situation.orders).length,
      missions: Object.keys(situation.missions).length,
      falseAlarm: outcome.falseAlarm,
      openForMs: durationOf(situation, world.now()),
    },
  });
  situation.outcome = outcome;
  return outcome;
}

const durationOf = (situation: Situation, nowMs: EpochMs): number => nowMs - situation.openedAtMs;

/** Nobody was needed: the mildest level all along. */
const isFalseAlarm = (situation: Situation): boolean => (situation.highestLevel ?? 'IV') === 'IV';
