import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Logger } from 'pino';
import { createWatch, openedBy, openIncidentOf } from '../../domain/detect/watch.ts';
import type { Found, Listening, PinnedPlan, Watch, WatchState } from '../../domain/detect/watch.ts';
import { TocsinError } from '../../domain/errors.ts';
import { incidentIdOf } from '../../domain/evidence.ts';
import { DOUBTS, doubtsSensor, HealthBook } from '../../domain/ingest/health-book.ts';
import type { HealthState } from '../../domain/ingest/health-book.ts';
import { isDoubtful } from '../../domain/ingest/health.ts';
import type { JudgedReadings, SensorMonitor, SensorStatus } from '../../domain/ingest/health.ts';
import type { SensorNumbers } from '../../domain/ingest/sensor-numbers.ts';
import type { ForecasterStore, IncidentStore, PlanStore, Sensor, SiteStore } from '../../domain/ports.ts';
import type { AsideRecord, Delivery, IncidentStarter, IngestStores } from '../../domain/ports-ingest.ts';
import type { ClockKind, EpochMs, Json } from '../../domain/units.ts';
import { clockDoubtRecord, doubtRecord, forecasterDoubtRecord, lateReadings } from './aside-records.ts';
import { Deliverer } from './deliverer.ts';
import type { EvidenceDelivery } from './deliverer.ts';
import { failpoint } from './failpoint.ts';
import type { Archive } from './archive.ts';
import { apart, FLAG } from './frame.ts';
import type { Block, RunsBlock, StoredBlock } from './frame.ts';
import { createForecasterLoader, NO_FORECASTERS } from './forecasters.ts';
import type { Forecasters } from './forecasters.ts';
import { Keeper } from './keeper.ts';
import { elapsed, persist } from './persist.ts';
import type { PartsHead } from './parts.ts';
import type { Registry } from './registry.ts';
import { createSensorHealthWriter } from './sensor-health.ts';
import { captureSnapshot, loadSnapshot, saveSnapshot } from './snapshot.ts';

/** A snapshot after so many frames: the next start runs about as many again. */
const SNAPSHOT_FRAMES = 500;
/** What is written of everything that is known may take one part in so many of the time. */
const PART_OF_TIME = 30;
/** After a copy of what is remembered detection has to catch up: saving it must not be in its way. */
const BETWEEN_PARTS_MS = 10;
/** After so many frames everything else that detection has to do has its turn. */
const FRAMES_AT_ONCE = 50;
/** No more than the archive has at hand, so that detection never has to read what it is late for. */
const FRAMES_BEHIND_AT_MOST = 200;
/** Detection takes the event loop for so long at a time; a message waits for several turns until it is acknowledged. */
const TURN_AT_MOST_MS = 1;
/** Runs between two looks at the time. */
const RUNS_AT_ONCE = 64;
/** All sensors are looked at for silence this often, however much arrives. */
const REVIEW_EVERY_MS = 250;
/** A condition on the number of doubtful sensors must hear it more often than a silent sensor is given up. */
const DOUBTS_REPEATED_EVERY_MS = 30_000;

/** How many sensors of a site are in doubt: a reading of Tocsin's own, to be archived like any other. */
interface DoubtsReading {
  readonly tenant: string;
  readonly sensor: string;
  readonly atMs: EpochMs;
  readonly doubtful: number;
}

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
 * detected again with the same result, the inbox keeps each delivery once, and an incident takes each evidence
 * once. So a crash anywhere loses nothing and doubles nothing.
 *
 * Detection goes on while deliveries wait: with Temporal away the inbox fills, and shows it.
 */
