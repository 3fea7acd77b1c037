import fs from 'node:fs';
import { z } from 'zod';
import type { Bulletin } from '../domain/evidence.ts';
import { CommandFailed, EXIT } from './exit-codes.ts';

const number = z.number().nullish();

/** What we read of the GeoJSON that the USGS publishes. Its `type` is the outcome and stays out of a notice. */
const feedSchema = z.object({
  type: z.literal('FeatureCollection'),
  features: z.array(
    z.object({
      id: z.string().min(1),
      properties: z.object({
        time: z.number().int(),
        mag: number,
        magType: z.string().nullish(),
        place: z.string().nullish(),
        gap: number,
        dmin: number,
        rms: number,
        nst: number,
        tz: number,
      }),
      geometry: z
        .object({ coordinates: z.tuple([z.number(), z.number()]).rest(z.number().nullable()) })
        .nullable(),
    }),
  ),
});

/**
 * The notices of a recorded feed, oldest first.
 *
 * @throws CommandFailed that names the file and the feature
 */
export function readNotices(file: string): Bulletin[] {
  let value: unknown;
  try {
    value = JSON.parse(fs.readFileSync(file, 'utf8'));
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw new CommandFailed(
      missing ? EXIT.notFound : EXIT.usage,
      'FEED_UNREADABLE',
      missing
        ? `There is no file ${file}.`
        : `${file} cannot be read as JSON: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  }
  const parsed = feedSchema.safeParse(value);
  if (!parsed.success) {
    const [first] = parsed.error.issues;
    throw new CommandFailed(
      EXIT.usage,
      'FEED_REFUSED',
      `${file} is not a GeoJSON feed of notices: ${first!.path.join('.')}: ${first!.message}. Nothing was sent.`,
    );
  }
  return parsed.data.features
    .map(({ id, properties: p, geometry }): Bulletin => {
      const [longitudeDeg, latitudeDeg, depthKm] = geometry?.coordinates ?? [];
      return {
        source: 'usgs',
        id,
        type: 'earthquake-notice',
        observedAtMs: p.time,
        position:
          latitudeDeg === undefined || longitudeDeg === undefined ? null : { latitudeDeg, longitudeDeg },
        fields: {
          magnitude: p.mag ?? null,
          magnitudeType: p.magType ?? null,
          depthKm: depthKm ?? null,
          gapDeg: p.gap ?? null,
          dminDeg: p.dmin ?? null,
          rmsS: p.rms ?? null,
          stations: p.nst ?? null,
          utcOffsetMinutes: p.tz ?? null,
          place: p.place ?? null,
        },
      };
    })
    .sort((a, b) => a.observedAtMs - b.observedAtMs);
}
