import { createWatch } from '../../domain/detect/watch.ts';
import type { Listening, Watch, WatchState } from '../../domain/detect/watch.ts';
import { doubtsSensor, HealthBook } from '../../domain/ingest/health-book.ts';
import type { SensorMonitor } from '../../domain/ingest/health.ts';
import type { Sensor } from '../../domain/ports.ts';
import type { Configuration } from './configuration.ts';
import type { Registry } from './registry.ts';
import type { Snapshot } from './snapshot.ts';
import { PART_OF_TIME } from './turns.ts';

/** Where a sensor is judged and heard. */
export interface Seat {
  /** null: it was registered a moment ago, and nothing watches it yet. */
  readonly monitor: SensorMonitor | null;
  readonly listening: Listening;
}

export interface WatchedTenantsOptions {
  readonly configuration: Pick<Configuration, 'forWatches'>;
  readonly registry: Pick<Registry, 'all' | 'revision'>;
}

/**
 * What detection remembers of each tenant: its watch for what plans ask, its book for the health of sensors. Both are
 * made for the plans and sensors of a moment, and again around what they remember when those change.
 */
export class WatchedTenants {
  readonly #options: WatchedTenantsOptions;
  readonly #watches = new Map<string, Watch>();
  readonly #books = new Map<string, HealthBook>();
  #seats: (Seat | undefined)[] = [];
  #sensors: readonly Sensor[] = [];
  /** Revision of the registry that is watched. */
  #registered = -1;
  #registeredDueAt = -Infinity;

  constructor(options: WatchedTenantsOptions) {
    this.#options = options;
  }

  /** Takes up what a snapshot holds; before anything else is asked for. */
  restore({ tenants, health = {} }: Snapshot): void {
    for (const [tenant, state] of Object.entries(tenants)) {
      this.#watches.set(tenant, this.#createWatch(tenant, state));
    }
    for (const [tenant, state] of Object.entries(health)) {
      this.#books.set(tenant, new HealthBook(this.#sensorsOf(tenant), state));
    }
  }

  get watches(): ReadonlyMap<string, Watch> {
    return this.#watches;
  }

  get books(): ReadonlyMap<string, HealthBook> {
    return this.#books;
  }

  watch(tenant: string): Watch {
    let watch = this.#watches.get(tenant);
    if (watch === undefined) this.#watches.set(tenant, (watch = this.#createWatch(tenant)));
    return watch;
  }

  book(tenant: string): HealthBook {
    let book = this.#books.get(tenant);
    if (book === undefined) this.#books.set(tenant, (book = new HealthBook(this.#sensorsOf(tenant))));
    return book;
  }

  /** By the sensor's number, those that were asked for; anew whenever watches and books are. */
  get seats(): readonly (Seat | undefined)[] {
    return this.#seats;
  }

  /** Finds the seat of a sensor by its name, and keeps it under its number. */
  seatAt(number: number, tenant: string, sensor: string): Seat {
    const seat = {
      monitor: this.book(tenant).monitorOf(sensor),
      listening: this.watch(tenant).listening(sensor),
    };
    this.#seats[number] = seat;
    return seat;
  }

  /** A sensor that was described before a frame is watched in it: what a vendor sends at once is not lost to detection. */
  takeRegistered(): void {
    const startedAt = performance.now();
    if (this.#options.registry.revision() === this.#registered || startedAt < this.#registeredDueAt) return;
    this.watchAnew();
    this.#registeredDueAt = performance.now() + PART_OF_TIME * (performance.now() - startedAt);
  }

  /** Builds the watches and books anew around what they remember; never within a frame. */
  watchAnew(): void {
    const { registry } = this.#options;
    this.#registered = registry.revision();
    this.#sensors = registry.all();
    for (const [tenant, watch] of this.#watches) {
      this.#watches.set(tenant, this.#createWatch(tenant, watch.state()));
    }
    for (const [tenant, book] of this.#books) book.register(this.#sensorsOf(tenant));
    this.#seats = [];
  }

  #createWatch(tenant: string, state?: WatchState): Watch {
    return createWatch({
      tenant,
      ...this.#options.configuration.forWatches,
      sensors: this.#sensorsOf(tenant),
      ...(state === undefined ? {} : { state }),
    });
  }

  /** Those that are in service, and of each site the one that counts the doubtful: when all are retired, none is. */
  #sensorsOf(tenant: string): Sensor[] {
    const sensors = this.#sensors.filter((sensor) => sensor.tenant === tenant);
    const sites = new Set(sensors.map(({ site }) => site));
    const inService = sensors.filter(({ retired }) => retired === undefined);
    return [...inService, ...[...sites].map((site) => doubtsSensor(tenant, site))];
  }
}
