import type { Evidence, NetworkDigest } from '../evidence.ts';
import type { SequenceRule } from '../plan/document.ts';
import type { EpochMs, Position } from '../units.ts';
import { distanceKm } from './geo.ts';
import { NEAREST_KM } from './seismic/locate.ts';
import { gardnerKnopoffRadiusKm } from './sequence.ts';
import type { Sequence } from './sequence.ts';

/** The earthquake of a network's last alert, as far as grouping needs to know it. */
export interface Alerted {
  readonly originAtMs: EpochMs;
  readonly position: Position;
  readonly uncertaintyKm: number;
}

/** Two origin times so close are one earthquake: the first minute's location is coarse, its time is not. */
const SAME_EVENT_MS = 60_000;

/** Whether an event located by somebody else is the earthquake that a network alerted. */
export const isSameEvent = (
  alerted: Alerted,
  event: { readonly position: Position; readonly atMs: EpochMs },
): boolean =>
  Math.abs(event.atMs - alerted.originAtMs) <= SAME_EVENT_MS &&
  distanceKm(alerted.position, event.position) <= NEAREST_KM + alerted.uncertaintyKm;

/**
 * Whether an event belongs to the sequence of an alerted earthquake of which nobody knows the magnitude yet: the
 * larger event sets the radius, widened by what the network does not know of its place.
 */
export const joinsAlerted = (
  rule: SequenceRule,
  alerted: Alerted,
  event: { readonly position: Position; readonly magnitude: number; readonly atMs: EpochMs },
): boolean =>
  isSameEvent(alerted, event) ||
  (Math.abs(event.atMs - alerted.originAtMs) <= rule.withinMs &&
    distanceKm(alerted.position, event.position) <=
      gardnerKnopoffRadiusKm(event.magnitude) + alerted.uncertaintyKm);

/** Whether an alert belongs to a sequence that notices have told of. */
export const alertJoins = (rule: SequenceRule, sequence: Sequence, alerted: Alerted): boolean =>
  isSameEvent(alerted, { position: sequence.strongest.position, atMs: sequence.lastAtMs }) ||
  (alerted.originAtMs >= sequence.firstAtMs - rule.withinMs &&
    alerted.originAtMs <= sequence.lastAtMs + rule.withinMs &&
    distanceKm(sequence.strongest.position, alerted.position) <=
      gardnerKnopoffRadiusKm(sequence.strongest.magnitude) + alerted.uncertaintyKm);

export const alertedOf = ({ originAtMs, position, uncertaintyKm }: NetworkDigest): Alerted => ({
  originAtMs,
  position,
  uncertaintyKm,
});

/** Of the newest alert in the evidence. */
export function alertedIn(evidence: readonly Evidence[]): Alerted | undefined {
  let newest: NetworkDigest | undefined;
  for (const item of evidence)
    if (item.kind === 'readings' && item.network !== undefined) newest = item.network;
  return newest === undefined ? undefined : alertedOf(newest);
}
