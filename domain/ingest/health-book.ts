import type { Sensor } from '../ports.ts';
import type { EpochMs } from '../units.ts';
import type {
  JudgedColumns,
  JudgedReadings,
  MonitorState,
  SensorHealth,
  SensorStatus,
  TakenReadings,
} from './health.ts';
import { isDoubtful, MONITOR_CELLS, monitorStateIn, SensorMonitor } from './health.ts';

/** Everything a book must remember, as JSON, by sensor. */
export type HealthState = Readonly<Record<string, MonitorState>>;

/** The channel on which a plan hears how many sensors of a site are in doubt, and its unit. */
export const DOUBTS = { channel: 'doubtfulSensors', unit: 'sensors', vendor: 'tocsin' } as const;

/** The sensor that says so: no vendor can be called `tocsin`. */
export const doubtsSensor = (tenant: string, site: string): Sensor => ({
  id: `${tenant}/${DOUBTS.vendor}/${site}`,
  vendor: DOUBTS.vendor,
  tenant,
  site,
  channel: DOUBTS.channel,
  unit: DOUBTS.unit,
  low: 0,
  high: 1_000_000,
  position: null,
});

const SENSORS_OF_A_PIECE = 200;

/** Where the monitors of so many sensors keep what they remember: one piece of memory, which is copied at once. */
class Slab {
  readonly cells = new Float64Array(SENSORS_OF_A_PIECE * MONITOR_CELLS);
  readonly ids: (string | null)[] = [];

  /** As it is now: to be spelt out later. */
  capture(): () => HealthState {
    const ids = [...this.ids];
    const cells = this.cells.slice(0, ids.length * MONITOR_CELLS);
    return () =>
      Object.fromEntries(
        ids.flatMap((id, n) => (id === null ? [] : [[id, monitorStateIn(cells, n * MONITOR_CELLS)]])),
      );
  }
}

interface Seat {
  readonly slab: Slab;
  readonly n: number;
}

interface Seated {
  readonly monitor: SensorMonitor;
  /** Where it keeps what it remembers. */
  readonly seat: Seat;
}

/** Most are the very same: with thousands of them, spelling each out would keep others waiting. */
const isSame = (a: Sensor, b: Sensor): boolean => a === b || JSON.stringify(a) === JSON.stringify(b);

/** The health of a tenant's sensors, from what they said in the order of the archive, and from the time. */
export class HealthBook {
  readonly #seated = new Map<string, Seated>();
  readonly #slabs: Slab[] = [];
  readonly #freeSeats: Seat[] = [];
  readonly #changed = new Set<SensorMonitor>();
  /** What a sensor that is not registered any more, or not yet, has left. */
  readonly #unclaimed = new Map<string, MonitorState>();
  #newestMs: EpochMs = -Infinity;

  constructor(sensors: readonly Sensor[], state: HealthState = {}) {
    for (const [id, known] of Object.entries(state)) this.#unclaimed.set(id, known);
    this.register(sensors);
  }

  /** Takes the sensors as they are registered now; what is known of them stays. */
  register(sensors: readonly Sensor[]): void {
    const registered = new Set(sensors.map(({ id }) => id));
    for (const [id, { monitor, seat }] of this.#seated) {
      if (registered.has(id)) continue;
      this.#unclaimed.set(id, monitor.state());
      this.#seated.delete(id);
      this.#changed.delete(monitor);
      seat.slab.ids[seat.n] = null;
      this.#freeSeats.push(seat);
    }
    for (const sensor of sensors) {
      const known = this.#seated.get(sensor.id);
      if (known !== undefined && isSame(known.monitor.sensor, sensor)) continue;
      const state = known?.monitor.state() ?? this.#unclaimed.get(sensor.id);
      this.#unclaimed.delete(sensor.id);
      const seat = known?.seat ?? this.#seatFor(sensor.id);
      const monitor = new SensorMonitor(sensor, state, seat.slab.cells, seat.n * MONITOR_CELLS);
      this.#seated.set(sensor.id, { monitor, seat });
    }
  }

