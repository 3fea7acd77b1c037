import type { Evidence } from '../../domain/evidence.ts';
import { incidentIdOf } from '../../domain/evidence.ts';
import type { PlanDocument } from '../../domain/plan/document.ts';
import type { Fact, Mission, Situation } from '../../domain/situation.ts';
import type { ClockKind } from '../../domain/units.ts';
import * as names from '../../workflows/contract.ts';
import type { Outside, OutsideOptions } from '../support/outside.ts';
import { createOutside } from '../support/outside.ts';
import { T0, inputFor } from '../support/plans.ts';
import type { Sandbox, SandboxActivity } from '../support/sandbox.ts';
import { createSandbox } from '../support/sandbox.ts';

export interface Incident {
  readonly sandbox: Sandbox;
  readonly outside: Outside;
  situation(): Promise<Situation>;
  facts(): Promise<Fact[]>;
  /** Kinds of all facts so far, in order. */
  kinds(): Promise<string[]>;
  /** The facts of one kind. */
  factsOf(kind: Fact['kind']): Promise<Fact[]>;
  hear(...evidence: readonly Evidence[]): Promise<void>;
  answer(questionId: string, choice: string, by?: string, roles?: readonly string[]): Promise<unknown>;
  command(kind: 'escalate' | 'stand-down' | 'close', severity?: string): Promise<unknown>;
  /** Grants units to an order, as the desk would. */
  grant(orderId: string, ...units: readonly string[]): Promise<Mission[]>;
  report(mission: Mission, status: Mission['status'], atMs?: number): Promise<void>;
}

export interface IncidentOptions extends OutsideOptions {
  readonly clock?: ClockKind;
  readonly activities?: Readonly<Record<string, SandboxActivity>>;
  readonly children?: Readonly<Record<string, SandboxActivity>>;
  readonly tag?: string;
}

/** An incident in the sandbox, with the messages that people, crews and desks send to it. */
export async function openIncident(
  plan: PlanDocument,
  evidence: readonly Evidence[],
  options: IncidentOptions = {},
): Promise<Incident> {
  const outside = await createOutside(options);
  const input = inputFor(plan, evidence, options);
  const sandbox = await createSandbox({
    workflow: names.RESPOND,
    args: [input],
    activities: { ...outside.activities, ...options.activities },
    children: options.children ?? {},
    startMs: T0,
    workflowId: incidentIdOf(input.detection),
  });
  const facts = (): Promise<Fact[]> => outside.stores.facts.of(sandbox.workflowId);
  return {
    sandbox,
    outside,
    situation: async () => (await sandbox.query(names.SITUATION)) as Situation,
    facts,
    kinds: async () => (await facts()).map((fact) => fact.kind),
    factsOf: async (kind) => (await facts()).filter((fact) => fact.kind === kind),
    hear: (...heard) => sandbox.signal(names.EVIDENCE, { evidence: heard }),
    answer: (questionId, choice, by = 'lin', roles = ['duty-officer']) =>
      sandbox.execute(names.ANSWER, { questionId, choice, by, roles, reason: 'seen' }),
    command: (kind, severity) =>
      sandbox.execute(names.COMMAND, {
        kind,
        by: 'lin',
        roles: ['operator'],
        reason: 'seen on site',
        ...(severity === undefined ? {} : { severity }),
      }),
    async grant(orderId, ...units) {
      const missions = units.map((unit): Mission => ({
        id: `mission/${sandbox.workflowId}/${orderId}/${unit}`,
        orderId,
        unit,
        epoch: 1,
        capability: 'hazmat',
        grantedAtMs: sandbox.now(),
        travelMs: 300_000,
        status: 'granted',
        times: { granted: sandbox.now() },
      }));
      await sandbox.signal(names.GRANTED, { orderId, missions, atMs: sandbox.now() });
      return missions;
    },
    report: ({ id: missionId, unit, epoch }, status, atMs = sandbox.now()) =>
      sandbox.signal(names.UNIT_STATUS, { missionId, unit, epoch, status, atMs, by: 'crew' }),
  };
}

/** The code a domain refusal carries through Temporal. */
export const codeOf = (error: unknown): string =>
  error instanceof Error && 'type' in error ? String(error.type) : String(error);

/** Settles to the code of the refusal; fails when there is none. */
export async function refusalOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    return codeOf(error);
  }
  throw new Error('nothing was refused');
}
