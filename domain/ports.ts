import type { Evaluation } from './world.ts';
import type { Place } from './evidence.ts';
import type { ClockQuality } from './ingest/clock.ts';
import type { PlanDocument, PlanVersion } from './plan/document.ts';
import type { Fact, Situation } from './situation.ts';
import type { EpochMs, Level, Mode, Position, Text } from './units.ts';

/**
 * What the domain needs of a store. Behind each port stand a mongoose repository and a fake, both held to the
 * contract suite in test/contracts. Inserts are by meaningful id and answer `inserted` or `exists`: the only
 * atomic step that every backend has.
 */
export type Inserted = 'inserted' | 'exists';

export interface PlanStore {
  /** Publishes one version; `exists` when the same content is already there. */
  publish(version: PlanVersion): Promise<Inserted>;
  version(planId: string, hash: string): Promise<PlanVersion | null>;
  versions(planId: string): Promise<PlanVersion[]>;
  plans(): Promise<string[]>;
  /** Appends activation `n` = last + 1, or loses and tries the next. */
  activate(activation: Omit<Activation, 'n'>): Promise<Activation>;
  /** The activation in force: the largest n. */
  active(planId: string): Promise<Activation | null>;
  activations(planId: string): Promise<Activation[]>;
}

export interface Activation {
  readonly planId: string;
  readonly n: number;
  readonly hash: string;
  readonly by: string;
  readonly reason: string;
  readonly atMs: EpochMs;
}

/** Append-only record of one incident; `<incident>/<seq>`. */
export interface FactStore {
  /** Idempotent by (incident, seq). A different fact under a used seq is refused with FACT_CONFLICT. */
  append(facts: readonly Fact[]): Promise<void>;
  of(incidentId: string): Promise<Fact[]>;
}

/** One line of the incident list and the whole situation behind it. One writer: the incident. Rebuildable from facts and history. */
export interface IncidentView {
  readonly incidentId: string;
  readonly tenant: string;
  readonly mode: Mode;
  readonly hazard: string;
  readonly place: Place;
  readonly planId: string;
  readonly planHash: string;
  readonly level: Level | null;
  readonly highestLevel: Level | null;
  readonly phase: Situation['phase'];
  readonly openedAtMs: EpochMs;
  readonly updatedAtMs: EpochMs;
  /** Wall time of the write: what `age of data` is measured from. */
  readonly writtenAtMs: EpochMs;
  readonly runId: string;
  readonly situation: Situation;
}

export interface IncidentStore {
  put(view: IncidentView): Promise<void>;
  get(incidentId: string): Promise<IncidentView | null>;
  /** Newest first. */
  list(filter?: {
    readonly tenant?: string;
    readonly open?: boolean;
    readonly limit?: number;
  }): Promise<IncidentView[]>;
}

export interface EvaluationStore {
  insert(evaluation: Evaluation): Promise<Inserted>;
  of(planId: string): Promise<Evaluation[]>;
}

/** A bounded change of a plan with its evidence. */
export interface Proposal {
  /** `<plan>/<n>`. */
  readonly id: string;
  readonly planId: string;
  readonly n: number;
  readonly fromHash: string;
  readonly document: PlanDocument;
  readonly changes: readonly {
    readonly path: string;
    readonly from: number;
    readonly to: number;
    readonly reason: Text;
  }[];
  readonly evidence: readonly string[];
  readonly rehearsal: { readonly before: RehearsalFigures; readonly after: RehearsalFigures };
  readonly approvedBy: string;
  readonly atMs: EpochMs;
}

export interface RehearsalFigures {
  readonly incidents: number;
  readonly nuisance: number;
  readonly severe: number;
  readonly severeMissed: number;
  readonly unitsSent: number;
  readonly humansAsked: number;
}

export interface Decision {
  readonly proposalId: string;
  readonly approve: boolean;
  readonly by: string;
  readonly reason: string;
  readonly atMs: EpochMs;
}

export interface ProposalStore {
  propose(proposal: Proposal): Promise<Inserted>;
  get(id: string): Promise<Proposal | null>;
  list(planId?: string): Promise<Proposal[]>;
  /** The first decision wins; the second answers `exists`. */
  decide(decision: Decision): Promise<Inserted>;
  decision(proposalId: string): Promise<Decision | null>;
}

/** A stored recogniser: opaque artefact bytes, JSON card. `<name>@<hash>`. */
export interface StoredRecogniser {
  readonly name: string;
  readonly hash: string;
  readonly artefact: Uint8Array;
  readonly card: Readonly<Record<string, unknown>>;
  readonly atMs: EpochMs;
}

export interface RecogniserActivation {
  readonly n: number;
  readonly hash: string;
  readonly by: string;
  readonly reason: string;
  readonly atMs: EpochMs;
}

