import type { Effect, Evidence, Place } from './evidence.ts';
import type { ClockKind, DurationMs, EpochMs, Json, Level, Mode, Stage } from './units.ts';

/**
 * Everything one incident knows: plain data, so that it is carried whole across continue-as-new, shown by the
 * `situation` query and compared between the Temporal world and the simulator.
 */
export interface Situation {
  readonly incidentId: string;
  readonly tenant: string;
  readonly mode: Mode;
  readonly clock: ClockKind;
  readonly planId: string;
  readonly planHash: string;
  readonly hazard: string;
  readonly place: Place;
  readonly openedAtMs: EpochMs;
  phase: Phase;
  /** Latest time this incident has seen, by its own clock. */
  nowMs: EpochMs;
  /** When the engine next wants to wake without any message; null while it works or waits for messages only. */
  wakeAtMs: EpochMs | null;
  /** Oldest first, at most 60: the trigger, the strongest and the most recent stay. */
  evidence: Evidence[];
  /** Dedup keys of all evidence ever joined (bounded: the newest 2,000). */
  seenKeys: string[];
  evidenceCount: number;
  /** How much of the evidence and of the commands the engine has acted on, and when it last reviewed. */
  judgedEvidence: number;
  obeyedCommands: number;
  reviewedAtMs: EpochMs;
  /** Last known state of each channel condition by leaf path. */
  leaves: Record<string, { holds: boolean; sinceMs: EpochMs }>;
  assessment: Assessment | null;
  /** Most serious level this incident ever had. */
  highestLevel: Level | null;
  questions: Record<string, Question>;
  orders: Record<string, OrderState>;
  missions: Record<string, Mission>;
  steps: Record<string, StepState>;
  commands: Command[];
  /** Number of facts recorded so far: the next fact's sequence number. */
  factCount: number;
  resolvedAtMs: EpochMs | null;
  closedAtMs: EpochMs | null;
  outcome: Outcome | null;
}

export type Phase = 'classifying' | 'responding' | 'resolved' | 'closed';

/** What the incident believes happened, how bad it is, how sure it is, and why. */
export interface Assessment {
  readonly atMs: EpochMs;
  /** Recognised type: `earthquake`, `quarry-blast`, `gas-leak`. */
  readonly type: string;
  /** 0..1, calibrated; 1 when a rule or a human decided. */
  readonly confidence: number;
  readonly severity: string;
  readonly level: Level;
  readonly decidedBy: 'recognisers' | 'rule' | 'human' | 'otherwise';
  /** Why a human was asked, in words; empty when nobody was. */
  readonly doubt: string;
  readonly votes: readonly Vote[];
  /** The path through the plan's scale rules: each question and its answer. */
  readonly path: readonly { readonly question: string; readonly answer: string }[];
  readonly affected: readonly Effect[];
}

/** One recogniser's vote, with the explanation stored beside it verbatim. */
export interface Vote {
  readonly recogniser: string;
  /** SHA-256 of the artefact that voted. */
  readonly hash: string;
  readonly label: string;
  readonly probabilities: Readonly<Record<string, number>>;
  /** Inputs outside the training range, in words. */
  readonly outOfRange: readonly string[];
  /** Largest contributions first. */
  readonly contributions: readonly {
    readonly feature: string;
    readonly value: string;
    readonly weight: number;
  }[];
  readonly sentence: { readonly en: string; readonly zh: string };
  /** Training rows most like this input, nearest first; absent for artefacts that keep none. */
  readonly nearest?: readonly { readonly row: number; readonly label: string; readonly distance: number }[];
  /** The smallest change found that would give another answer; absent when none was found. */
  readonly change?: { readonly en: string; readonly zh: string };
}

export interface VoteResult {
  readonly votes: readonly Vote[];
  /** Absent when the voters disagree or abstain. */
  readonly label?: string;
  readonly confidence: number;
  /** Why this result needs a human; empty when it does not. */
  readonly doubt: string;
  /** Versions that run beside the voters: what they would have said. Nobody acts on it. Absent when none runs. */
  readonly shadows?: readonly Vote[];
  /** What they voted on, exactly as they saw it: what they are trained again from. Absent in older histories. */
  readonly input?: VoteInput;
}

export interface VoteInput {
  /** Dedup key of the evidence. */
  readonly key: string;
  readonly vendor: string;
  readonly observedAtMs: EpochMs;
  /** One input row by feature name; null = not measured. */
  readonly row: Readonly<Record<string, number | string | null>>;
}

