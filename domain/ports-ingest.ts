import type { PinnedPlan } from './detect/watch.ts';
import type { Detection, Evidence } from './evidence.ts';
import type { EpochMs, Json } from './units.ts';

/**
 * What ingestion needs of a store and of Temporal. All writes are repeatable: by number, by id, or because one
 * process writes the row.
 */

/** A run of archived items in one binary document; `api/ingest/frame.ts` reads its bytes. */
export interface ArchivedFrame {
  /** Position in the archive: 1, 2, 3, … without a gap. */
  readonly seq: number;
  /** The process that wrote it. */
  readonly writer: string;
  readonly receivedAtMs: EpochMs;
  /** At most 256 KiB; usually 16-64. */
  readonly bytes: Uint8Array;
}

/** The archive of everything that was acknowledged. One process writes it. */
export interface FrameArchive {
  /**
   * Answers when all are durable. A frame that is there already, by the same writer, is the same frame.
   * @throws TocsinError ARCHIVE_CONFLICT when another writer took the number
   */
  append(frames: readonly ArchivedFrame[]): Promise<void>;
  read(seq: number): Promise<ArchivedFrame | null>;
}

/** Something that was refused, with the reason, kept for people to look at. */
export interface QuarantinedItem {
  readonly tenant: string;
  readonly vendor: string;
  readonly receivedAtMs: EpochMs;
  readonly sentAtMs: EpochMs;
  readonly reason: string;
  readonly explanation: string;
  /** The item as it came, shortened to 2,000 characters; NaN and infinities as words. */
  readonly item: string;
}

export interface QuarantineStore {
  /** At most 500 items. `id` is unique for ever; repeating it changes nothing. */
  append(id: string, items: readonly QuarantinedItem[]): Promise<void>;
  read(id: string): Promise<QuarantinedItem[]>;
}

/** Something on its way to an incident. Rows are delivered in order and removed when they arrived. */
export type Delivery = {
  /** `detection|<incident>` or `evidence|<incident>|<evidence key>`. */
  readonly id: string;
  /** Frame that led to it, and its number within. */
  readonly seq: number;
  readonly n: number;
} & (
  | { readonly kind: 'detection'; readonly detection: Detection; readonly plan: PinnedPlan }
  | { readonly kind: 'evidence'; readonly incidentId: string; readonly evidence: Evidence }
);

export interface InboxStore {
  /** What is there already, by id, stays as it is. */
  put(deliveries: readonly Delivery[]): Promise<void>;
  /** It may wait again after a crash, until everything that was put together with it is removed. */
  remove(id: string): Promise<void>;
  /** Everything that waits, in order. */
  pending(): Promise<Delivery[]>;
}

/** Evidence that reached no incident, and sensors that cannot be relied on, and why. Insert-only. */
export interface AsideRecord {
  readonly id: string;
  /**
   * `suppressed`: matches a detect rule and opened nothing. `late`: came after its incident closed, or too late to
   * trigger. `doubt`: a sensor fell silent, is stuck, flat or noisy.
   */
  readonly kind: 'suppressed' | 'late' | 'doubt';
  readonly tenant: string;
  /** `<plan>@<hash>` for suppressed evidence, the incident for late evidence, the sensor for a doubt; empty for late readings. */
  readonly about: string;
  readonly reason: string;
  readonly atMs: EpochMs;
  readonly evidence: Json;
}

export interface AsideStore {
  put(records: readonly AsideRecord[]): Promise<void>;
  list(kind: AsideRecord['kind']): Promise<AsideRecord[]>;
}

/** Named positions and snapshots. One process writes each. */
export interface CheckpointStore {
  load<T>(name: string): Promise<T | null>;
  save(name: string, value: unknown): Promise<void>;
}

export interface IngestStores {
  readonly frames: FrameArchive;
  readonly quarantine: QuarantineStore;
  readonly inbox: InboxStore;
  readonly asides: AsideStore;
  readonly checkpoints: CheckpointStore;
}

/** Opens incidents and hands them evidence. Both may be repeated: an incident takes each evidence once. */
export interface IncidentStarter {
  /** `closed`: this very incident ran before and has ended. */
  start(detection: Detection, plan: PinnedPlan): Promise<'open' | 'closed'>;
  join(incidentId: string, evidence: readonly Evidence[]): Promise<'open' | 'closed'>;
}
