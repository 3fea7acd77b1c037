import path from 'node:path';
import { runToEnd } from './guard.mjs';
import { ServerRefused, accepts, choosePort, prepareDataDirectory, startServer } from './server-process.ts';
import type { ServerHandle } from './server-process.ts';

export type SearchAttributeType = 'Keyword' | 'Int' | 'Text' | 'Double' | 'Bool' | 'Datetime' | 'KeywordList';

export interface TemporalOptions {
  /** The Temporal CLI, see `obtainTemporal`. */
  binary: string;
  /** Loopback port of the front end. @default 0, a free one */
  port?: number;
  /** Loopback port of the web UI, 0 for a free one. @default no web UI */
  uiPort?: number;
  /** SQLite file. @default in memory, gone with the process */
  dbFile?: string;
  /** Registered at start. */
  namespace: string;
  /** Registered at start, by name. */
  searchAttributes?: Record<string, SearchAttributeType>;
  /** Server settings by name: `limit.historyCount.suggestContinueAsNew`. */
  dynamicConfig?: Record<string, string | number | boolean>;
  /** Gets each line that the server prints (warnings and worse). */
  log?: (line: string) => void;
  /** Gives up on a start that is under way. */
  signal?: AbortSignal;
}

export interface TemporalHandle extends ServerHandle {
  /** `127.0.0.1:port` */
  address: string;
  port: number;
  /** `http://127.0.0.1:port`, when there is a web UI. */
  uiAddress?: string;
  uiPort?: number;
}

/**
 * Runs a Temporal server on loopback and returns when the namespace and the search attributes are there.
 *
 * A file survives `kill -9`; with `synchronous=normal` a power cut may lose the last transactions.
 *
 * @throws ServerRefused with what to do: taken port, unusable directory, full disk, damaged file
 */
export async function startTemporal(options: TemporalOptions): Promise<TemporalHandle> {
  const { dbFile } = options;
  if (dbFile) prepareDataDirectory(path.dirname(dbFile));
  // A free port may be taken between our look and the server's: look again then.
  for (let attempt = 1; ; attempt++) {
    const port = await choosePort(options.port ?? 0, 'Temporal');
    const uiPort =
      options.uiPort === undefined ? undefined : await choosePort(options.uiPort, 'the Temporal web UI');
    try {
      return await start(options, port, uiPort);
    } catch (error) {
      const lostTheRace = error instanceof ServerRefused && error.refusal === 'port-taken';
      if (!lostTheRace || attempt === 3) throw error;
    }
  }
}

async function start(options: TemporalOptions, port: number, uiPort?: number): Promise<TemporalHandle> {
  const { binary, dbFile, namespace, searchAttributes = {}, log, signal } = options;
  const address = `127.0.0.1:${port}`;
  const args = ['server', 'start-dev', '--ip', '127.0.0.1', '--port', String(port), '--log-level', 'warn'];
  if (uiPort === undefined) args.push('--headless');
  else args.push('--ui-ip', '127.0.0.1', '--ui-port', String(uiPort));
  if (dbFile) {
    // Full sync is a third of the speed and protects against nothing that kill -9 can do.
    args.push('--db-filename', dbFile);
    args.push('--sqlite-pragma', 'journal_mode=wal', '--sqlite-pragma', 'synchronous=normal');
  }
  args.push('--namespace', namespace);
  for (const [name, type] of Object.entries(searchAttributes))
    args.push('--search-attribute', `${name}=${type}`);
  for (const [name, value] of Object.entries(options.dynamicConfig ?? {}))
    args.push('--dynamic-config-value', `${name}=${value}`);

  const env = withoutClientSettings(process.env);
  const ask = async (...question: string[]): Promise<string | undefined> => {
    const run = await runToEnd(binary, [...question, '--address', address], { env, timeoutMs: 5_000 });
    return run.ok ? run.lines.join('\n') : undefined;
  };
  const isReady = async (): Promise<boolean> => {
    if (!(await accepts(port))) return false;
    if ((await ask('operator', 'namespace', 'describe', '--namespace', namespace)) === undefined)
      return false;
    const names = Object.keys(searchAttributes);
    if (names.length === 0) return true;
    const list = await ask('operator', 'search-attribute', 'list', '--namespace', namespace);
    return list !== undefined && names.every((name) => list.includes(name));
  };

  const data = dbFile ?? 'memory';
  const server = await startServer({ name: 'Temporal', binary, args, env, data, isReady, log, signal });
  const ui = uiPort === undefined ? {} : { uiPort, uiAddress: `http://127.0.0.1:${uiPort}` };
  return { ...server, address, port, ...ui };
}

/** A user's TEMPORAL_ADDRESS, TLS or profile speaks of another server than this one. */
function withoutClientSettings(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const rest = Object.entries(env).filter(([name]) => !name.startsWith('TEMPORAL_'));
  return { ...Object.fromEntries(rest), TEMPORAL_CONFIG_FILE: '/dev/null' };
}
