import { setImmediate as nextTurn } from 'node:timers/promises';
import type { SensorHealth } from '../../domain/ingest/health.ts';
import { inPieces } from '../../domain/pieces.ts';
import type { CheckpointStore } from '../../domain/ports-ingest.ts';
import type { EpochMs } from '../../domain/units.ts';

const PAGES = 16;
/** Spelt out in one turn of the event loop. */
const SENSORS_AT_ONCE = 200;

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
  const page = async (tenant: string, n: number): Promise<readonly SensorHealth[]> => {
    const stored = await checkpoints.load<Page | string>(nameOf(tenant, n));
    // The first releases did not save it as text.
    const found = typeof stored === 'string' ? (JSON.parse(stored) as Page) : stored;
    return found?.sensors ?? [];
  };
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

/**
 * Writes the pages that changed, from what is said of the sensors one after the other: with thousands of them
 * acknowledgements and detection go between. One process writes them.
 */
export function createSensorHealthWriter(checkpoints: Pick<CheckpointStore, 'save'>): {
  write(tenant: string, sensors: Iterable<SensorHealth>, nowMs: EpochMs): Promise<void>;
} {
  const written = new Map<string, string>();
  return {
    async write(tenant, sensors, nowMs) {
      const pages = Array.from({ length: PAGES }, (): string[] => []);
      for (const some of inPieces(sensors, SENSORS_AT_ONCE)) {
        for (const health of some) pages[pageOf(health.sensor)]!.push(JSON.stringify(health));
        await nextTurn();
      }
      for (const [n, page] of pages.entries()) {
        const name = nameOf(tenant, n);
        const text = `[${page.join()}]`;
        if (text === (written.get(name) ?? '[]')) continue;
        await checkpoints.save(name, `{"atMs":${JSON.stringify(nowMs)},"sensors":${text}}`);
        written.set(name, text);
        await nextTurn();
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
