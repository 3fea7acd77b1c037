import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

/** A directory that is gone after the test. */
export function temporaryDirectory(t: TestContext): string {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'tocsin-test-'));
  t.after(() => fs.rmSync(directory, { recursive: true, force: true }));
  return directory;
}

export function writeExecutable(file: string, text: string): void {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, text, { mode: 0o755 });
}

/** Whether that process still runs; one that only waits to be reaped does not. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/\) Z /.test(fs.readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}

/** Those of the processes that still run `withinMs` later, or none as soon as none does. */
export async function survivors(pids: number[], withinMs: number): Promise<number[]> {
  const deadline = performance.now() + withinMs;
  while (pids.some(isRunning) && performance.now() < deadline) await sleep(50);
  return pids.filter(isRunning);
}

export interface Program {
  child: ChildProcess;
  pid: number;
  /** The program's first line, parsed as JSON. */
  firstLine: Promise<unknown>;
  ended: Promise<{ code: number | null; signal: NodeJS.Signals | null; stderr: string }>;
}

/** Runs TypeScript source as a module of its own process; its specifiers are relative to the project's root. */
export function runProgram(t: TestContext, source: string, env: NodeJS.ProcessEnv = {}): Program {
  const file = path.join(temporaryDirectory(t), 'program.mts');
  fs.writeFileSync(file, source.replaceAll("from './", `from '${projectRoot}/`));
  const { NODE_TEST_CONTEXT: _, ...outer } = process.env;
  const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), file], {
    cwd: projectRoot,
    env: { ...outer, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.after(() => child.kill('SIGKILL'));
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const ended = new Promise<Awaited<Program['ended']>>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal, stderr }));
  });
  const firstLine = new Promise<unknown>((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', (line) => resolve(JSON.parse(line)));
    void ended.then(() => reject(new Error(`the program ended without a line: ${stderr}`)));
  });
  firstLine.catch(() => {});
  if (child.pid === undefined) throw new Error('the program did not start');
  return { child, pid: child.pid, firstLine, ended };
}

export const projectRoot = path.resolve(import.meta.dirname, '..', '..');
