import type { Logger } from 'pino';
import type { AsideRecord, Delivery, IngestStores } from '../../domain/ports-ingest.ts';
import type { DurationMs } from '../../domain/units.ts';
import { failpoint } from './failpoint.ts';
import { elapsed, persist } from './persist.ts';

const POSITION = 'relay';
/** What was detected since is detected again after a crash, and delivered again: the position is saved this often. */
const POSITION_EVERY_MS = 1_000;
/** What has not reached its incident by then goes into the inbox. Most has, and the store is spared two writes. */
const UNTOLD_AT_MOST_MS = 250;
/** More goes into the inbox at once: a storm is many deliveries a row there. */
const UNTOLD_AT_MOST = 100;
/** With more than this waiting, detection waits. */
const FRAMES_AT_MOST = 200;
const RECORDS_AT_MOST = 1_000;

interface Position {
  readonly throughFrame: number;
}

interface Untold {
  readonly delivery: Delivery;
  readonly sinceMs: number;
}

export interface KeeperOptions {
  readonly stores: Pick<IngestStores, 'inbox' | 'asides' | 'checkpoints'>;
  readonly log: Pick<Logger, 'warn' | 'info'>;
  /** Told whenever more frames count. */
  readonly onKept: () => void;
  /** @default 250 */
  readonly untoldAtMostMs?: DurationMs;
}

/**
 * Sees that nothing which detection finds is lost, and counts the frames of which that is certain: what is put aside is
 * durable, and each delivery has reached its incident or waits in the inbox. Detection goes on meanwhile; what it finds
 * during one write is written together by the next. After a crash the frames after the saved position are detected
 * again, with the same result.
 */
export class Keeper {
  readonly #options: KeeperOptions;
  readonly #stopping = new AbortController();
  /** Deliveries that neither reached their incidents nor are in the inbox, by id, oldest first. */
  readonly #untold = new Map<string, Untold>();
  /** Ids of those that are under way into the inbox. */
  #posting: ReadonlySet<string> = new Set();
  #asides: AsideRecord[] = [];
  /** The newest frame that was added; that of which what is put aside is durable; that of which all is safe. */
  #added = 0;
  #asidesThrough = 0;
  #kept = 0;
  #saved = 0;
  #savedAt = -Infinity;
  #isStopping = false;
  #writing: Promise<void> | null = null;
  #timer: NodeJS.Timeout | undefined;
  #failure: { readonly error: unknown } | null = null;
  #waiting: (() => void)[] = [];

  constructor(options: KeeperOptions) {
    this.#options = options;
  }

  /** Takes up where the last process stopped; answers up to which frame all is safe, as far as was saved. */
  async load(): Promise<number> {
    const position = await this.#options.stores.checkpoints.load<Position>(POSITION);
    this.#saved = position?.throughFrame ?? 0;
    return this.#saved;
  }

  /** Begins behind a frame of which all is safe. */
  begin(throughFrame: number): void {
    this.#added = this.#asidesThrough = this.#kept = throughFrame;
  }

  /** Everything that was found up to this frame is safe. */
  get kept(): number {
    return this.#kept;
  }

  get hasRoom(): boolean {
    const records = this.#untold.size + this.#asides.length;
    return this.#added - this.#kept < FRAMES_AT_MOST && records < RECORDS_AT_MOST;
  }

