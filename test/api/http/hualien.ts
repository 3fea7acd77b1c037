import { createHash } from 'node:crypto';
import { canonicalJson } from '../../../domain/canonical.ts';
import type { Place } from '../../../domain/evidence.ts';
import { windowOf } from '../../../domain/evidence.ts';
import type { PlanDocument, PlanVersion } from '../../../domain/plan/document.ts';
import type { IncidentView, Proposal, Stores, Unit } from '../../../domain/ports.ts';
import type { Assessment, Fact, Mission, Question, Situation } from '../../../domain/situation.ts';
import type { ClockKind, Level, Mode, Stage } from '../../../domain/units.ts';

/** A duty officer's evening: the Hualien main shock with its response under way, a gas leak that waits, and others. */
const MINUTE = 60_000;
const at = (iso: string): number => Date.parse(iso);

const place = (
  id: string,
  en: string,
  zh: string,
  latitudeDeg: number,
  longitudeDeg: number,
  kind: Place['kind'] = 'place-of-care',
): Place => ({ id, name: { en, zh }, kind, district: id, population: 100_000, latitudeDeg, longitudeDeg });

export const HUALIEN = place('hualien', 'Hualien', '花莲', 23.98, 121.61);
export const TOWER = place('riverside-tower', 'Riverside Tower', '河畔大厦', 31.23, 121.47, 'building');
export const BUTTE = place('butte', 'Butte', '比尤特', 46.0, -112.53);
export const KODIAK = place('kodiak', 'Kodiak', '科迪亚克', 57.79, -152.41);
const PLACES = [HUALIEN, TOWER, BUTTE, KODIAK];

export const PLAN: PlanDocument = {
  schema: 'tocsin/plan/v1',
  id: 'earthquake',
  title: { en: 'Earthquake near a place of care', zh: '照护地点附近的地震' },
  basis: 'plans/sources/earthquake.md',
  covers: { hazard: 'earthquake' },
  channels: {},
  bulletins: ['earthquake-notice'],
  severities: { felt: 'IV', damaging: 'III', major: 'II', catastrophic: 'I' },
  detect: { when: 'magnitudeNear', bulletin: 'earthquake-notice', magnitude: 4.5, withinKm: 300 },
  sequence: { bulletin: 'earthquake-notice', radius: 'gardner-knopoff-1974', withinMs: 3 * 24 * 60 * MINUTE },
  classify: {
    by: { kind: 'vote', recognisers: ['notice-forest', 'notice-svm'], bulletin: 'earthquake-notice' },
    minConfidence: 0.8,
    ifUnsure: { ask: 'duty-officer', withinMs: 2 * MINUTE, otherwise: 'scale' },
    types: { earthquake: 'scale', explosion: 'felt', 'quarry-blast': 'felt' },
    scale: [
      {
        severity: 'catastrophic',
        when: { when: 'intensity', bulletin: 'earthquake-notice', atLeastMmi: 7.5 },
      },
      {
        severity: 'major',
        when: {
          when: 'any',
          of: [
            { when: 'intensity', bulletin: 'earthquake-notice', atLeastMmi: 6 },
            { when: 'not', of: [{ when: 'quietFor', bulletin: 'earthquake-notice', forMs: MINUTE }] },
          ],
        },
      },
      { severity: 'felt', when: { when: 'always' } },
    ],
  },
  dispatch: {
    felt: [{ do: 'notify', id: 'felt.0', to: 'facilities' }],
    damaging: [{ do: 'send', id: 'damaging.0', capability: 'assessment', count: 1, withinMs: 60 * MINUTE }],
    major: [
      {
        do: 'together',
        id: 'major.0',
        steps: [
          {
            do: 'send',
            id: 'major.0.0',
            capability: 'search-rescue',
            count: 2,
            withinMs: 30 * MINUTE,
            otherwise: { do: 'notify', id: 'major.0.0.otherwise', to: 'county-dispatch' },
          },
          {
            do: 'actuate',
            id: 'major.0.1',
            device: 'gas-main',
            action: 'shut-power',
            approval: { from: 'duty-officer', withinMs: 5 * MINUTE, otherwise: 'hold' },
          },
        ],
      },
    ],
    catastrophic: [{ do: 'notify', id: 'catastrophic.0', to: 'province' }],
  },
  evaluate: {
    everyMs: 10 * MINUTE,
    resolvedWhen: { when: 'quietFor', bulletin: 'earthquake-notice', forMs: 24 * 60 * MINUTE },
    measures: {
      rescueOnScene: { measure: 'arrival', capability: 'search-rescue', percentile: 90, goalMs: 30 * MINUTE },
    },
  },
  refine: {
    mayTune: { 'detect.magnitude': { low: 4, high: 5.5 } },
    afterIncidents: 3,
    approvedBy: 'plan-board',
  },
};

