import type { DurationMs, Level, Text } from '../units.ts';

/**
 * A plan document: what `definePlan` compiles to, what is stored, hashed, diffed and pinned in a history.
 * Plain JSON, no functions. Its version is the SHA-256 of its canonical JSON (RFC 8785).
 */
export interface PlanDocument {
  readonly schema: 'tocsin/plan/v1';
  /** Slug: `gas-leak`. */
  readonly id: string;
  readonly title: Text;
  /** Path of the file that cites the source of every number. */
  readonly basis: string;
  readonly covers: { readonly hazard: string };
  /** Channels the conditions may use, with the unit they are compared in. */
  readonly channels: Readonly<Record<string, string>>;
  /** Bulletin types the conditions may use. */
  readonly bulletins: readonly string[];
  /** Severity names and the level each maps to; two may share a level, none is without one. */
  readonly severities: Readonly<Record<string, Level>>;
  readonly detect: Condition;
  /** How later bulletins join an open incident instead of opening another. Absent: same place joins. */
  readonly sequence?: SequenceRule;
  readonly classify: ClassifySpec;
  /** What to do per severity, in order. Every severity has a list. */
  readonly dispatch: Readonly<Record<string, readonly Step[]>>;
  readonly evaluate: EvaluateSpec;
  readonly refine: RefineSpec;
}

/** Conditions are data; leaves are addressed by their path (`detect.of.0`). */
export type Condition =
  | ChannelCondition
  | DetectorCondition
  | ForecastCondition
  | TogetherCondition
  | NetworkCondition
  | MagnitudeNear
  | IntensityAtPlace
  | QuietFor
  | { readonly when: 'always' }
  | { readonly when: 'all' | 'any'; readonly of: readonly Condition[] }
  | { readonly when: 'not'; readonly of: readonly [Condition] };

export interface ChannelCondition {
  readonly when: 'atLeast' | 'below';
  readonly channel: string;
  readonly threshold: number;
  readonly unit: string;
  /** The threshold must be met without a break for this long. 0 = at once. */
  readonly forMs: DurationMs;
  /** How many sensors of one site must meet it at the same time. */
  readonly onSensors: number | 'all';
}

/** A named detector raises its alarm on the readings of one sensor, each sensor by itself. */
export interface DetectorCondition {
  readonly when: 'detects';
  readonly channel: string;
  readonly unit: string;
  /** Of `tocsin detect list`. */
  readonly detector: string;
  /** All of them: a later default changes no published plan. */
  readonly parameters: Readonly<Record<string, number>>;
  /** The alarm must last without a break for this long. 0 = at once. */
  readonly forMs: DurationMs;
  /** How many sensors of one site must alarm at the same time. */
  readonly onSensors: number | 'all';
}

/** A forecast from the sensor's own past says that its readings reach the threshold in time, likely enough. */
export interface ForecastCondition {
  readonly when: 'expectedAtLeast' | 'expectedBelow';
  readonly channel: string;
  readonly threshold: number;
  readonly unit: string;
  readonly withinMs: DurationMs;
  /** At least so likely is it that the threshold is reached at some time within `withinMs`; above 0, below 1. */
  readonly probability: number;
  /** `auto`, a kind of forecast that learns beside a live channel, or `trained`: `forecaster` then names it. */
  readonly model: string;
  /** Name in the register of forecasts. */
  readonly forecaster?: string | undefined;
  /** The expectation must last without a break for this long. 0 = at once. */
  readonly forMs: DurationMs;
  readonly onSensors: number | 'all';
}

/** A named detector raises its alarm on several channels of one site, judged row by row together. */
export interface TogetherCondition {
  readonly when: 'detectsTogether';
  /** Every sensor of the site on one of these is a column. */
  readonly channels: readonly string[];
  readonly detector: string;
  /** All of them: a later default changes no published plan. */
  readonly parameters: Readonly<Record<string, number>>;
  /** The alarm must last without a break for this long. 0 = at once. */
  readonly forMs: DurationMs;
}

/** The stations of a seismic network agree on an earthquake: their P waves fit one place and time. */
export interface NetworkCondition {
  readonly when: 'networkTriggers';
  /** The axes of a station, one to three; sensors of one vendor at one position are one station. */
  readonly channels: readonly string[];
  /** Of all axes. */
  readonly unit: string;
  /** All of NETWORK: a later default changes no published plan. */
  readonly parameters: Readonly<Record<string, number>>;
}

/** A condition that the readings of one channel decide. */
export type ReadingsCondition = ChannelCondition | DetectorCondition | ForecastCondition;

/** A notice of at least `magnitude` no further than `withinKm` from a place of care. */
export interface MagnitudeNear {
  readonly when: 'magnitudeNear';
  readonly bulletin: string;
  readonly magnitude: number;
  readonly withinKm: number;
}

/** Expected intensity at a place of care by Allen, Wald & Worden (2012), of any notice in the evidence. */
export interface IntensityAtPlace {
  readonly when: 'intensity';
  readonly bulletin: string;
  readonly atLeastMmi: number;
}

