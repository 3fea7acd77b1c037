import { Counter, Gauge, Histogram } from 'prom-client';
import type { Registry } from 'prom-client';
import type { Counts } from './intake.ts';
import type { Sender } from './sender.ts';

/** What the door counts. `vendor` is a label: vendors are few, sensors are not. */
export interface IngestMetrics {
  taken(sender: Sender, counts: Counts): void;
  retryLater(sender: Sender): void;
  acknowledged(seconds: number): void;
  committed(seconds: number): void;
  delivered(kind: string, seconds: number): void;
  heard(sender: Sender, atMs: number): void;
  sensors(read: () => readonly { tenant: string; status: string; count: number }[]): void;
  backlog(read: () => { inbox: number; frames: number; pendingBytes: number }): void;
}

const SECONDS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60];

/** Registers the metrics of ingestion, all under `tocsin_ingest_`. */
export function createIngestMetrics(registry: Registry): IngestMetrics {
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

  function histogram(name: string, help: string): Histogram {
    return new Histogram({ name: `tocsin_ingest_${name}`, help, buckets: SECONDS, registers });
  }

  return {
    taken({ tenant, vendor }, counts) {
      if (counts.accepted > 0) items.inc({ tenant, vendor, disposition: 'accepted' }, counts.accepted);
      if (counts.duplicate > 0) items.inc({ tenant, vendor, disposition: 'duplicate' }, counts.duplicate);
      for (const [reason, count] of counts.quarantined) {
        items.inc({ tenant, vendor, disposition: 'quarantined' }, count);
        quarantined.inc({ tenant, vendor, reason }, count);
      }
    },
    retryLater: ({ tenant, vendor }) => items.inc({ tenant, vendor, disposition: 'retry-later' }),
    acknowledged: (seconds) => acknowledged.observe(seconds),
    committed: (seconds) => committed.observe(seconds),
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
      for (const [name, help, key] of [
        ['inbox', 'Deliveries that wait for their incidents.', 'inbox'],
        ['unrelayed_frames', 'Archived frames that were not relayed yet.', 'frames'],
        ['pending_bytes', 'Bytes that wait to become durable.', 'pendingBytes'],
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
