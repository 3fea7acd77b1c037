import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Thrown when a living process holds the lock. `holder` is its process id. */
export class LockHeld extends Error {
  name = 'LockHeld';
  constructor(file, holder) {
    super(`${file} is held by process ${holder}`);
    this.holder = holder;
  }
}

/**
 * Takes a lock file, or throws LockHeld. A lock whose process is gone is taken over.
 *
 * @returns a function that gives the lock back
 */
export function takeLock(file) {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  const own = JSON.stringify({ pid: process.pid, started: startOf(process.pid), token: randomUUID() });
  const draft = `${file}.${randomUUID()}`;
  fs.writeFileSync(draft, own);
  try {
    // A link appears with its content in one step: nobody ever reads half a lock.
    for (let attempt = 0; attempt < 20; attempt++) {
      if (linked(draft, file)) return () => giveBack(file, own);
      const held = read(file);
      if (held === undefined) continue;
      const holder = parse(held);
      if (holder && isAlive(holder)) throw new LockHeld(file, holder.pid);
      bury(file, held);
    }
    throw new Error(`${file} changes hands too quickly; remove it if no Tocsin is running`);
  } finally {
    fs.rmSync(draft, { force: true });
  }
}

/** Takes a lock file, waiting while another living process has it. `onWait(pid)` is called once. */
export async function waitForLock(file, onWait = () => {}) {
  for (let told = false; ;) {
    try {
      return takeLock(file);
    } catch (error) {
      if (!(error instanceof LockHeld)) throw error;
      if (!told) onWait(error.holder);
      told = true;
      await sleep(200);
    }
  }
}

function linked(draft, file) {
  try {
    fs.linkSync(draft, file);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

/** Removes a dead lock. If another process took over in between, its fresh lock is put back. */
function bury(file, dead) {
  const grave = `${file}.${randomUUID()}`;
  try {
    fs.renameSync(file, grave);
  } catch (error) {
    if (error.code === 'ENOENT') return;
    throw error;
  }
  if (read(grave) !== dead) linked(grave, file);
  fs.rmSync(grave, { force: true });
}

function giveBack(file, own) {
  if (read(file) === own) fs.rmSync(file, { force: true });
}

function read(file) {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function parse(text) {
  try {
    const { pid, started } = JSON.parse(text);
    return Number.isInteger(pid) ? { pid, started } : undefined;
  } catch {
    return undefined;
  }
}

/** Process ids are used again: the same id with another start time is another process. */
function isAlive({ pid, started }) {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (error.code === 'ESRCH') return false;
  }
  const now = startOf(pid);
  return now !== 'gone' && (now === '' || started === '' || now === started);
}

/** Start time in clock ticks since boot; '' where there is no /proc; 'gone' for a process that only waits to be reaped. */
function startOf(pid) {
  try {
    const fields = fs
      .readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return fields[0] === 'Z' ? 'gone' : fields[19];
  } catch {
    return '';
  }
}