export const hashOfPlan = (plan: PlanDocument): string =>
  createHash('sha256').update(canonicalJson(plan)).digest('hex');

interface Draft {
  readonly hazard: string;
  readonly place: Place;
  readonly openedAtMs: number;
  readonly nowMs: number;
  readonly level: Level;
  readonly highestLevel?: Level;
  readonly severity: string;
  readonly type: string;
  readonly phase: Situation['phase'];
  readonly mode?: Mode;
  readonly clock?: ClockKind;
  readonly assessment?: Partial<Assessment>;
  readonly questions?: readonly Question[];
  readonly missions?: readonly Omit<Mission, 'id'>[];
  readonly orderedAtMs?: number;
  readonly tenant?: string;
}

function incident(draft: Draft, writtenAtMs: number): IncidentView {
  const tenant = draft.tenant ?? 'demo';
  const incidentId = `incident/${tenant}/${draft.hazard}/${draft.place.id}/${windowOf(draft.openedAtMs)}`;
  const mode = draft.mode ?? 'exercise';
  const missions = Object.fromEntries(
    (draft.missions ?? []).map((mission) => {
      const id = `mission/${incidentId}/${mission.orderId}/${mission.unit}`;
      return [id, { ...mission, id, times: { ...mission.times } }];
    }),
  );
  const situation: Situation = {
    incidentId,
    tenant,
    mode,
    clock: draft.clock ?? 'feed',
    planId: draft.hazard,
    planHash: hashOfPlan(PLAN),
    hazard: draft.hazard,
    place: draft.place,
    openedAtMs: draft.openedAtMs,
    phase: draft.phase,
    nowMs: draft.nowMs,
    wakeAtMs: draft.nowMs + MINUTE,
    evidence: [],
    seenKeys: [],
    evidenceCount: 3,
    judgedEvidence: 3,
    obeyedCommands: 0,
    reviewedAtMs: draft.nowMs,
    leaves: {},
    assessment: {
      atMs: draft.openedAtMs + 2_000,
      type: draft.type,
      confidence: 0.97,
      severity: draft.severity,
      level: draft.level,
      decidedBy: 'recognisers',
      doubt: '',
      votes: [],
      path: [],
      affected: [{ placeId: draft.place.id, place: draft.place, distanceKm: 18.4, expectedMmi: 7.1 }],
      ...draft.assessment,
    },
    highestLevel: draft.highestLevel ?? draft.level,
    questions: Object.fromEntries((draft.questions ?? []).map((question) => [question.id, { ...question }])),
    orders: Object.fromEntries(
      [...new Set((draft.missions ?? []).map((mission) => mission.orderId))].map((id) => [
        id,
        {
          id,
          incidentId,
          tenant,
          district: draft.place.district,
          capability: draft.missions?.find((mission) => mission.orderId === id)?.capability ?? '',
          count: 2,
          place: draft.place,
          level: draft.level,
          orderedAtMs: (draft.orderedAtMs ?? draft.openedAtMs) + 1_400,
          deadlineMs: (draft.orderedAtMs ?? draft.openedAtMs) + 1_400 + 30 * MINUTE,
          state: 'granted' as const,
        },
      ]),
    ),
    missions,
    steps: {},
    commands: [],
    factCount: 9,
    resolvedAtMs: null,
    closedAtMs: draft.phase === 'closed' ? draft.nowMs : null,
    outcome: null,
  };
  return {
    incidentId,
    tenant,
    mode,
    hazard: draft.hazard,
    place: draft.place,
    planId: draft.hazard,
    planHash: situation.planHash,
    level: draft.level,
    highestLevel: situation.highestLevel,
    phase: draft.phase,
    openedAtMs: draft.openedAtMs,
    updatedAtMs: draft.nowMs,
    writtenAtMs,
    runId: '7d0c1f4e-2b53-4d8e-a2c4-1f6f8f0b9a11',
    situation,
  };
}

