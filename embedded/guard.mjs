import { spawn } from 'node:child_process';
import os from 'node:os';
import { createInterface } from 'node:readline';

/*
 * The guard: a shell that starts the command and holds a life-line, the pipe on its standard input whose other
 * end only our process has. However we die, `kill -9` included, the kernel closes that end; the watcher then
 * asks the command to stop, gives it 5 s, and kills the whole process group. It is a shell and not Node because
 * one is needed per server and a shell costs 1 MB.
 *
 * fd 3 tells us the command's own pid; fd 4 is the IPC channel, when there is one; fd 9 keeps the life-line,
 * since a shell gives background commands an empty standard input.
 */
const GUARD = `
exec 9<&0
"$@" <&9 3>&- 9<&- &
command=$!
echo "$command" >&3
exec 3>&- 4>&-
(
  read -r _ <&9
  trap '' TERM
  kill -TERM "$command"
  tries=0
  while [ $tries -lt 50 ] && kill -0 "$command"; do sleep 0.1; tries=$((tries + 1)); done
  kill -KILL 0
) >/dev/null 2>&1 &
watcher=$!
wait "$command"
code=$?
kill -TERM "$watcher" 2>/dev/null
exit $code
`;

/** How long a command gets between SIGTERM and SIGKILL, in milliseconds. */
const GRACE_MS = 7_000;

/**
 * Starts a command that cannot outlive this process, in a process group of its own, so that Ctrl-C in the
 * terminal reaches us alone and we stop things in order.
 *
 * The command's standard input is the life-line: it reads end-of-file when this process is gone.
 */
export async function spawnGuarded(
  command,
  args,
  { cwd, env, ipc = false, inheritOutput = false, onLine = () => {} } = {},
) {
  const output = inheritOutput ? 'inherit' : 'pipe';
  const child = spawn('/bin/sh', ['-c', GUARD, 'tocsin-guard', command, ...args], {
    cwd,
    env,
    detached: true,
    stdio: ['pipe', output, output, 'pipe', ...(ipc ? ['ipc'] : [])],
  });
  // The life-line is never written to; an error on it only says that the command has gone.
  child.stdin.on('error', () => {});
  if (!inheritOutput) {
    createInterface({ input: child.stdout }).on('line', (line) => onLine(line, 'stdout'));
    createInterface({ input: child.stderr }).on('line', (line) => onLine(line, 'stderr'));
  }

  let running = true;
  const exited = new Promise((resolve, reject) => {
    child.once('error', reject);
    let exit = { code: null, signal: null };
    child.once('exit', (code, signal) => {
      running = false;
      exit = readExit(code, signal);
      // Whatever the command left in its group goes with it, also when the guard itself was killed.
      signalGroup(child.pid, 'SIGKILL');
      // A grandchild outside the group could hold the pipes open for ever: do not wait for their end.
      setTimeout(() => resolve(exit), 1_000).unref();
    });
    child.once('close', () => resolve(exit));
  });
  exited.catch(() => {});

  const pid = await new Promise((resolve, reject) => {
    let text = '';
    child.stdio[3].on('data', (chunk) => (text += chunk));
    child.stdio[3].once('end', () => {
      if (/^\d+\n$/.test(text)) resolve(Number(text));
      else reject(new Error(`could not start ${command}`));
    });
    child.once('error', reject);
  });

  const signal = (name) => {
    if (!running) return;
    try {
      process.kill(pid, name);
    } catch (error) {
      if (error.code !== 'ESRCH') throw error;
    }
  };
  return {
    pid,
    guardPid: child.pid,
    exited,
    isRunning: () => running,
    kill: () => signal('SIGKILL'),
    async stop(graceMs = GRACE_MS) {
      signal('SIGTERM');
      const overdue = setTimeout(() => signalGroup(child.pid, 'SIGKILL'), graceMs);
      try {
        return await exited;
      } finally {
        clearTimeout(overdue);
      }
    },
    onMessage: (listener) => void child.on('message', listener),
  };
}

/** Runs a guarded command to its end and keeps the last 40 lines of what it said. */
export async function runToEnd(command, args, { timeoutMs = 600_000, onLine, ...options } = {}) {
  const lines = [];
  const running = await spawnGuarded(command, args, {
    ...options,
    onLine: (line, stream) => {
      lines.push(line);
      if (lines.length > 40) lines.shift();
      onLine?.(line, stream);
    },
  });
  let timedOut = false;
  const limit = setTimeout(() => {
    timedOut = true;
    void running.stop(1_000);
  }, timeoutMs);
  const exit = await running.exited.finally(() => clearTimeout(limit));
  return { ...exit, lines, timedOut, ok: exit.code === 0 && !timedOut };
}

function signalGroup(leader, name) {
  try {
    process.kill(-leader, name);
  } catch (error) {
    if (error.code !== 'ESRCH' && error.code !== 'EPERM') throw error;
  }
}

/** A shell reports death by signal n as exit code 128 + n. */
function readExit(code, signal) {
  if (code === null || code <= 128) return { code, signal };
  const named = Object.entries(os.constants.signals).find(([, number]) => number === code - 128);
  return named ? { code: null, signal: named[0] } : { code, signal };
}
