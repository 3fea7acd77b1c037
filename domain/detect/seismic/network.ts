import type { Position } from '../../units.ts';
import { createDeviceClock } from './clock.ts';
import type { ClockEstimate, DeviceClock, DeviceClockState } from './clock.ts';
import { locate } from './locate.ts';
import type { Arrival, Origin, Silence } from './locate.ts';
import { distanceKm } from '../geo.ts';
import { networkParameters } from './network-parameters.ts';
import type { NetworkParameters } from './network-parameters.ts';
import { createStation } from './station.ts';
import type { Station, StationState, StationTrigger } from './station.ts';

/** About a second of three-axis acceleration as a device sent it. */
export interface Packet {
  readonly device: string;
  /** When the device says the last sample was taken, seconds since 1970. */
  readonly deviceSeconds: number;
  /** When the packet arrived, by our clock. */
  readonly arrivalSeconds: number;
  readonly rateHz: number;
  readonly axes: readonly ArrayLike<number>[];
}

export interface NetworkAlert {
  /** When the packet that completed it arrived: the moment at which people can be warned. */
  readonly atSeconds: number;
  readonly origin: Origin;
}

export interface StationSummary {
  readonly device: string;
  readonly clock: ClockEstimate;
  readonly packets: number;
  /** Triggers that no other station confirmed. */
  readonly alone: number;
  /** Onset of the trigger that belongs to the last alert. */
  readonly onsetSeconds: number | null;
  /** Largest filtered motion of its last trigger, in the unit of the samples; null when it never triggered. */
  readonly peak: number | null;
}

export interface Network {
  /** Packets in the order of their arrival. Answers with an alert when this packet completed one. */
  take(packet: Packet): NetworkAlert | undefined;
  /** The last alert's origin with every station that has joined it since. */
  latest(): NetworkAlert | undefined;
  stations(): StationSummary[];
  /** What is known of a device's clock, and from how many packets; undefined: it has sent none. */
  clockOf(device: string): { readonly clock: ClockEstimate; readonly packets: number } | undefined;
  /** Until when a station that joined the last alert was seen to shake; -Infinity when there was no alert. */
  shookUntilSeconds(): number;
  save(): NetworkState;
}

/** Everything a network must remember, as JSON. */
export interface NetworkState {
  readonly last: NetworkAlert | null;
  readonly alertedOriginSeconds: number | null;
  readonly stations: Readonly<Record<string, ListeningState>>;
}

interface ListeningState {
  readonly station: StationState | null;
  readonly clock: DeviceClockState;
  readonly sinceSeconds: number;
  readonly packets: number;
  readonly judgedSeconds: number | null;
  readonly trigger: StationTrigger | null;
  readonly alone: readonly Cry[];
  readonly aloneInAll: number;
  readonly joinedSeconds: number | null;
}

export interface NetworkOptions {
  /**
   * So much support (`Origin.support`) makes an alert: `onStations`, and one more for each that is silent.
   * @default those of NETWORK
   */
  readonly parameters?: NetworkParameters;
  readonly state?: NetworkState | undefined;
}

/** P and S waves and their coda: a trigger in this time may still belong together, or to the last alert. */
const MEMORY_SECONDS = 120;
/** A station that has triggered alone in this time counts for less ... */
const CRIED_WOLF_SECONDS = 300;
const DOUBTED_WEIGHT = 0.34;
/** ... unless it now stands out by so much more (in power) than it did then, or shakes for so much longer. */
const STANDS_OUT = 4;
const LASTS = 2;
/** One that has not been listened to for so long counts for somewhat less: three of them make an alert. */
const KNOWN_SECONDS = 45;
const UNKNOWN_WEIGHT = 0.67;
/** Doubted is also one whose shaking ended so soon: a door, not an earthquake. */
const SHORT_SECONDS = 3;
/** While an earthquake is shaking the network, another one needs so much support at least, from stations of its own. */
const SUPPORT_FOR_ANOTHER = 3;
/** A station that joins an alert may move its origin time by no more. */
const MOVES_SECONDS = 5;
/** How long another station may take to confirm a trigger before it counts as alone. */
const CONFIRM_SECONDS = 45;

/** A late packet may move an onset by this and it is still the same trigger. */
const SAME_TRIGGER_SECONDS = 2;

interface Listening {
  readonly position: Position;
  readonly station: Station;
  readonly clock: DeviceClock;
  /** First sample heard. */
  readonly sinceSeconds: number;
  packets: number;
  /** Onset last looked at. */
  judgedSeconds: number;
  /** The trigger as it was after the last packet. */
  trigger: StationTrigger | undefined;
  /** Triggers that nobody confirmed. */
  alone: Cry[];
  aloneInAll: number;
  joinedSeconds: number | null;
}

interface Cry {
  onsetSeconds: number;
  peakRatio: number;
  lastedSeconds: number;
}

/**
 * Earthquake alerts from many cheap stations: each triggers on its own (`createStation`), and an alert is given when
 * enough triggers agree with the travel times of P waves from one place and no nearer station contradicts.
 * One earthquake is one alert. Constant memory a station.
 *
 * @param positions of the stations; packets of others are ignored.
 */
