import fs from 'node:fs';
import { z } from 'zod';
import type { Bulletin } from '../domain/evidence.ts';
import { fromGeoJson } from '../exercise/feeds/earthquakes.ts';
import { CommandFailed, EXIT } from './exit-codes.ts';

const measured = z.number().nullable().default(null);
const text = z.string().nullable().default(null);

const featureSchema = z.object({
  id: z.string().min(1),
  properties: z.object({
    time: z.number().int(),
    type: z.string().default(''),
    net: z.string().default(''),
    mag: measured,
    magType: text,
    place: text,
    gap: measured,
    dmin: measured,
    rms: measured,
    nst: measured,
    tz: measured,
  }),
  geometry: z.object({
    coordinates: z.tuple([z.number(), z.number(), z.number().nullable().default(null)]),
  }),
});

const feedSchema = z.object({ type: z.literal('FeatureCollection'), features: z.array(z.unknown()) });

/**
 * The notices of a recorded feed, oldest first.
 *
 * @param onProblem told about each feature that is no notice, which is then left out. @default refuse the file
 * @throws CommandFailed that names the file and the feature
 */
export function readNotices(
  file: string,
  onProblem: (feature: number, field: string, message: string) => void = (feature, field, message) => {
    throw refused(file, `features.${feature}.${field}: ${message}`);
  },
): Bulletin[] {
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
  const feed = feedSchema.safeParse(value);
  if (!feed.success) {
    const [first] = feed.error.issues;
    throw refused(file, `${first!.path.join('.')}: ${first!.message}`);
  }
  const features = feed.data.features.flatMap((one, index) => {
    const feature = featureSchema.safeParse(one);
    if (feature.success) return [feature.data];
    const [first] = feature.error.issues;
    onProblem(index, first!.path.join('.'), first!.message);
    return [];
  });
  return [...fromGeoJson({ features }).bulletins];
}

const refused = (file: string, why: string): CommandFailed =>
  new CommandFailed(
    EXIT.usage,
    'FEED_REFUSED',
    `${file} is not a GeoJSON feed of notices: ${why}. Nothing was sent.`,
  );
