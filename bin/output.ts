import Table from 'cli-table3';
import pc from 'picocolors';
import type { Level, Position } from '../domain/units.ts';

/** What a command answers goes to standard output; what it says on the way goes to standard error. */
export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

export function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** A table with headings, without boxes: it pastes well and survives `grep`. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const none = '';
  const drawn = new Table({
    head: headings.map((heading) => pc.dim(heading)),
    chars: {
      top: none,
      'top-mid': none,
      'top-left': none,
      'top-right': none,
      bottom: none,
      'bottom-mid': none,
      'bottom-left': none,
      'bottom-right': none,
      left: none,
      'left-mid': none,
      mid: none,
      'mid-mid': none,
      right: none,
      'right-mid': none,
      middle: '  ',
    },
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  for (const row of rows) drawn.push([...row]);
  return drawn
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

/** Name and value lines. */
export function facts(pairs: readonly (readonly [string, string])[]): string {
  const width = Math.max(...pairs.map(([name]) => name.length));
  return pairs.map(([name, value]) => `${pc.dim(name.padEnd(width))}  ${value}`).join('\n');
}

const LEVEL_COLOURS: Readonly<Record<Level, (text: string) => string>> = {
  I: pc.red,
  II: (text) => pc.bold(pc.yellow(text)),
  III: pc.yellow,
  IV: pc.blue,
};

const LEVEL_WORDS: Readonly<Record<Level, string>> = { I: 'red', II: 'orange', III: 'yellow', IV: 'blue' };

/** `II orange`: in words, so that nothing hangs on the colour. */
export function levelText(level: Level | null): string {
  return level === null ? '-' : LEVEL_COLOURS[level](`${level} ${LEVEL_WORDS[level]}`);
}

/** `2018-02-06 15:50:42Z` */
export function timeText(atMs: number | null | undefined): string {
  return atMs === null || atMs === undefined
    ? '-'
    : new Date(atMs)
        .toISOString()
        .replace('T', ' ')
        .replace(/\.\d+Z$/, 'Z');
}

/** `8 min 30 s`, for people. */
export function spanText(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return '-';
  const seconds = Math.round(ms / 1_000);
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7_200) return `${Math.floor(seconds / 60)} min${seconds % 60 ? ` ${seconds % 60} s` : ''}`;
  return `${(seconds / 3_600).toFixed(1)} h`;
}

/** `15.31 N 96.13 W`, with so many decimals. */
export function positionText({ latitudeDeg, longitudeDeg }: Position, decimals: number): string {
  const degrees = (value: number): string => Math.abs(value).toFixed(decimals);
  return `${degrees(latitudeDeg)} ${latitudeDeg < 0 ? 'S' : 'N'} ${degrees(longitudeDeg)} ${longitudeDeg < 0 ? 'W' : 'E'}`;
}
