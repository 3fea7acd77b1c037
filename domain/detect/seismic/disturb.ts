import { createRandom } from '../../random.ts';
import type { Packet } from './network.ts';

/** What goes wrong in a rehearsal of a network. */
export interface Disturbance {
  /** Share of packets that never arrive, 0 to 1. */
  readonly lost: number;
  /** Share of packets that arrive later, 0 to 1, and by how much. */
  readonly delayed: number;
  readonly delaySeconds: number;
  /** Stations that shake by themselves: white noise of many times their own, and bursts thrice a minute. */
  readonly noisyStations: number;
  /** Stations whose clock is wrong, by half a minute to a quarter of an hour either way. */
  readonly wrongClocks: number;
  readonly seed: number;
}

export interface Disturbed {
  /** In the order of arrival. */
  readonly packets: Packet[];
  readonly noisy: readonly string[];
  /** Device and its clock's error in seconds, positive when ahead. */
  readonly wrongClocks: readonly { readonly device: string; readonly errorSeconds: number }[];
}

const NOISE_TIMES = 10;
const BURST_TIMES = 100;
const BURSTS_PER_SECOND = 1 / 20;

/** Spoils a recording; the same seed spoils it the same way. */
export function disturb(packets: readonly Packet[], disturbance: Disturbance): Disturbed {
  const { lost, delayed, delaySeconds, noisyStations, wrongClocks, seed } = disturbance;
  const random = createRandom(seed);
  const devices = [...new Set(packets.map(({ device }) => device))].sort();
  const draw = (count: number, stream: number): string[] => {
    const source = random.fork(stream);
    const rest = [...devices];
    const drawn: string[] = [];
    while (drawn.length < count && rest.length > 0)
      drawn.push(...rest.splice(source.integer(rest.length), 1));
    return drawn;
  };
  const noisy = draw(noisyStations, 1);
  const clockSource = random.fork(2);
  const errors = draw(wrongClocks, 3).map((device) => ({
    device,
    errorSeconds: Math.round((clockSource.integer(2) === 0 ? -1 : 1) * (30 + 870 * clockSource.unit())),
  }));
  const errorOf = new Map(errors.map(({ device, errorSeconds }) => [device, errorSeconds]));
  const quiet = new Map(noisy.map((device) => [device, ownNoise(packets, device)]));
  const fate = random.fork(4);
  const shaking = random.fork(5);

  const arriving: Packet[] = [];
  for (const packet of packets) {
    const isLost = fate.unit() < lost;
    const isDelayed = fate.unit() < delayed;
    const noise = quiet.get(packet.device);
    const shaken = noise === undefined ? packet.axes : shake(packet, noise);
    if (isLost) continue;
    arriving.push({
      ...packet,
      axes: shaken,
      deviceSeconds: packet.deviceSeconds + (errorOf.get(packet.device) ?? 0),
      arrivalSeconds: packet.arrivalSeconds + (isDelayed ? delaySeconds : 0),
    });
  }
  arriving.sort((a, b) => a.arrivalSeconds - b.arrivalSeconds);
  return { packets: arriving, noisy, wrongClocks: errors };

  function shake(packet: Packet, noise: number): number[][] {
    const seconds = packet.axes[0]!.length / packet.rateHz;
    const times = shaking.unit() < BURSTS_PER_SECOND * seconds ? BURST_TIMES : NOISE_TIMES;
    return packet.axes.map((axis) => Array.from(axis, (x) => x + times * noise * shaking.normal()));
  }
}

/** Median over the packets of a device of their standard deviation. */
function ownNoise(packets: readonly Packet[], device: string): number {
  const deviations = packets
    .filter((packet) => packet.device === device)
    .map(({ axes }) => {
      const axis = Array.from(axes[0]!);
      const mean = axis.reduce((sum, x) => sum + x, 0) / axis.length;
      return Math.sqrt(axis.reduce((sum, x) => sum + (x - mean) ** 2, 0) / axis.length);
    })
    .sort((a, b) => a - b);
  return deviations[deviations.length >> 1] ?? 0;
}