export class Relay {
  readonly #options: RelayOptions;
  readonly #stopping = new AbortController();
  readonly #watches = new Map<string, Watch>();
  readonly #books = new Map<string, HealthBook>();
  /** By the sensor's number; anew whenever watches and books are. */
  #seats: (Seat | undefined)[] = [];
  readonly #loadForecasters: ReturnType<typeof createForecasterLoader>;
  readonly #health: ReturnType<typeof createSensorHealthWriter>;
  /** What was last said of the doubtful sensors, by the sensor that says it. */
  readonly #toldDoubts = new Map<string, { readonly atMs: EpochMs; readonly doubtful: number }>();
  #plans: PinnedPlan[] = [];
  #configuration = '';
  #forecasters: Forecasters = NO_FORECASTERS;
  #pinned = new Map<string, PinnedPlan>();
  readonly #keeper: Keeper;
  #detected = 0;
  #snapshotDueAt = -Infinity;
  #snapshotAt = 0;
  #snapshotParts: PartsHead | null = null;
  /** What is written beside detection; null: nothing. Neither rejects. */
  #savingSnapshot: Promise<void> | null = null;
  #writingHealth: Promise<void> | null = null;
  #isDetecting = false;
  #behind: (() => void)[] = [];
  readonly #deliverer: Deliverer;
  #refreshedAt = -Infinity;
  #reviewedAt = -Infinity;
  #breathedAt = -Infinity;
  #healthDueAt = -Infinity;
  /** Revision of the registry that is watched. */
  #registered = -1;
  #registeredDueAt = -Infinity;
  #places: Awaited<ReturnType<SiteStore['places']>> = [];
  #sensors: readonly Sensor[] = [];
  #running: Promise<unknown> | null = null;
  #wake: () => void = () => {};
  readonly #waiting = new Set<{ through: number; resolve: () => void }>();

