import type { BulletinEvidence, Detection, Effect, Place, ReadingsEvidence } from '../../domain/evidence.ts';
import { windowOf } from '../../domain/evidence.ts';
import type { ChannelCondition, PlanDocument, Step } from '../../domain/plan/document.ts';
import type { Unit } from '../../domain/ports.ts';
import type { VoteResult } from '../../domain/situation.ts';
import type { ClockKind } from '../../domain/units.ts';
import type { RespondInput } from '../../workflows/contract.ts';

/** Small plan documents and their evidence: enough to make the engine do each of the things it can do. */

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
/** When everything in these scenarios begins. */
export const T0 = Date.UTC(2026, 0, 1);

export const riverside: Place = {
  id: 'riverside',
  name: { en: 'Riverside', zh: '河滨' },
  kind: 'place-of-care',
  district: 'east',
  population: 90_000,
  latitudeDeg: 24,
  longitudeDeg: 121.6,
};

export const hilltop: Place = {
  ...riverside,
  id: 'hilltop',
  name: { en: 'Hilltop', zh: '山顶' },
  district: 'west',
  latitudeDeg: 24.3,
  longitudeDeg: 121.3,
};

const text = (en: string): { readonly en: string; readonly zh: string } => ({ en, zh: en });

/** Votes on notices; a blast is reported, an earthquake is met by its expected intensity. */
export const quakePlan: PlanDocument = {
  schema: 'tocsin/plan/v1',
  id: 'test-earthquake',
  title: text('Earthquake near a place of care'),
  basis: 'test/support/plans.ts',
  covers: { hazard: 'earthquake' },
  channels: {},
  bulletins: ['earthquake-notice'],
  severities: { report: 'IV', felt: 'III', damaging: 'II', severe: 'I' },
  detect: { when: 'magnitudeNear', bulletin: 'earthquake-notice', magnitude: 2, withinKm: 200 },
  sequence: { bulletin: 'earthquake-notice', radius: 'gardner-knopoff-1974', withinMs: 72 * HOUR },
  classify: {
    by: { kind: 'vote', recognisers: ['forest', 'svm'], bulletin: 'earthquake-notice' },
    minConfidence: 0.8,
    ifUnsure: { ask: 'duty-officer', withinMs: 2 * MINUTE, otherwise: 'scale' },
    types: { earthquake: 'scale', 'quarry-blast': 'report', explosion: 'report' },
    scale: [
      { severity: 'severe', when: { when: 'intensity', bulletin: 'earthquake-notice', atLeastMmi: 8 } },
      { severity: 'damaging', when: { when: 'intensity', bulletin: 'earthquake-notice', atLeastMmi: 6 } },
      { severity: 'felt', when: { when: 'always' } },
    ],
  },
  dispatch: {
    report: [{ do: 'notify', id: 'report.0', to: 'seismology' }],
    felt: [{ do: 'notify', id: 'felt.0', to: 'county' }],
    damaging: [
      { do: 'notify', id: 'damaging.0', to: 'county' },
      {
        do: 'send',
        id: 'damaging.1',
        capability: 'search-rescue',
        count: 2,
        withinMs: 30 * MINUTE,
        otherwise: { do: 'notify', id: 'damaging.1.otherwise', to: 'province' },
      },
    ],
    severe: [
      {
        do: 'actuate',
        id: 'severe.0',
        device: 'metro',
        action: 'stop-trains',
        approval: { from: 'duty-officer', withinMs: MINUTE, otherwise: 'proceed' },
      },
      {
        do: 'together',
        id: 'severe.1',
        steps: [
          { do: 'send', id: 'severe.1.0', capability: 'medical', count: 1, withinMs: 20 * MINUTE },
          {
            do: 'notify',
            id: 'severe.1.1',
            to: 'hospital',
            acknowledgedWithinMs: 3 * MINUTE,
            otherwise: { do: 'notify', id: 'severe.1.1.otherwise', to: 'ems-supervisor' },
          },
        ],
      },
      {
        do: 'forEachPlace',
        id: 'severe.2',
        atLeastMmi: 5,
        atMost: 3,
        steps: [{ do: 'send', id: 'severe.2.0', capability: 'assessment', count: 1, withinMs: 2 * HOUR }],
      },
    ],
  },
  evaluate: {
    everyMs: HOUR,
    resolvedWhen: { when: 'quietFor', bulletin: 'earthquake-notice', forMs: 6 * HOUR },
    resolvedWhenBySeverity: {
      report: { when: 'quietFor', bulletin: 'earthquake-notice', forMs: 10 * MINUTE },
    },
    measures: {
      rescueOnScene: {
        measure: 'arrival',
        capability: 'search-rescue',
        percentile: 90,
        goalMs: 30 * MINUTE,
      },
    },
  },
  refine: { mayTune: {}, afterIncidents: 3, approvedBy: 'plan-board' },
};

