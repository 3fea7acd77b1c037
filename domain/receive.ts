import { TocsinError } from './errors.ts';
import type { Detection, Evidence, ForecastDigest, NetworkDigest, SensorDigest } from './evidence.ts';
import { incidentIdOf } from './evidence.ts';
import { advance } from './dispatch/mission.ts';
import type { PlanDocument } from './plan/document.ts';
import type { Answer, Command, Mission, MissionStatus, Question, Situation } from './situation.ts';
import type { ClockKind, EpochMs, Mode } from './units.ts';
import type { FactDraft } from './world.ts';

/**
 * How messages from outside become part of a situation. Pure and synchronous: both worlds call these from their
 * message handlers, so a message does the same thing live, in rehearsal and in replay. Each returns the facts to
 * record; a refusal is a TocsinError and changes nothing.
 */

/** Names come from outside: `constructor` must not find what every object inherits. */
const own = <T>(record: Readonly<Record<string, T>>, name: string): T | undefined =>
  Object.hasOwn(record, name) ? record[name] : undefined;

const EVIDENCE_KEPT = 60;
const KEYS_KEPT = 2_000;

/** The situation at the moment a detection opens the incident. The detection's own evidence is already in it. */
export function openSituation(
  detection: Detection,
  plan: { readonly document: PlanDocument; readonly hash: string },
  options: { readonly mode: Mode; readonly clock: ClockKind; readonly nowMs: EpochMs },
): Situation {
  return {
    incidentId: incidentIdOf(detection),
    tenant: detection.tenant,
    mode: options.mode,
    clock: options.clock,
    planId: plan.document.id,
    planHash: plan.hash,
    hazard: detection.hazard,
    place: detection.place,
    openedAtMs: options.nowMs,
    phase: 'classifying',
    nowMs: options.nowMs,
    wakeAtMs: null,
    evidence: [],
    seenKeys: [],
    evidenceCount: 0,
    judgedEvidence: 0,
    obeyedCommands: 0,
    reviewedAtMs: options.nowMs,
    leaves: {},
    assessment: null,
    highestLevel: null,
    questions: {},
    orders: {},
    missions: {},
    steps: {},
    commands: [],
    factCount: 0,
    resolvedAtMs: null,
    closedAtMs: null,
    outcome: null,
  };
}

/** Joins new evidence; what was seen before is ignored. */
export function receiveEvidence(situation: Situation, evidence: readonly Evidence[]): FactDraft[] {
  const facts: FactDraft[] = [];
  for (const item of evidence) {
    if (situation.seenKeys.includes(item.key)) continue;
    situation.seenKeys.push(item.key);
    if (situation.seenKeys.length > KEYS_KEPT) situation.seenKeys.shift();
    situation.evidence.push(item);
    situation.evidenceCount += 1;
    if (situation.evidence.length > EVIDENCE_KEPT) forgetOne(situation.evidence);
    if (item.kind === 'readings') {
      const known = situation.leaves[item.leaf];
      // Transitions may arrive out of order after a relay restart: the newest by its own time counts.
      if (known === undefined || known.sinceMs <= item.atMs) {
        situation.leaves[item.leaf] = { holds: item.holds, sinceMs: item.atMs };
      }
    }
    const first = situation.evidenceCount === 1;
    facts.push({ stage: 'detect', kind: first ? 'detected' : 'evidence-joined', data: summaryOf(item) });
  }
  return facts;
}

/** Keeps the trigger, the strongest and the most recent evidence. */
function forgetOne(evidence: Evidence[]): void {
  const strongest = strongestBulletin(evidence);
  const index = evidence.findIndex((item, position) => position > 0 && item !== strongest);
  evidence.splice(index, 1);
}

/** The bulletin of the largest magnitude; the earliest of equals. */
export function strongestBulletin(
  evidence: readonly Evidence[],
): Extract<Evidence, { kind: 'bulletin' }> | undefined {
  let best: Extract<Evidence, { kind: 'bulletin' }> | undefined;
  for (const item of evidence) {
    if (item.kind !== 'bulletin') continue;
    if (best === undefined || magnitudeOf(item) > magnitudeOf(best)) best = item;
  }
  return best;
}

