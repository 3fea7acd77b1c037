import type { Logger } from 'pino';
import { openedBy, openIncidentOf } from '../../domain/detect/watch.ts';
import { TocsinError } from '../../domain/errors.ts';
import type { SensorStatus } from '../../domain/ingest/health.ts';
import { DOUBTS } from '../../domain/ingest/health-book.ts';
import type { SensorNumbers } from '../../domain/ingest/sensor-numbers.ts';
import type { ForecasterStore, IncidentStore, PlanStore, SiteStore } from '../../domain/ports.ts';
import type { Delivery, IncidentStarter, IngestStores } from '../../domain/ports-ingest.ts';
import type { ClockKind, EpochMs } from '../../domain/units.ts';
import type { Archive } from './archive.ts';
import { Configuration } from './configuration.ts';
import { Deliverer } from './deliverer.ts';
import type { EvidenceDelivery } from './deliverer.ts';
import { Detection } from './detection.ts';
import { failpoint } from './failpoint.ts';
import { sorted } from './findings.ts';
import { FrameWaiters } from './frame-waiters.ts';
import { HealthWriting } from './health-writing.ts';
import { Keeper } from './keeper.ts';
import { elapsed, persist } from './persist.ts';
import type { Registry } from './registry.ts';
import { SensorDoubts } from './sensor-doubts.ts';
import type { DoubtsReading } from './sensor-doubts.ts';
import { SnapshotSaving } from './snapshot-saving.ts';
import { Turns } from './turns.ts';
import { WatchedTenants } from './watched-tenants.ts';

/** After so many frames everything else that detection has to do has its turn. */
const FRAMES_AT_ONCE = 50;
/** No more than the archive has at hand, so that detection never has to read what it is late for. */
const FRAMES_BEHIND_AT_MOST = 200;

export interface RelayOptions {
  readonly archive: Archive;
  readonly stores: Pick<IngestStores, 'inbox' | 'asides' | 'checkpoints'> & {
    readonly plans: PlanStore;
    readonly sites: SiteStore;
    readonly incidents: IncidentStore;
    readonly forecasters: ForecasterStore;
  };
  readonly starter: IncidentStarter;
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>;
  readonly registry: Pick<Registry, 'all' | 'revision'>;
  /** The numbers that are in blocks. */
  readonly numbers: SensorNumbers;
  /** How often activations and places are read again. @default 2_000 */
  readonly refreshEveryMs?: number;
  readonly onDelivered?: (kind: Delivery['kind'], ms: number) => void;
  /** By which clock a tenant's sensors fall silent. @default wall for all */
  readonly clockOf?: (tenant: string) => ClockKind;
  /** @default Date.now */
  readonly now?: () => EpochMs;
  /** Takes readings of the channel `doubtfulSensors`, for sites where a plan watches it. */
  readonly onDoubts?: (readings: readonly DoubtsReading[]) => void;
}

export interface RelayStatus {
  /** Everything up to this frame went through detection and reached its incidents. */
  readonly relayedThrough: number;
  readonly inboxDepth: number;
  /** Deliveries to incidents since the start. */
  readonly touches: number;
}

/**
 * The way from the archive to the incidents. Each step may be repeated: frames after the saved position are
 * detected again with the same result, and an incident takes each evidence once. So a crash anywhere loses nothing
 * and doubles nothing. The position passes a frame when everything found in it has reached its incident or waits in
 * the inbox.
 *
 * Detection goes on while deliveries wait: with Temporal away the inbox fills, and shows it.
 */
export class Relay {
  readonly #options: RelayOptions;
  readonly #refreshEveryMs: number;
  readonly #stopping = new AbortController();
  readonly #turns = new Turns();
  readonly #configuration: Configuration;
  readonly #tenants: WatchedTenants;
  readonly #doubts: SensorDoubts;
  readonly #detection: Detection;
  readonly #keeper: Keeper;
  readonly #deliverer: Deliverer;
  readonly #snapshots: SnapshotSaving;
  readonly #health: HealthWriting;
  /** The last frame that went through detection. */
  #detected = 0;
  #isDetecting = false;
  /** Those who wait for detection to keep up. */
  #behind: (() => void)[] = [];
  #running: Promise<unknown> | null = null;
  #wake: () => void = () => {};
  readonly #waiters = new FrameWaiters();