const methane = (
  when: 'atLeast' | 'below',
  threshold: number,
  forMs: number,
  onSensors: number | 'all',
): ChannelCondition => ({ when, channel: 'methane', threshold, unit: '%LEL', forMs, onSensors });

/** Decides by rule over readings; everything irreversible asks first. */
export const gasPlan: PlanDocument = {
  schema: 'tocsin/plan/v1',
  id: 'test-gas-leak',
  title: text('Gas leak in a building'),
  basis: 'test/support/plans.ts',
  covers: { hazard: 'gas-leak' },
  channels: { methane: '%LEL' },
  bulletins: [],
  severities: { minor: 'III', major: 'II' },
  detect: methane('atLeast', 10, 30 * SECOND, 2),
  classify: {
    by: { kind: 'rule', type: 'gas-leak' },
    minConfidence: 0.8,
    ifUnsure: { ask: 'duty-officer', withinMs: 2 * MINUTE, otherwise: 'major' },
    types: { 'gas-leak': 'scale' },
    scale: [
      { severity: 'major', when: methane('atLeast', 15, 0, 1) },
      { severity: 'minor', when: { when: 'always' } },
    ],
  },
  dispatch: {
    minor: [{ do: 'notify', id: 'minor.0', to: 'facilities' }],
    major: [
      {
        do: 'together',
        id: 'major.0',
        steps: [
          {
            do: 'evacuate',
            id: 'major.0.0',
            radiusM: 100,
            approval: { from: 'duty-officer', withinMs: MINUTE, otherwise: 'hold' },
          },
          {
            do: 'actuate',
            id: 'major.0.1',
            device: 'building-main',
            action: 'close-valve',
            approval: { from: 'duty-officer', withinMs: MINUTE, otherwise: 'proceed' },
          },
          {
            do: 'send',
            id: 'major.0.2',
            capability: 'hazmat',
            count: 2,
            withinMs: 8 * MINUTE,
            otherwise: { do: 'notify', id: 'major.0.2.otherwise', to: 'county-dispatch' },
          },
        ],
      },
      { do: 'notify', id: 'major.1', to: 'hospital' },
    ],
  },
  evaluate: {
    everyMs: MINUTE,
    staleAfterMs: 5 * MINUTE,
    resolvedWhen: methane('below', 5, 15 * MINUTE, 'all'),
    escalateWhen: methane('atLeast', 20, 30 * SECOND, 1),
    measures: {
      hazmatOnScene: { measure: 'arrival', capability: 'hazmat', percentile: 90, goalMs: 8 * MINUTE },
    },
  },
  refine: { mayTune: {}, afterIncidents: 3, approvedBy: 'plan-board' },
};

/** The gas plan with another list of steps for `major`. */
export const gasPlanWith = (steps: readonly Step[]): PlanDocument => ({
  ...gasPlan,
  dispatch: { ...gasPlan.dispatch, major: steps },
});

export interface NoticeOptions {
  readonly id?: string;
  readonly atMs?: number;
  readonly magnitude?: number;
  /** Expected intensity at Riverside; Hilltop gets one less. */
  readonly mmi?: number;
}

