import { setImmediate as nextTurn } from 'node:timers/promises';
import type { SensorHealth } from '../../domain/ingest/health.ts';
import type { CheckpointStore } from '../../domain/ports-ingest.ts';
import type { EpochMs } from '../../domain/units.ts';

const PAGES = 16;

interface Page {
  readonly atMs: EpochMs;
  readonly sensors: readonly SensorHealth[];
}

/** What ingestion last wrote of each sensor it has heard of. */
export interface SensorHealthReader {
  of(tenant: string, sensor: string): Promise<SensorHealth | null>;
  all(tenant: string): Promise<SensorHealth[]>;
}

/** Reads the pages that ingestion writes; each is one document with an id that is known. */
export function createSensorHealthReader(checkpoints: Pick<CheckpointStore, 'load'>): SensorHealthReader {
  const page = async (tenant: string, n: number): Promise<readonly SensorHealth[]> =>
    (await checkpoints.load<Page>(nameOf(tenant, n)))?.sensors ?? [];
  return {
    async of(tenant, sensor) {
      const sensors = await page(tenant, pageOf(sensor));
      return sensors.find((one) => one.sensor === sensor) ?? null;
    },
    async all(tenant) {
      const pages = await Promise.all(Array.from({ length: PAGES }, (_, n) => page(tenant, n)));
      return pages.flat();
    },
  };
}

/** Writes the pages that changed. One process writes them. */
export function createSensorHealthWriter(checkpoints: Pick<CheckpointStore, 'save'>): {
  write(tenant: string, sensors: readonly SensorHealth[], nowMs: EpochMs): Promise<void>;
} {
  const written = new Map<string, string>();
  return {
    async write(tenant, sensors, nowMs) {
      const pages = Array.from({ length: PAGES }, (): SensorHealth[] => []);
      for (const health of sensors) pages[pageOf(health.sensor)]!.push(health);
      for (const [n, page] of pages.entries()) {
        const name = nameOf(tenant, n);
        const text = JSON.stringify(page);
        // Acknowledgements go between two pages.
        await nextTurn();
        if (text === (written.get(name) ?? '[]')) continue;
        await checkpoints.save(name, { atMs: nowMs, sensors: page } satisfies Page);
        written.set(name, text);
      }
    },
  };
}

const nameOf = (tenant: string, page: number): string => `health|${tenant}|${page}`;

/** FNV-1a. */
function pageOf(sensor: string): number {
  let hash = 0x811c9dc5;
  for (let n = 0; n < sensor.length; n++) hash = Math.imul(hash ^ sensor.charCodeAt(n), 0x01000193);
  return (hash >>> 0) % PAGES;
}
