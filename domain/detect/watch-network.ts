import { SENSORS_AT_MOST } from '../evidence.ts';
import type { NetworkDigest, SensorDigest } from '../evidence.ts';
import type { Conversion } from '../ingest/units.ts';
import type { NetworkCondition } from '../plan/document.ts';
import type { EpochMs, Position } from '../units.ts';
import { createNetwork } from './seismic/network.ts';
import type { Network, NetworkAlert, NetworkState } from './seismic/network.ts';
import type { NetworkParameters } from './seismic/network-parameters.ts';
import { networkParameters } from './seismic/network-parameters.ts';
import { packSamples, unpackSamples } from './seismic/samples.ts';

/** A sensor that stands for one axis of a station, and what carries its samples into the condition's unit. */
export interface AxisSensor extends Conversion {
  readonly id: string;
  readonly vendor: string;
  readonly channel: string;
  /** Its own, or that of its site. */
  readonly position: Position;
}

/** One evenly sampled block of one sensor. */
export interface WaveformReceived {
  readonly sensor: string;
  /** By the device's clock: of the first sample. */
  readonly startedAtMs: EpochMs;
  readonly rateHz: number;
  /** In the sensor's unit, all finite. */
  readonly samples: ArrayLike<number>;
  readonly receivedAtMs: EpochMs;
}

/** What a block meant for the network. */
export interface NetworkTurn {
  readonly holds: boolean;
  readonly atMs: EpochMs;
  readonly windowStartMs: EpochMs;
  readonly sensors: readonly SensorDigest[];
  readonly network: NetworkDigest;
}

/** The clock of a station has turned out not to be believable. */
export interface ClockDoubt {
  /** The station's first sensor. */
  readonly sensor: string;
  /** All of them: they share the clock. */
  readonly sensors: readonly string[];
  readonly atMs: EpochMs;
  readonly reason: string;
  /** Lower envelope of arrival time minus device time. */
  readonly envelopeSeconds: number;
}

/** Everything a watch must remember, as JSON. */
export interface NetworkWatchState {
  readonly network: NetworkState;
  readonly holds: boolean;
  readonly doubted: readonly string[];
  /** By the station's first sensor. */
  readonly stations: Readonly<Record<string, StationAxesState>>;
}

interface StationAxesState {
  /** As when it was saved: with other sensors it begins anew. */
  readonly sensors: readonly string[];
  readonly heardSeconds: readonly number[];
  readonly lasts: readonly (number | null)[];
  readonly waiting: readonly (Omit<Waiting, 'axes'> & { readonly axes: readonly (string | null)[] })[];
}

interface Waiting {
  readonly endSeconds: number;
  readonly rateHz: number;
  readonly arrivalSeconds: number;
  readonly axes: (Float32Array | null)[];
}

interface StationAxes {
  /** Id of the first sensor: it names the station. */
  readonly id: string;
  readonly vendor: string;
  readonly sensors: readonly AxisSensor[];
  /** When each axis was heard last; for one that was never heard, when the station was. */
  readonly heardSeconds: number[];
  /** Last sample of each axis; null: never heard. */
  readonly lasts: (number | null)[];
  /** Blocks of which not every axis has come, oldest first. */
  readonly waiting: Waiting[];
}

/** An axis that is so many blocks late is taken as lost, and the others go without it. */
const WAITING_AT_MOST = 4;
/** ... or that is so much later than the first of its block. */
const WAITS_SECONDS = 2;
/** An axis that was silent for longer is not waited for. */
const AXIS_SILENT_SECONDS = 10;
/** A clock is judged after so many packets: about half a minute. */
const PACKETS_BEFORE_DOUBT = 32;

/**
 * Watches the stations of a tenant for one network condition. Sensors of one vendor at one position are the axes of
 * one station: the first of each channel by id. A packet is complete when all axes of the same time have come.
 */
export class NetworkWatch {
  readonly #parameters: NetworkParameters;
  readonly #stations = new Map<string, StationAxes>();
  readonly #axisOf = new Map<string, { readonly station: StationAxes; readonly axis: number }>();
  readonly #network: Network;
  readonly #doubted: Set<string>;
  #holds: boolean;