const magnitudeOf = (item: Extract<Evidence, { kind: 'bulletin' }>): number => {
  const magnitude = item.bulletin.fields['magnitude'];
  return typeof magnitude === 'number' ? magnitude : -Infinity;
};

function summaryOf(item: Evidence): FactDraft['data'] {
  if (item.kind === 'bulletin') {
    const nearest = item.effects[0];
    return {
      key: item.key,
      kind: item.kind,
      vendor: item.vendor,
      observedAtMs: item.atMs,
      type: item.bulletin.type,
      place: item.bulletin.fields['place'] ?? null,
      magnitude: item.bulletin.fields['magnitude'] ?? null,
      nearest: nearest === undefined ? null : nearest.placeId,
      distanceKm: nearest === undefined ? null : nearest.distanceKm,
      expectedMmi: nearest === undefined ? null : nearest.expectedMmi,
    };
  }
  return {
    key: item.key,
    kind: item.kind,
    site: item.site,
    observedAtMs: item.atMs,
    leaf: item.leaf,
    holds: item.holds,
    channel: item.channel,
    unit: item.unit,
    sensors: item.sensors.map((sensor) => ({
      sensor: sensor.sensor,
      vendor: sensor.vendor,
      value: sensor.value,
    })),
    ...(item.network === undefined ? {} : shownNetwork(item.network, item.sensors)),
    ...(item.forecast === undefined ? {} : shownForecast(item.forecast)),
  };
}

/** Flat, and in words where a list would be a count: the console and the command line show it as it is. */
function shownNetwork(
  { originAtMs, position, uncertaintyKm, clocksNotBelieved }: NetworkDigest,
  sensors: readonly SensorDigest[],
): FactDraft['data'] {
  const time = (ms: EpochMs | null): string => (ms === null ? '-' : new Date(ms).toISOString().slice(11, 23));
  return {
    originAtMs,
    latitudeDeg: Math.round(position.latitudeDeg * 1_000) / 1_000,
    longitudeDeg: Math.round(position.longitudeDeg * 1_000) / 1_000,
    uncertaintyKm,
    stations: sensors.map(({ sensor, sinceMs }) => `${sensor}: P ${time(sinceMs)}`),
    clocksNotBelieved: clocksNotBelieved.map(({ sensor, reason }) => `${sensor}: ${reason}`),
  };
}

function shownForecast({ name, hash, probability, expected }: ForecastDigest): FactDraft['data'] {
  return {
    // In place of one that could not be used stood the sensor's own past.
    forecaster: hash === null ? `${name} could not be used` : `${name}@${hash.slice(0, 12)}`,
    probability,
    ...(expected === undefined
      ? {}
      : { expected: expected.value, expectedLow: expected.low, expectedHigh: expected.high }),
  };
}

export interface AnswerGiven {
  readonly questionId: string;
  readonly choice: string;
  readonly by: string;
  readonly roles: readonly string[];
  readonly reason: string;
}

/** Refuses what may not be answered: an unknown or closed question, the wrong role, a choice that was not offered. */
export function checkAnswer(situation: Situation, given: AnswerGiven): Question {
  const question = own(situation.questions, given.questionId);
  if (question === undefined) {
    throw new TocsinError('QUESTION_UNKNOWN', `This incident never asked "${given.questionId}".`, {
      details: { asked: Object.keys(situation.questions) },
    });
  }
  if (question.answer !== undefined) {
    throw new TocsinError(
      'ALREADY_ANSWERED',
      `"${question.answer.by}" already answered "${question.answer.choice}".`,
      {
        details: { by: question.answer.by, choice: question.answer.choice, atMs: question.answer.atMs },
      },
    );
  }
  if (question.expiredAtMs !== undefined) {
    throw new TocsinError('QUESTION_CLOSED', `The deadline passed; "${question.otherwise}" was applied.`, {
      details: { otherwise: question.otherwise, expiredAtMs: question.expiredAtMs },
    });
  }
  if (!given.roles.includes(question.role) && !given.roles.includes('admin')) {
    throw new TocsinError('ROLE_REQUIRED', `This needs the role "${question.role}".`, {
      details: { role: question.role },
    });
  }
  if (!question.choices.includes(given.choice)) {
    throw new TocsinError(
      'CHOICE_INVALID',
      `"${given.choice}" is not one of ${question.choices.join(', ')}.`,
      {
        details: { choices: question.choices },
      },
    );
  }
  return question;
}