const mission = (
  orderId: string,
  unit: string,
  capability: string,
  start: number,
  minutes: Partial<Record<Mission['status'], number>>,
  status: Mission['status'],
): Omit<Mission, 'id'> => ({
  orderId,
  unit,
  epoch: 4,
  capability,
  grantedAtMs: start,
  travelMs: 14 * MINUTE,
  status,
  times: Object.fromEntries(Object.entries(minutes).map(([name, value]) => [name, start + value * MINUTE])),
  transmittedAtMs: start + 500,
});

export const MAIN_SHOCK_AT = at('2018-02-06T15:50:43Z');
export const GAS_AT = at('2018-02-06T15:58:10Z');

export const GAS_QUESTION: Question = {
  id: 'major.0.1',
  about: 'approval',
  role: 'duty-officer',
  text: {
    en: 'Close the main gas valve of Riverside Tower? 214 people lose heating and hot water.',
    zh: '是否关闭河畔大厦的燃气总阀？将有 214 人失去供暖和热水。',
  },
  choices: ['approve', 'refuse'],
  askedAtMs: GAS_AT + 30_000,
  deadlineMs: GAS_AT + 30_000 + 4 * MINUTE,
  otherwise: 'proceed',
};

export function mainShock(writtenAtMs: number): IncidentView {
  return incident(
    {
      hazard: 'earthquake',
      place: HUALIEN,
      openedAtMs: at('2018-02-04T13:12:52Z'),
      nowMs: MAIN_SHOCK_AT + 26 * MINUTE,
      level: 'I',
      severity: 'catastrophic',
      type: 'earthquake',
      phase: 'responding',
      orderedAtMs: MAIN_SHOCK_AT,
      assessment: {
        votes: [
          {
            recogniser: 'notice-forest',
            hash: 'a'.repeat(64),
            label: 'earthquake',
            probabilities: { earthquake: 0.98, explosion: 0.01, 'quarry-blast': 0.01 },
            outOfRange: [],
            contributions: [
              { feature: 'depthKm', value: '17.0', weight: 0.31 },
              { feature: 'magnitude', value: '6.4', weight: 0.24 },
              { feature: 'magnitudeType', value: 'mww', weight: 0.12 },
              { feature: 'localHour', value: '23', weight: 0.05 },
              { feature: 'gapDeg', value: '21', weight: -0.03 },
            ],
            sentence: {
              en: 'Most likely an earthquake (98 %): 17 km deep, magnitude 6.4 on the moment scale.',
              zh: '最可能是地震（98%）：深度 17 公里，矩震级 6.4。',
            },
          },
          {
            recogniser: 'notice-svm',
            hash: 'b'.repeat(64),
            label: 'earthquake',
            probabilities: { earthquake: 0.96, explosion: 0.03, 'quarry-blast': 0.01 },
            outOfRange: ['magnitude 6.4 lies above the training range (up to 6.1)'],
            contributions: [
              { feature: 'magnitude', value: '6.4', weight: 0.4 },
              { feature: 'depthKm', value: '17.0', weight: 0.22 },
            ],
            sentence: {
              en: 'An earthquake (96 %), mainly for its magnitude and depth.',
              zh: '地震（96%），主要依据震级和深度。',
            },
          },
        ],
        path: [
          {
            question: 'Expected intensity at a place of care at least MMI 7.5?',
            answer: 'yes: 7.6 at Hualien',
          },
          { question: 'Severity', answer: 'catastrophic (level I)' },
        ],
        affected: [{ placeId: 'hualien', place: HUALIEN, distanceKm: 18.4, expectedMmi: 7.6 }],
      },
      missions: [
        mission(
          'major.0.0',
          'hualien-rescue-1',
          'search-rescue',
          MAIN_SHOCK_AT + 4_000,
          {
            granted: 0,
            acknowledged: 1,
            'en-route': 2,
            'on-scene': 15,
          },
          'on-scene',
        ),
        mission(
          'major.0.0',
          'hualien-rescue-2',
          'search-rescue',
          MAIN_SHOCK_AT + 4_000,
          {
            granted: 0,
            acknowledged: 1,
            'en-route': 3,
          },
          'en-route',
        ),
        mission(
          'major.0.2',
          'hualien-medical-1',
          'medical',
          MAIN_SHOCK_AT + 6_000,
          {
            granted: 0,
            acknowledged: 2,
            'en-route': 4,
            'on-scene': 17,
            done: 25,
          },
          'done',
        ),
      ],
    },
    writtenAtMs,
  );
}