  constructor(condition: NetworkCondition, sensors: readonly AxisSensor[], state?: NetworkWatchState) {
    this.#parameters = networkParameters(condition.parameters);
    for (const station of stationsOf(condition.channels, sensors)) {
      this.#stations.set(station.id, station);
      station.sensors.forEach(({ id }, axis) => this.#axisOf.set(id, { station, axis }));
      const saved = state?.stations[station.id];
      if (saved?.sensors.join() !== station.sensors.map(({ id }) => id).join()) continue;
      station.heardSeconds.push(...saved.heardSeconds);
      station.lasts.splice(0, station.lasts.length, ...saved.lasts);
      for (const { axes, ...rest } of saved.waiting) {
        station.waiting.push({
          ...rest,
          axes: axes.map((axis) => (axis === null ? null : unpackSamples(axis))),
        });
      }
    }
    const positions = new Map(
      [...this.#stations].map(([id, station]) => [id, station.sensors[0]!.position] as const),
    );
    this.#network = createNetwork(positions, { parameters: this.#parameters, state: state?.network });
    this.#doubted = new Set(state?.doubted ?? []);
    this.#holds = state?.holds ?? false;
  }

  /** Ids of the sensors it hears. */
  get sensors(): Iterable<string> {
    return this.#axisOf.keys();
  }

  get stations(): number {
    return this.#stations.size;
  }

  /** Takes blocks in the order in which they were archived. */
  push(
    block: WaveformReceived,
    onTurn: (turn: NetworkTurn) => void,
    onDoubt: (doubt: ClockDoubt) => void,
  ): void {
    const known = this.#axisOf.get(block.sensor);
    if (known === undefined || block.samples.length === 0) return;
    const { station, axis } = known;
    const { scale, offset } = station.sensors[axis]!;
    const { samples, rateHz } = block;
    const ours = new Float32Array(samples.length);
    for (let i = 0; i < ours.length; i++) ours[i] = samples[i]! * scale + offset;
    const endSeconds = block.startedAtMs / 1_000 + (samples.length - 1) / rateHz;
    const arrivalSeconds = block.receivedAtMs / 1_000;
    const { waiting, heardSeconds, lasts } = station;
    if (heardSeconds.length === 0) heardSeconds.push(...station.sensors.map(() => arrivalSeconds));
    heardSeconds[axis] = arrivalSeconds;
    lasts[axis] ??= ours[0]!;
    let packet = waiting.find(
      (one) =>
        one.axes[axis] === null &&
        one.rateHz === rateHz &&
        Math.abs(one.endSeconds - endSeconds) < 0.5 / rateHz &&
        one.axes.some((other) => other?.length === ours.length),
    );
    if (packet === undefined) {
      packet = { endSeconds, rateHz, arrivalSeconds, axes: station.sensors.map(() => null) };
      waiting.push(packet);
    }
    packet.axes[axis] = ours;
    // The order of arrival is kept: an older one that still lacks an axis does not hold up a newer one.
    for (const one of [...waiting]) {
      const isComplete = one.axes.every(
        (each, n) => each !== null || arrivalSeconds - heardSeconds[n]! > AXIS_SILENT_SECONDS,
      );
      const isGivenUp =
        waiting.length > WAITING_AT_MOST || arrivalSeconds - one.arrivalSeconds > WAITS_SECONDS;
      if (!isComplete && !isGivenUp) continue;
      waiting.splice(waiting.indexOf(one), 1);
      this.#take(station, one, arrivalSeconds, onTurn, onDoubt);
    }
  }

  state(): NetworkWatchState {
    return {
      network: this.#network.save(),
      holds: this.#holds,
      doubted: [...this.#doubted],
      stations: Object.fromEntries(
        [...this.#stations.values()]
          .filter(({ heardSeconds }) => heardSeconds.length > 0)
          .map(({ id, sensors, heardSeconds, lasts, waiting }) => [
            id,
            {
              sensors: sensors.map((sensor) => sensor.id),
              heardSeconds: [...heardSeconds],
              lasts: [...lasts],
              waiting: waiting.map(({ axes, ...rest }) => ({
                ...rest,
                axes: axes.map((axis) => (axis === null ? null : packSamples(axis))),
              })),
            },
          ]),
      ),
    };
  }

  #take(
    station: StationAxes,
    { axes, endSeconds, rateHz, arrivalSeconds }: Waiting,
    nowSeconds: number,
    onTurn: (turn: NetworkTurn) => void,
    onDoubt: (doubt: ClockDoubt) => void,
  ): void {
    const length = axes.find((axis) => axis !== null)!.length;
    const { lasts } = station;
    const whole: Float32Array[] = [];
    axes.forEach((axis, n) => {
      // One that was never heard is no axis yet; one that did not come stands still, and so does not shake.
      if (lasts[n] === null) return;
      whole.push(axis ?? new Float32Array(length).fill(lasts[n]!));
      if (axis !== null) lasts[n] = axis[length - 1]!;
    });
    const alert = this.#network.take({
      device: station.id,
      deviceSeconds: endSeconds,
      arrivalSeconds,
      rateHz,
      axes: whole,
    });
    this.#reviewClock(station, nowSeconds, onDoubt);
    if (alert !== undefined) {
      this.#holds = true;
      onTurn(this.#turn(alert, true, nowSeconds));
      return;
    }
    if (!this.#holds) return;
    if (nowSeconds - this.#network.shookUntilSeconds() <= this.#parameters.quietSeconds) return;
    this.#holds = false;
    onTurn(this.#turn(this.#network.latest()!, false, nowSeconds));
  }

  #reviewClock({ id, sensors }: StationAxes, nowSeconds: number, onDoubt: (doubt: ClockDoubt) => void): void {
    const { clock, packets } = this.#network.clockOf(id)!;
    if (clock.believed) {
      this.#doubted.delete(id);
      return;
    }
    if (packets < PACKETS_BEFORE_DOUBT || this.#doubted.has(id)) return;
    this.#doubted.add(id);
    onDoubt({
      sensor: id,
      sensors: sensors.map((sensor) => sensor.id),
      atMs: Math.round(nowSeconds * 1_000),
      reason: clock.reason!,
      envelopeSeconds: clock.envelopeSeconds,
    });
  }

  #turn({ origin }: NetworkAlert, holds: boolean, nowSeconds: number): NetworkTurn {
    const atMs = Math.round(nowSeconds * 1_000);
    const summaries = new Map(this.#network.stations().map((one) => [one.device, one]));
    const arrivals = [...origin.arrivals].sort((a, b) => a.onsetSeconds - b.onsetSeconds);
    return {
      holds,
      atMs,
      windowStartMs: Math.min(atMs, Math.round(arrivals[0]!.onsetSeconds * 1_000)),
      sensors: arrivals.slice(0, SENSORS_AT_MOST).map(({ station, onsetSeconds }) => ({
        sensor: station,
        vendor: this.#stations.get(station)?.vendor ?? '',
        value: summaries.get(station)?.peak ?? 0,
        sinceMs: Math.round(onsetSeconds * 1_000),
      })),
      network: {
        originAtMs: Math.round(origin.originSeconds * 1_000),
        position: origin.position,
        uncertaintyKm: Math.round(origin.uncertaintyKm),
        stations: arrivals.length,
        clocksNotBelieved: [...this.#doubted]
          .filter((station) => this.#stations.has(station))
          .sort()
          .slice(0, SENSORS_AT_MOST)
          .map((sensor) => ({ sensor, reason: summaries.get(sensor)?.clock.reason ?? '' })),
      },
    };
  }
}

/** Each with one sensor a channel, in the order of the channels that it has. */
function stationsOf(channels: readonly string[], sensors: readonly AxisSensor[]): StationAxes[] {
  const at = new Map<string, AxisSensor[]>();
  for (const sensor of [...sensors].sort((a, b) => (a.id < b.id ? -1 : 1))) {
    const { latitudeDeg, longitudeDeg } = sensor.position;
    const place = `${sensor.vendor}|${latitudeDeg}|${longitudeDeg}`;
    const axes = at.get(place);
    if (axes === undefined) at.set(place, [sensor]);
    else if (!axes.some(({ channel }) => channel === sensor.channel)) axes.push(sensor);
  }
  return [...at.values()].map((axes) => {
    const ordered = axes.sort((a, b) => channels.indexOf(a.channel) - channels.indexOf(b.channel));
    const [first] = ordered as [AxisSensor];
    return {
      id: first.id,
      vendor: first.vendor,
      sensors: ordered,
      heardSeconds: [],
      lasts: ordered.map(() => null),
      waiting: [],
    };
  });
}