  #seatFor(sensor: string): Seat {
    let seat = this.#freeSeats.pop();
    if (seat === undefined) {
      let slab = this.#slabs.at(-1);
      if (slab === undefined || slab.ids.length === SENSORS_OF_A_PIECE) this.#slabs.push((slab = new Slab()));
      seat = { slab, n: slab.ids.length };
    }
    seat.slab.ids[seat.n] = sensor;
    return seat;
  }

  /** The newest time of arrival: what a recorded feed calls now. */
  get newestMs(): EpochMs {
    return this.#newestMs;
  }

  /** null: the sensor is not known here. */
  take(sensor: string, batch: TakenReadings): JudgedReadings | null {
    this.#newestMs = Math.max(this.#newestMs, batch.receivedAtMs);
    const monitor = this.monitorOf(sensor);
    if (monitor === null) return null;
    const before = monitor.status;
    const judged = monitor.take(batch);
    if (monitor.status !== before) this.#changed.add(monitor);
    return judged;
  }

  /** Who follows a sensor, for `judge`, until sensors are registered again; null: the sensor is not known here. */
  monitorOf(sensor: string): SensorMonitor | null {
    return this.#seated.get(sensor)?.monitor ?? null;
  }

  /** `take` for readings `from` to `to` of columns that are shared by many sensors, in place. */
  judge(monitor: SensorMonitor, columns: JudgedColumns, from: number, to: number): void {
    if (columns.receivedAtMs > this.#newestMs) this.#newestMs = columns.receivedAtMs;
    const before = monitor.status;
    monitor.judge(columns, from, to);
    if (monitor.status !== before) this.#changed.add(monitor);
  }

  /** Looks who has fallen silent. */
  review(nowMs: EpochMs): void {
    for (const { monitor } of this.#seated.values()) if (monitor.review(nowMs)) this.#changed.add(monitor);
  }

  /** Sensors whose status changed since this was asked last. */
  changes(): SensorHealth[] {
    const changes = [...this.#changed].map((monitor) => monitor.health());
    this.#changed.clear();
    return changes;
  }

  /** Everything that was heard of, in the order of registration, as it is when it is asked for. */
  *heard(): Generator<SensorHealth> {
    for (const { monitor } of this.#seated.values()) {
      if (monitor.status !== 'unheard' && monitor.sensor.vendor !== DOUBTS.vendor) yield monitor.health();
    }
  }

  /** How many sensors are in which state. */
  counts(): Map<SensorStatus, number> {
    const counts = new Map<SensorStatus, number>();
    for (const { monitor } of this.#seated.values()) {
      const { sensor, status } = monitor;
      if (sensor.vendor !== DOUBTS.vendor) counts.set(status, (counts.get(status) ?? 0) + 1);
    }
    return counts;
  }

  /** Doubtful sensors of each site that has sensors. */
  doubts(): Map<string, number> {
    const doubts = new Map<string, number>();
    for (const { monitor } of this.#seated.values()) {
      const { sensor, status } = monitor;
      const isCounted = sensor.vendor !== DOUBTS.vendor && isDoubtful(status);
      doubts.set(sensor.site, (doubts.get(sensor.site) ?? 0) + Number(isCounted));
    }
    return doubts;
  }

  state(): HealthState {
    return Object.assign({}, ...[...this.capture()].map((spell) => spell())) as HealthState;
  }

  /**
   * Copies what is remembered, a few hundred sensors at a time; each piece is spelt out when it is called, whatever was
   * taken since it was copied.
   */
  *capture(): Generator<() => HealthState> {
    const unclaimed = [...this.#unclaimed];
    yield () => Object.fromEntries(unclaimed);
    for (const slab of this.#slabs) yield slab.capture();
  }
}
