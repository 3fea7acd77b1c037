import { distanceKm } from '../../domain/detect/geo.ts';
import { P_KM_PER_S } from '../../domain/detect/seismic/locate.ts';
import type { Packet } from '../../domain/detect/seismic/network.ts';
import { createRandom } from '../../domain/random.ts';

/** A network of eight stations, and an earthquake among them. */
export const RATE_HZ = 31.25;
export const EPICENTRE = { latitudeDeg: 9.9, longitudeDeg: -84.2 };
export const ORIGIN_SECONDS = 1_000_120;
export const POSITIONS = new Map(
  Array.from({ length: 8 }, (_, i) => [
    `s${i}`,
    { latitudeDeg: 9.5 + 0.25 * (i % 3), longitudeDeg: -84.6 + 0.35 * Math.floor(i / 3) },
  ]),
);
const arrivalAt = (device: string): number =>
  ORIGIN_SECONDS + distanceKm(EPICENTRE, POSITIONS.get(device)!) / P_KM_PER_S;
export const SECOND_P = [...POSITIONS.keys()].map(arrivalAt).sort((a, b) => a - b)[1]!;

/** Two minutes of noise at every station, then an earthquake, in packets of about a second. */
export function record({ quake = true, seed = 1 } = {}): Packet[] {
  const packets: Packet[] = [];
  for (const [index, device] of [...POSITIONS.keys()].entries()) {
    const random = createRandom(seed).fork(index);
    const samples = 32;
    for (let k = 1; k <= 170; k++) {
      const endSeconds = 1_000_000 + 0.1 * index + (k * samples) / RATE_HZ;
      const axes = [0, 1, 2].map((axis) =>
        Array.from({ length: samples }, (_, i) => {
          const at = endSeconds - (samples - 1 - i) / RATE_HZ;
          const after = quake ? at - arrivalAt(device) : -1;
          const shaking = after < 0 ? 0 : 5 * Math.min(1, after / 2) * Math.sin(25 * after + axis);
          return (axis === 2 ? 980 : 0) + 0.05 * random.normal() + shaking;
        }),
      );
      const arrivalSeconds = endSeconds + 0.2 + 0.1 * random.unit();
      packets.push({ device, deviceSeconds: endSeconds, arrivalSeconds, rateHz: RATE_HZ, axes });
    }
  }
  return packets.sort((a, b) => a.arrivalSeconds - b.arrivalSeconds);
}
