import type { Logger } from 'pino';
import { DOUBTS, doubtsSensor } from '../../domain/ingest/health-book.ts';
import type { HealthBook } from '../../domain/ingest/health-book.ts';
import { isDoubtful } from '../../domain/ingest/health.ts';
import type { AsideRecord } from '../../domain/ports-ingest.ts';
import type { ClockKind, EpochMs } from '../../domain/units.ts';
import { doubtRecord } from './aside-records.ts';
import type { Block } from './frame.ts';

/** All sensors are looked at for silence this often, however much arrives. */
const REVIEW_EVERY_MS = 250;
/** A condition on the number of doubtful sensors must hear it more often than a silent sensor is given up. */
const REPEATED_EVERY_MS = 30_000;

/** How many sensors of a site are in doubt: a reading of Tocsin's own, to be archived like any other. */
export interface DoubtsReading {
  readonly tenant: string;
  readonly sensor: string;
  readonly atMs: EpochMs;
  readonly doubtful: number;
}

export interface SensorDoubtsOptions {
  /** By tenant. */
  readonly books: ReadonlyMap<string, HealthBook>;
  /** Whether any plan asks how many sensors are in doubt. */
  readonly areWatched: () => boolean;
  /** By which clock a tenant's sensors fall silent. */
  readonly clockOf: (tenant: string) => ClockKind;
  readonly now: () => EpochMs;
  /** Sensors are looked at as often as this, where it is more often than every 250 ms. */
  readonly refreshEveryMs: number;
  readonly log: Pick<Logger, 'warn'>;
  /** Takes the readings; undefined: nobody does. */
  readonly onDoubts: ((readings: readonly DoubtsReading[]) => void) | undefined;
}

/** Who fell silent, stuck or came back: a record for people, and a reading for plans that watch it. */
export class SensorDoubts {
  readonly #options: SensorDoubtsOptions;
  /** What was last said, by the sensor that says it. */
  readonly #told = new Map<string, { readonly atMs: EpochMs; readonly doubtful: number }>();
  #reviewedAt = -Infinity;

  constructor(options: SensorDoubtsOptions) {
    this.#options = options;
  }

  /** Looks at the sensors, where that is due, and says what changed. */
  review(): AsideRecord[] {
    const { books, areWatched, clockOf, now, refreshEveryMs, log, onDoubts } = this.#options;
    const records: AsideRecord[] = [];
    const readings: DoubtsReading[] = [];
    const isDue = performance.now() - this.#reviewedAt >= Math.min(refreshEveryMs, REVIEW_EVERY_MS);
    if (isDue) this.#reviewedAt = performance.now();
    for (const [tenant, book] of books) {
      // A feed's clock stands still until its relay has said all: there every turn counts.
      if (!isDue && clockOf(tenant) === 'wall') continue;
      const nowMs = clockOf(tenant) === 'feed' ? book.newestMs : now();
      book.review(nowMs);
      for (const health of book.changes()) {
        const { sensor, status, site } = health;
        if (!isDoubtful(status)) continue;
        log.warn({ tenant, sensor, site, status }, 'a sensor is in doubt');
        records.push(doubtRecord(tenant, health));
      }
      if (onDoubts === undefined || !areWatched() || !Number.isFinite(nowMs)) continue;
      for (const [site, doubtful] of book.doubts()) {
        const { id: sensor } = doubtsSensor(tenant, site);
        const told = this.#told.get(sensor);
        const isNews = told === undefined || nowMs - told.atMs >= REPEATED_EVERY_MS;
        if (!isNews && told.doubtful === doubtful) continue;
        this.#told.set(sensor, { atMs: nowMs, doubtful });
        readings.push({ tenant, sensor, atMs: nowMs, doubtful });
      }
    }
    if (readings.length > 0) onDoubts?.(readings);
    return records;
  }

  /** What the archive says was said: after a start it need not be said again. */
  recall({ sensor, atMs, values }: Extract<Block, { kind: 'readings' }>): void {
    this.#told.set(sensor, { atMs: atMs.at(-1)!, doubtful: values.at(-1)! });
  }
}

/** Archived like a vendor's, so that detection stays a function of the archive. */
export const doubtsBlock = ({ tenant, sensor, atMs, doubtful }: DoubtsReading): Block => ({
  kind: 'readings',
  tenant,
  vendor: DOUBTS.vendor,
  clockMs: atMs,
  sensor,
  boot: '',
  firstSequence: 0,
  atMs: Float64Array.of(atMs),
  values: Float64Array.of(doubtful),
  flags: new Uint8Array(1),
});