  /**
   * What was found in the frames up to this one, after those that were added before. The deliveries are under way to
   * their incidents already.
   * @throws what made an earlier write impossible
   */
  add(throughFrame: number, deliveries: readonly Delivery[], asides: readonly AsideRecord[]): void {
    if (this.#failure !== null) throw this.#failure.error;
    this.#added = throughFrame;
    const sinceMs = performance.now();
    for (const delivery of deliveries) {
      if (!this.#untold.has(delivery.id)) this.#untold.set(delivery.id, { delivery, sinceMs });
    }
    this.#asides.push(...asides);
    this.#goOn();
  }

  /**
   * A delivery has reached its incident. What follows from it is in the inbox when this resolves, and the delivery is
   * not, if it ever was.
   */
  async told({ id }: Delivery, followers: readonly Delivery[]): Promise<void> {
    const { inbox } = this.#options.stores;
    if (followers.length > 0) await this.#persist('inbox', () => inbox.put(followers));
    while (this.#posting.has(id)) await this.#writing;
    if (this.#untold.delete(id)) return this.#goOn();
    await this.#persist('inbox', () => inbox.remove(id));
    failpoint('inbox-removed');
  }

  /** Resolves when there is room for more, or when nothing is kept any more. */
  async room(): Promise<void> {
    while (!this.hasRoom && !this.#isOver) await this.#progress();
  }

  /**
   * Resolves when all up to a frame that was added is safe.
   * @throws what made that impossible
   */
  async reached(throughFrame: number): Promise<void> {
    while (this.#kept < throughFrame) {
      if (this.#failure !== null) throw this.#failure.error;
      this.#stopping.signal.throwIfAborted();
      await this.#progress();
    }
  }

  /** Writes what is not safe yet, and how far all is, for at most `graceMs`. */
  async stop(graceMs: number): Promise<void> {
    await Promise.race([this.#finished(), elapsed(graceMs)]);
    clearTimeout(this.#timer);
    this.#stopping.abort(new Error('stopping'));
    this.#tell();
  }

  async #finished(): Promise<void> {
    this.#isStopping = true;
    this.#goOn();
    while (this.#writing !== null) await this.#writing;
  }

  get #isOver(): boolean {
    return this.#failure !== null || this.#stopping.signal.aborted;
  }

  /** When what is untold has to go into the inbox; -Infinity: now. */
  get #postingDueAt(): number {
    const [oldest] = this.#untold.values();
    if (oldest === undefined) return Infinity;
    if (this.#isStopping || this.#untold.size >= UNTOLD_AT_MOST || !this.hasRoom) return -Infinity;
    return oldest.sinceMs + (this.#options.untoldAtMostMs ?? UNTOLD_AT_MOST_MS);
  }

  get #isPositionDue(): boolean {
    const isTime = this.#isStopping || performance.now() - this.#savedAt >= POSITION_EVERY_MS;
    return isTime && this.#saved < this.#kept;
  }

  #goOn(): void {
    if (this.#writing !== null || this.#isOver) return;
    if (this.#asides.length === 0) this.#asidesThrough = this.#added;
    this.#count();
    const dueAt = this.#postingDueAt;
    if (this.#asides.length === 0 && dueAt > performance.now() && !this.#isPositionDue) {
      if (dueAt < Infinity) this.#goOnAt(dueAt);
      return;
    }
    this.#writing = this.#write()
      .catch((error: unknown) => void (this.#failure = { error }))
      .finally(() => {
        this.#writing = null;
        this.#goOn();
        this.#tell();
      });
  }

  #goOnAt(dueAt: number): void {
    clearTimeout(this.#timer);
    // Timers may come a little early.
    this.#timer = setTimeout(() => this.#goOn(), dueAt - performance.now() + 1);
  }

  async #write(): Promise<void> {
    const { inbox, asides, checkpoints } = this.#options.stores;
    const throughFrame = this.#added;
    const records = this.#asides.splice(0);
    if (records.length > 0) {
      await this.#persist('asides', () => asides.put(records));
      failpoint('asides-put');
    }
    this.#asidesThrough = throughFrame;
    if (this.#postingDueAt <= performance.now()) {
      const deliveries = [...this.#untold.values()].map(({ delivery }) => delivery);
      this.#posting = new Set(this.#untold.keys());
      try {
        await this.#persist('inbox', () => inbox.put(deliveries));
        failpoint('inbox-put');
        for (const id of this.#posting) this.#untold.delete(id);
      } finally {
        this.#posting = new Set();
      }
    }
    this.#count();
    if (!this.#isPositionDue) return;
    const kept = this.#kept;
    await this.#persist('position', () =>
      checkpoints.save(POSITION, { throughFrame: kept } satisfies Position),
    );
    failpoint('position-saved');
    this.#saved = kept;
    this.#savedAt = performance.now();
  }

  #count(): void {
    const [oldest] = this.#untold.values();
    const kept = Math.min(this.#asidesThrough, oldest === undefined ? Infinity : oldest.delivery.seq - 1);
    if (kept === this.#kept) return;
    this.#kept = kept;
    this.#options.onKept();
    this.#tell();
  }

  #progress(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #tell(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #persist<T>(what: string, step: () => Promise<T>): Promise<T> {
    return persist(what, step, { log: this.#options.log, signal: this.#stopping.signal });
  }
}
