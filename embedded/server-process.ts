import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { spawnGuarded, type Exit } from './guard.mjs';

/** A server that we started. It dies with us, however we die, within 10 s. */
export interface ServerHandle {
  /** Process id of the server itself. */
  pid: number;
  /** Resolves when it is gone, for whatever reason. */
  exited: Promise<Exit>;
  /** Stops it in order; killed if it has not gone after 7 s. */
  stop(): Promise<void>;
  /** `kill -9`. */
  kill(): void;
}

export type Refusal = 'port-taken' | 'data-directory' | 'data-damaged' | 'disk-full' | 'not-ready';

/** A server that could not be started, with a message that says what to do. */
export class ServerRefused extends Error {
  override name = 'ServerRefused';
  readonly refusal: Refusal;
  constructor(refusal: Refusal, message: string, options?: ErrorOptions) {
    super(message, options);
    this.refusal = refusal;
  }
}

const HOST = '127.0.0.1';

/**
 * The port to use: `wanted`, checked to be free, or a free one when `wanted` is 0.
 *
 * @throws ServerRefused `port-taken`
 */
export async function choosePort(wanted: number, what: string): Promise<number> {
  const probe = net.createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      probe.once('error', reject);
      probe.listen({ port: wanted, host: HOST, exclusive: true }, resolve);
    });
    return (probe.address() as net.AddressInfo).port;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = code === 'EADDRINUSE' ? 'is taken by another program' : `cannot be used (${code})`;
    throw new ServerRefused(
      'port-taken',
      `Port ${wanted} for ${what} ${why}. Stop that program, or choose another port for ${what}.`,
      { cause: error },
    );
  } finally {
    await new Promise((resolve) => probe.close(resolve));
  }
}

/** Room that a data directory must have left, in bytes. */
const ROOM = 16 * 1024 * 1024;

/**
 * Makes the directory if it is missing and checks that it can be written and has room.
 *
 * @throws ServerRefused `data-directory` or `disk-full`
 */
export function prepareDataDirectory(directory: string): void {
  const probe = path.join(directory, `.probe-${process.pid}`);
  try {
    fs.mkdirSync(directory, { recursive: true, mode: 0o700 });
    fs.writeFileSync(probe, 'x');
    fs.rmSync(probe);
  } catch (error) {
    throw directoryRefused(directory, error as NodeJS.ErrnoException);
  }
  const { bavail, bsize } = fs.statfsSync(directory);
  if (bavail * bsize < ROOM) throw diskFull(directory);
}

function directoryRefused(directory: string, error: NodeJS.ErrnoException): ServerRefused {
  if (error.code === 'ENOSPC' || error.code === 'EDQUOT') return diskFull(directory, error);
  const why =
    error.code === 'EROFS'
      ? 'is on a read-only file system'
      : error.code === 'EACCES' || error.code === 'EPERM'
        ? 'may not be written by this user'
        : `cannot be used (${error.message})`;
  return new ServerRefused(
    'data-directory',
    `The data directory ${directory} ${why}. Make it writable, or choose another with TOCSIN_DATA.`,
    { cause: error },
  );
}

function diskFull(directory: string, cause?: unknown): ServerRefused {
  return new ServerRefused(
    'disk-full',
    `The disk that holds the data directory ${directory} is full. Free some space, or choose another with TOCSIN_DATA.`,
    { cause },
  );
}

export interface ServerPlan {
  /** How messages name it, for example "Temporal". */
  name: string;
  binary: string;
  args: string[];
  env?: NodeJS.ProcessEnv;
  /** Where its data is, for messages. */
  data: string;
  /** Whether it serves by now. Asked again and again until it says so. */
  isReady: () => Promise<boolean>;
  /** @default 60,000 */
  readyWithinMs?: number;
  /** Gets each line that the server prints. */
  log?: ((line: string) => void) | undefined;
  /** Gives up on a start that is under way. */
  signal?: AbortSignal | undefined;
}

/**
 * Starts a server and waits until it serves.
 *
 * @throws ServerRefused when it ends or stays silent instead
 */
export async function startServer(plan: ServerPlan): Promise<ServerHandle> {
  const { name, binary, args, env, isReady, readyWithinMs = 60_000, log, signal } = plan;
  const said: string[] = [];
  const onLine = (line: string): void => {
    said.push(line);
    if (said.length > 20) said.shift();
    log?.(line);
  };
  const running = await spawnGuarded(binary, args, { env: env ?? process.env, onLine });
  const deadline = performance.now() + readyWithinMs;
  while (running.isRunning() && performance.now() < deadline && !signal?.aborted) {
    if (await isReady()) {
      return {
        pid: running.pid,
        exited: running.exited,
        kill: () => running.kill(),
        stop: async () => void (await running.stop()),
      };
    }
    await sleep(50);
  }
  if (!running.isRunning()) {
    await running.exited;
    throw explainEnd(plan, said);
  }
  await running.stop();
  signal?.throwIfAborted();
  throw new ServerRefused(
    'not-ready',
    `${name} did not begin to serve within ${readyWithinMs / 1_000} s. Its last words:\n${quote(said)}`,
  );
}

function explainEnd({ name, data }: ServerPlan, said: string[]): ServerRefused {
  const words = said.join('\n');
  if (/address already in use/i.test(words)) {
    return new ServerRefused(
      'port-taken',
      `A port that ${name} needs was taken while it started:\n${quote(said)}`,
    );
  }
  if (/no space left|disk is full/i.test(words)) return diskFull(data);
  if (/permission denied|read-?only|unable to open database/i.test(words)) {
    return new ServerRefused(
      'data-directory',
      `${name} may not write its data in ${data}. Make it writable, or choose another directory with TOCSIN_DATA.\n${quote(said)}`,
    );
  }
  if (/not a database|malformed|corrupt/i.test(words)) {
    return new ServerRefused(
      'data-damaged',
      `The data of ${name} in ${data} is damaged. Put back a copy, or move it away to start with none.\n${quote(said)}`,
    );
  }
  return new ServerRefused('not-ready', `${name} ended instead of starting. Its last words:\n${quote(said)}`);
}

function quote(said: string[]): string {
  return said.length === 0
    ? '  (it said nothing)'
    : said
        .slice(-8)
        .map((line) => `  ${line}`)
        .join('\n');
}

/** Whether something accepts TCP connections there. */
export function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect({ port, host: HOST });
    const answer = (yes: boolean) => () => {
      socket.destroy();
      resolve(yes);
    };
    socket.once('connect', answer(true));
    socket.once('error', answer(false));
    socket.setTimeout(1_000, answer(false));
  });
}
