import type { Place } from '../evidence.ts';
import type { Unit } from '../ports.ts';
import type { Random } from '../random.ts';
import { createRandom } from '../random.ts';
import type { Position, Text } from '../units.ts';

/** What a plan may ask for, and how such a unit is called. */
const KINDS = {
  'search-rescue': { en: 'Rescue team', zh: '救援队' },
  medical: { en: 'Ambulance crew', zh: '急救组' },
  hazmat: { en: 'Hazmat team', zh: '危化品处置队' },
  fire: { en: 'Fire engine', zh: '消防车组' },
  'gas-technician': { en: 'Gas technicians', zh: '燃气抢修组' },
  assessment: { en: 'Damage assessors', zh: '灾情评估组' },
} as const satisfies Record<string, Text>;

export type Capability = keyof typeof KINDS;
export const CAPABILITIES = Object.keys(KINDS) as readonly Capability[];

/** Some teams can do a neighbour's work. */
const ALSO: Partial<Record<Capability, Capability>> = { fire: 'search-rescue', hazmat: 'fire' };
/** One in this many has the second capability. */
const ALSO_ONE_IN = 3;

const STATION_WITHIN_KM = 12;
const KM_PER_DEGREE = 111.2;
const SLOWEST_KMH = 40;
const FASTEST_KMH = 60;

export interface RosterOptions {
  /** Any integer. The same seed and places give the same units. @default 1 */
  readonly seed?: number;
  readonly places: readonly Place[];
  /** Units of each capability stationed around each place. @default 3 rescue, 4 medical, 2 of each other */
  readonly perPlace?: Readonly<Partial<Record<Capability, number>>>;
}

/**
 * Invents the units of exercises: stations within 12 km of each place, speeds of 40 to 60 km/h. All are marked and
 * named as fictional. A place's units do not depend on which other places there are, unless they share a district.
 *
 * @returns units in order of place and capability; ids `<district>-<capability>-<n>`
 */
export function generateRoster({ seed = 1, places, perPlace = DEFAULT_PER_PLACE }: RosterOptions): Unit[] {
  const numbers = new Map<string, number>();
  return places.flatMap((place) => {
    const random = createRandom(seed).fork(hashOfText(place.id));
    return CAPABILITIES.flatMap((capability) =>
      Array.from({ length: perPlace[capability] ?? 0 }, (): Unit => {
        const kind = `${place.district}-${capability}`;
        const n = (numbers.get(kind) ?? 0) + 1;
        numbers.set(kind, n);
        const second = random.integer(ALSO_ONE_IN) === 0 ? ALSO[capability] : undefined;
        return {
          id: `${kind}-${n}`,
          name: {
            en: `${KINDS[capability].en} ${n} (fictional)`,
            zh: `${KINDS[capability].zh}${n}号（虚构）`,
          },
          district: place.district,
          capabilities: second === undefined ? [capability] : [capability, second],
          home: stationNear(place, random),
          speedKmh: SLOWEST_KMH + random.integer(FASTEST_KMH - SLOWEST_KMH + 1),
          fictional: true,
        };
      }),
    );
  });
}

const DEFAULT_PER_PLACE: Readonly<Record<Capability, number>> = {
  'search-rescue': 3,
  medical: 4,
  hazmat: 2,
  fire: 2,
  'gas-technician': 2,
  assessment: 2,
};

function stationNear(place: Place, random: Random): Position {
  const distanceKm = STATION_WITHIN_KM * Math.sqrt(random.unit());
  const bearing = 2 * Math.PI * random.unit();
  const latitudeDeg = place.latitudeDeg + (distanceKm * Math.cos(bearing)) / KM_PER_DEGREE;
  const shrink = Math.max(0.01, Math.cos((place.latitudeDeg * Math.PI) / 180));
  const longitudeDeg = place.longitudeDeg + (distanceKm * Math.sin(bearing)) / (KM_PER_DEGREE * shrink);
  return {
    latitudeDeg: rounded(Math.max(-90, Math.min(90, latitudeDeg))),
    longitudeDeg: rounded(((longitudeDeg + 540) % 360) - 180),
  };
}

/** About 10 m. */
const rounded = (degrees: number): number => Math.round(degrees * 1e4) / 1e4;

/** FNV-1a, 32 bits. */
function hashOfText(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
