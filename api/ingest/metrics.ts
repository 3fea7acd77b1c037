import { Counter, Gauge, Histogram } from 'prom-client';
import type { Registry } from 'prom-client';
import type { Refusal } from './fair.ts';
import type { StoredBlock } from './frame.ts';
import type { Taking } from './intake.ts';
import type { Sender } from './sender.ts';

/** Why something was not taken: a refusal of `fair.ts`, or work that nothing but the archive waits for. */
type RetryCause = Refusal['cause'] | 'archive-only';

/** An archive that takes nothing for so long while something waits is one that cannot take anything. */
const STILL_AT_LEAST_MS = 1_000;

/** What the door counts. `vendor` is a label: vendors are few, sensors are not. */
export interface IngestMetrics {
  /** It is archived. */
  taken(sender: Sender, taking: Taking): void;
  retryLater(sender: Sender, cause: RetryCause, afterMs: number): void;
  acknowledged(seconds: number): void;
  /** @param stillMs how long nothing had become durable before, although something waited */
  committed(seconds: number, stillMs: number): void;
  delivered(kind: string, seconds: number): void;
  heard(sender: Sender, atMs: number): void;
  sensors(read: () => readonly { tenant: string; status: string; count: number }[]): void;
  backlog(
    read: () => { inbox: number; frames: number; pendingBytes: number; roomBytes: number; stillMs: number },
  ): void;
}

const SECONDS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60];

/**
 * Registers the metrics of ingestion, all under `tocsin_ingest_`.
 *
 * @param now the clock against which lag is measured, ms
 */
export function createIngestMetrics(registry: Registry, now: () => number): IngestMetrics {
  const registers = [registry];
  const items = new Counter({
    name: 'tocsin_ingest_items_total',
    help: 'Readings, samples and bulletins by what became of them.',
    labelNames: ['tenant', 'vendor', 'disposition'],
    registers,
  });
  const quarantined = new Counter({
    name: 'tocsin_ingest_quarantined_total',
    help: 'Quarantined readings, samples and bulletins by reason.',
    labelNames: ['tenant', 'vendor', 'reason'],
    registers,
  });
  const acknowledged = histogram('ack_seconds', 'From the arrival of a message to its acknowledgement.');
  const committed = histogram('archive_seconds', 'Time in which a group became durable.');
  const delivered = new Histogram({
    name: 'tocsin_ingest_delivery_seconds',
    help: 'From the inbox to the incident.',
    labelNames: ['kind'],
    buckets: SECONDS,
    registers,
  });
  const heard = new Gauge({
    name: 'tocsin_ingest_last_heard_timestamp_seconds',
    help: 'When a vendor was last heard.',
    labelNames: ['tenant', 'vendor'],
    registers,
  });
  const refused = new Counter({
    name: 'tocsin_ingest_retry_later_total',
    help: 'Messages answered RETRY_LATER, in whole or in part, by cause.',
    labelNames: ['tenant', 'vendor', 'cause'],
    registers,
  });
  const newest = new Map<string, { readonly sender: Sender; atMs: number }>();
  new Gauge({
    name: 'tocsin_ingest_lag_seconds',
    help: 'Age of the newest observation of a vendor that is archived.',
    labelNames: ['tenant', 'vendor'],
    registers,
    collect() {
      for (const { sender, atMs } of newest.values()) {
        this.set({ tenant: sender.tenant, vendor: sender.vendor }, (now() - atMs) / 1_000);
      }
    },
  });
  let stillMs = (): number => 0;
  const blind = new Counter({
    name: 'tocsin_ingest_blind_seconds_total',
    help: 'Time in which vendors were asked to come again later, by cause, or nothing could be archived.',
    labelNames: ['cause'],
    registers,
    collect() {
      stood(stillMs());
    },
  });
  // Overlapping times count once.
  const blindUntilMs = new Map<string, number>();
  function wasBlind(cause: RetryCause | 'archive', fromMs: number, untilMs: number): void {
    const since = Math.max(fromMs, blindUntilMs.get(cause) ?? -Infinity);
    if (untilMs <= since) return;
    blind.inc({ cause }, (untilMs - since) / 1_000);
    blindUntilMs.set(cause, untilMs);
  }
  function stood(ms: number): void {
    const at = performance.now();
    if (ms >= STILL_AT_LEAST_MS) wasBlind('archive', at - ms, at);
  }

  function histogram(name: string, help: string): Histogram {
    return new Histogram({ name: `tocsin_ingest_${name}`, help, buckets: SECONDS, registers });
  }

  return {
    taken(sender, { counts, blocks }) {
      const { tenant, vendor } = sender;
      const key = `${tenant}|${vendor}`;
      const known = newest.get(key);
      const atMs = blocks.reduce((latest, block) => Math.max(latest, observedAt(block)), -Infinity);
      if (known !== undefined) known.atMs = Math.max(known.atMs, atMs);
      else if (atMs > -Infinity) newest.set(key, { sender, atMs });
      if (counts.accepted > 0) items.inc({ tenant, vendor, disposition: 'accepted' }, counts.accepted);
      if (counts.duplicate > 0) items.inc({ tenant, vendor, disposition: 'duplicate' }, counts.duplicate);
      for (const [reason, count] of counts.quarantined) {
        items.inc({ tenant, vendor, disposition: 'quarantined' }, count);
        quarantined.inc({ tenant, vendor, reason }, count);
      }
    },
    retryLater({ tenant, vendor }, cause, afterMs) {
      items.inc({ tenant, vendor, disposition: 'retry-later' });
      refused.inc({ tenant, vendor, cause });
      const at = performance.now();
      wasBlind(cause, at, at + afterMs);
    },
    acknowledged: (seconds) => acknowledged.observe(seconds),
    committed(seconds, still) {
      committed.observe(seconds);
      stood(still);
    },
    delivered: (kind, seconds) => delivered.observe({ kind }, seconds),
    heard: ({ tenant, vendor }, atMs) => heard.set({ tenant, vendor }, atMs / 1_000),
    sensors(read) {
      new Gauge({
        name: 'tocsin_ingest_sensors',
        help: 'Sensors by how far they can be relied on; alarm on silent, stuck, flat and noisy.',
        labelNames: ['tenant', 'status'],
        registers,
        collect() {
          this.reset();
          for (const { tenant, status, count } of read()) this.set({ tenant, status }, count);
        },
      });
    },
    backlog(read) {
      stillMs = () => read().stillMs;
      for (const [name, help, key] of [
        ['inbox', 'Deliveries that wait for their incidents.', 'inbox'],
        ['unrelayed_frames', 'Archived frames that were not relayed yet.', 'frames'],
        ['pending_bytes', 'Bytes that wait to become durable.', 'pendingBytes'],
        ['room_bytes', 'Bytes that may wait at present, of all vendors together.', 'roomBytes'],
      ] as const) {
        new Gauge({
          name: `tocsin_ingest_${name}`,
          help,
          registers,
          collect() {
            this.set(read()[key]);
          },
        });
      }
    },
  };
}

/** When the last of a block was observed. */
function observedAt(block: StoredBlock): number {
  switch (block.kind) {
    case 'readings':
      return block.atMs.at(-1) ?? -Infinity;
    case 'runs':
      return block.ends.reduce((latest, end) => Math.max(latest, block.atMs[end - 1]!), -Infinity);
    case 'waveform':
      return block.startedAtMs + (block.samples.length * 1_000) / block.rateHz;
    default:
      return block.bulletin.observedAtMs;
  }
}