  constructor(options: RelayOptions) {
    const { stores, registry, numbers, starter, log, onDoubts } = options;
    const { refreshEveryMs = 2_000, clockOf = () => 'wall', now = Date.now } = options;
    const { checkpoints } = stores;
    const { signal } = this.#stopping;
    const configuration = new Configuration({ stores, registry, log, refreshEveryMs, now });
    const tenants = new WatchedTenants({ configuration, registry });
    const { books } = tenants;
    const areWatched = (): boolean => configuration.watchesChannel(DOUBTS.channel);
    const doubts = new SensorDoubts({ books, areWatched, clockOf, now, refreshEveryMs, log, onDoubts });
    const keeper = new Keeper({ stores, log, onKept: () => this.#settle() });
    this.#options = options;
    this.#refreshEveryMs = refreshEveryMs;
    this.#configuration = configuration;
    this.#tenants = tenants;
    this.#doubts = doubts;
    this.#detection = new Detection({ tenants, numbers, doubts, turns: this.#turns });
    this.#keeper = keeper;
    this.#deliverer = new Deliverer({
      asides: stores.asides,
      starter,
      log,
      signal,
      onEnded: (tenant, incidentId) => tenants.watch(tenant).closed(incidentId),
      reconsider: (tenant, delivery) => this.#reconsidered(tenant, delivery),
      told: (delivery, followers) => keeper.told(delivery, followers),
      onDelivered: (kind, ms) => {
        options.onDelivered?.(kind, ms);
        this.#settle();
      },
    });
    this.#snapshots = new SnapshotSaving({ checkpoints, tenants, keeper, log, signal });
    this.#health = new HealthWriting({ checkpoints, books, now, refreshEveryMs, log, signal });
  }

