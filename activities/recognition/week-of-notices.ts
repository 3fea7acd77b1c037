import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { NOTICE_CLASSES, type Notice, type NoticeClass } from '../../domain/classify/notices.ts';

/** A notice whose type is known. */
export interface LabelledNotice extends Notice {
  readonly label: NoticeClass;
}

interface NoticeFeature {
  readonly properties: {
    readonly mag: number | null;
    readonly magType: string | null;
    readonly nst: number | null;
    readonly gap: number | null;
    readonly dmin: number | null;
    readonly rms: number | null;
    readonly tz: number | null;
    readonly time: number;
    readonly type: string;
  };
  readonly geometry: { readonly coordinates: readonly [number, number, number | null] };
}

/** The notices of a GeoJSON feed as the USGS writes it, oldest first; other types of event are left out. */
export function labelledNotices(feed: { readonly features: readonly NoticeFeature[] }): LabelledNotice[] {
  return feed.features
    .flatMap(({ properties: p, geometry }): LabelledNotice[] => {
      const label = NOTICE_CLASSES.find((name) => name === p.type.replaceAll(' ', '-'));
      if (label === undefined) return [];
      const [longitudeDeg, latitudeDeg, depthKm] = geometry.coordinates;
      return [
        {
          label,
          magnitude: p.mag,
          magnitudeType: p.magType,
          depthKm,
          gapDeg: p.gap,
          dminDeg: p.dmin,
          rmsS: p.rms,
          stations: p.nst,
          latitudeDeg,
          longitudeDeg,
          observedAtMs: p.time,
          utcOffsetMinutes: p.tz,
        },
      ];
    })
    .sort((a, b) => a.observedAtMs - b.observedAtMs);
}

/** The week of worldwide notices that comes with the package `vega-datasets` (1,707 events from 2018-01-31 on). */
export async function loadWeekOfNotices(): Promise<LabelledNotice[]> {
  // The package exports its code only; its data lies beside it.
  const entry = createRequire(import.meta.url).resolve('vega-datasets');
  const file = join(dirname(entry), '..', 'data', 'earthquakes.json');
  return labelledNotices(JSON.parse(await readFile(file, 'utf8')) as Parameters<typeof labelledNotices>[0]);
}
