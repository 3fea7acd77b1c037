import fs from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { dataDirectory } from './config.ts';

const runningSchema = z.object({
  pid: z.number().int(),
  startedAtMs: z.number(),
  http: z.string(),
  grpc: z.string(),
  temporal: z.string(),
  namespace: z.string(),
  temporalUi: z.string().nullable(),
  /** What the time of its incidents follows. */
  clock: z.enum(['wall', 'feed']),
  /** Absent when the store was given: its address may hold a password. */
  store: z.string().nullable(),
});

/** Where a Tocsin started on this machine serves, for the commands beside it. */
export type Running = z.infer<typeof runningSchema>;

const fileIn = (directory: string): string => path.join(directory, 'running.json');

/** The Tocsin that runs from this data directory; null when there is none. */
export function readRunning(directory = dataDirectory()): Running | null {
  let text: string;
  try {
    text = fs.readFileSync(fileIn(directory), 'utf8');
  } catch {
    return null;
  }
  const parsed = runningSchema.safeParse(parseJson(text));
  return parsed.success && isAlive(parsed.data.pid) ? parsed.data : null;
}

/** Says where we serve. Returns what takes the statement back. */
export function announceRunning(running: Running, directory: string): () => void {
  const file = fileIn(directory);
  const draft = `${file}.${process.pid}`;
  fs.writeFileSync(draft, `${JSON.stringify(running, null, 2)}\n`, { mode: 0o600 });
  fs.renameSync(draft, file);
  return () => fs.rmSync(file, { force: true });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
