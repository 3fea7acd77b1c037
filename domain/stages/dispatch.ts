import type { PlanDocument } from '../plan/document.ts';
import type { Situation } from '../situation.ts';
import type { World } from '../world.ts';
import { closeQuestions } from './asking.ts';
import { followMissions, unfinishedMissions } from './missions.ts';
import { runSteps } from './steps.ts';

/**
 * The running part of a response: the plan's steps for the severity reached so far. Steps go on while the
 * incident is evaluated; an escalation adds the steps of the worse severity; standing down withdraws what is left.
 */
export interface Response {
  /** Starts the steps of a severity, once. */
  start(severity: string): void;
  /** True when no step is running: a safe point to continue as new. */
  idle(): boolean;
  /** Withdraws orders, cancels steps that wait, releases every unit; resolves when nothing is left. */
  standDown(): Promise<void>;
}

export function dispatch(plan: PlanDocument, situation: Situation, world: World): Response {
  let running = 0;
  let withdrawn = false;

  const start = (severity: string): void => {
    const mark = `severity/${severity}`;
    if (situation.steps[mark] !== undefined) return;
    const state = {
      id: mark,
      do: 'severity',
      startedAtMs: world.now(),
      state: 'running' as const,
      endedAtMs: null,
    };
    situation.steps[mark] = state;
    running += 1;
    const steps = plan.dispatch[severity] ?? [];
    void runSteps(
      steps,
      { place: situation.place, suffix: '' },
      { situation, world, withdrawn: () => withdrawn },
    ).then(() => {
      Object.assign(state, { state: withdrawn ? 'cancelled' : 'done', endedAtMs: world.now() });
      running -= 1;
    });
  };

  if (situation.assessment !== null) start(situation.assessment.severity);
  const followed = followMissions(situation, world, () => withdrawn && running === 0);

  return {
    start,
    idle: () => running === 0,
    async standDown() {
      withdrawn = true;
      closeQuestions(situation, world);
      for (const order of Object.values(situation.orders)) {
        // What was met or missed stays so: the measures read it.
        if (order.state !== 'met' && order.state !== 'missed') order.state = 'released';
      }
      for (const mission of unfinishedMissions(situation)) {
        mission.status = 'stood-down';
        mission.times['stood-down'] = world.now();
      }
      await followed;
    },
  };
}
