import fs from 'node:fs';
import path from 'node:path';
import { ROOT } from '../../bin/config.ts';
import { spawnGuarded } from '../../embedded/guard.mjs';

const PORTS = ['HTTP', 'GRPC', 'METRICS', 'TEMPORAL', 'TEMPORAL_UI', 'STORE'];

/** What `kill -9` may hit: the processes of one `tocsin start`. */
export type Part = 'worker' | 'ingest' | 'api' | 'temporal' | 'store';

const COMMAND_OF: Record<Part, (command: string) => boolean> = {
  worker: (command) => /bin\/tocsin\.ts worker$/.test(command),
  ingest: (command) => /bin\/tocsin\.ts ingest$/.test(command),
  api: (command) => /bin\/tocsin\.ts api$/.test(command),
  temporal: (command) => / server start-dev /.test(command),
  store: (command) => / -addr 127\.0\.0\.1:\d+ -dir | --dbpath /.test(command),
};

export interface Product {
  readonly said: readonly string[];
  readonly exited: Promise<{ readonly code: number | null }>;
  isRunning(): boolean;
  /** The last line of standard output. */
  report(): unknown;
  /** Messages of the feed that were acknowledged, by the bookmark; 0 before there is one. */
  position(): number;
  /** Sends SIGKILL to that part and answers its process id. */
  kill(part: Part): number;
  stop(): Promise<unknown>;
}

/** Runs `tocsin start` as a user would, on free ports and with a data directory of its own. */
export async function startProduct(directory: string, args: readonly string[]): Promise<Product> {
  const said: string[] = [];
  const printed: string[] = [];
  const kept = ['PATH', 'HOME', 'NODE_EXTRA_CA_CERTS'].map((name) => [name, process.env[name]]);
  const started = await spawnGuarded(
    process.execPath,
    ['--import', import.meta.resolve('tsx'), path.join(ROOT, 'bin', 'tocsin.ts'), 'start', ...args],
    {
      cwd: ROOT,
      env: {
        ...Object.fromEntries(kept),
        ...Object.fromEntries(PORTS.map((name) => [`TOCSIN_PORT_${name}`, '0'])),
        TOCSIN_DATA: directory,
      },
      onLine: (line, stream) => void (stream === 'stdout' ? printed : said).push(line),
    },
  );
  return {
    said,
    exited: started.exited,
    isRunning: started.isRunning,
    report: () => JSON.parse(printed.at(-1) ?? 'null') as unknown,
    position() {
      const file = path.join(directory, 'week.json');
      return fs.existsSync(file) ? (JSON.parse(fs.readFileSync(file, 'utf8')) as { event: number }).event : 0;
    },
    kill(part) {
      const pid = processOf(part, directory);
      process.kill(pid, 'SIGKILL');
      return pid;
    },
    stop: () => started.stop(),
  };
}

/** The shell that guards a command has the same words in its own command line: it is left out. */
function processOf(part: Part, directory: string): number {
  for (const name of fs.readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      if (fs.readFileSync(`/proc/${name}/comm`, 'utf8').trim() === 'sh') continue;
      const command = fs.readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
      const ours =
        command.includes(`${directory}/`) ||
        fs.readFileSync(`/proc/${name}/environ`, 'utf8').includes(`TOCSIN_DATA=${directory}\0`);
      if (ours && COMMAND_OF[part](command)) return Number(name);
    } catch {
      // It ended while we looked.
    }
  }
  throw new Error(`no ${part} process runs on ${directory}`);
}
