import { setTimeout as sleep } from 'node:timers/promises';
import { spawnGuarded } from './guard.mjs';
import type { Exit } from './guard.mjs';

export interface RoleOptions {
  name: string;
  /** The TypeScript file to run. */
  script: string;
  args?: string[];
  /** Added to this process's environment. */
  env?: NodeJS.ProcessEnv;
  /** Node flags before the script. @default tsx's loader */
  nodeArgs?: string[];
  /** @default 60,000 */
  readyWithinMs?: number;
  /** Gets each line that the role prints. */
  log?: (line: string) => void;
  /** Gives up on a start that is under way. */
  signal?: AbortSignal;
}

/** A Node process of ours that does one job. `Ready` is what it told us with `reportReady`. */
export interface RoleHandle<Ready = unknown> {
  pid: number;
  exited: Promise<Exit>;
  ready: Ready;
  stop(): Promise<void>;
  kill(): void;
}

/** What a role sends over IPC when it serves; other packages send messages of their own over it. */
const READY = 'tocsin-ready';

/**
 * Starts a role in a process of its own and waits until it calls `reportReady`.
 *
 * @throws Error when it ends, or stays silent for `readyWithinMs`, with its last words
 */
export async function startRole<Ready = unknown>(options: RoleOptions): Promise<RoleHandle<Ready>> {
  const { name, script, args = [], env, readyWithinMs = 60_000, log } = options;
  const nodeArgs = options.nodeArgs ?? ['--import', import.meta.resolve('tsx')];
  const said: string[] = [];
  const running = await spawnGuarded(process.execPath, [...nodeArgs, script, ...args], {
    env: { ...process.env, ...env },
    ipc: true,
    onLine: (line) => {
      said.push(line);
      if (said.length > 20) said.shift();
      log?.(line);
    },
  });
  const ready = new Promise<{ info: Ready }>((resolve) => {
    running.onMessage((message) => {
      if (isReadyMessage(message)) resolve({ info: message.info as Ready });
    });
  });
  const silence = new AbortController();
  const patience = AbortSignal.any([silence.signal, ...(options.signal ? [options.signal] : [])]);
  const first = await Promise.race([
    ready,
    running.exited.then(() => 'ended' as const),
    sleep(readyWithinMs, 'silent' as const, { signal: patience }).catch(() => 'silent' as const),
  ]);
  silence.abort();
  if (typeof first === 'string') {
    await running.stop();
    options.signal?.throwIfAborted();
    const why =
      first === 'ended' ? 'ended instead of starting' : `was not ready within ${readyWithinMs / 1_000} s`;
    throw new Error(`${name} ${why}. Its last words:\n${said.map((line) => `  ${line}`).join('\n')}`);
  }
  return {
    pid: running.pid,
    exited: running.exited,
    ready: first.info,
    kill: () => running.kill(),
    stop: async () => void (await running.stop()),
  };
}

function isReadyMessage(message: unknown): message is { type: typeof READY; info: unknown } {
  return typeof message === 'object' && message !== null && 'type' in message && message.type === READY;
}

/**
 * Called by a role when it serves: tells whoever started it, with facts such as the ports it listens on.
 * `info` must be plain JSON. Does nothing in a process that was started by hand.
 */
export function reportReady(info: unknown = {}): void {
  process.send?.({ type: READY, info });
}

/**
 * Makes this process end with the one that started it, even when that one is killed: `stop` is called once, and
 * the process exits when it is done, or after `withinMs` whatever happens.
 *
 * Ctrl-C and SIGTERM are taken as the same request; a second one after 2 s exits at once. (A terminal sends
 * Ctrl-C to every process at once and each passes it on, so one key press arrives several times.)
 *
 * @param withinMs default 9,500, so that everything is gone within 10 s
 */
export function exitWithParent(stop: () => Promise<void> | void = () => {}, withinMs = 9_500): void {
  let askedAt: number | undefined;
  const request = (exitCode: number) => (): void => {
    if (askedAt !== undefined) {
      if (performance.now() - askedAt > 2_000) process.exit(exitCode);
      return;
    }
    askedAt = performance.now();
    setTimeout(() => process.exit(exitCode || 1), withinMs).unref();
    Promise.resolve()
      .then(stop)
      .then(
        () => process.exit(exitCode),
        (error: unknown) => {
          process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
          process.exit(1);
        },
      );
  };
  process.on('SIGINT', request(130));
  process.on('SIGTERM', request(0));
  process.on('SIGHUP', request(129));
  if (process.channel) {
    process.on('disconnect', request(0));
    // The channel must not keep a process alive that has finished its work.
    process.channel.unref();
  }
}