  /** Takes up where the last process stopped. */
  async start(): Promise<void> {
    const { archive, stores } = this.#options;
    await this.#refresh();
    const saved = await this.#keeper.load();
    const snapshot = await this.#snapshots.load();
    const open = await stores.incidents.list({ open: true });
    await this.#configuration.pinAllOf([
      ...open,
      ...Object.values(snapshot?.tenants ?? {}).flatMap((state) => state.open),
    ]);
    if (snapshot !== null) this.#tenants.restore(snapshot);
    this.#detected = snapshot?.throughFrame ?? 0;
    // What was detected before the crash is in the inbox or delivered: here it only restores what is remembered.
    while (this.#detected < saved) {
      const seq = this.#detected + 1;
      const blocks = await archive.blocks(seq);
      if (blocks === null) break;
      await this.#detection.findings(blocks, seq);
      this.#detected = seq;
    }
    this.#keeper.begin(this.#detected);
    for (const view of open) {
      const plan = this.#configuration.pinned(view.planHash);
      if (plan !== undefined) this.#tenants.watch(view.tenant).opened(openIncidentOf(view), plan);
    }
    const pending = await stores.inbox.pending();
    this.#deliverer.add(pending);
    for (const delivery of pending) {
      if (delivery.kind !== 'detection') continue;
      const { detection, plan } = delivery;
      this.#configuration.pin(plan);
      this.#tenants.watch(detection.tenant).opened(openedBy(detection, plan), plan);
    }
    archive.onGrowth(() => this.#wake());
    this.#isDetecting = true;
    const ended = (): void => {
      this.#isDetecting = false;
      this.#letGoOn();
    };
    this.#running = Promise.all([this.#detectAll().finally(ended), this.#deliverer.run()]);
    this.#running.catch((error: unknown) => {
      if (!this.#stopping.signal.aborted) {
        this.#options.log.error({ err: error }, 'the relay has stopped: nothing reaches its incident');
      }
    });
  }

  /** Saves what is remembered and stops; what is under way is repeated at the next start. */
  async stop(graceMs = 1_000): Promise<void> {
    this.#stopping.abort(new Error('stopping'));
    this.#wake();
    const stopped = this.#running?.then(
      () => true,
      () => true,
    );
    // A snapshot that is still being saved would be mixed with the last one.
    const written = async (): Promise<boolean> => {
      await stopped;
      await Promise.all([this.#snapshots.finished(), this.#health.finished()]);
      return true;
    };
    const startedAt = performance.now();
    const isStill = await Promise.race([written(), elapsed(graceMs)]);
    await this.#keeper.stop(Math.max(0, graceMs - (performance.now() - startedAt)));
    this.#waiters.settle(Infinity);
    // A snapshot of more than is kept would skip what was detected and is not in the inbox.
    if (isStill !== true || this.#keeper.kept !== this.#detected) return;
    await this.#snapshots.saveLast(this.#detected);
  }

  /** Whether any condition hears a sensor of a tenant. */
  hears(tenant: string, sensor: string): boolean {
    return this.#tenants.watch(tenant).hears(sensor);
  }

  /** Resolves when detection is not far behind the archive: who archives more before makes it later still. */
  async keptUp(): Promise<void> {
    while (this.#isDetecting && this.#options.archive.head - this.#detected > FRAMES_BEHIND_AT_MOST) {
      await new Promise<void>((resolve) => this.#behind.push(resolve));
    }
  }

  status(): RelayStatus {
    const { deliveredThrough, depth, touches } = this.#deliverer;
    return {
      relayedThrough: Math.min(this.#keeper.kept, deliveredThrough),
      inboxDepth: depth,
      touches,
    };
  }

  /** How many sensors of each tenant are in which state. */
  sensors(): { readonly tenant: string; readonly status: SensorStatus; readonly count: number }[] {
    return [...this.#tenants.books].flatMap(([tenant, book]) =>
      [...book.counts()].map(([status, count]) => ({ tenant, status, count })),
    );
  }

  /** Resolves when everything up to a frame reached its incidents, or after `waitMs`. */
  async relayed(through: number, waitMs: number): Promise<void> {
    if (this.status().relayedThrough < through) await this.#waiters.until(through, waitMs);
  }

  /** Incidents touched after the `after`th delivery, each once; `complete` is false when some are forgotten. */
  touchedAfter(after: number): { readonly incidents: readonly string[]; readonly complete: boolean } {
    return this.#deliverer.touchedAfter(after);
  }

  async #detectAll(): Promise<void> {
    const { archive, log } = this.#options;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      if (this.#configuration.isDue) await this.#persist('configuration', () => this.#refresh());
      let count = 0;
      while (this.#detected < archive.head && count < FRAMES_AT_ONCE) {
        const seq = this.#detected + 1;
        this.#tenants.takeRegistered();
        const blocks = await this.#persist('archive', () => archive.blocks(seq));
        if (blocks === null) {
          throw new TocsinError('ARCHIVE_CONFLICT', `Frame ${seq} is missing from the archive.`);
        }
        failpoint('frame-read');
        const findings = await this.#detection.findings(blocks, seq);
        const { deliveries, asides } = sorted(seq, findings, log);
        failpoint('frame-detected');
        this.#detected = seq;
        count += 1;
        this.#keeper.add(seq, deliveries, asides);
        this.#deliverer.add(deliveries);
        this.#letGoOn();
        if (!this.#keeper.hasRoom) await this.#keeper.room();
        if (this.#turns.isOver) await this.#turns.next();
      }
      this.#keeper.add(this.#detected, [], this.#doubts.review());
      this.#health.beginWhenDue();
      if (count === 0) await this.#growth();
      else if (this.#snapshots.isDue(this.#detected)) await this.#snapshots.begin(this.#detected);
    }
  }

  /** Reads what detection goes by; when something changed, the watches are built anew around what they remember. */
  async #refresh(): Promise<void> {
    if (await this.#configuration.read()) this.#tenants.watchAnew();
    await this.#configuration.recordDoubts();
  }

  /** What evidence means that found its incident closed. */
  #reconsidered(tenant: string, { evidence, seq }: EvidenceDelivery): Delivery[] {
    const found = this.#tenants.watch(tenant).reconsider(evidence);
    const findings = found.map((one) => ({ tenant, found: one }));
    return sorted(seq, findings, this.#options.log).deliveries;
  }

  #letGoOn(): void {
    for (const goOn of this.#behind.splice(0)) goOn();
  }

  #settle(): void {
    this.#waiters.settle(this.status().relayedThrough);
  }

  async #growth(): Promise<void> {
    if (this.#stopping.signal.aborted || this.#detected < this.#options.archive.head) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, this.#refreshEveryMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = () => {};
  }

  #persist<T>(what: string, step: () => Promise<T>): Promise<T> {
    return persist(what, step, { log: this.#options.log, signal: this.#stopping.signal });
  }
}