export function notice({
  id = 'n1',
  atMs = T0,
  magnitude = 5,
  mmi = 4,
}: NoticeOptions = {}): BulletinEvidence {
  const effect = (place: Place, distanceKm: number, expectedMmi: number): Effect => ({
    placeId: place.id,
    place,
    distanceKm,
    expectedMmi,
  });
  return {
    kind: 'bulletin',
    key: `quakes|${id}`,
    atMs,
    receivedAtMs: atMs,
    vendor: 'quakes',
    bulletin: {
      source: 'quakes',
      id,
      type: 'earthquake-notice',
      observedAtMs: atMs,
      position: { latitudeDeg: 24.1, longitudeDeg: 121.7 },
      fields: { magnitude, magnitudeType: 'mw', depthKm: 10, place: 'near Riverside' },
    },
    effects: [effect(riverside, 12, mmi), effect(hilltop, 45, Math.max(1, mmi - 1))],
  };
}

/** The methane condition at a leaf of the gas plan began or ceased to hold. */
export function methaneReading(leaf: string, holds: boolean, atMs = T0): ReadingsEvidence {
  return {
    kind: 'readings',
    key: `riverside|${leaf}|${atMs}|${holds}`,
    atMs,
    receivedAtMs: atMs,
    site: riverside.id,
    leaf,
    holds,
    channel: 'methane',
    unit: '%LEL',
    sensors: [{ sensor: 'm1', vendor: 'gas', value: holds ? 22 : 3, sinceMs: holds ? atMs : null }],
    windowStartMs: atMs - 30 * SECOND,
    windowEndMs: atMs,
  };
}

/** The leaf that makes the gas plan's scale say `major`. */
export const MAJOR_LEAF = 'classify.scale.0.when';

export function detectionOf(plan: PlanDocument, evidence: Detection['evidence'], tag = ''): Detection {
  const atMs = evidence[0]?.atMs ?? T0;
  return {
    tenant: 'demo',
    planId: plan.id,
    hazard: plan.covers.hazard,
    place: riverside,
    cell: riverside.id + tag,
    window: windowOf(atMs),
    atMs,
    receivedAtMs: atMs,
    evidence,
  };
}

export function inputFor(
  plan: PlanDocument,
  evidence: Detection['evidence'],
  { clock = 'wall', tag = '' }: { readonly clock?: ClockKind; readonly tag?: string } = {},
): RespondInput {
  return {
    detection: detectionOf(plan, evidence, tag),
    plan,
    planHash: 'f'.repeat(64),
    mode: 'exercise',
    clock,
  };
}

/** Units about 8 km from Riverside, ten minutes and more away. */
export function unitsOf(district: string, counts: Readonly<Record<string, number>>): Unit[] {
  const home = district === 'west' ? hilltop : riverside;
  return Object.entries(counts).flatMap(([capability, count]) =>
    Array.from({ length: count }, (_, index): Unit => ({
      id: `${district}-${capability}-${index + 1}`,
      name: text(`${capability} ${index + 1} (fictional)`),
      district,
      capabilities: [capability],
      home: {
        latitudeDeg: home.latitudeDeg + 0.05 + index * 0.01,
        longitudeDeg: home.longitudeDeg + 0.05,
      },
      speedKmh: 60,
      fictional: true,
    })),
  );
}

export const DEFAULT_UNITS: readonly Unit[] = [
  ...unitsOf('east', { 'search-rescue': 3, medical: 2, hazmat: 2, assessment: 1 }),
  ...unitsOf('west', { 'search-rescue': 1, assessment: 1 }),
];

const oneVote = (recogniser: string, label: string, confidence: number): VoteResult['votes'][number] => ({
  recogniser,
  hash: 'a'.repeat(64),
  label,
  probabilities: { [label]: confidence },
  outOfRange: [],
  contributions: [{ feature: 'depthKm', value: '10', weight: 0.4 }],
  sentence: text(`${recogniser} says ${label}`),
});

/** Both recognisers say the same. */
export const agreed = (label = 'earthquake', confidence = 0.95): VoteResult => ({
  votes: [oneVote('forest', label, confidence), oneVote('svm', label, confidence)],
  label,
  confidence,
  doubt: '',
});

export const disagreed: VoteResult = {
  votes: [oneVote('forest', 'earthquake', 0.6), oneVote('svm', 'quarry-blast', 0.6)],
  confidence: 0.5,
  doubt: 'The recognisers disagree: forest says earthquake, svm says quarry-blast.',
};
