import type { Place } from '../../domain/evidence.ts';
import type { PlanDocument, PlanVersion } from '../../domain/plan/document.ts';
import type {
  IncidentView,
  Principal,
  Proposal,
  RehearsalFigures,
  Sensor,
  Unit,
} from '../../domain/ports.ts';
import type { Fact, Situation } from '../../domain/situation.ts';
import type { Evaluation } from '../../domain/world.ts';

export const HUALIEN: Place = {
  id: 'hualien',
  name: { en: 'Hualien', zh: '花莲' },
  kind: 'place-of-care',
  district: 'hualien',
  latitudeDeg: 23.98,
  longitudeDeg: 121.6,
  population: 100_000,
};

/** Keys with dots and dollars, nested arrays and a NUL: all that a document store may refuse. */
export const AWKWARD = {
  'detect.magnitude': [[1, 2], [[3]]],
  $set: { $gt: 1 },
  '': 'empty key',
  nul: 'a\u0000b',
  emoji: '🚨',
  tiny: 5e-324,
  large: 1e308,
} as const;

export function planDocument(id: string, minConfidence = 0.8): PlanDocument {
  return {
    schema: 'tocsin/plan/v1',
    id,
    title: { en: id, zh: '预案' },
    basis: `plans/sources/${id}.md`,
    covers: { hazard: 'earthquake' },
    channels: {},
    bulletins: ['earthquake-notice'],
    severities: { minor: 'IV', major: 'II' },
    detect: { when: 'all', of: [{ when: 'always' }] },
    classify: {
      by: { kind: 'rule', type: 'earthquake' },
      minConfidence,
      ifUnsure: { ask: 'duty-officer', withinMs: 120_000, otherwise: 'major' },
      types: { earthquake: 'scale' },
      scale: [{ severity: 'minor', when: { when: 'always' } }],
    },
    dispatch: { minor: [], major: [] },
    evaluate: { everyMs: 60_000, resolvedWhen: { when: 'always' }, measures: {} },
    refine: {
      mayTune: { 'classify.minConfidence': { low: 0.6, high: 0.9 } },
      afterIncidents: 5,
      approvedBy: 'plan-board',
    },
  };
}

export function planVersion(planId: string, hash: string, publishedAtMs = 1): PlanVersion {
  return {
    planId,
    hash,
    document: planDocument(planId),
    author: 'plan-board',
    publishedAtMs,
    parent: null,
    proposal: null,
  };
}

export function fact(incidentId: string, seq: number, data: Fact['data'] = { seq }): Fact {
  return { incidentId, seq, atMs: 1_000 + seq, stage: 'detect', kind: 'detected', data };
}

export function incidentView(incidentId: string, changes: Partial<IncidentView> = {}): IncidentView {
  const situation: Situation = {
    incidentId,
    tenant: 'demo',
    mode: 'exercise',
    clock: 'feed',
    planId: 'earthquake',
    planHash: 'h1',
    hazard: 'earthquake',
    place: HUALIEN,
    openedAtMs: 1_000,
    phase: 'responding',
    nowMs: 1_000,
    wakeAtMs: null,
    evidence: [],
    seenKeys: ['usgs|us1'],
    evidenceCount: 1,
    judgedEvidence: 0,
    obeyedCommands: 0,
    reviewedAtMs: 1_000,
    leaves: { 'detect.of.0': { holds: true, sinceMs: 1_000 } },
    assessment: null,
    highestLevel: null,
    questions: {},
    orders: {},
    missions: {},
    steps: { 'major.0': { id: 'major.0', do: 'send', startedAtMs: 1, state: 'running', endedAtMs: null } },
    commands: [],
    factCount: 0,
    resolvedAtMs: null,
    closedAtMs: null,
    outcome: null,
  };
  return {
    incidentId,
    tenant: 'demo',
    mode: 'exercise',
    hazard: 'earthquake',
    place: HUALIEN,
    planId: 'earthquake',
    planHash: 'h1',
    level: null,
    highestLevel: null,
    phase: 'responding',
    openedAtMs: 1_000,
    updatedAtMs: 2_000,
    writtenAtMs: 3_000,
    runId: 'run-1',
    situation,
    ...changes,
  };
}

export function evaluation(incidentId: string, planId: string, closedAtMs: number): Evaluation {
  return {
    incidentId,
    tenant: 'demo',
    planId,
    planHash: 'h1',
    closedAtMs,
    type: 'earthquake',
    severity: 'minor',
    level: 'IV',
    highestLevel: 'IV',
    outcome: {
      result: 'resolved',
      severity: 'minor',
      level: 'IV',
      highestLevel: 'IV',
      measures: { arrival: { goalMs: 480_000, valueMs: null, met: null, count: 0 } },
      falseAlarm: false,
    },
    trigger: [],
    humansAsked: 0,
    unitsSent: 0,
  };
}

const FIGURES: RehearsalFigures = {
  incidents: 5,
  nuisance: 1,
  severe: 1,
  severeMissed: 0,
  unitsSent: 4,
  humansAsked: 2,
};

export function proposal(planId: string, n: number): Proposal {
  return {
    id: `${planId}/${n}`,
    planId,
    n,
    fromHash: 'h1',
    document: planDocument(planId, 0.75),
    changes: [
      {
        path: 'classify.minConfidence',
        from: 0.8,
        to: 0.75,
        reason: { en: 'asked too often', zh: '询问过多' },
      },
    ],
    evidence: ['incident/demo/earthquake/hualien/20180204T131252Z'],
    rehearsal: { before: FIGURES, after: { ...FIGURES, humansAsked: 1 } },
    approvedBy: 'plan-board',
    atMs: 5,
  };
}

export function unit(id: string, district = 'hualien', speedKmh = 50): Unit {
  return {
    id,
    name: { en: id, zh: id },
    district,
    capabilities: ['medical'],
    home: { latitudeDeg: 23.98, longitudeDeg: 121.6 },
    speedKmh,
    fictional: true,
  };
}

export function sensor(id: string, high = 100): Sensor {
  return {
    id,
    vendor: 'vendor-gas',
    tenant: 'demo',
    site: 'riverside-tower',
    channel: 'methane',
    unit: '%LEL',
    low: 0,
    high,
    position: null,
  };
}

export function principal(id: string, keySha256: string): Principal {
  return { id, tenant: 'demo', roles: ['viewer'], keySha256, revokedAtMs: null };
}
