import type { Detection, Evidence } from '../domain/evidence.ts';
import type { PlanDocument } from '../domain/plan/document.ts';
import type { Command, Mission, MissionStatus, Order, Situation } from '../domain/situation.ts';
import type { ClockKind, EpochMs, Mode } from '../domain/units.ts';

/**
 * Every name that a workflow history can contain. Durable for ever: add beside, never rename or reuse
 * (test/workflows/contract.test.ts holds the golden list).
 */
export const TASK_QUEUE_PLANS = 'tocsin-plans';
export const TASK_QUEUE_RECOGNITION = 'tocsin-recognition';
/** Training only, one at a time: it must not take the slot of a vote that an incident waits for. */
export const TASK_QUEUE_TRAINING = 'tocsin-training';

/** One durable incident. Id `incident/<tenant>/<hazard>/<cell>/<window>`. */
export const RESPOND = 'respond';
/** Assigns the units of one district. Id `desk/<tenant>/<district>`. */
export const DESK = 'desk';
/** Rehearses and waits for the decision on one proposal. Id `refine/<plan>/<n>`. */
export const REFINE_PLAN = 'refinePlan';
/** Trains one recogniser again from closed incidents. Id `retrain-recogniser/<name>`: one at a time for each. */
export const RETRAIN_RECOGNISER = 'retrainRecogniser';

/** Signals state facts. */
export const EVIDENCE = 'evidence';
export const UNIT_STATUS = 'unitStatus';
export const REQUESTED = 'requested';
export const GRANTED = 'granted';
export const RELEASED = 'released';

/** Updates ask and are answered. */
export const APPROVE = 'approve';
export const ANSWER = 'answer';
export const COMMAND = 'command';
/** Feed-clock incidents only: "it is now …"; answers when the incident has done all it can at that time. */
export const CLOCK = 'clock';

/** Refinement: yes or no to a proposal. */
export const DECIDE = 'decide';

/** Queries look. */
export const SITUATION = 'situation';

export const SEARCH_ATTRIBUTES = {
  tenant: 'TocsinTenant',
  hazard: 'TocsinHazard',
  level: 'TocsinLevel',
  plan: 'TocsinPlan',
  mode: 'TocsinMode',
} as const;

export interface RespondInput {
  readonly detection: Detection;
  readonly plan: PlanDocument;
  readonly planHash: string;
  readonly mode: Mode;
  readonly clock: ClockKind;
  /** Carried over continue-as-new. */
  readonly carried?: Situation;
}

export interface EvidenceMessage {
  readonly evidence: readonly Evidence[];
}

export interface UnitStatusMessage {
  readonly missionId: string;
  readonly unit: string;
  readonly epoch: number;
  readonly status: MissionStatus;
  readonly atMs: EpochMs;
  readonly by: string;
}

export interface RequestedMessage {
  readonly order: Order;
}

export interface GrantedMessage {
  readonly orderId: string;
  /** Empty when the desk has nobody now; the order stays queued. */
  readonly missions: readonly Mission[];
  readonly atMs: EpochMs;
}

export interface ReleasedMessage {
  readonly incidentId: string;
  readonly unit: string;
  readonly epoch: number;
  readonly atMs: EpochMs;
}

export interface AnswerMessage {
  readonly questionId: string;
  readonly choice: string;
  readonly by: string;
  readonly roles: readonly string[];
  readonly reason: string;
}

export interface CommandMessage extends Omit<Command, 'atMs' | 'id'> {
  readonly roles: readonly string[];
}

export interface ClockMessage {
  readonly atMs: EpochMs;
}

/** What the conductor needs to know to move time on. */
export interface ClockAnswer {
  readonly nowMs: EpochMs;
  /** Next instant at which the incident acts by itself; null: only messages can move it, or it is closed. */
  readonly wakeAtMs: EpochMs | null;
  readonly phase: Situation['phase'];
  readonly openQuestions: readonly string[];
  /** Orders the desk could not serve yet. */
  readonly queuedOrders: number;
  readonly missions: readonly Mission[];
}

export interface DeskInput {
  readonly tenant: string;
  readonly district: string;
  /** Carried over continue-as-new; its shape is domain/dispatch/desk.ts DeskState. */
  readonly carried?: unknown;
}

/** What one district's desk shows to a query. */
export interface DeskSituation {
  readonly units: readonly {
    readonly unit: string;
    readonly epoch: number;
    readonly heldBy: string | null;
  }[];
  readonly queued: readonly string[];
  /** True while a turn is under way: an answer to somebody is still coming. */
  readonly busy: boolean;
}

export interface Answered {
  readonly questionId: string;
  readonly choice: string;
  readonly atMs: EpochMs;
}

export interface Commanded {
  readonly commandId: string;
  readonly atMs: EpochMs;
}

export interface RefinePlanInput {
  readonly tenant: string;
  readonly planId: string;
  readonly n: number;
}

export interface DecideMessage {
  readonly approve: boolean;
  readonly by: string;
  readonly roles: readonly string[];
  readonly reason: string;
}

export interface Decided {
  readonly proposalId: string;
  readonly approved: boolean;
  /** Version in force afterwards. */
  readonly activeHash: string;
}

export interface RefinementSituation {
  readonly proposalId: string;
  readonly state: 'drafting' | 'waiting' | 'nothing-to-propose' | 'approved' | 'refused';
  /** Why nothing was proposed; empty otherwise. */
  readonly reason: string;
}

export interface RetrainInput {
  /** Name of the recogniser. */
  readonly name: string;
  /** Closed incidents that must be able to teach; with fewer nothing is trained. */
  readonly incidentsAtLeast: number;
  /** Principal id, or `job/retrain-recognisers`. */
  readonly by: string;
}

/** How a retraining ended; always with a reason in words. */
export interface RetrainOutcome {
  readonly name: string;
  readonly result: RetrainResult;
  readonly reason: string;
  /** The version that waits for a person to activate it; null when none was stored. */
  readonly hash: string | null;
  /** Null when it ended before incidents were read. */
  readonly incidents: RetrainIncidents | null;
  /** What the gate said, in words; empty when it was not reached. */
  readonly findings: readonly string[];
}

export interface RetrainIncidents {
  readonly labelled: number;
  readonly usable: number;
  readonly taught: number;
  /** By reason; reasons that never held are absent. */
  readonly leftOut: Readonly<Record<string, number>>;
}

/**
 * `trained`: a new version is stored. `unchanged`: the same rows gave the same bytes again. `gate-refused`: it may not
 * vote, and is not kept. `failed`: the work could not be done; `reason` begins with a code.
 */
export type RetrainResult =
  | 'trained'
  | 'unchanged'
  | 'no-active-version'
  | 'not-retrainable'
  | 'too-few-labels'
  | 'gate-refused'
  | 'failed';

export interface RetrainingSituation {
  readonly state: 'preparing' | 'training' | 'recording' | 'over';
  readonly outcome: RetrainOutcome | null;
}