/** Something a human must decide by a deadline. */
export interface Question {
  /** `classify/<n>` or `<step id>`; unique in the incident, used as update id. */
  readonly id: string;
  readonly about: 'type' | 'approval' | 'doubt' | 'acknowledgement';
  readonly role: string;
  readonly text: { readonly en: string; readonly zh: string };
  /** Allowed answers: types for `type`, `approve`/`refuse` for `approval`, `acknowledge` for the others. */
  readonly choices: readonly string[];
  readonly askedAtMs: EpochMs;
  readonly deadlineMs: EpochMs;
  /** What applies without an answer. */
  readonly otherwise: string;
  answer?: Answer;
  /** Set when the deadline passed first. */
  expiredAtMs?: EpochMs;
}

export interface Answer {
  readonly choice: string;
  /** Principal id. */
  readonly by: string;
  readonly atMs: EpochMs;
  readonly reason: string;
}

/** A demand for capability at a place by a deadline. */
export interface Order {
  /** `<step id>` made unique by severity run: `major.1.0`; with the incident id it is global. */
  readonly id: string;
  readonly incidentId: string;
  readonly tenant: string;
  readonly district: string;
  readonly capability: string;
  readonly count: number;
  readonly place: Place;
  readonly level: Level;
  readonly orderedAtMs: EpochMs;
  readonly deadlineMs: EpochMs;
}

export interface OrderState extends Order {
  state: 'requested' | 'queued' | 'granted' | 'met' | 'missed' | 'released';
}

/** One unit executing one order. */
export interface Mission {
  /** `mission/<incident>/<order>/<unit>`. */
  readonly id: string;
  readonly orderId: string;
  readonly unit: string;
  /** Fencing number of the unit's grant: a larger one ends all smaller ones. */
  readonly epoch: number;
  readonly capability: string;
  readonly grantedAtMs: EpochMs;
  /** Estimated at grant from distance and road factor. */
  readonly travelMs: DurationMs;
  status: MissionStatus;
  /** When each status was reached. */
  times: Partial<Record<MissionStatus, EpochMs>>;
  /** Set once the order is on its way to the unit's terminal: crews see only transmitted missions. */
  transmittedAtMs?: EpochMs;
  /** Set once the unit was given back to its desk. */
  releasedAtMs?: EpochMs;
}

/** NFPA 1225 and CAD usage; `stood-down` is ours when the order is withdrawn. */
export type MissionStatus = 'granted' | 'acknowledged' | 'en-route' | 'on-scene' | 'done' | 'stood-down';
export const MISSION_STATUSES: readonly MissionStatus[] = [
  'granted',
  'acknowledged',
  'en-route',
  'on-scene',
  'done',
  'stood-down',
];

export interface StepState {
  readonly id: string;
  readonly do: string;
  startedAtMs: EpochMs;
  state: 'running' | 'done' | 'missed' | 'held' | 'failed' | 'cancelled';
  endedAtMs: EpochMs | null;
}

/** A person's command to a running incident; answered by an update. */
export interface Command {
  readonly id: string;
  readonly kind: 'escalate' | 'stand-down' | 'close';
  readonly severity?: string;
  readonly by: string;
  readonly reason: string;
  readonly atMs: EpochMs;
}

export interface Outcome {
  readonly result: 'resolved' | 'stood-down' | 'closed-by-command';
  readonly severity: string;
  readonly level: Level;
  readonly highestLevel: Level;
  readonly measures: Readonly<Record<string, MeasureResult>>;
  /** False when the response did something nobody needed: no order met, no escalation. Feeds refinement. */
  readonly falseAlarm: boolean;
}

export interface MeasureResult {
  readonly goalMs: DurationMs;
  /** null when nothing was measured. */
  readonly valueMs: DurationMs | null;
  readonly met: boolean | null;
  readonly count: number;
}

/** An immutable line of an incident's record. `_id` is `<incident>/<seq>`. */
export interface Fact {
  readonly incidentId: string;
  readonly seq: number;
  /** By the incident's clock. */
  readonly atMs: EpochMs;
  readonly stage: Stage;
  readonly kind: FactKind;
  readonly data: Readonly<Record<string, Json>>;
}

export type FactKind =
  | 'detected'
  | 'evidence-joined'
  | 'voted'
  | 'asked'
  | 'answered'
  | 'unanswered'
  | 'assessed'
  | 'step-started'
  | 'step-done'
  | 'step-missed'
  | 'step-held'
  | 'step-failed'
  | 'notified'
  | 'ordered'
  | 'queued'
  | 'granted'
  | 'transmitted'
  | 'mission-status'
  | 'actuated'
  | 'released'
  | 'escalated'
  | 'commanded'
  | 'reviewed'
  | 'resolved'
  | 'measured'
  | 'evaluated'
  | 'closed';