export function receiveAnswer(situation: Situation, given: AnswerGiven, atMs: EpochMs): FactDraft[] {
  const question = checkAnswer(situation, given);
  const answer: Answer = { choice: given.choice, by: given.by, atMs, reason: given.reason };
  question.answer = answer;
  return [
    {
      stage: question.about === 'type' ? 'classify' : 'dispatch',
      kind: 'answered',
      data: { question: question.id, choice: answer.choice, by: answer.by, reason: answer.reason },
    },
  ];
}

/** Units the desk grants. Each grant is taken once, by (order, unit, epoch); one for an order no longer wanted is marked for release. */
export function receiveGrants(
  situation: Situation,
  granted: { readonly orderId: string; readonly missions: readonly Mission[] },
): FactDraft[] {
  const order = own(situation.orders, granted.orderId);
  if (order === undefined) return [];
  if (granted.missions.length === 0) {
    if (order.state !== 'requested') return [];
    order.state = 'queued';
    return [{ stage: 'dispatch', kind: 'queued', data: { order: order.id, capability: order.capability } }];
  }
  const facts: FactDraft[] = [];
  for (const mission of granted.missions) {
    const known = situation.missions[mission.id];
    if (known !== undefined && known.epoch >= mission.epoch) continue;
    situation.missions[mission.id] = { ...mission, times: { ...mission.times } };
    facts.push({
      stage: 'dispatch',
      kind: 'granted',
      data: {
        order: order.id,
        mission: mission.id,
        unit: mission.unit,
        epoch: mission.epoch,
        travelMs: mission.travelMs,
      },
    });
  }
  if (order.state === 'requested' || order.state === 'queued') order.state = 'granted';
  return facts;
}

export interface StatusReported {
  readonly missionId: string;
  readonly unit: string;
  readonly epoch: number;
  readonly status: MissionStatus;
  readonly atMs: EpochMs;
  readonly by: string;
}

/** A crew's report. A repeat, a step back or an old epoch changes nothing: signals state facts and are never refused. */
export function receiveStatus(situation: Situation, reported: StatusReported): FactDraft[] {
  const mission = own(situation.missions, reported.missionId);
  if (mission === undefined || mission.unit !== reported.unit || mission.epoch !== reported.epoch) return [];
  if (!advance(mission, reported.status, reported.atMs)) return [];
  const order = situation.orders[mission.orderId];
  if (order !== undefined && order.state !== 'released' && onScene(situation, order.id) >= order.count)
    order.state = 'met';
  return [
    {
      stage: 'dispatch',
      kind: 'mission-status',
      data: { mission: mission.id, unit: mission.unit, status: reported.status, by: reported.by },
    },
  ];
}

const onScene = (situation: Situation, orderId: string): number =>
  Object.values(situation.missions).filter(
    (mission) => mission.orderId === orderId && mission.times['on-scene'] !== undefined,
  ).length;

/** Refuses a command that cannot be carried out. */
export function checkCommand(
  plan: PlanDocument,
  situation: Situation,
  command: Omit<Command, 'id' | 'atMs'>,
): void {
  if (situation.phase === 'closed') {
    throw new TocsinError('INCIDENT_CLOSED', 'This incident is closed.', {
      details: { incidentId: situation.incidentId },
    });
  }
  if (
    command.kind === 'escalate' &&
    (command.severity === undefined || own(plan.severities, command.severity) === undefined)
  ) {
    throw new TocsinError('CHOICE_INVALID', `"${command.severity ?? ''}" is not a severity of this plan.`, {
      details: { choices: Object.keys(plan.severities) },
    });
  }
}

export function receiveCommand(
  plan: PlanDocument,
  situation: Situation,
  command: Omit<Command, 'id' | 'atMs'>,
  atMs: EpochMs,
): FactDraft[] {
  checkCommand(plan, situation, command);
  const id = `command/${situation.commands.length + 1}`;
  situation.commands.push({ ...command, id, atMs });
  return [
    {
      stage: 'evaluate',
      kind: 'commanded',
      data: {
        command: id,
        kind: command.kind,
        severity: command.severity ?? null,
        by: command.by,
        reason: command.reason,
      },
    },
  ];
}
