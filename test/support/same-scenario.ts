import type { Doors } from '../../exercise/conductor.ts';
import { conduct } from '../../exercise/conductor.ts';
import type { Fact, Mission } from '../../domain/situation.ts';
import type { ClockAnswer } from '../../workflows/contract.ts';
import * as names from '../../workflows/contract.ts';
import { inputFor } from './plans.ts';
import type { Happening, Scenario } from './script.ts';
import { ROLES, incidentIdFor } from './script.ts';

/** What a durable world under test can do: deliver messages, tell the time, wait for its desks. */
export interface DurableUnderTest {
  start(incidentId: string, input: unknown): Promise<void>;
  signal(incidentId: string, name: string, message: unknown): Promise<void>;
  execute(incidentId: string, name: string, message: unknown): Promise<unknown>;
  /** Null when the incident is closed. */
  clock(incidentId: string, atMs: number): Promise<ClockAnswer | null>;
  isOpen(incidentId: string): Promise<boolean>;
  desksSettled(): Promise<void>;
}

/** Plays a scenario through a durable world, by the conductor that also plays recorded weeks. */
export async function play(scenario: Scenario, durable: DurableUnderTest): Promise<void> {
  const opened = new Set<string>();
  let touched: string[] = [];
  const happen = async (happening: Happening): Promise<void> => {
    const incidentId = incidentIdFor(scenario, happening.tag);
    if (!opened.has(incidentId) && 'evidence' in happening) {
      opened.add(incidentId);
      const { tag } = happening;
      await durable.start(incidentId, inputFor(scenario.plan, happening.evidence, { clock: 'feed', tag }));
    } else {
      // Whoever answers or commands does so at this instant: the incident must know the time first.
      if ((await durable.clock(incidentId, happening.atMs)) === null) return;
      const roles = ROLES;
      if ('evidence' in happening)
        await durable.signal(incidentId, names.EVIDENCE, { evidence: happening.evidence });
      else if ('answer' in happening)
        await durable.execute(incidentId, names.ANSWER, { ...happening.answer, roles });
      else await durable.execute(incidentId, names.COMMAND, { ...happening.command, roles });
    }
    touched.push(incidentId);
  };

  const doors: Doors = {
    relayed() {
      const now = touched;
      touched = [];
      return Promise.resolve(now);
    },
    clock: (incidentId, atMs) => durable.clock(incidentId, atMs),
    async report(incidentId: string, mission: Mission, status, atMs) {
      if (!(await durable.isOpen(incidentId))) return;
      const { id: missionId, unit, epoch } = mission;
      await durable.signal(incidentId, names.UNIT_STATUS, {
        missionId,
        unit,
        epoch,
        status,
        atMs,
        by: 'crew',
      });
    },
    desksSettled: () => durable.desksSettled(),
    openIncidents: () => Promise.resolve([]),
  };
  await conduct({
    feed: scenario.happenings.map((happening) => ({
      atMs: happening.atMs,
      async send() {
        await happen(happening);
        return { sent: 1, acknowledged: 1, refused: 0 };
      },
    })),
    doors,
    speed: 'max',
  });
}

/**
 * The record as lines to compare: what was decided, in order, without the times. Within one instant of the feed's
 * clock, things that do not depend on each other have no order of their own, so there the lines are sorted.
 */
export function linesOf(facts: readonly Fact[]): string[] {
  const instants = new Map<number, string[]>();
  for (const { atMs, stage, kind, data } of facts) {
    const lines = instants.get(atMs) ?? [];
    instants.set(atMs, lines);
    lines.push(`${stage} ${kind} ${JSON.stringify(data, sortedKeys)}`);
  }
  return [...instants.values()].flatMap((lines) => lines.sort());
}

const sortedKeys = (_key: string, value: unknown): unknown =>
  value !== null && typeof value === 'object' && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
    : value;
