import type { ClockDoubt } from '../../domain/detect/watch-network.ts';
import type { Evidence } from '../../domain/evidence.ts';
import type { SensorHealth } from '../../domain/ingest/health.ts';
import type { AsideRecord, Delivery } from '../../domain/ports-ingest.ts';
import type { EpochMs, Json } from '../../domain/units.ts';
import type { ForecasterDoubt } from './forecasters.ts';
import type { Block } from './frame.ts';

// What is put aside for people, each under an id that a repetition gives it again.

/** A sensor is in doubt. */
export const doubtRecord = (tenant: string, health: SensorHealth): AsideRecord => ({
  id: `doubt|${health.sensor}|${health.status}|${health.sinceMs}`,
  kind: 'doubt',
  tenant,
  about: health.sensor,
  reason: health.status,
  atMs: health.sinceMs,
  evidence: health as unknown as Json,
});

/** A trained forecast that a plan names cannot be used. */
export const forecasterDoubtRecord = (
  tenant: string,
  doubt: ForecasterDoubt,
  atMs: EpochMs,
): AsideRecord => ({
  id: `doubt|${tenant}|forecaster|${doubt.forecaster}|${doubt.hash}|${doubt.reason}|${doubt.plan}`,
  kind: 'doubt',
  tenant,
  about: `forecaster/${doubt.forecaster}`,
  reason: doubt.reason,
  atMs,
  evidence: doubt as unknown as Json,
});

/** A station's clock is not believed any more. */
export const clockDoubtRecord = (tenant: string, doubt: ClockDoubt): AsideRecord => ({
  id: `doubt|${doubt.sensor}|clock|${doubt.atMs}`,
  kind: 'doubt',
  tenant,
  about: doubt.sensor,
  reason: 'clock',
  atMs: doubt.atMs,
  evidence: doubt as unknown as Json,
});

/** `count` readings of the `n`th block of frame `seq` came too late to be shown to any condition. */
export function lateReadings(
  block: Exclude<Block, { kind: 'bulletin' }>,
  count: number,
  seq: number,
  n: number,
): AsideRecord {
  const atMs: EpochMs = block.kind === 'readings' ? block.atMs[0]! : block.startedAtMs;
  return {
    id: `late|readings|${seq}|${n}`,
    kind: 'late',
    tenant: block.tenant,
    about: '',
    reason: 'too-late',
    atMs,
    evidence: { sensor: block.sensor, readings: count, frame: seq, receivedAtMs: block.clockMs },
  };
}

/** What could not be delivered to its incident. */
export function undelivered(
  delivery: Delivery,
  tenant: string,
  incidentId: string,
  reason: string,
): AsideRecord {
  const evidence: readonly Evidence[] =
    delivery.kind === 'detection' ? delivery.detection.evidence : [delivery.evidence];
  return {
    id: `late|${delivery.id}`,
    kind: 'late',
    tenant,
    about: incidentId,
    reason,
    atMs: evidence.at(-1)!.atMs,
    evidence: evidence as unknown as Json,
  };
}
