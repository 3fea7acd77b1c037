import { Counter, Gauge, Histogram } from 'prom-client';
import type { Registry } from 'prom-client';
import type { Sender } from './sender.ts';
import type { RetryCause, VendorLog } from './vendor-log.ts';

/** An archive that takes nothing for so long while something waits is one that cannot take anything. */
const STILL_AT_LEAST_MS = 1_000;

/** What the door counts. `vendor` is a label: vendors are few, sensors are not. */
export interface IngestMetrics {
  /** A vendor was asked to come again after so long. */
  retryLater(cause: RetryCause, afterMs: number): void;
  acknowledged(seconds: number): void;
  /** @param stillMs how long nothing had become durable before, although something waited */
  committed(seconds: number, stillMs: number): void;
  delivered(kind: string, seconds: number): void;
  sensors(read: () => readonly { tenant: string; status: string; count: number }[]): void;
  backlog(
    read: () => {
      inbox: number;
      frames: number;
      pendingBytes: number;
      roomBytes: number;
      roomTaken: number;
      stillMs: number;
    },
  ): void;
}

const SECONDS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60];

/**
 * Registers the metrics of ingestion, all under `tocsin_ingest_`.
 *
 * @param now the clock against which lag is measured, ms
 * @param vendors counts what each vendor sent; read when somebody collects
 */
export function createIngestMetrics(
  registry: Registry,
  now: () => number,
  vendors: VendorLog,
): IngestMetrics {
  const registers = [registry];
  new Counter({
    name: 'tocsin_ingest_items_total',
    help: 'Readings, samples and bulletins by what became of them.',
    labelNames: ['tenant', 'vendor', 'disposition'],
    registers,
    collect() {
      this.reset();
      for (const { sender, accepted, duplicate, quarantined, retryLater } of vendors.all()) {
        const counts = {
          accepted,
          duplicate,
          quarantined: total(quarantined),
          'retry-later': total(retryLater),
        };
        for (const [disposition, count] of Object.entries(counts)) {
          if (count > 0) this.inc({ ...labelsOf(sender), disposition }, count);
        }
      }
    },
  });
  new Counter({
    name: 'tocsin_ingest_quarantined_total',
    help: 'Quarantined readings, samples and bulletins by reason.',
    labelNames: ['tenant', 'vendor', 'reason'],
    registers,
    collect() {
      this.reset();
      for (const { sender, quarantined } of vendors.all()) {
        for (const [reason, count] of quarantined) this.inc({ ...labelsOf(sender), reason }, count);
      }
    },
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
  new Gauge({
    name: 'tocsin_ingest_last_heard_timestamp_seconds',
    help: 'When a vendor was last heard.',
    labelNames: ['tenant', 'vendor'],
    registers,
    collect() {
      for (const { sender, lastHeardAtMs } of vendors.all()) {
        if (lastHeardAtMs > 0) this.set(labelsOf(sender), lastHeardAtMs / 1_000);
      }
    },
  });
  new Counter({
    name: 'tocsin_ingest_retry_later_total',
    help: 'Messages answered RETRY_LATER, in whole or in part, by cause.',
    labelNames: ['tenant', 'vendor', 'cause'],
    registers,
    collect() {
      this.reset();
      for (const { sender, retryLater } of vendors.all()) {
        for (const [cause, count] of retryLater) this.inc({ ...labelsOf(sender), cause }, count);
      }
    },
  });
  new Gauge({
    name: 'tocsin_ingest_lag_seconds',
    help: 'Age of the newest observation of a vendor that is archived.',
    labelNames: ['tenant', 'vendor'],
    registers,
    collect() {
      for (const { sender, newestAtMs } of vendors.all()) {
        if (newestAtMs > -Infinity) this.set(labelsOf(sender), (now() - newestAtMs) / 1_000);
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
    retryLater(cause, afterMs) {
      const at = performance.now();
      wasBlind(cause, at, at + afterMs);
    },
    acknowledged: (seconds) => acknowledged.observe(seconds),
    committed(seconds, still) {
      committed.observe(seconds);
      stood(still);
    },
    delivered: (kind, seconds) => delivered.observe({ kind }, seconds),
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
        ['room_bytes', 'Bytes that may wait to be written at present, of all vendors together.', 'roomBytes'],
        [
          'room_taken_ratio',
          'Of the room for what waits to become durable, the part that is taken.',
          'roomTaken',
        ],
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

const labelsOf = ({ tenant, vendor }: Sender): { tenant: string; vendor: string } => ({ tenant, vendor });

function total(counts: ReadonlyMap<string, number>): number {
  let sum = 0;
  for (const count of counts.values()) sum += count;
  return sum;
}
