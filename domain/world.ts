import type { Evidence } from './evidence.ts';
import type { ClassifySpec } from './plan/document.ts';
import type { Fact, Mission, Order, Question, Situation, VoteResult } from './situation.ts';
import type { EpochMs, Level, Mode } from './units.ts';

/**
 * Everything the engine may ask of outside. Two implementations: `workflows/respond.ts` (durable) and
 * `domain/simulate` (virtual time). Messages from outside do not come through here: `receive` writes them into
 * the situation, and the engine waits with `until`.
 */
export interface World {
  /** The incident's clock. Never runs backwards. */
  now(): EpochMs;
  /** Waits until `holds()` or until the clock passes `deadlineMs` (null: no deadline). True when it holds. */
  until(holds: () => boolean, deadlineMs: EpochMs | null): Promise<boolean>;
  /** Recognisers vote on one piece of evidence. Throws when they cannot: that is doubt. */
  assess(request: AssessmentRequest): Promise<VoteResult>;
  /** Puts a question before a human; the answer arrives in `situation.questions[id].answer`. */
  ask(question: Question): Promise<void>;
  /** Asks the desk; grants arrive in `situation.missions`. */
  order(order: Order): Promise<void>;
  /** Gives units back to the desk; harmless when repeated. */
  release(missions: readonly Mission[]): Promise<void>;
  /** Fences the unit's epoch and transmits the order to the unit's terminal. False when the epoch was fenced off. */
  transmit(mission: Mission, order: Order): Promise<boolean>;
  notify(notice: NoticeToSend): Promise<Delivery>;
  actuate(actuation: Actuation): Promise<Delivery>;
  /** How old the data behind the incident is. */
  observe(): Promise<{ readonly lastHeardMs: EpochMs | null }>;
  /** Appends facts in order. They are durable before any later verb acts. */
  record(...facts: readonly FactDraft[]): void;
  /** Hands the closed incident to refinement. */
  learn(evaluation: Evaluation): Promise<void>;
  /** Runs a named procedure (a child workflow). */
  run(procedure: ProcedureCall): Promise<void>;
  /** A safe point between decisions with nothing in flight: the durable world may continue as new here. */
  checkpoint(): Promise<void>;
}

export type FactDraft = Pick<Fact, 'stage' | 'kind' | 'data'>;

export interface AssessmentRequest {
  readonly recognisers: readonly string[];
  readonly evidence: Evidence;
  readonly minConfidence: ClassifySpec['minConfidence'];
}

export interface NoticeToSend {
  /** `<incident>/<step>`: repeated sends of one key are one notice. */
  readonly key: string;
  readonly to: string;
  readonly mode: Mode;
  readonly level: Level;
  readonly text: { readonly en: string; readonly zh: string };
}

export interface Actuation {
  readonly key: string;
  readonly device: string;
  readonly action: string;
  readonly mode: Mode;
}

export interface Delivery {
  readonly delivered: boolean;
  /** Channel that took it: `exercise-log`, `console`, `webhook`. */
  readonly channel: string;
}

export interface ProcedureCall {
  readonly name: string;
  readonly codeHash: string;
  readonly arguments: Readonly<Record<string, string | number | boolean>>;
}

/** What refinement reads of one closed incident. Insert-only, `_id` = incident id. */
export interface Evaluation {
  readonly incidentId: string;
  readonly tenant: string;
  readonly planId: string;
  readonly planHash: string;
  readonly closedAtMs: EpochMs;
  readonly type: string;
  readonly severity: string;
  readonly level: Level;
  readonly highestLevel: Level;
  readonly outcome: NonNullable<Situation['outcome']>;
  /** What opened it: enough to run it again on another plan. */
  readonly trigger: readonly Evidence[];
  readonly humansAsked: number;
  readonly unitsSent: number;
}
