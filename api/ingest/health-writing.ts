import type { Logger } from 'pino';
import type { HealthBook } from '../../domain/ingest/health-book.ts';
import type { CheckpointStore } from '../../domain/ports-ingest.ts';
import type { EpochMs } from '../../domain/units.ts';
import { beside, persist } from './persist.ts';
import { createSensorHealthWriter } from './sensor-health.ts';
import { PART_OF_TIME } from './turns.ts';

export interface HealthWritingOptions {
  readonly checkpoints: CheckpointStore;
  /** By tenant. */
  readonly books: ReadonlyMap<string, HealthBook>;
  readonly now: () => EpochMs;
  /** At most this often, and less often when it takes long. */
  readonly refreshEveryMs: number;
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>;
  readonly signal: AbortSignal;
}

/**
 * From time to time, what people read of the sensors' health. It is written beside detection: a reading that opens an
 * incident does not wait for it.
 */
export class HealthWriting {
  readonly #options: HealthWritingOptions;
  readonly #writer: ReturnType<typeof createSensorHealthWriter>;
  #dueAt = -Infinity;
  #writing: Promise<void> | null = null;

  constructor(options: HealthWritingOptions) {
    this.#options = options;
    this.#writer = createSensorHealthWriter(options.checkpoints);
  }

  beginWhenDue(): void {
    const { books, now, refreshEveryMs } = this.#options;
    const startedAt = performance.now();
    if (this.#writing !== null || startedAt < this.#dueAt) return;
    const write = async (): Promise<void> => {
      for (const [tenant, book] of books) {
        const writeBook = (): Promise<void> => this.#writer.write(tenant, book.heard(), now());
        await persist('sensor health', writeBook, this.#options);
      }
      const tookMs = performance.now() - startedAt;
      this.#dueAt = Math.max(startedAt + refreshEveryMs, startedAt + PART_OF_TIME * tookMs);
    };
    this.#writing = beside('sensor health', write, this.#options).finally(() => (this.#writing = null));
  }

  /** Resolves when nothing is being written. */
  async finished(): Promise<void> {
    await this.#writing;
  }
}
