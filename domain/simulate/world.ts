import type { DeskState } from '../dispatch/desk.ts';
import { cancel, commit, enqueue, plan as planDesk, release, solve } from '../dispatch/desk.ts';
import { receiveGrants, receiveStatus } from '../receive.ts';
import type { Fact, Mission, Question, Situation, VoteResult } from '../situation.ts';
import type { AssessmentRequest, Evaluation, FactDraft, ProcedureCall, World } from '../world.ts';
import type { VirtualClock } from './clock.ts';
import { crewReports } from './crew.ts';

export interface SimulatedParts {
  readonly clock: VirtualClock;
  readonly situation: Situation;
  /** One desk a district, shared by all incidents of a rehearsal: units are scarce there too. */
  readonly desks: Map<string, DeskState>;
  readonly voter: (request: AssessmentRequest) => VoteResult;
  /** How the people asked behave; undefined: silence, and the plan's `otherwise`. */
  readonly answer?: (question: Question) => { readonly choice: string; readonly afterMs: number } | undefined;
  /** Hears every situation change a desk makes elsewhere: grants that a release made possible. */
  readonly situations: Map<string, Situation>;
  readonly recorders: Map<string, (drafts: readonly FactDraft[]) => void>;
}

export interface SimulatedWorld extends World {
  readonly facts: Fact[];
  readonly evaluations: Evaluation[];
}

/** The World of a rehearsal: the same engine, a virtual clock, the real desk and crews that report by their model. */
export function createSimulatedWorld(parts: SimulatedParts): SimulatedWorld {
  const { clock, situation, desks, situations, recorders } = parts;
  const facts: Fact[] = [];
  const evaluations: Evaluation[] = [];

  const record = (...drafts: readonly FactDraft[]): void => {
    for (const draft of drafts) {
      facts.push({ incidentId: situation.incidentId, seq: situation.factCount, atMs: clock.now(), ...draft });
      situation.factCount += 1;
    }
    situation.nowMs = clock.now();
  };
  situations.set(situation.incidentId, situation);
  recorders.set(situation.incidentId, (drafts) => record(...drafts));

  /** One turn of a desk: solve what is queued, commit, tell each incident. */
  const turn = (district: string): void => {
    const before = desks.get(district);
    if (before === undefined) throw new Error(`no desk for district ${district}`);
    const committed = commit(before, solve(planDesk(before)), clock.now());
    let { state } = committed;
    let isStable = true;
    const tell = (incidentId: string, orderId: string, missions: readonly Mission[]): boolean => {
      const holder = situations.get(incidentId);
      if (holder === undefined || holder.phase === 'closed') return false;
      recorders.get(incidentId)?.(receiveGrants(holder, { orderId, missions }));
      return true;
    };
    for (const { incidentId, orderId, missions } of committed.grants) {
      if (tell(incidentId, orderId, missions)) continue;
      // The incident is gone: what it was granted goes straight back.
      for (const { unit, epoch } of missions) state = release(state, { incidentId, unit, epoch });
      isStable = false;
    }
    for (const { incidentId, id } of committed.queuedOrders) {
      if (!tell(incidentId, id, [])) state = cancel(state, { incidentId, orderId: id });
    }
    desks.set(district, state);
    if (!isStable) turn(district);
  };
  /** The desk's turn comes when everything else of this instant is said, as its signals do: orders are served jointly. */
  const turnSoon = (district: string): void => clock.at(clock.now(), () => turn(district));

  return {
    facts,
    evaluations,
    now: () => clock.now(),
    until: (holds, deadlineMs) => clock.until(holds, deadlineMs),
    assess: (request) => Promise.resolve().then(() => parts.voter(request)),
    ask(question) {
      const answer = parts.answer?.(question);
      if (answer !== undefined) {
        clock.at(clock.now() + answer.afterMs, () => {
          if (question.expiredAtMs !== undefined) return;
          question.answer = {
            choice: answer.choice,
            by: 'rehearsal',
            atMs: clock.now(),
            reason: 'rehearsal',
          };
          record({
            stage: question.about === 'type' ? 'classify' : 'dispatch',
            kind: 'answered',
            data: { question: question.id, choice: answer.choice, by: 'rehearsal', reason: 'rehearsal' },
          });
        });
      }
      return Promise.resolve();
    },
    order(order) {
      const desk = desks.get(order.district);
      if (desk !== undefined) {
        desks.set(order.district, enqueue(desk, order));
        turnSoon(order.district);
      }
      return Promise.resolve();
    },
    release(missions) {
      for (const mission of missions) {
        const district = situation.orders[mission.orderId]?.district ?? situation.place.district;
        const desk = desks.get(district);
        if (desk === undefined) continue;
        const { unit, epoch } = mission;
        desks.set(district, release(desk, { incidentId: situation.incidentId, unit, epoch }));
        turnSoon(district);
      }
      return Promise.resolve();
    },
    transmit(mission: Mission) {
      for (const report of crewReports(mission, clock.now())) {
        clock.at(report.atMs, () => {
          const { unit, epoch, id: missionId } = mission;
          record(
            ...receiveStatus(situation, { missionId, unit, epoch, ...report, atMs: clock.now(), by: 'crew' }),
          );
        });
      }
      return Promise.resolve(true);
    },
    notify: () => Promise.resolve({ delivered: true, channel: 'exercise-log' }),
    actuate: () => Promise.resolve({ delivered: true, channel: 'exercise-log' }),
    observe: () => Promise.resolve({ lastHeardMs: situation.evidence.at(-1)?.atMs ?? null }),
    record,
    learn(evaluation) {
      evaluations.push(evaluation);
      return Promise.resolve();
    },
    run: (_procedure: ProcedureCall) => Promise.resolve(),
    checkpoint: () => Promise.resolve(),
  };
}
