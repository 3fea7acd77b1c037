import fs from 'node:fs';
import path from 'node:path';
import type { Progress } from '../exercise/conductor.ts';

/** The bookmark of a data directory. */
export const bookmarkIn = (directory: string): string => path.join(directory, 'week.json');

interface Bookmark {
  readonly event: number;
  readonly feedMs: number;
}

/** Where an earlier run left the week; null to begin at the beginning. A week that was answered is not sent again. */
export function readBookmark(file: string, events: number): Bookmark | null {
  try {
    const { event, feedMs } = JSON.parse(fs.readFileSync(file, 'utf8')) as Progress;
    return { event: Math.min(event, events), feedMs };
  } catch {
    return null;
  }
}

/** Replaces the bookmark, whole or not at all. */
export function writeBookmark(file: string, progress: Progress): void {
  fs.writeFileSync(`${file}.draft`, JSON.stringify(progress));
  fs.renameSync(`${file}.draft`, file);
}
