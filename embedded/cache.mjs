import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { waitForLock } from './lock.mjs';

/** Where obtained servers are kept between runs: `TOCSIN_CACHE`, by default `~/.cache/tocsin`. */
export function cacheDirectory(env = process.env) {
  return env.TOCSIN_CACHE ? path.resolve(env.TOCSIN_CACHE) : path.join(os.homedir(), '.cache', 'tocsin');
}

export function isExecutable(file) {
  try {
    fs.accessSync(file, fs.constants.X_OK);
    const stat = fs.statSync(file);
    return stat.isFile() && stat.size > 0;
  } catch {
    return false;
  }
}

/**
 * Makes one executable of the cache. `build(directory)` works in a directory of its own beside the target and
 * returns the path of the finished file, which is then renamed into place: an interrupted build leaves no
 * half-made executable, and the next one sweeps up after it. Two processes that want the same executable take
 * turns, and the second finds it made.
 */
export async function placeInCache(target, build, log = () => {}) {
  const cache = path.dirname(target);
  fs.mkdirSync(cache, { recursive: true });
  const release = await waitForLock(`${target}.lock`, (holder) =>
    log(`waiting for process ${holder}, which makes it`),
  );
  try {
    if (isExecutable(target)) return target;
    const prefix = `${path.basename(target)}.making-`;
    // We hold the lock: whatever is there was left by a process that was interrupted.
    for (const name of fs.readdirSync(cache)) {
      if (name.startsWith(prefix)) fs.rmSync(path.join(cache, name), { recursive: true, force: true });
    }
    const workshop = fs.mkdtempSync(path.join(cache, prefix));
    try {
      const made = await build(workshop);
      fs.chmodSync(made, 0o755);
      flush(made);
      fs.renameSync(made, target);
      return target;
    } finally {
      fs.rmSync(workshop, { recursive: true, force: true });
    }
  } finally {
    release();
  }
}

/** After a power cut a renamed file may be empty unless its content was flushed first. */
function flush(file) {
  const handle = fs.openSync(file, 'r');
  try {
    fs.fsyncSync(handle);
  } finally {
    fs.closeSync(handle);
  }
}