export function createNetwork(
  positions: ReadonlyMap<string, Position>,
  { parameters = networkParameters(), state }: NetworkOptions = {},
): Network {
  const { onStations, pKmPerS } = parameters;
  const listening = new Map<string, Listening>();
  let last: NetworkAlert | undefined = state?.last ?? undefined;
  let alertedOriginSeconds = state?.alertedOriginSeconds ?? Number.NaN;

  for (const [device, saved] of Object.entries(state?.stations ?? {})) {
    const position = positions.get(device);
    // A station that was taken away.
    if (position === undefined) continue;
    listening.set(device, {
      ...saved,
      position,
      station: createStation(parameters, saved.station ?? undefined),
      clock: createDeviceClock(saved.clock),
      judgedSeconds: saved.judgedSeconds ?? Number.NEGATIVE_INFINITY,
      trigger: saved.trigger ?? undefined,
      alone: saved.alone.map((cry) => ({ ...cry })),
    });
  }

  const enlist = (device: string, position: Position, sinceSeconds: number): Listening => {
    const fresh: Listening = {
      position,
      station: createStation(parameters),
      clock: createDeviceClock(),
      sinceSeconds,
      packets: 0,
      judgedSeconds: Number.NEGATIVE_INFINITY,
      trigger: undefined,
      alone: [],
      aloneInAll: 0,
      joinedSeconds: null,
    };
    listening.set(device, fresh);
    return fresh;
  };

  /** Whether the network may still be shaking from the last alert's earthquake. */
  const belongsToLast = (onsetSeconds: number, position: Position): boolean => {
    if (last === undefined) return false;
    const after = onsetSeconds - last.origin.originSeconds;
    const travel = distanceKm(last.origin.position, position) / pKmPerS;
    // To the end of the slowest shaking; aftershocks near the source are part of it.
    return after > -MOVES_SECONDS && after < 2 * travel + MEMORY_SECONDS;
  };

  /** Whether it is the P wave of the last alert's earthquake, as well as its place is known. */
  const explainedByLast = (onsetSeconds: number, position: Position): boolean => {
    if (last === undefined) return false;
    const { originSeconds, position: source, uncertaintyKm } = last.origin;
    const expected = originSeconds + distanceKm(source, position) / pKmPerS;
    return Math.abs(onsetSeconds - expected) < 2 * MOVES_SECONDS + uncertaintyKm / pKmPerS;
  };

  const arrivalOf = (device: string, one: Listening): Arrival | undefined => {
    const trigger = one.station.trigger();
    if (trigger === undefined) return undefined;
    const { onsetSeconds, endedSeconds } = trigger;
    const lasted = (endedSeconds ?? one.station.seenUntilSeconds()) - onsetSeconds;
    const doubted = (endedSeconds !== null && lasted < SHORT_SECONDS) || criedWolf(one, trigger, lasted);
    const known = onsetSeconds - one.sinceSeconds >= KNOWN_SECONDS;
    const weight = doubted ? DOUBTED_WEIGHT : known ? 1 : UNKNOWN_WEIGHT;
    return { station: device, position: one.position, onsetSeconds, weight };
  };

  /** A trigger that nobody has confirmed in time, or that another has replaced, is held against its station. */
  const rememberAlone = (one: Listening, nowSeconds: number): void => {
    const before = one.trigger;
    one.trigger = one.station.trigger();
    if (before === undefined) return;
    const replaced = one.trigger!.onsetSeconds - before.onsetSeconds > SAME_TRIGGER_SECONDS;
    const { onsetSeconds, peakRatio, endedSeconds } = before;
    if (!replaced && nowSeconds - onsetSeconds < CONFIRM_SECONDS) return;
    if (onsetSeconds <= one.judgedSeconds || belongsToLast(onsetSeconds, one.position)) return;
    const lastedSeconds = (endedSeconds ?? one.station.seenUntilSeconds()) - onsetSeconds;
    const same = one.alone.find((cry) => Math.abs(cry.onsetSeconds - onsetSeconds) < SAME_TRIGGER_SECONDS);
    if (same !== undefined) {
      same.peakRatio = Math.max(same.peakRatio, peakRatio);
      same.lastedSeconds = Math.max(same.lastedSeconds, lastedSeconds);
      return;
    }
    one.alone = one.alone.filter((cry) => nowSeconds - cry.onsetSeconds < CRIED_WOLF_SECONDS);
    one.alone.push({ onsetSeconds, peakRatio, lastedSeconds });
    one.aloneInAll++;
  };

  const judge = (newest: Arrival, nowSeconds: number): NetworkAlert | undefined => {
    const others: Arrival[] = [];
    const silent: Silence[] = [];
    for (const [device, one] of listening) {
      if (device === newest.station || !one.station.ready) continue;
      const arrival = arrivalOf(device, one);
      if (arrival === undefined || Math.abs(arrival.onsetSeconds - newest.onsetSeconds) > MEMORY_SECONDS) {
        silent.push({ position: one.position, seenUntilSeconds: one.station.seenUntilSeconds() });
      } else if (
        arrival.onsetSeconds !== one.joinedSeconds &&
        !explainedByLast(arrival.onsetSeconds, one.position)
      ) {
        others.push(arrival);
      }
    }
    if (others.length === 0) return undefined;
    const origin = locate(newest, others, silent, pKmPerS);
    const shaking = belongsToLast(newest.onsetSeconds, newest.position);
    const needed = shaking ? Math.max(SUPPORT_FOR_ANOTHER, onStations) : onStations;
    if (origin.support < needed) return undefined;
    return { atSeconds: nowSeconds, origin };
  };

  const join = (origin: Origin): void => {
    for (const { station, onsetSeconds } of origin.arrivals) {
      const one = listening.get(station);
      // One that was taken away since it joined.
      if (one === undefined) continue;
      one.joinedSeconds = onsetSeconds;
      one.judgedSeconds = onsetSeconds;
    }
  };

  /** Another station of the earthquake that has been alerted makes its place better known. */
  const improve = (newest: Arrival): boolean => {
    if (last === undefined || !belongsToLast(newest.onsetSeconds, newest.position)) return false;
    const arrivals = last.origin.arrivals.filter(({ station }) => station !== newest.station);
    const origin = locate(newest, arrivals, [], pKmPerS);
    if (origin.arrivals.length <= arrivals.length) return false;
    if (Math.abs(origin.originSeconds - alertedOriginSeconds) > MOVES_SECONDS) return false;
    last = { ...last, origin };
    join(origin);
    return true;
  };

  return {
    take(packet) {
      const position = positions.get(packet.device);
      if (position === undefined) return undefined;
      const one = listening.get(packet.device) ?? enlist(packet.device, position, packet.arrivalSeconds);
      const { deviceSeconds, arrivalSeconds, rateHz, axes } = packet;
      one.packets++;
      one.clock.observe(deviceSeconds, arrivalSeconds);
      const endSeconds = one.clock.trueTime(deviceSeconds, arrivalSeconds);
      one.station.take({ endSeconds, rateHz, axes });
      rememberAlone(one, arrivalSeconds);
      const newest = arrivalOf(packet.device, one);
      if (newest === undefined || newest.onsetSeconds <= one.judgedSeconds) return undefined;
      if (arrivalSeconds - newest.onsetSeconds > CONFIRM_SECONDS) return undefined;
      if (improve(newest) || explainedByLast(newest.onsetSeconds, position)) return undefined;
      const alert = judge(newest, arrivalSeconds);
      if (alert === undefined) return undefined;
      last = alert;
      alertedOriginSeconds = alert.origin.originSeconds;
      join(alert.origin);
      return alert;
    },
    latest: () => last,
    stations: () =>
      [...listening].map(([device, one]) => ({
        device,
        clock: one.clock.estimate(),
        packets: one.packets,
        alone: one.aloneInAll,
        onsetSeconds: one.joinedSeconds,
        peak: one.station.trigger()?.peak ?? null,
      })),
    clockOf(device) {
      const one = listening.get(device);
      return one === undefined ? undefined : { clock: one.clock.estimate(), packets: one.packets };
    },
    shookUntilSeconds() {
      if (last === undefined) return Number.NEGATIVE_INFINITY;
      let until = last.atSeconds;
      for (const { station } of last.origin.arrivals) {
        const one = listening.get(station);
        const trigger = one?.station.trigger();
        if (one === undefined || trigger === undefined) continue;
        if (Math.abs(trigger.onsetSeconds - (one.joinedSeconds ?? NaN)) > SAME_TRIGGER_SECONDS) continue;
        until = Math.max(until, trigger.endedSeconds ?? one.station.seenUntilSeconds());
      }
      return until;
    },
    save: () => ({
      last: last ?? null,
      alertedOriginSeconds: Number.isNaN(alertedOriginSeconds) ? null : alertedOriginSeconds,
      stations: Object.fromEntries(
        [...listening].map(([device, one]) => [
          device,
          {
            station: one.station.save(),
            clock: one.clock.save(),
            sinceSeconds: one.sinceSeconds,
            packets: one.packets,
            judgedSeconds: Number.isFinite(one.judgedSeconds) ? one.judgedSeconds : null,
            trigger: one.trigger ?? null,
            alone: one.alone.map((cry) => ({ ...cry })),
            aloneInAll: one.aloneInAll,
            joinedSeconds: one.joinedSeconds,
          },
        ]),
      ),
    }),
  };
}

function criedWolf(
  { alone }: Listening,
  { onsetSeconds, peakRatio }: StationTrigger,
  lastedSeconds: number,
): boolean {
  return alone.some(
    (cry) =>
      onsetSeconds - cry.onsetSeconds < CRIED_WOLF_SECONDS &&
      peakRatio < STANDS_OUT * cry.peakRatio &&
      lastedSeconds < Math.max(SHORT_SECONDS, LASTS * cry.lastedSeconds),
  );
}
