import { evaluateCondition } from '../detect/condition.ts';
import type { DeskState } from '../dispatch/desk.ts';
import { initialDesk } from '../dispatch/desk.ts';
import type { Evidence, Place } from '../evidence.ts';
import { windowOf } from '../evidence.ts';
import type { PlanDocument } from '../plan/document.ts';
import type { RehearsalFigures, Unit } from '../ports.ts';
import { openSituation, receiveEvidence } from '../receive.ts';
import { respond } from '../respond.ts';
import { VirtualClock } from '../simulate/clock.ts';
import { createSimulatedWorld } from '../simulate/world.ts';
import type { Situation } from '../situation.ts';
import type { Level } from '../units.ts';
import type { Evaluation } from '../world.ts';

/** What a plan would have done with one past incident; null when it would not have opened it. */
export interface Rehearsed {
  readonly incidentId: string;
  readonly highestLevel: Level;
  readonly nuisance: boolean;
  readonly unitsSent: number;
  readonly humansAsked: number;
}

/**
 * Runs past incidents again under a plan document, by the real engine in virtual time: the evidence comes as it
 * came, the recognisers say what was found to be true, nobody answers questions, crews drive by their model.
 */
export async function rehearse(
  document: PlanDocument,
  evaluations: readonly Evaluation[],
  units: readonly Unit[],
): Promise<(Rehearsed | null)[]> {
  const results: (Rehearsed | null)[] = [];
  for (const evaluation of evaluations) results.push(await rehearseOne(document, evaluation, units));
  return results;
}

async function rehearseOne(
  document: PlanDocument,
  evaluation: Evaluation,
  units: readonly Unit[],
): Promise<Rehearsed | null> {
  const opening = openedBy(document, evaluation.trigger);
  const first = evaluation.trigger[opening];
  const place = placeOf(evaluation);
  if (first === undefined) return null;

  const clock = new VirtualClock(first.atMs);
  const detection = {
    tenant: evaluation.tenant,
    planId: document.id,
    hazard: document.covers.hazard,
    place,
    cell: place.id,
    window: windowOf(first.atMs),
    atMs: first.atMs,
    receivedAtMs: first.atMs,
    evidence: [first],
  };
  const situation = openSituation(
    detection,
    { document, hash: 'rehearsal' },
    { mode: 'exercise', clock: 'feed', nowMs: first.atMs },
  );
  const desks = new Map<string, DeskState>();
  for (const district of new Set([place.district, ...units.map((unit) => unit.district)])) {
    desks.set(district, initialDesk(units.filter((unit) => unit.district === district)));
  }
  const world = createSimulatedWorld({
    clock,
    situation,
    desks,
    voter: () => ({ votes: [], label: evaluation.type, confidence: 1, doubt: '' }),
    situations: new Map(),
    recorders: new Map(),
  });
  world.record(...receiveEvidence(situation, detection.evidence));
  for (const later of evaluation.trigger.slice(opening + 1)) {
    clock.at(later.atMs, () => {
      if (situation.phase !== 'closed') world.record(...receiveEvidence(situation, [later]));
    });
  }
  let ended = false;
  void respond(document, situation, world).then(() => (ended = true));
  await clock.run(() => ended);
  return resultOf(situation);
}

const resultOf = (situation: Situation): Rehearsed => ({
  incidentId: situation.incidentId,
  highestLevel: situation.highestLevel ?? 'IV',
  nuisance: situation.outcome?.falseAlarm ?? false,
  unitsSent: Object.keys(situation.missions).length,
  humansAsked: Object.values(situation.questions).filter((question) => question.about !== 'acknowledgement')
    .length,
});

/** Index of the first evidence at which the document's detect condition holds; -1 when it never does. */
function openedBy(document: PlanDocument, trigger: readonly Evidence[]): number {
  return trigger.findIndex((item) => {
    const leaves = item.kind === 'readings' ? { [item.leaf]: { holds: item.holds, sinceMs: item.atMs } } : {};
    return evaluateCondition(document.detect, 'detect', { evidence: [item], leaves }, item.atMs).holds;
  });
}

/**
 * The place that the evidence names. Readings name their site alone, so no desk is known for it: the orders of such
 * an incident stay unmet in a rehearsal.
 */
function placeOf({ trigger, incidentId }: Evaluation): Place {
  for (const item of trigger) {
    if (item.kind === 'bulletin' && item.effects[0] !== undefined) return item.effects[0].place;
  }
  const readings = trigger.find((item) => item.kind === 'readings');
  const id = readings?.site ?? incidentId.split('/').at(-2) ?? incidentId;
  return {
    id,
    name: { en: id, zh: id },
    kind: 'building',
    district: id,
    latitudeDeg: 0,
    longitudeDeg: 0,
    population: 0,
  };
}

const isSevere = (level: Level): boolean => level === 'I' || level === 'II';

/** Sums up a rehearsal beside what really happened. `severeMissed`: incidents that were severe and would not have opened, or not as such. */
export function figuresOf(
  evaluations: readonly Evaluation[],
  results: readonly (Rehearsed | null)[],
): RehearsalFigures {
  const opened = results.filter((result) => result !== null);
  return {
    incidents: opened.length,
    nuisance: opened.filter((result) => result.nuisance).length,
    severe: opened.filter((result) => isSevere(result.highestLevel)).length,
    severeMissed: evaluations.filter((evaluation, index) => {
      const result = results[index] ?? null;
      return isSevere(evaluation.highestLevel) && (result === null || !isSevere(result.highestLevel));
    }).length,
    unitsSent: opened.reduce((sum, result) => sum + result.unitsSent, 0),
    humansAsked: opened.reduce((sum, result) => sum + result.humansAsked, 0),
  };
}