export function gasLeak(writtenAtMs: number): IncidentView {
  return incident(
    {
      hazard: 'gas-leak',
      place: TOWER,
      openedAtMs: GAS_AT,
      nowMs: GAS_AT + 90_000,
      level: 'II',
      severity: 'major',
      type: 'gas-leak',
      phase: 'responding',
      assessment: {
        decidedBy: 'rule',
        confidence: 1,
        votes: [],
        path: [{ question: 'Methane at least 20 %LEL?', answer: 'yes: 27 %LEL' }],
      },
      questions: [GAS_QUESTION],
    },
    writtenAtMs,
  );
}

/** Fills fake stores with that evening. */
export async function fillHualien(
  stores: Stores,
  wallMs: number,
): Promise<{ mainShock: string; gasLeak: string; stranger: string }> {
  const quake = mainShock(wallMs);
  const gas = gasLeak(wallMs);
  const blast = incident(
    {
      hazard: 'earthquake',
      place: BUTTE,
      openedAtMs: at('2018-02-05T21:04:00Z'),
      nowMs: at('2018-02-06T03:04:00Z'),
      level: 'IV',
      severity: 'felt',
      type: 'quarry-blast',
      phase: 'closed',
    },
    wallMs,
  );
  const offshore = incident(
    {
      hazard: 'earthquake',
      place: KODIAK,
      openedAtMs: at('2018-02-06T02:10:00Z'),
      nowMs: MAIN_SHOCK_AT + 26 * MINUTE,
      level: 'III',
      severity: 'damaging',
      type: 'earthquake',
      phase: 'resolved',
      highestLevel: 'III',
    },
    wallMs,
  );
  const stranger = incident(
    {
      hazard: 'gas-leak',
      place: TOWER,
      openedAtMs: GAS_AT,
      nowMs: GAS_AT,
      level: 'I',
      severity: 'major',
      type: 'gas-leak',
      phase: 'responding',
      tenant: 'elsewhere',
      questions: [GAS_QUESTION],
    },
    wallMs,
  );
  for (const view of [quake, gas, blast, offshore, stranger]) await stores.incidents.put(view);
  await stores.facts.append(factsOf(quake));
  await stores.facts.append(factsOf(gas));
  for (const one of PLACES) await stores.sites.putPlace(one);
  await stores.sites.putSensor({
    id: 'tower-methane-3',
    vendor: 'gas',
    tenant: 'demo',
    site: TOWER.id,
    channel: 'methane',
    unit: '%LEL',
    low: 0,
    high: 100,
    position: null,
  });
  await stores.roster.put(UNITS);
  await stores.plans.publish(VERSION);
  await stores.plans.activate({
    planId: PLAN.id,
    hash: VERSION.hash,
    by: 'plan-board',
    reason: 'first version',
    atMs: 1_000,
  });
  await stores.proposals.propose(PROPOSAL);
  await stores.recognisers.insert({
    name: 'notice-forest',
    hash: 'a'.repeat(64),
    artefact: new Uint8Array([1, 2, 3]),
    card: { kind: 'forest', balancedAccuracy: 0.91 },
    atMs: 1_000,
  });
  await stores.recognisers.activate({
    name: 'notice-forest',
    hash: 'a'.repeat(64),
    by: 'plan-board',
    reason: 'first',
    atMs: 1_000,
  });
  const river = { name: 'river', hash: 'b'.repeat(64) };
  await stores.forecasters.insert({
    ...river,
    artefact: new Uint8Array([1, 2, 3]),
    card: { channel: 'stage', unit: 'm', everyMs: 300_000, steps: 6 },
    atMs: 1_000,
  });
  await stores.forecasters.activate({ ...river, by: 'plan-board', reason: 'first', atMs: 1_000 });
  return { mainShock: quake.incidentId, gasLeak: gas.incidentId, stranger: stranger.incidentId };
}