  constructor(options: RelayOptions) {
    this.#options = options;
    this.#health = createSensorHealthWriter(options.stores.checkpoints);
    this.#loadForecasters = createForecasterLoader(options.stores.forecasters);
    const { stores, log } = options;
    this.#deliverer = new Deliverer({
      stores,
      starter: options.starter,
      log,
      signal: this.#stopping.signal,
      onEnded: (tenant, incidentId) => this.#watch(tenant).closed(incidentId),
      reconsider: (tenant, delivery) => this.#reconsidered(tenant, delivery),
      onDelivered: (kind, ms) => {
        options.onDelivered?.(kind, ms);
        this.#settle();
      },
    });
    this.#keeper = new Keeper({
      stores,
      log,
      onKept: (deliveries) => {
        this.#deliverer.add(deliveries);
        this.#settle();
      },
    });
  }

  /** Takes up where the last process stopped. */
  async start(): Promise<void> {
    const { archive, stores } = this.#options;
    await this.#refresh();
    const saved = await this.#keeper.load();
    const loaded = await loadSnapshot(stores.checkpoints);
    const snapshot = loaded?.snapshot;
    this.#snapshotParts = loaded?.parts ?? null;
    const open = await stores.incidents.list({ open: true });
    await this.#pin([...open, ...Object.values(snapshot?.tenants ?? {}).flatMap((state) => state.open)]);
    for (const [tenant, state] of Object.entries(snapshot?.tenants ?? {})) this.#watch(tenant, state);
    for (const [tenant, state] of Object.entries(snapshot?.health ?? {})) this.#book(tenant, state);
    this.#detected = snapshot?.throughFrame ?? 0;
    this.#snapshotAt = this.#detected;
    // What was detected before the crash is in the inbox or delivered: here it only restores what is remembered.
    while (this.#detected < saved) {
      const seq = this.#detected + 1;
      const blocks = await archive.blocks(seq);
      if (blocks === null) break;
      await this.#findings(blocks, seq);
      this.#detected = seq;
    }
    this.#keeper.begin(this.#detected);
    for (const view of open) {
      const plan = this.#pinned.get(view.planHash);
      if (plan !== undefined) this.#watch(view.tenant).opened(openIncidentOf(view), plan);
    }
    const pending = await stores.inbox.pending();
    this.#deliverer.add(pending);
    for (const delivery of pending) {
      if (delivery.kind !== 'detection') continue;
      const { detection, plan } = delivery;
      this.#pinned.set(plan.hash, plan);
      this.#watch(detection.tenant).opened(openedBy(detection, plan), plan);
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
      await Promise.all([this.#savingSnapshot, this.#writingHealth]);
      return true;
    };
    const startedAt = performance.now();
    const isStill = await Promise.race([written(), elapsed(graceMs)]);
    await this.#keeper.stop(Math.max(0, graceMs - (performance.now() - startedAt)));
    for (const waiting of this.#waiting) waiting.resolve();
    // A snapshot of more than is kept would skip what was detected and is not in the inbox.
    if (isStill !== true || this.#keeper.kept !== this.#detected) return;
    await this.#captureSnapshot()
      .then((save) => save())
      .catch((error: unknown) =>
        this.#options.log.warn({ err: error }, 'no snapshot of detection: the next start reads more frames'),
      );
  }

  /** Whether any condition hears a sensor of a tenant. */
  hears(tenant: string, sensor: string): boolean {
    return this.#watch(tenant).hears(sensor);
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
    return [...this.#books].flatMap(([tenant, book]) =>
      [...book.counts()].map(([status, count]) => ({ tenant, status, count })),
    );
  }

  /** Resolves when everything up to a frame reached its incidents, or after `waitMs`. */
  async relayed(through: number, waitMs: number): Promise<void> {
    if (this.status().relayedThrough >= through) return;
    await new Promise<void>((resolve) => {
      const waiting = { through, resolve: () => resolve() };
      this.#waiting.add(waiting);
      const timer = setTimeout(waiting.resolve, waitMs);
      waiting.resolve = () => {
        clearTimeout(timer);
        this.#waiting.delete(waiting);
        resolve();
      };
    });
  }

  /** Incidents touched after the `after`th delivery, each once; `complete` is false when some are forgotten. */
  touchedAfter(after: number): { readonly incidents: readonly string[]; readonly complete: boolean } {
    return this.#deliverer.touchedAfter(after);
  }

  async #detectAll(): Promise<void> {
    const { archive } = this.#options;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await this.#refreshWhenDue();
      let count = 0;
      while (this.#detected < archive.head && count < FRAMES_AT_ONCE) {
        const seq = this.#detected + 1;
        this.#takeRegistered();
        const blocks = await this.#persist('archive', () => archive.blocks(seq));
        if (blocks === null) {
          throw new TocsinError('ARCHIVE_CONFLICT', `Frame ${seq} is missing from the archive.`);
        }
        failpoint('frame-read');
        const deliveries: Delivery[] = [];
        const asides: AsideRecord[] = [];
        this.#sort(seq, await this.#findings(blocks, seq), deliveries, asides);
        failpoint('frame-detected');
        this.#detected = seq;
        count += 1;
        this.#keeper.add(seq, deliveries, asides);
        this.#letGoOn();
        if (!this.#keeper.hasRoom) await this.#keeper.room();
        if (this.#isDueToBreathe()) await this.#breathe();
      }
      this.#keeper.add(this.#detected, [], this.#reviewSensors());
      this.#writeHealth();
      if (count === 0) {
        await this.#growth();
        continue;
      }
      const isDue = this.#savingSnapshot === null && performance.now() >= this.#snapshotDueAt;
      if (isDue && this.#detected - this.#snapshotAt >= SNAPSHOT_FRAMES) await this.#beginSnapshot();
    }
  }

  /** `n` counts the blocks of a frame taken apart: it names what came of each. */
  async #findings(blocks: readonly StoredBlock[], seq: number): Promise<Finding[]> {
    const findings: Finding[] = [];
    let n = 0;
    for (const stored of blocks) {
      if (stored.kind === 'runs' && !stored.flags.some((flags) => (flags & FLAG.late) !== 0)) {
        await this.#detectRuns(stored, findings);
        n += stored.ends.length;
        continue;
      }
      for (const block of stored.kind === 'runs' ? apart(stored) : [stored]) {
        findings.push(...this.#detect(block, seq, n++));
        if (this.#isDueToBreathe()) await this.#breathe();
      }
    }
    return findings;
  }

  #isDueToBreathe(): boolean {
    return performance.now() - this.#breathedAt > TURN_AT_MOST_MS;
  }

  /** Acknowledgements go before: detection may lag a little, a vendor that waits sends nothing. */
  async #breathe(): Promise<void> {
    await nextTurn();
    this.#breathedAt = performance.now();
  }

  /** `#detect` for each of the runs, none of them late, without an object a run. */
  async #detectRuns(block: RunsBlock, findings: Finding[]): Promise<void> {
    const {
      tenant,
      names,
      numbers,
      sensors,
      ends,
      atMs: observedAtMs,
      values,
      clockMs: receivedAtMs,
    } = block;
    const watch = this.#watch(tenant);
    const book = this.#book(tenant);
    const flags = block.flags.slice();
    const placedAtMs = new Float64Array(values.length);
    const { sentAtMs } = block;
    const judged = {
      atMs: observedAtMs,
      values,
      flags,
      placedAtMs,
      sentAtMs,
      receivedAtMs,
      isWaveform: false,
    };
    const received = { atMs: placedAtMs, values, flags, observedAtMs, receivedAtMs };
    for (let run = 0, from = 0; run < ends.length; run++) {
      if (run % RUNS_AT_ONCE === 0 && this.#isDueToBreathe()) await this.#breathe();
      const to = ends[run]!;
      const name = sensors[run]!;
      const number = numbers === undefined ? this.#options.numbers.of(names[name]!) : numbers[name]!;
      const { monitor, listening } = (this.#seats[number] ??= this.#seatOf(tenant, names[name]!));
      // A sensor that was registered a moment ago: nothing watches it yet.
      if (monitor !== null) {
        book.judge(monitor, judged, from, to);
        for (const found of watch.acceptRun(received, listening, from, to)) findings.push({ tenant, found });
      }
      from = to;
    }
  }

  #seatOf(tenant: string, sensor: string): Seat {
    return {
      monitor: this.#book(tenant).monitorOf(sensor),
      listening: this.#watch(tenant).listening(sensor),
    };
  }

  /** Runs one block through detection. Late readings only get a record: they may not change what holds now. */
  #detect(block: Block, seq: number, n: number): Finding[] {
    const watch = this.#watch(block.tenant);
    const { tenant, clockMs } = block;
    const own = (found: readonly Found[]): Finding[] => found.map((one) => ({ tenant, found: one }));
    switch (block.kind) {
      case 'bulletin':
        return own(
          watch.acceptBulletin({
            key: keyOf(block),
            vendor: block.vendor,
            bulletin: block.bulletin,
            receivedAtMs: clockMs,
            late: (block.flags & FLAG.late) !== 0,
          }),
        );
      case 'readings': {
        if (block.vendor === DOUBTS.vendor) this.#recallDoubts(block);
        const late = block.flags.reduce((count, flags) => count + Number((flags & FLAG.late) !== 0), 0);
        const findings = own(this.#acceptReadings(watch, block, block.atMs, block.values, late > 0));
        if (late > 0) findings.push({ tenant, late: lateReadings(block, late, seq, n) });
        return findings;
      }
      case 'waveform': {
        const { samples, startedAtMs, rateHz } = block;
        const atMs = Float64Array.from(samples, (_, i) => startedAtMs + (i * 1_000) / rateHz);
        const isLate = (block.flags & FLAG.late) !== 0;
        const findings = own(this.#acceptReadings(watch, block, atMs, samples, isLate));
        // A backlog would look like shaking now: a network may not take its times from when it arrived.
        if (!isLate) findings.push(...own(watch.acceptWaveform({ ...block, receivedAtMs: clockMs })));
        if (isLate) findings.push({ tenant, late: lateReadings(block, samples.length, seq, n) });
        return findings;
      }
      default:
        return block satisfies never;
    }
  }

  /** Judges readings, places them in time, and shows detection those that are not too late. */
  #acceptReadings(
    watch: Watch,
    block: Exclude<Block, { kind: 'bulletin' }>,
    observedAtMs: Float64Array,
    readings: Float64Array | Float32Array,
    someAreLate: boolean,
  ): Found[] {
    const { tenant, sensor, clockMs: receivedAtMs, sentAtMs } = block;
    const judged: JudgedReadings | null = this.#book(tenant).take(sensor, {
      atMs: observedAtMs,
      values: readings,
      flags: block.flags,
      sentAtMs,
      receivedAtMs,
      isWaveform: block.kind === 'waveform',
    });
    // A sensor that was registered a moment ago: nothing watches it yet.
    if (judged === null) return [];
    const { placedAtMs, flags } = judged;
    if (!someAreLate) {
      return watch.acceptReadings({
        sensor,
        atMs: placedAtMs,
        values: readings,
        flags,
        observedAtMs,
        receivedAtMs,
      });
    }
    const fresh = [...flags.keys()].filter((i) => (flags[i]! & FLAG.late) === 0);
    return watch.acceptReadings({
      sensor,
      atMs: fresh.map((i) => placedAtMs[i]!),
      values: fresh.map((i) => readings[i]!),
      flags: fresh.map((i) => flags[i]!),
      observedAtMs: fresh.map((i) => observedAtMs[i]!),
      receivedAtMs,
    });
  }

  /** Who fell silent, stuck or came back: a record for people, and a reading for plans that watch it. */
  #reviewSensors(): AsideRecord[] {
    const {
      now = Date.now,
      clockOf = () => 'wall',
      refreshEveryMs = REVIEW_EVERY_MS,
      onDoubts,
      log,
    } = this.#options;
    const records: AsideRecord[] = [];
    const readings: DoubtsReading[] = [];
    const isDue = performance.now() - this.#reviewedAt >= Math.min(refreshEveryMs, REVIEW_EVERY_MS);
    if (isDue) this.#reviewedAt = performance.now();
    for (const [tenant, book] of this.#books) {
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
      if (onDoubts === undefined || !this.#watchesDoubts() || !Number.isFinite(nowMs)) continue;
      for (const [site, doubtful] of book.doubts()) {
        const { id: sensor } = doubtsSensor(tenant, site);
        const told = this.#toldDoubts.get(sensor);
        const isNews = told === undefined || nowMs - told.atMs >= DOUBTS_REPEATED_EVERY_MS;
        if (!isNews && told.doubtful === doubtful) continue;
        this.#toldDoubts.set(sensor, { atMs: nowMs, doubtful });
        readings.push({ tenant, sensor, atMs: nowMs, doubtful });
      }
    }
    if (readings.length > 0) onDoubts?.(readings);
    return records;
  }

  #watchesDoubts(): boolean {
    return this.#plans.some(({ document }) => Object.hasOwn(document.channels, DOUBTS.channel));
  }

  #recallDoubts({ sensor, atMs, values }: Extract<Block, { kind: 'readings' }>): void {
    this.#toldDoubts.set(sensor, { atMs: atMs.at(-1)!, doubtful: values.at(-1)! });
  }

  /** Beside detection: a reading that opens an incident does not wait for what people read of its sensor. */
  #writeHealth(): void {
    const { now = Date.now, refreshEveryMs = 2_000 } = this.#options;
    const startedAt = performance.now();
    if (this.#writingHealth !== null || startedAt < this.#healthDueAt) return;
    const write = async (): Promise<void> => {
      for (const [tenant, book] of this.#books) {
        await this.#persist('sensor health', () => this.#health.write(tenant, book.heard(), now()));
      }
      const tookMs = performance.now() - startedAt;
      this.#healthDueAt = Math.max(startedAt + refreshEveryMs, startedAt + PART_OF_TIME * tookMs);
    };
    this.#writingHealth = this.#beside('sensor health', write).finally(() => (this.#writingHealth = null));
  }

  #sort(seq: number, findings: readonly Finding[], deliveries: Delivery[], asides: AsideRecord[]): void {
    findings.forEach((finding, n) => {
      if ('late' in finding) return asides.push(finding.late);
      const { tenant, found } = finding;
      switch (found.kind) {
        case 'detection':
          return deliveries.push({
            id: `detection|${incidentIdOf(found.detection)}`,
            seq,
            n,
            kind: 'detection',
            detection: found.detection,
            plan: found.plan,
          });
        case 'evidence':
          return deliveries.push({
            id: `evidence|${found.incidentId}|${found.evidence.key}`,
            seq,
            n,
            kind: 'evidence',
            incidentId: found.incidentId,
            evidence: found.evidence,
          });
        case 'suppressed':
          return asides.push({
            id: `suppressed|${found.rule}|${found.evidence.key}`,
            kind: 'suppressed',
            tenant,
            about: found.rule,
            reason: found.reason,
            atMs: found.evidence.atMs,
            evidence: found.evidence as unknown as Json,
          });
        case 'doubt':
          this.#options.log.warn({ tenant, ...found.doubt }, 'a clock is not believed');
          return asides.push(clockDoubtRecord(tenant, found.doubt));
        default:
          return found satisfies never;
      }
    });
  }

  /** What evidence means that found its incident closed. */
  #reconsidered(tenant: string, { evidence, seq }: EvidenceDelivery): Delivery[] {
    const again: Delivery[] = [];
    const findings = this.#watch(tenant)
      .reconsider(evidence)
      .map((found) => ({ tenant, found }));
    this.#sort(seq, findings, again, []);
    return again;
  }

  #letGoOn(): void {
    for (const goOn of this.#behind.splice(0)) goOn();
  }

  #settle(): void {
    const { relayedThrough } = this.status();
    for (const waiting of this.#waiting) if (waiting.through <= relayedThrough) waiting.resolve();
  }

  async #growth(): Promise<void> {
    const { refreshEveryMs = 2_000 } = this.#options;
    if (this.#stopping.signal.aborted || this.#detected < this.#options.archive.head) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, refreshEveryMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = () => {};
  }

  async #refreshWhenDue(): Promise<void> {
    const { refreshEveryMs = 2_000 } = this.#options;
    if (performance.now() - this.#refreshedAt < refreshEveryMs) return;
    await this.#persist('configuration', () => this.#refresh());
  }

  /** Reads plans, places and sensors; when something changed, the watches are built anew around what they remember. */
  async #refresh(): Promise<void> {
    const { registry } = this.#options;
    const { plans, sites } = this.#options.stores;
    const active: PinnedPlan[] = [];
    for (const planId of await plans.plans()) {
      const activation = await plans.active(planId);
      if (activation === null) continue;
      const known = this.#plans.find((plan) => plan.hash === activation.hash);
      const version = known ?? (await plans.version(planId, activation.hash));
      if (version !== null) active.push({ document: version.document, hash: version.hash });
    }
    const places = await sites.places();
    const forecasters = await this.#loadForecasters([...active, ...this.#pinned.values()]);
    this.#refreshedAt = performance.now();
    const configuration = JSON.stringify([
      active.map((plan) => plan.hash),
      places,
      registry.revision(),
      forecasters.versions,
    ]);
    if (configuration === this.#configuration) return;
    this.#configuration = configuration;
    this.#forecasters = forecasters;
    this.#plans = active;
    this.#places = places;
    for (const plan of active) this.#pinned.set(plan.hash, plan);
    this.#watchAnew();
    await this.#recordForecasterDoubts();
  }

  /** A sensor that was described before a frame is watched in it: what a vendor sends at once is not lost to detection. */
  #takeRegistered(): void {
    const startedAt = performance.now();
    if (this.#options.registry.revision() === this.#registered || startedAt < this.#registeredDueAt) return;
    this.#watchAnew();
    this.#registeredDueAt = performance.now() + PART_OF_TIME * (performance.now() - startedAt);
  }

  /** Builds the watches and books anew around what they remember. */
  #watchAnew(): void {
    const { registry } = this.#options;
    this.#registered = registry.revision();
    this.#sensors = registry.all();
    for (const [tenant, watch] of [...this.#watches]) {
      this.#watches.delete(tenant);
      this.#watch(tenant, watch.state());
    }
    for (const [tenant, book] of this.#books) book.register(this.#sensorsOf(tenant));
    this.#seats = [];
  }

  /** Once for each version that cannot be used, for the tenants that it concerns. */
  async #recordForecasterDoubts(): Promise<void> {
    const { now = Date.now, stores, log } = this.#options;
    const records = this.#forecasters.doubts.flatMap((doubt) => {
      const concerned = this.#sensors.filter(({ channel }) => channel === doubt.channel);
      return [...new Set(concerned.map(({ tenant }) => tenant))].map((tenant) =>
        forecasterDoubtRecord(tenant, doubt, now()),
      );
    });
    if (records.length === 0) return;
    for (const doubt of this.#forecasters.doubts) log.warn(doubt, 'a trained forecast cannot be used');
    await stores.asides.put(records);
  }

  /** Fetches the versions that open incidents are pinned to. */
  async #pin(open: readonly { readonly planId: string; readonly planHash: string }[]): Promise<void> {
    for (const { planId, planHash } of open) {
      if (this.#pinned.has(planHash)) continue;
      const version = await this.#options.stores.plans.version(planId, planHash);
      if (version === null) {
        this.#options.log.warn({ planId, planHash }, 'an open incident is pinned to an unknown plan version');
      } else {
        this.#pinned.set(planHash, { document: version.document, hash: version.hash });
      }
    }
  }

  #watch(tenant: string, state?: WatchState): Watch {
    const known = this.#watches.get(tenant);
    if (known !== undefined) return known;
    const watch = createWatch({
      tenant,
      plans: this.#plans,
      pinned: [...this.#pinned.values()],
      places: this.#places,
      sensors: this.#sensorsOf(tenant),
      forecasters: this.#forecasters.usable,
      ...(state === undefined ? {} : { state }),
    });
    this.#watches.set(tenant, watch);
    return watch;
  }

  #book(tenant: string, state?: HealthState): HealthBook {
    const known = this.#books.get(tenant);
    if (known !== undefined) return known;
    const book = new HealthBook(this.#sensorsOf(tenant), state);
    this.#books.set(tenant, book);
    return book;
  }

  /** Those that are in service, and of each site the one that counts the doubtful: when all are retired, none is. */
  #sensorsOf(tenant: string): Sensor[] {
    const sensors = this.#sensors.filter((sensor) => sensor.tenant === tenant);
    const sites = new Set(sensors.map(({ site }) => site));
    const inService = sensors.filter(({ retired }) => retired === undefined);
    return [...inService, ...[...sites].map((site) => doubtsSensor(tenant, site))];
  }

  /** Detection waits until what it remembers is copied, and goes on while that is saved. */
  async #beginSnapshot(): Promise<void> {
    const startedAt = performance.now();
    const save = await this.#captureSnapshot();
    const gently = (): Promise<void> => save(() => elapsed(BETWEEN_PARTS_MS));
    const saved = this.#beside('snapshot', () => this.#persist('snapshot', gently));
    this.#savingSnapshot = saved.finally(() => {
      this.#snapshotDueAt = performance.now() + PART_OF_TIME * (performance.now() - startedAt);
      this.#savingSnapshot = null;
    });
  }

  /** Answers how to save it. */
  async #captureSnapshot(): Promise<(between?: () => Promise<unknown>) => Promise<void>> {
    const { checkpoints } = this.#options.stores;
    const throughFrame = this.#detected;
    const captured = await captureSnapshot(this.#watches, this.#books);
    return async (between) => {
      // A snapshot of more than is kept would skip what was detected and is not in the inbox.
      await this.#keeper.reached(throughFrame);
      const last = this.#snapshotParts;
      this.#snapshotParts = await saveSnapshot(checkpoints, throughFrame, last, captured, between);
      this.#snapshotAt = throughFrame;
    };
  }

  /** What detection does not wait for. Nothing is lost when it fails: the next start reads more frames, the next write more. */
  async #beside(what: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      this.#options.log.error({ what, err: error }, 'could not be written');
    }
  }

  #persist<T>(what: string, step: () => Promise<T>): Promise<T> {
    return persist(what, step, { log: this.#options.log, signal: this.#stopping.signal });
  }
}

/** Where a sensor is judged and heard. */
interface Seat {
  readonly monitor: SensorMonitor | null;
  readonly listening: Listening;
}

type Finding =
  | { readonly tenant: string; readonly found: Found }
  | { readonly tenant: string; readonly late: AsideRecord };

/** A revision is evidence of its own; the first content keeps the plain identity. */
const keyOf = (block: Extract<Block, { kind: 'bulletin' }>): string => {
  const identity = `${block.bulletin.source}|${block.bulletin.id}`;
  return block.revision === 1 ? identity : `${identity}@${block.revision}`;
};

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
