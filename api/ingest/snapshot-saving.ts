import type { Logger } from 'pino';
import type { CheckpointStore } from '../../domain/ports-ingest.ts';
import type { Keeper } from './keeper.ts';
import type { PartsHead } from './parts.ts';
import { beside, elapsed, persist } from './persist.ts';
import { captureSnapshot, loadSnapshot, saveSnapshot } from './snapshot.ts';
import type { Snapshot } from './snapshot.ts';
import { PART_OF_TIME } from './turns.ts';
import type { WatchedTenants } from './watched-tenants.ts';

/** A snapshot after so many frames: the next start runs about as many again. */
const SNAPSHOT_FRAMES = 500;
/** After a copy of what is remembered detection has to catch up: saving it must not be in its way. */
const BETWEEN_PARTS_MS = 10;

export interface SnapshotSavingOptions {
  readonly checkpoints: CheckpointStore;
  readonly tenants: Pick<WatchedTenants, 'watches' | 'books'>;
  readonly keeper: Pick<Keeper, 'reached'>;
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>;
  readonly signal: AbortSignal;
}

/**
 * From time to time, what detection remembers: it waits until that is copied, and goes on while the copy is saved. One
 * is saved at a time, for two would be mixed.
 */
export class SnapshotSaving {
  readonly #options: SnapshotSavingOptions;
  /** Where the last one is, and after which frame it was captured. */
  #parts: PartsHead | null = null;
  #savedThrough = 0;
  #dueAt = -Infinity;
  #saving: Promise<void> | null = null;

  constructor(options: SnapshotSavingOptions) {
    this.#options = options;
  }

  /** The one that the last process left; null: none. */
  async load(): Promise<Snapshot | null> {
    const loaded = await loadSnapshot(this.#options.checkpoints);
    this.#parts = loaded?.parts ?? null;
    this.#savedThrough = loaded?.snapshot.throughFrame ?? 0;
    return loaded?.snapshot ?? null;
  }

  /** Whether it is time for one after this frame. */
  isDue(throughFrame: number): boolean {
    const isTime = this.#saving === null && performance.now() >= this.#dueAt;
    return isTime && throughFrame - this.#savedThrough >= SNAPSHOT_FRAMES;
  }

  /** Resolves when what is remembered after this frame is copied. */
  async begin(throughFrame: number): Promise<void> {
    const startedAt = performance.now();
    const save = await this.#capture(throughFrame);
    const gently = (): Promise<void> => save(() => elapsed(BETWEEN_PARTS_MS));
    const saved = beside('snapshot', () => persist('snapshot', gently, this.#options), this.#options);
    this.#saving = saved.finally(() => {
      this.#dueAt = performance.now() + PART_OF_TIME * (performance.now() - startedAt);
      this.#saving = null;
    });
  }

  /** Resolves when nothing is being saved. */
  async finished(): Promise<void> {
    await this.#saving;
  }

  /** Saves the last one, without a pause; everything up to this frame must be durable. */
  async saveLast(throughFrame: number): Promise<void> {
    try {
      const save = await this.#capture(throughFrame);
      await save();
    } catch (error) {
      this.#options.log.warn({ err: error }, 'no snapshot of detection: the next start reads more frames');
    }
  }

  /** Answers how to save it. */
  async #capture(throughFrame: number): Promise<(between?: () => Promise<unknown>) => Promise<void>> {
    const { checkpoints, tenants, keeper } = this.#options;
    const captured = await captureSnapshot(tenants.watches, tenants.books);
    return async (between) => {
      // A snapshot of more than is kept would skip what was detected and is not in the inbox.
      await keeper.reached(throughFrame);
      this.#parts = await saveSnapshot(checkpoints, throughFrame, this.#parts, captured, between);
      this.#savedThrough = throughFrame;
    };
  }
}
