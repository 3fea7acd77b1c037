import type { SequenceRule } from '../plan/document.ts';
import type { EpochMs, Position } from '../units.ts';
import { distanceKm } from './geo.ts';

/** One open sequence of events, as far as joining needs to know it. */
export interface Sequence {
  /** The strongest event so far. */
  readonly strongest: { readonly position: Position; readonly magnitude: number };
  readonly firstAtMs: EpochMs;
  readonly lastAtMs: EpochMs;
}

export interface SequenceEvent {
  readonly position: Position;
  readonly magnitude: number;
  readonly atMs: EpochMs;
}

/**
 * Radius of a sequence around its main shock, km: the distance window of Gardner & Knopoff (1974), Bull. Seismol.
 * Soc. Am. 64, 1363-1367, in the usual fit to their table, log10 L = 0.1238 M + 0.983.
 */
export function gardnerKnopoffRadiusKm(magnitude: number): number {
  return 10 ** (0.1238 * magnitude + 0.983);
}

/**
 * True when an event belongs to the sequence. The larger of the two sets the radius, so that a main shock finds
 * its foreshocks. An event reported late may lie before the first.
 */
export function joins(rule: SequenceRule, sequence: Sequence, event: SequenceEvent): boolean {
  const magnitude = Math.max(sequence.strongest.magnitude, event.magnitude);
  return (
    event.atMs >= sequence.firstAtMs - rule.withinMs &&
    event.atMs <= sequence.lastAtMs + rule.withinMs &&
    distanceKm(sequence.strongest.position, event.position) <= gardnerKnopoffRadiusKm(magnitude)
  );
}

/** The sequence with one more event in it. */
export function extended(sequence: Sequence, event: SequenceEvent): Sequence {
  return {
    strongest:
      event.magnitude > sequence.strongest.magnitude
        ? { position: event.position, magnitude: event.magnitude }
        : sequence.strongest,
    firstAtMs: Math.min(sequence.firstAtMs, event.atMs),
    lastAtMs: Math.max(sequence.lastAtMs, event.atMs),
  };
}