export interface RecogniserStore {
  insert(recogniser: StoredRecogniser): Promise<Inserted>;
  get(name: string, hash: string): Promise<StoredRecogniser | null>;
  /** What is stored under the name, without its bytes, oldest first. */
  versions(name: string): Promise<Omit<StoredRecogniser, 'artefact'>[]>;
  /** Which one votes: same append-n-or-lose discipline as plans. */
  activate(activation: {
    name: string;
    hash: string;
    by: string;
    reason: string;
    atMs: EpochMs;
  }): Promise<number>;
  active(name: string): Promise<{ hash: string; n: number } | null>;
  /** Every activation of the name, oldest first. */
  activations(name: string): Promise<RecogniserActivation[]>;
  names(): Promise<string[]>;
}

/** A register of the same form: artefact, card (`RegisteredForecasterCard` and what training said), activations. */
export type ForecasterStore = RecogniserStore;

/** What one person says a closed incident really was. `<incident>/<by>`; never changed. */
export interface IncidentLabel {
  readonly incidentId: string;
  readonly label: string;
  /** Principal id. */
  readonly by: string;
  readonly reason: string;
  readonly atMs: EpochMs;
}

export interface LabelStore {
  /** `exists`: this person has labelled this incident already; what was said first stands. */
  insert(label: IncidentLabel): Promise<Inserted>;
  get(incidentId: string, by: string): Promise<IncidentLabel | null>;
  /** Oldest first. */
  list(): Promise<IncidentLabel[]>;
}

/** Who can fulfil an order. */
export interface Unit {
  readonly id: string;
  readonly name: Text;
  readonly district: string;
  readonly capabilities: readonly string[];
  readonly home: Position;
  /** Average road speed under lights, km/h. */
  readonly speedKmh: number;
  /** Rosters made from a seed for exercises are marked, and shown as such. */
  readonly fictional: boolean;
}

export interface RosterStore {
  put(units: readonly Unit[]): Promise<void>;
  units(district?: string): Promise<Unit[]>;
}

export interface Sensor {
  readonly id: string;
  readonly vendor: string;
  readonly tenant: string;
  readonly site: string;
  readonly channel: string;
  readonly unit: string;
  readonly low: number;
  readonly high: number;
  readonly position: Position | null;
  /** Readings a second, as the vendor declared; absent or 0: irregular. */
  readonly samplingHz?: number;
  /** How far its clock may be off, as the vendor declared. */
  readonly clockQuality?: ClockQuality;
  /** Out of service, and who said so: what it sends is refused, and nobody misses it. */
  readonly retired?: 'vendor' | 'operator';
}

export interface SiteStore {
  putPlace(place: Place): Promise<void>;
  places(): Promise<Place[]>;
  putSensor(sensor: Sensor): Promise<void>;
  sensor(id: string): Promise<Sensor | null>;
  sensors(): Promise<Sensor[]>;
  /**
   * Every sensor once, at most 100 at a time and in no order: for a process in which nobody may wait for all. What is
   * written meanwhile is there as it was or as it is.
   */
  sensorsInParts(): AsyncIterable<readonly Sensor[]>;
}

/** Who is calling. Keys are stored as SHA-256 and compared in constant time. */
export interface Principal {
  readonly id: string;
  readonly tenant: string;
  readonly roles: readonly string[];
  /** For vendors: the vendor name their data is filed under. */
  readonly vendor?: string;
  readonly keySha256: string;
  readonly revokedAtMs: EpochMs | null;
}

export interface PrincipalStore {
  put(principal: Principal): Promise<void>;
  byKeyHash(keySha256: string): Promise<Principal | null>;
  list(): Promise<Principal[]>;
}

/** Fencing: who won the right to transmit to a unit under an epoch. `_id` = `<unit>|<epoch>`. */
export interface FenceStore {
  claim(claim: { unit: string; epoch: number; holder: string; atMs: EpochMs }): Promise<Inserted>;
  holder(unit: string, epoch: number): Promise<string | null>;
}

/** Every store that the domain's ports name. */
export interface Stores {
  readonly plans: PlanStore;
  readonly facts: FactStore;
  readonly incidents: IncidentStore;
  readonly evaluations: EvaluationStore;
  readonly proposals: ProposalStore;
  readonly recognisers: RecogniserStore;
  /** Trained forecasts: kept, listed and activated as recognisers are. */
  readonly forecasters: ForecasterStore;
  readonly labels: LabelStore;
  readonly roster: RosterStore;
  readonly sites: SiteStore;
  readonly principals: PrincipalStore;
  readonly fence: FenceStore;
}

/** Which runner took which slot of a housekeeping job. `_id` = `<job>/<slot>`. */
export interface JobRunStore {
  /** `exists`: another runner has this slot. */
  claim(run: { job: string; slot: number; holder: string; atMs: EpochMs }): Promise<Inserted>;
}