/** No further bulletin joined the incident for this long. */
export interface QuietFor {
  readonly when: 'quietFor';
  readonly bulletin: string;
  readonly forMs: DurationMs;
}

export interface SequenceRule {
  readonly bulletin: string;
  /** Radius of a main shock's sequence by magnitude. */
  readonly radius: 'gardner-knopoff-1974';
  /** A later event joins only within this time of the last one of the sequence. */
  readonly withinMs: DurationMs;
}

export interface ClassifySpec {
  readonly by:
    | { readonly kind: 'vote'; readonly recognisers: readonly string[]; readonly bulletin: string }
    | { readonly kind: 'rule'; readonly type: string };
  /** 0..1: below it the answer counts as doubt. */
  readonly minConfidence: number;
  readonly ifUnsure: AskSpec;
  /** What each recognised type leads to: a fixed severity, or `scale` to apply the rules below. */
  readonly types: Readonly<Record<string, string>>;
  /** First rule that holds decides; the last is `always`. */
  readonly scale: readonly { readonly severity: string; readonly when: Condition }[];
}

export interface AskSpec {
  readonly ask: string;
  readonly withinMs: DurationMs;
  /** Severity that applies when nobody answers in time. `scale`: take the hazard as real and let its scale rule decide. */
  readonly otherwise: string;
}

export interface Approval {
  readonly from: string;
  readonly withinMs: DurationMs;
  /** What happens when nobody answers in time. */
  readonly otherwise: 'proceed' | 'hold';
}

/** `id` is the step's path (`major.0.1`), unique in the document and kept in histories. */
export type Step =
  | NotifyStep
  | SendStep
  | EvacuateStep
  | ActuateStep
  | { readonly do: 'together'; readonly id: string; readonly steps: readonly Step[] }
  | {
      /** The inner steps once per affected place, most affected first; `place` steps refer to it. */
      readonly do: 'forEachPlace';
      readonly id: string;
      readonly atLeastMmi: number;
      readonly atMost: number;
      readonly steps: readonly Step[];
    }
  | {
      readonly do: 'procedure';
      readonly id: string;
      readonly name: string;
      readonly codeHash: string;
      readonly arguments: Readonly<Record<string, string | number | boolean>>;
    };

export interface NotifyStep {
  readonly do: 'notify';
  readonly id: string;
  readonly to: string;
  readonly acknowledgedWithinMs?: DurationMs;
  readonly otherwise?: Step;
}

export interface SendStep {
  readonly do: 'send';
  readonly id: string;
  /** Capability a unit must have: `search-rescue`, `medical`, `hazmat`, `assessment`. */
  readonly capability: string;
  readonly count: number;
  /** All units on scene within this time of the order. */
  readonly withinMs: DurationMs;
  readonly otherwise?: Step;
}

export interface EvacuateStep {
  readonly do: 'evacuate';
  readonly id: string;
  readonly radiusM: number;
  readonly approval: Approval;
}

/** An irreversible act of a device. Always behind a human with a deadline. */
export interface ActuateStep {
  readonly do: 'actuate';
  readonly id: string;
  readonly device: string;
  readonly action: 'close-valve' | 'open-valve' | 'stop-trains' | 'shut-power';
  readonly approval: Approval;
}

export interface EvaluateSpec {
  /** Review period: the incident re-reads its evidence and its data age at least this often. */
  readonly everyMs: DurationMs;
  /** Data older than this raises doubt at a review; absent: silence is normal for this hazard. */
  readonly staleAfterMs?: DurationMs;
  readonly resolvedWhen: Condition;
  /** Per-severity resolution for those that need less: a blast report closes sooner than a rescue. */
  readonly resolvedWhenBySeverity?: Readonly<Record<string, Condition>>;
  /** When it begins to hold, the next more serious severity applies. Scale rules are re-read on every new evidence anyway. */
  readonly escalateWhen?: Condition;
  readonly measures: Readonly<Record<string, Measure>>;
}

export interface Measure {
  readonly measure: 'arrival';
  readonly capability: string;
  readonly percentile: number;
  readonly goalMs: DurationMs;
}

export interface RefineSpec {
  /** Tunable parameter path (`detect.magnitude`, `classify.minConfidence`) and its bounds, inclusive. */
  readonly mayTune: Readonly<Record<string, { readonly low: number; readonly high: number }>>;
  readonly afterIncidents: number;
  readonly approvedBy: string;
}

/** A document as stored: `<id>@<hash>`. */
export interface PlanVersion {
  readonly planId: string;
  /** Lower-case hex SHA-256 of the canonical JSON. */
  readonly hash: string;
  readonly document: PlanDocument;
  readonly author: string;
  readonly publishedAtMs: number;
  readonly parent: string | null;
  readonly proposal: string | null;
}

/** A finding of `checkPlan`: what is wrong, where, and what to do about it. */
export interface Finding {
  /** `PLAN_…`, listed in docs/plans.md. */
  readonly code: string;
  readonly severity: 'mandatory' | 'advisory';
  /** Path in the document: `dispatch.major.1.withinMs`. */
  readonly place: string;
  readonly message: string;
  readonly remedy: string;
}
