import type { BulletinEvidence, Effect, Place, ReadingsEvidence } from '../../../domain/evidence.ts';
import { windowOf } from '../../../domain/evidence.ts';
import type { Level } from '../../../domain/units.ts';
import type { Evaluation } from '../../../domain/world.ts';

/** Past incidents of the earthquake and gas plans, as refinement reads them. */

const T0 = Date.UTC(2026, 0, 1);
const HOUR = 3_600_000;

export const riverside: Place = {
  id: 'riverside',
  name: { en: 'Riverside', zh: '河滨' },
  kind: 'place-of-care',
  district: 'east',
  population: 90_000,
  latitudeDeg: 24,
  longitudeDeg: 121.6,
};

export function quake(
  n: number,
  magnitude: number,
  { distanceKm = 10, expectedMmi = 2, afterHours = 0, vendor = 'vendor-quakes' } = {},
): BulletinEvidence {
  const atMs = T0 + n * 240 * HOUR + afterHours * HOUR;
  const effect: Effect = { placeId: riverside.id, place: riverside, distanceKm, expectedMmi };
  return {
    kind: 'bulletin',
    key: `usgs|${n}-${afterHours}`,
    atMs,
    receivedAtMs: atMs,
    vendor,
    bulletin: {
      source: 'usgs',
      id: `${n}-${afterHours}`,
      type: 'earthquake-notice',
      observedAtMs: atMs,
      position: { latitudeDeg: 24, longitudeDeg: 121.7 },
      fields: { magnitude, depthKm: 10 },
    },
    effects: [effect],
  };
}

export function methane(n: number, leaf: string, atMinute: number): ReadingsEvidence {
  const atMs = T0 + n * 240 * HOUR + atMinute * 60_000;
  return {
    kind: 'readings',
    key: `tower|${leaf}|${atMs}|true`,
    atMs,
    receivedAtMs: atMs,
    site: 'tower',
    leaf,
    holds: true,
    channel: 'methane',
    unit: '%LEL',
    sensors: [{ sensor: 'tower/1', vendor: 'vendor-gas', value: 12, sinceMs: atMs }],
    windowStartMs: atMs,
    windowEndMs: atMs,
  };
}

/** One closed incident: what opened it, and how serious it became. */
export function closed(
  n: number,
  trigger: Evaluation['trigger'],
  { type = 'earthquake', level = 'IV' as Level, severity = 'tremor', plan = 'earthquake' } = {},
): Evaluation {
  const atMs = trigger[0]?.atMs ?? T0;
  return {
    incidentId: `incident/demo/${type}/riverside/${windowOf(atMs)}`,
    tenant: 'demo',
    planId: plan,
    planHash: 'f'.repeat(64),
    closedAtMs: atMs + 24 * HOUR,
    type,
    severity,
    level,
    highestLevel: level,
    outcome: {
      result: 'resolved',
      severity,
      level,
      highestLevel: level,
      measures: {},
      falseAlarm: level === 'IV',
    },
    trigger,
    humansAsked: 0,
    unitsSent: 0,
  };
}

/** Tremors that nobody needed help for, a little over the threshold: what makes a plan too eager. */
export const tremors = (count: number, magnitude = 1.05): Evaluation[] =>
  Array.from({ length: count }, (_, n) => closed(n, [quake(n, magnitude)]));
