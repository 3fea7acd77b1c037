import {
  allHandlersFinished,
  condition,
  continueAsNew,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import {
  checkAnswer,
  checkCommand,
  openSituation,
  receiveAnswer,
  receiveCommand,
  receiveEvidence,
  receiveGrants,
  receiveStatus,
} from '../domain/receive.ts';
import { respond as respondBy } from '../domain/respond.ts';
import { followMissions, hasLooseUnits } from '../domain/stages/missions.ts';
import type { OrderState, Outcome, Situation } from '../domain/situation.ts';
import type { Answered, AnswerMessage, ClockAnswer, RespondInput } from './contract.ts';
import {
  answerUpdate,
  approveUpdate,
  clockUpdate,
  commandUpdate,
  evidenceSignal,
  grantedSignal,
  refusing,
  situationQuery,
  unitStatusSignal,
} from './messages.ts';
import { createDurableWorld } from './world.ts';

const HISTORY_EVENTS_AT_MOST = 2_000;

/** One incident: the domain's `respond` over the durable world. Its messages first, then the story. */
export async function respond(input: RespondInput): Promise<Outcome> {
  const { plan, detection } = input;
  const situation =
    input.carried ??
    openSituation(
      detection,
      { document: plan, hash: input.planHash },
      { mode: input.mode, clock: input.clock, nowMs: input.clock === 'feed' ? detection.atMs : Date.now() },
    );

  let begun = false;
  let continuing = false;
  let over = false;
  const checkpoint = async (): Promise<void> => {
    const { continueAsNewSuggested, historyLength } = workflowInfo();
    if (!continueAsNewSuggested && historyLength < HISTORY_EVENTS_AT_MOST) return;
    continuing = true;
    do {
      await condition(() => allHandlersFinished() && world.quiet());
      await world.drained();
    } while (!allHandlersFinished() || !world.quiet());
    await continueAsNew<typeof respond>({ ...input, carried: situation });
  };
  const world = createDurableWorld(situation, checkpoint);

  // The trigger is the first evidence, before any signal that came with the start.
  if (input.carried === undefined) world.hear(receiveEvidence(situation, detection.evidence));

  setHandler(evidenceSignal, ({ evidence }) => {
    for (const item of evidence) world.advanceTo(item.atMs);
    world.hear(receiveEvidence(situation, evidence));
  });
  setHandler(grantedSignal, (granted) => {
    world.advanceTo(granted.atMs);
    world.hear(receiveGrants(situation, granted));
  });
  setHandler(unitStatusSignal, (reported) => {
    if (situation.clock === 'feed') world.advanceTo(reported.atMs);
    // Received time decides: a crew's clock never moves ours.
    world.hear(receiveStatus(situation, { ...reported, atMs: world.now() }));
  });
  const answer = (given: AnswerMessage): Answered =>
    refusing(() => {
      world.hear(receiveAnswer(situation, given, world.now()));
      return { questionId: given.questionId, choice: given.choice, atMs: world.now() };
    });
  const mayAnswer = {
    validator: (given: AnswerMessage) => void refusing(() => checkAnswer(situation, given)),
  };
  setHandler(approveUpdate, answer, mayAnswer);
  setHandler(answerUpdate, answer, mayAnswer);
  setHandler(
    commandUpdate,
    (command) =>
      refusing(() => {
        const { kind, by, reason, severity } = command;
        const given = { kind, by, reason, ...(severity === undefined ? {} : { severity }) };
        world.hear(receiveCommand(plan, situation, given, world.now()));
        return { commandId: `command/${situation.commands.length}`, atMs: world.now() };
      }),
    { validator: (command) => refusing(() => checkCommand(plan, situation, command)) },
  );
  setHandler(clockUpdate, async ({ atMs }): Promise<ClockAnswer> => {
    world.advanceTo(atMs);
    await condition(() => (begun && world.quiet()) || over);
    return {
      nowMs: situation.nowMs,
      // Between two runs nobody waits for anything: the next run must be asked again.
      wakeAtMs: over ? null : continuing ? situation.nowMs : world.nextWakeMs(),
      phase: situation.phase,
      openQuestions: Object.values(situation.questions)
        .filter((question) => question.answer === undefined && question.expiredAtMs === undefined)
        .map((question) => question.id),
      queuedOrders: Object.values(situation.orders).filter((order) => lacksUnits(order, situation)).length,
      missions: Object.values(situation.missions),
    };
  });
  setHandler(situationQuery, () => situation);

  const recording = world.keepRecording(() => over);
  const responding = respondBy(plan, situation, world);
  begun = true;
  const outcome = await responding;
  over = true;
  await recording;
  do {
    // A grant may come until the very end: a unit that nobody gives back would be held for ever.
    await followMissions(situation, world, () => true);
    await condition(() => allHandlersFinished());
    await world.drained();
  } while (hasLooseUnits(situation));
  return outcome;
}

/** The desk could not serve it yet; a missed order still waits for whoever comes free. */
function lacksUnits(order: OrderState, situation: Situation): boolean {
  if (order.state !== 'queued' && order.state !== 'missed') return false;
  const granted = Object.values(situation.missions).filter((mission) => mission.orderId === order.id);
  return granted.length < order.count;
}
