import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import type { Bulletin } from '../../domain/evidence.ts';

/** CloudEvents type of an earthquake notice. */
export const EARTHQUAKE_NOTICE = 'earthquake-notice';

interface Feature {
  readonly id: string;
  readonly properties: {
    readonly mag: number | null;
    readonly magType: string | null;
    readonly place: string | null;
    readonly time: number;
    readonly tz: number | null;
    readonly net: string;
    readonly nst: number | null;
    readonly gap: number | null;
    readonly dmin: number | null;
    readonly rms: number | null;
    readonly type: string;
  };
  readonly geometry: { readonly coordinates: readonly [number, number, number | null] };
}

export interface EarthquakeFeed {
  /** In time order; what a network knows minutes after an event, and not what people found out later. */
  readonly bulletins: readonly Bulletin[];
  /** What each event really was, by bulletin id: for judging, never for sending. */
  readonly labels: ReadonlyMap<string, string>;
}

/**
 * One real week of worldwide notices (US Geological Survey, 2018-01-31 to 02-07), as it comes with the package
 * vega-datasets. `observedAtMs` is the origin time.
 */
export async function readEarthquakeWeek(): Promise<EarthquakeFeed> {
  const entry = createRequire(import.meta.url).resolve('vega-datasets');
  // The package exports its code only; its data lies beside it.
  const file = path.join(path.dirname(entry), '..', 'data', 'earthquakes.json');
  return fromGeoJson(JSON.parse(await readFile(file, 'utf8')) as { features: readonly Feature[] });
}

/** Notices from a GeoJSON feed of the US Geological Survey. */
export function fromGeoJson(feed: { readonly features: readonly Feature[] }): EarthquakeFeed {
  const bulletins = feed.features
    .map(bulletinOf)
    .sort((a, b) => a.observedAtMs - b.observedAtMs || (a.id < b.id ? -1 : 1));
  return {
    bulletins,
    labels: new Map(feed.features.map(({ id, properties }) => [id, properties.type.replaceAll(' ', '-')])),
  };
}

function bulletinOf({ id, properties, geometry }: Feature): Bulletin {
  const [longitudeDeg, latitudeDeg, depthKm] = geometry.coordinates;
  return {
    source: 'usgs',
    id,
    type: EARTHQUAKE_NOTICE,
    observedAtMs: properties.time,
    position: { latitudeDeg, longitudeDeg },
    fields: {
      magnitude: properties.mag,
      magnitudeType: properties.magType,
      depthKm,
      gapDeg: properties.gap,
      dminDeg: properties.dmin,
      rmsS: properties.rms,
      stations: properties.nst,
      utcOffsetMinutes: properties.tz,
      place: properties.place,
      network: properties.net,
    },
  };
}
