import type { Logger } from 'pino';
import type { AsideRecord, Delivery, IngestStores } from '../../domain/ports-ingest.ts';
import { failpoint } from './failpoint.ts';
import { elapsed, persist } from './persist.ts';

const POSITION = 'relay';
/** What was detected since is detected again after a crash, and delivered again: the position is saved this often. */
const POSITION_EVERY_MS = 1_000;
/** With more than this waiting, detection waits. */
const FRAMES_AT_MOST = 200;
const RECORDS_AT_MOST = 1_000;

interface Position {
  readonly throughFrame: number;
}

export interface KeeperOptions {
  readonly stores: Pick<IngestStores, 'inbox' | 'asides' | 'checkpoints'>;
  readonly log: Pick<Logger, 'warn' | 'info'>;
  /** Told of deliveries that are durable now, in order; of none when only the frame advanced. */
  readonly onKept: (deliveries: readonly Delivery[]) => void;
}

/**
 * Makes durable what detection finds, in order, and then counts its frames. Detection goes on meanwhile: what it finds
 * while one write is under way is written together by the next. After a crash the frames after the saved position are
 * detected again, with the same result.
 */
export class Keeper {
  readonly #options: KeeperOptions;
  readonly #stopping = new AbortController();
  #deliveries: Delivery[] = [];
  #asides: AsideRecord[] = [];
  /** The newest frame that was added, and the newest of which all is durable; and up to which that is saved. */
  #added = 0;
  #kept = 0;
  #saved = 0;
  #savedAt = -Infinity;
  #isStopping = false;
  #writing: Promise<void> | null = null;
  #failure: { readonly error: unknown } | null = null;

  constructor(options: KeeperOptions) {
    this.#options = options;
  }

  /** Takes up where the last process stopped; answers up to which frame all is durable, as far as was saved. */
  async load(): Promise<number> {
    const position = await this.#options.stores.checkpoints.load<Position>(POSITION);
    this.#saved = position?.throughFrame ?? 0;
    return this.#saved;
  }

  /** Begins behind a frame of which all is durable. */
  begin(throughFrame: number): void {
    this.#added = this.#kept = throughFrame;
  }

  /** Everything that was found up to this frame is durable. */
  get kept(): number {
    return this.#kept;
  }

  get hasRoom(): boolean {
    const records = this.#deliveries.length + this.#asides.length;
    return this.#added - this.#kept < FRAMES_AT_MOST && records < RECORDS_AT_MOST;
  }

  /**
   * What was found in the frames up to this one, after those that were added before.
   * @throws what made an earlier write impossible
   */
  add(throughFrame: number, deliveries: readonly Delivery[], asides: readonly AsideRecord[]): void {
    if (this.#failure !== null) throw this.#failure.error;
    this.#added = throughFrame;
    this.#deliveries.push(...deliveries);
    this.#asides.push(...asides);
    this.#writeSoon();
  }

  /** Resolves when there is room for more, or when nothing is written any more. */
  async room(): Promise<void> {
    while (!this.hasRoom && this.#writing !== null) await this.#writing;
  }

  /**
   * Resolves when all up to a frame that was added is durable.
   * @throws what made that impossible
   */
  async reached(throughFrame: number): Promise<void> {
    while (this.#kept < throughFrame) {
      if (this.#failure !== null) throw this.#failure.error;
      await this.#writing;
    }
  }

  /** Writes what was added and how far that is, for at most `graceMs`. */
  async stop(graceMs: number): Promise<void> {
    await Promise.race([this.#finished(), elapsed(graceMs)]);
    this.#stopping.abort(new Error('stopping'));
  }

  async #finished(): Promise<void> {
    this.#isStopping = true;
    this.#writeSoon();
    while (this.#writing !== null) await this.#writing;
  }

  get #isWaiting(): boolean {
    return this.#deliveries.length + this.#asides.length > 0;
  }

  get #isPositionDue(): boolean {
    const isTime = this.#isStopping || performance.now() - this.#savedAt >= POSITION_EVERY_MS;
    return isTime && this.#saved < this.#added;
  }

  #writeSoon(): void {
    if (this.#writing !== null || this.#failure !== null) return;
    if (!this.#isWaiting) this.#count(this.#added, []);
    if (!this.#isWaiting && !this.#isPositionDue) return;
    this.#writing = this.#write()
      .catch((error: unknown) => void (this.#failure = { error }))
      .finally(() => {
        this.#writing = null;
        this.#writeSoon();
      });
  }

  async #write(): Promise<void> {
    const { inbox, asides, checkpoints } = this.#options.stores;
    const throughFrame = this.#added;
    const deliveries = this.#deliveries.splice(0);
    const records = this.#asides.splice(0);
    if (records.length > 0) {
      await this.#persist('asides', () => asides.put(records));
      failpoint('asides-put');
    }
    if (deliveries.length > 0) {
      await this.#persist('inbox', () => inbox.put(deliveries));
      failpoint('inbox-put');
    }
    this.#count(throughFrame, deliveries);
    if (!this.#isPositionDue) return;
    await this.#persist('position', () => checkpoints.save(POSITION, { throughFrame } satisfies Position));
    failpoint('position-saved');
    this.#saved = throughFrame;
    this.#savedAt = performance.now();
  }

  #count(throughFrame: number, deliveries: readonly Delivery[]): void {
    if (throughFrame === this.#kept && deliveries.length === 0) return;
    this.#kept = throughFrame;
    this.#options.onKept(deliveries);
  }

  #persist<T>(what: string, step: () => Promise<T>): Promise<T> {
    return persist(what, step, { log: this.#options.log, signal: this.#stopping.signal });
  }
}
