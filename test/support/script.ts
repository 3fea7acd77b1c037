import type { DeskState } from '../../domain/dispatch/desk.ts';
import { initialDesk } from '../../domain/dispatch/desk.ts';
import type { Evidence } from '../../domain/evidence.ts';
import { incidentIdOf } from '../../domain/evidence.ts';
import type { PlanDocument } from '../../domain/plan/document.ts';
import type { Unit } from '../../domain/ports.ts';
import type { AnswerGiven } from '../../domain/receive.ts';
import { openSituation, receiveAnswer, receiveCommand, receiveEvidence } from '../../domain/receive.ts';
import { respond } from '../../domain/respond.ts';
import { VirtualClock } from '../../domain/simulate/clock.ts';
import type { SimulatedParts } from '../../domain/simulate/world.ts';
import { createSimulatedWorld } from '../../domain/simulate/world.ts';
import type { Command, Fact, Question, Situation, VoteResult } from '../../domain/situation.ts';
import type { AssessmentRequest, Evaluation, FactDraft } from '../../domain/world.ts';
import { DEFAULT_UNITS, T0, agreed, inputFor } from './plans.ts';

/** One thing that happens to one incident of a scenario. The first evidence of a tag opens its incident. */
export type Happening =
  | { readonly atMs: number; readonly tag: string; readonly evidence: readonly Evidence[] }
  | { readonly atMs: number; readonly tag: string; readonly answer: Omit<AnswerGiven, 'roles'> }
  | { readonly atMs: number; readonly tag: string; readonly command: Omit<Command, 'id' | 'atMs'> };

/** What happens, in time order: the same script drives the simulator and Temporal. */
export interface Scenario {
  readonly plan: PlanDocument;
  readonly happenings: readonly Happening[];
  readonly units?: readonly Unit[];
  readonly vote?: (request: AssessmentRequest) => VoteResult;
  readonly answer?: SimulatedParts['answer'];
}

export const ROLES = ['duty-officer', 'hospital', 'operator'];

export const incidentIdFor = (scenario: Scenario, tag: string): string => {
  const opening = scenario.happenings.find((one) => one.tag === tag && 'evidence' in one);
  if (opening === undefined || !('evidence' in opening)) throw new Error(`nothing opens ${tag}`);
  return incidentIdOf(inputFor(scenario.plan, opening.evidence, { tag }).detection);
};

export interface Rehearsed {
  readonly situation: Situation;
  readonly facts: readonly Fact[];
  readonly evaluations: readonly Evaluation[];
  readonly questions: readonly Question[];
}

/** Runs a scenario through the engine in virtual time. Ends when every incident has closed. */
export async function rehearse(scenario: Scenario): Promise<Map<string, Rehearsed>> {
  const { plan, happenings, units = DEFAULT_UNITS, vote = () => agreed() } = scenario;
  const clock = new VirtualClock(happenings[0]?.atMs ?? T0);
  const desks = new Map<string, DeskState>();
  for (const district of new Set(['east', 'west', ...units.map((unit) => unit.district)])) {
    desks.set(district, initialDesk(units.filter((unit) => unit.district === district)));
  }
  const situations = new Map<string, Situation>();
  const recorders = new Map<string, (drafts: readonly FactDraft[]) => void>();
  const rehearsed = new Map<string, Rehearsed>();
  let running = 0;
  let waiting = happenings.length;
  let failure: unknown;

  const open = (tag: string, evidence: readonly Evidence[]): void => {
    const { detection, planHash, mode } = inputFor(plan, evidence, { tag });
    const situation = openSituation(
      detection,
      { document: plan, hash: planHash },
      { mode, clock: 'feed', nowMs: clock.now() },
    );
    const world = createSimulatedWorld({
      clock,
      situation,
      desks,
      situations,
      recorders,
      voter: vote,
      ...(scenario.answer === undefined ? {} : { answer: scenario.answer }),
    });
    const questions: Question[] = [];
    const { facts, evaluations } = world;
    rehearsed.set(tag, { situation, facts, evaluations, questions });
    world.record(...receiveEvidence(situation, evidence));
    running += 1;
    const ask = world.ask.bind(world);
    world.ask = (question) => {
      questions.push(question);
      return ask(question);
    };
    respond(plan, situation, world)
      .catch((error: unknown) => (failure = error))
      .finally(() => (running -= 1));
  };

  for (const happening of happenings) {
    clock.at(happening.atMs, () => {
      waiting -= 1;
      const { tag } = happening;
      const known = rehearsed.get(tag);
      if (known === undefined) {
        if ('evidence' in happening) open(tag, happening.evidence);
        return;
      }
      const { situation } = known;
      if (situation.phase === 'closed') return;
      const record = recorders.get(situation.incidentId)!;
      if ('evidence' in happening) record(receiveEvidence(situation, happening.evidence));
      else if ('answer' in happening)
        record(receiveAnswer(situation, { ...happening.answer, roles: ROLES }, clock.now()));
      else record(receiveCommand(plan, situation, happening.command, clock.now()));
    });
  }
  const finished = await clock.run(() => failure !== undefined || (running === 0 && waiting === 0));
  if (failure !== undefined) throw failure as Error;
  if (!finished) throw new Error('an incident waits for something that can never happen');
  return rehearsed;
}

/** A scenario with a single incident. */
export async function rehearseOne(
  plan: PlanDocument,
  evidence: readonly Evidence[],
  more: Partial<Omit<Scenario, 'plan'>> = {},
): Promise<Rehearsed> {
  const opening = { atMs: evidence[0]?.atMs ?? T0, tag: '', evidence };
  const later = more.happenings ?? [];
  const rehearsed = await rehearse({ ...more, plan, happenings: [opening, ...later] });
  return rehearsed.get('')!;
}
