/**
 * Whether a device's clock can be believed, judged by the arrival of its packets. A packet cannot arrive before it
 * was recorded, and the fastest of many takes little more than the network's least delay: so the lower envelope of
 * (arrival - device time) over a recent window is the clock's error plus that least delay. Delays, however long and
 * frequent, only lie above the envelope.
 */
export interface ClockEstimate {
  /** Lower envelope of arrival time minus device time, in seconds. */
  readonly envelopeSeconds: number;
  readonly believed: boolean;
  /** Why not, in words; null when believed. */
  readonly reason: string | null;
}

export interface DeviceClock {
  /** Takes the two times of a packet, in seconds; packets in the order of arrival. */
  observe(deviceSeconds: number, arrivalSeconds: number): void;
  /** When the last sample of a packet was taken, by our clock. */
  trueTime(deviceSeconds: number, arrivalSeconds: number): number;
  estimate(): ClockEstimate;
  save(): DeviceClockState;
}

/** Everything it must remember, as JSON. */
export interface DeviceClockState {
  readonly recent: readonly number[];
  readonly farAbove: readonly number[];
  readonly steps: number;
}

/** Packets over which the envelope is taken: about a minute at a packet a second. */
const WINDOW = 64;
/** A believed clock's envelope lies here; beyond, a travel time would be wrong by more than the picks are. */
const EARLIEST_SECONDS = -0.5;
const LATEST_SECONDS = 1.5;
/** Least delay assumed for a device whose clock does not tell it. */
const USUAL_DELAY_SECONDS = 0.2;
/** So many packets in a row far above the envelope are a clock set back, not a slow network. */
const STEP_PACKETS = 8;
const STEP_SECONDS = 5;

/** Starts by believing nothing and corrects from the first packet. */
export function createDeviceClock(saved?: DeviceClockState): DeviceClock {
  let recent: number[] = [...(saved?.recent ?? [])];
  let steps = saved?.steps ?? 0;
  let farAbove: number[] = [...(saved?.farAbove ?? [])];

  const envelope = (): number => Math.min(...recent);

  return {
    observe(deviceSeconds, arrivalSeconds) {
      const lag = arrivalSeconds - deviceSeconds;
      if (recent.length > 0) {
        // The clock was set forward: packets seem to arrive sooner than the network can.
        if (lag < envelope() - STEP_SECONDS / 2) {
          if (recent.length >= STEP_PACKETS) steps++;
          recent = [];
        }
        farAbove = recent.length > 0 && lag > envelope() + STEP_SECONDS ? [...farAbove, lag] : [];
        if (farAbove.length >= STEP_PACKETS) {
          recent = farAbove;
          farAbove = [];
          steps++;
        }
      }
      recent.push(lag);
      if (recent.length > WINDOW) recent.shift();
    },
    trueTime(deviceSeconds, arrivalSeconds) {
      if (recent.length === 0) return arrivalSeconds - USUAL_DELAY_SECONDS;
      const least = envelope();
      return believable(least) ? deviceSeconds : deviceSeconds + least - USUAL_DELAY_SECONDS;
    },
    estimate() {
      if (recent.length === 0) {
        return { envelopeSeconds: Number.NaN, believed: false, reason: 'no packet has arrived' };
      }
      const envelopeSeconds = envelope();
      const reason = !believable(envelopeSeconds)
        ? envelopeSeconds < 0
          ? `packets seem to arrive ${(-envelopeSeconds).toFixed(1)} s before they were recorded: the clock is ahead`
          : `even the fastest packet seems to take ${envelopeSeconds.toFixed(1)} s: the clock is behind`
        : steps > 0
          ? `the clock was set ${steps === 1 ? 'once' : `${steps} times`} while it was watched`
          : null;
      return { envelopeSeconds, believed: reason === null, reason };
    },
    save: () => ({ recent: [...recent], farAbove: [...farAbove], steps }),
  };
}

const believable = (seconds: number): boolean => seconds >= EARLIEST_SECONDS && seconds <= LATEST_SECONDS;
