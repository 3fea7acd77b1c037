import type { EpochMs, Position, Text } from './units.ts';

/** Evidence names so many sensors, and says of so many that their clock is not believed, however many there are. */
export const SENSORS_AT_MOST = 50;

/** A place Tocsin looks after: a town of care, a building with sensors, a plant. */
export interface Place extends Position {
  /** Lower-case slug, used in incident ids: `hualien`, `riverside-tower`. */
  readonly id: string;
  readonly name: Text;
  readonly kind: 'place-of-care' | 'building';
  /** District whose desk serves the place. */
  readonly district: string;
  /** People present at most, for ranking; 0 when unknown. */
  readonly population: number;
}

/** One structured event from another system. `source` + `id` are its identity (CloudEvents). */
export interface Bulletin {
  readonly source: string;
  readonly id: string;
  /** CloudEvents type without prefix: `earthquake-notice`. */
  readonly type: string;
  readonly observedAtMs: EpochMs;
  readonly position: Position | null;
  /** Flat facts; names carry units: `magnitude`, `magnitudeType`, `depthKm`, `gapDeg`, `place`. null = not measured. */
  readonly fields: Readonly<Record<string, number | string | null>>;
}

/** What a bulletin means for one place of care. */
export interface Effect {
  readonly placeId: string;
  readonly place: Place;
  /** Epicentral distance. */
  readonly distanceKm: number;
  /** Expected Modified Mercalli Intensity at the place, 1..10, one decimal. */
  readonly expectedMmi: number;
}

export interface BulletinEvidence {
  readonly kind: 'bulletin';
  /** Dedup key: `source|id`. */
  readonly key: string;
  readonly atMs: EpochMs;
  readonly receivedAtMs: EpochMs;
  readonly vendor: string;
  readonly bulletin: Bulletin;
  /** The at most 5 most affected places, strongest first. Empty when the bulletin has no position. */
  readonly effects: readonly Effect[];
}

/** A channel condition began or ceased to hold. Telemetry itself stays in the archive. */
export interface ReadingsEvidence {
  readonly kind: 'readings';
  /** Dedup key: `site|leaf|atMs|holds`. */
  readonly key: string;
  readonly atMs: EpochMs;
  /** What the deciding device's own clock said, where that clock is known to be off and `atMs` is corrected. */
  readonly observedAtMs?: EpochMs;
  readonly receivedAtMs: EpochMs;
  readonly site: string;
  /** Path of the channel condition in the plan document: `detect`, `evaluate.resolvedWhen`, `evaluate.escalateWhen.of.1`. */
  readonly leaf: string;
  readonly holds: boolean;
  readonly channel: string;
  readonly unit: string;
  /** At most {@link SENSORS_AT_MOST}, the deciding ones first. */
  readonly sensors: readonly SensorDigest[];
  readonly windowStartMs: EpochMs;
  readonly windowEndMs: EpochMs;
  /**
   * What a seismic network knows of the earthquake. `sensors` are then its stations, the first to be reached first:
   * `sinceMs` is the onset of the P wave there, `value` the largest motion since in the band listened to.
   */
  readonly network?: NetworkDigest;
  /** What a trained forecast expected of the deciding sensor. */
  readonly forecast?: ForecastDigest;
}

/** A trained forecast as it stood when a condition turned. Values in the unit of the condition. */
export interface ForecastDigest {
  /** In the register of forecasts. */
  readonly name: string;
  /** SHA-256 of the artefact that was used; null: none could be, and the sensor's own past stood in for it. */
  readonly hash: string | null;
  /** That the threshold is reached within the condition's time; null: too little was known to say. */
  readonly probability: number | null;
  /** At the end of that time, with the interval that holds a share `level` of truths; absent when not known. */
  readonly expected?: {
    readonly value: number;
    readonly low: number;
    readonly high: number;
    readonly level: number;
  };
}

/** An earthquake as the P waves at the stations of a network place it. */
export interface NetworkDigest {
  readonly originAtMs: EpochMs;
  readonly position: Position;
  /** Radius of the places that explain the arrivals equally well. */
  readonly uncertaintyKm: number;
  /** Stations that agree. */
  readonly stations: number;
  /** Stations whose times were taken from the arrival of their packets, with the reason in words. At most {@link SENSORS_AT_MOST}. */
  readonly clocksNotBelieved: readonly { readonly sensor: string; readonly reason: string }[];
}

export interface SensorDigest {
  readonly sensor: string;
  readonly vendor: string;
  readonly value: number;
  /** Since when the sensor itself meets the condition; null when it does not. */
  readonly sinceMs: EpochMs | null;
  /** Its last reading is suspect: a stuck sensor, a reading that nobody measured (docs/ingestion.md). */
  readonly suspect?: true;
  /** Steps before its last reading that nobody measured: the value before stood in for them (docs/detection.md). */
  readonly filled?: number;
}

export type Evidence = BulletinEvidence | ReadingsEvidence;

/** A detector's statement that a plan's `detect` condition holds. It opens an incident. */
export interface Detection {
  readonly tenant: string;
  readonly planId: string;
  readonly hazard: string;
  /** Where: the most affected place. Its id is the incident's cell. */
  readonly place: Place;
  /** `cell` and `window` complete the incident id `incident/<tenant>/<hazard>/<cell>/<window>`. */
  readonly cell: string;
  /** Start of the first evidence, `20180204T131252Z`. */
  readonly window: string;
  readonly atMs: EpochMs;
  readonly receivedAtMs: EpochMs;
  /** 1..50 digests, oldest first. */
  readonly evidence: readonly Evidence[];
}

/** `incident/<tenant>/<hazard>/<cell>/<window>`: the durable name of one response. */
export function incidentIdOf(detection: Pick<Detection, 'tenant' | 'hazard' | 'cell' | 'window'>): string {
  return `incident/${detection.tenant}/${detection.hazard}/${detection.cell}/${detection.window}`;
}

/** `2018-02-04T13:12:52.130Z` becomes `20180204T131252Z`. */
export function windowOf(atMs: EpochMs): string {
  return new Date(atMs)
    .toISOString()
    .replace(/[-:]/g, '')
    .replace(/\.\d+Z$/, 'Z');
}