export const VERSION: PlanVersion = {
  planId: PLAN.id,
  hash: hashOfPlan(PLAN),
  document: PLAN,
  author: 'plan-board',
  publishedAtMs: 1_000,
  parent: null,
  proposal: null,
};

const UNITS: Unit[] = ['hualien-rescue-1', 'hualien-rescue-2', 'hualien-medical-1'].map((id, index) => ({
  id,
  name: { en: `Unit ${index + 1}`, zh: `${index + 1}号队` },
  district: 'hualien',
  capabilities: [index === 2 ? 'medical' : 'search-rescue'],
  home: { latitudeDeg: 24, longitudeDeg: 121.6 },
  speedKmh: 50,
  fictional: true,
}));

const FIGURES = { incidents: 6, nuisance: 3, severe: 1, severeMissed: 0, unitsSent: 9, humansAsked: 2 };

export const PROPOSAL: Proposal = {
  id: 'earthquake/1',
  planId: 'earthquake',
  n: 1,
  fromHash: VERSION.hash,
  document: PLAN,
  changes: [
    {
      path: 'detect.magnitude',
      from: 4.5,
      to: 4.8,
      reason: { en: 'Three nuisances below 4.8.', zh: '三次误扰低于 4.8。' },
    },
  ],
  evidence: ['incident/demo/earthquake/butte/20180205T210400Z'],
  rehearsal: { before: FIGURES, after: { ...FIGURES, nuisance: 1, incidents: 4 } },
  approvedBy: 'plan-board',
  atMs: 2_000,
};

function factsOf(view: IncidentView): Fact[] {
  const { incidentId, openedAtMs: start, situation } = view;
  const lines: [number, Stage, Fact['kind'], Fact['data']][] = [
    [
      0,
      'detect',
      'detected',
      {
        kind: 'bulletin',
        vendor: 'quakes',
        type: 'earthquake-notice',
        magnitude: 6.1,
        nearest: view.place.id,
        distanceKm: 18.4,
        expectedMmi: 6.2,
      },
    ],
    [900, 'classify', 'voted', { label: situation.assessment?.type ?? '', confidence: 0.97, doubt: '' }],
    [
      1_000,
      'classify',
      'assessed',
      {
        type: situation.assessment?.type ?? '',
        confidence: 0.97,
        severity: 'major',
        level: 'II',
        decidedBy: 'recognisers',
      },
    ],
    [1_200, 'dispatch', 'step-started', { step: 'major.0.0', do: 'send', place: view.place.id }],
    [
      1_400,
      'dispatch',
      'ordered',
      {
        order: 'major.0.0',
        capability: 'search-rescue',
        count: 2,
        place: view.place.id,
        withinMs: 30 * MINUTE,
      },
    ],
    [
      4_000,
      'dispatch',
      'granted',
      { order: 'major.0.0', unit: 'hualien-rescue-1', epoch: 4, travelMs: 14 * MINUTE },
    ],
    [60_000, 'dispatch', 'mission-status', { unit: 'hualien-rescue-1', status: 'acknowledged', by: 'crew' }],
    [
      MAIN_SHOCK_AT - start,
      'detect',
      'evidence-joined',
      { kind: 'bulletin', magnitude: 6.4, nearest: view.place.id, distanceKm: 18.4, expectedMmi: 7.6 },
    ],
    [
      MAIN_SHOCK_AT - start + 1_000,
      'evaluate',
      'escalated',
      { to: 'catastrophic', level: 'I', because: 'scale' },
    ],
  ];
  return lines.map(([offset, stage, kind, data], seq) => ({
    incidentId,
    seq,
    atMs: start + Math.max(0, offset),
    stage,
    kind,
    data,
  }));
}
