export interface Exit {
  code: number | null;
  signal: string | null;
}

export interface GuardedProcess {
  /** Process id of the command itself, not of its guard. */
  pid: number;
  /** Process id of the guarding shell, which leads the process group. */
  guardPid: number;
  /** Resolves once the command and everything in its group are gone. */
  exited: Promise<Exit>;
  isRunning(): boolean;
  /** SIGKILL to the command. */
  kill(): void;
  /** SIGTERM, then SIGKILL to the group after `graceMs` (default 7,000). */
  stop(graceMs?: number): Promise<Exit>;
  /** What the command sent over IPC; only with `ipc: true`. */
  onMessage(listener: (message: unknown) => void): void;
}

export interface GuardOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** Give a Node command an IPC channel. Default false. */
  ipc?: boolean;
  /** Write to our own output streams instead of `onLine`. Default false. */
  inheritOutput?: boolean;
  onLine?: (line: string, stream: 'stdout' | 'stderr') => void;
}

export function spawnGuarded(
  command: string,
  args: string[],
  options?: GuardOptions,
): Promise<GuardedProcess>;

export function runToEnd(
  command: string,
  args: string[],
  options?: GuardOptions & { timeoutMs?: number },
): Promise<Exit & { lines: string[]; timedOut: boolean; ok: boolean }>;
