import path from 'node:path';
import { runToEnd } from './guard.mjs';
import { isExecutable } from './cache.mjs';

/** How long the public download may take to answer at all before we go on without it, in milliseconds. */
const REACH_MS = 3_000;

/** Thrown by one way of obtaining a server that does not work here; `message` is the reason. */
export class Unavailable extends Error {
  name = 'Unavailable';
  constructor(reason, fix) {
    super(reason);
    this.fix = fix;
  }
}

/** Thrown when no way works: one message that lists each attempt, its reason and what would fix it. */
export class NotObtained extends Error {
  name = 'NotObtained';
  constructor(what, attempts) {
    const list = attempts.map(
      ({ from, reason, fix }, index) => `  ${index + 1}. ${from}: ${reason}\n     fix: ${fix}`,
    );
    super(`${what} could not be found or obtained. Tried, in this order:\n${list.join('\n')}`);
    this.attempts = attempts;
  }
}

/**
 * Tries each way in turn and returns the first result, with `from` (which way) and `why` (what it is and why
 * the ways before it were passed over).
 */
export async function firstThatWorks(what, ways) {
  const passedOver = [];
  for (const { from, fix, attempt } of ways) {
    try {
      const { because, ...result } = await attempt();
      const others = passedOver.map((other) => `${other.from}: ${other.reason.split('\n')[0]}`).join('; ');
      return { ...result, from, why: others ? `${because} (${others})` : because };
    } catch (error) {
      passedOver.push({ from, ...explain(error, fix) });
    }
  }
  throw new NotObtained(what, passedOver);
}

function explain(error, fix) {
  if (error instanceof Unavailable) return { reason: error.message, fix: error.fix ?? fix };
  // A full, read-only or forbidden cache directory is a reason like the others; anything else is our mistake.
  if (!error.syscall) throw error;
  return { reason: error.message, fix: 'free some space, or choose a writable directory with TOCSIN_CACHE' };
}

/** The first executable of that name on PATH. */
export function findOnPath(name, env) {
  return (env.PATH ?? '')
    .split(path.delimiter)
    .filter(Boolean)
    .map((directory) => path.join(directory, name))
    .find(isExecutable);
}

/** Runs `binary --version` and returns its first line, or throws Unavailable when it does not run. */
export async function versionOf(binary, env) {
  const run = await runToEnd(binary, ['--version'], { env, timeoutMs: 10_000 });
  if (!run.ok) throw new Unavailable(`${binary} is there but does not run: ${lastWords(run)}`);
  return run.lines[0] ?? '';
}

/** Throws Unavailable unless the address answers within a few seconds. `TOCSIN_OFFLINE=1`: without asking. */
export async function mustReach(url, env) {
  if (env.TOCSIN_OFFLINE) throw new Unavailable('TOCSIN_OFFLINE is set', 'unset TOCSIN_OFFLINE');
  const name = new URL(url).hostname;
  let status;
  try {
    const response = await fetch(url, { method: 'HEAD', signal: AbortSignal.timeout(REACH_MS) });
    status = response.status;
  } catch (error) {
    const reason =
      error.name === 'TimeoutError'
        ? `no answer in ${REACH_MS / 1_000} s`
        : (error.cause?.code ?? error.message);
    throw new Unavailable(`${name} is not reachable (${reason})`);
  }
  if (status === 403 || status === 407 || status >= 500) throw new Unavailable(`${name} answered ${status}`);
}

/** The last lines of a failed command, as the reason to show. */
export function lastWords({ lines, code, signal, timedOut }) {
  const end = timedOut ? 'took too long' : signal ? `ended by ${signal}` : `exit code ${code}`;
  const said = lines.filter((line) => line.trim()).slice(-6);
  return said.length ? `${end}:\n       ${said.join('\n       ')}` : end;
}
