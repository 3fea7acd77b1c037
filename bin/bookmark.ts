import fs from 'node:fs';
import path from 'node:path';
import type { Progress } from '../exercise/conductor.ts';

/** The bookmark of a data directory. */
export const bookmarkIn = (directory: string): string => path.join(directory, 'week.json');

interface Bookmark {
  readonly event: number;
  readonly feedMs: number;
}

/** Where an interrupted week goes on; null to begin at the beginning. A week that was played is played again. */
export function readBookmark(file: string, events: number): Bookmark | null {
  try {
    const { event, feedMs, openIncidents } = JSON.parse(fs.readFileSync(file, 'utf8')) as Progress;
    return event >= events && openIncidents === 0 ? null : { event, feedMs };
  } catch {
    return null;
  }
}

/** Replaces the bookmark, whole or not at all. */
export function writeBookmark(file: string, progress: Progress): void {
  fs.writeFileSync(`${file}.draft`, JSON.stringify(progress));
  fs.renameSync(`${file}.draft`, file);
}
