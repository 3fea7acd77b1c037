import fs from 'node:fs';
import net from 'node:net';
import { createRequire } from 'node:module';
import path from 'node:path';
import { obtainStore } from '../embedded/obtain-store.mjs';
import { obtainTemporal } from '../embedded/obtain-temporal.mjs';
import { storeKindIn } from '../embedded/run-store.ts';
import { connectStore } from '../models/connect.ts';
import { probeStore } from '../models/probe.ts';
import { dataDirectory, loadConfig } from './config.ts';
import type { LoadedConfig } from './config.ts';
import { connectTemporal, storeUri } from './connections.ts';
import { readCredentials } from './credentials.ts';
import { readRunning } from './running.ts';
import type { Running } from './running.ts';

/** One thing that was looked at. `off`: it does not run, and need not. */
export interface Symptom {
  readonly what: string;
  readonly state: 'good' | 'odd' | 'bad' | 'off';
  readonly found: string;
  /** Empty when nothing need be done. */
  readonly remedy: string;
}

type Finding = Omit<Symptom, 'what'>;

const good = (found: string): Finding => ({ state: 'good', found, remedy: '' });
const off = (found: string, remedy = ''): Finding => ({ state: 'off', found, remedy });
const odd = (found: string, remedy: string): Finding => ({ state: 'odd', found, remedy });
const bad = (found: string, remedy: string): Finding => ({ state: 'bad', found, remedy });

const isList = (seen: Finding | readonly Symptom[]): seen is readonly Symptom[] => Array.isArray(seen);

/** Looks at everything, changes nothing, and stops at nothing: what cannot be looked at is itself a symptom. */
export async function examine(): Promise<Symptom[]> {
  const symptoms: Symptom[] = [];
  const look = async (
    what: string,
    see: () => Finding | Promise<Finding | readonly Symptom[]>,
  ): Promise<void> => {
    try {
      const seen = await see();
      if (isList(seen)) symptoms.push(...seen);
      else symptoms.push({ what, ...seen });
    } catch (error) {
      const said = error instanceof Error ? error.message : String(error);
      symptoms.push({ what, ...bad(said.split('\n')[0]!, said.split('\n').slice(1).join(' ').trim()) });
    }
  };

  await look('Node.js', nodeVersion);
  await look('Tocsin', () => good(versionOf('../package.json')));
  await look('Temporal SDK', () => good(versionOf('@temporalio/worker/package.json')));
  let loaded: LoadedConfig | undefined;
  await look('settings', () => {
    loaded = loadConfig();
    return settings(loaded);
  });
  await look('data directory', dataIsWritable);
  await look('disk', disk);
  await look('credentials', credentials);
  if (loaded === undefined) return symptoms;

  const settled = loaded;
  const running = readRunning();
  await look('Tocsin on this machine', () =>
    running
      ? good(`process ${running.pid}, since ${new Date(running.startedAtMs).toISOString()}`)
      : off('does not run', 'npm start'),
  );
  await look('Temporal server, obtained', async () =>
    good((await obtainTemporal({ presentOnly: true })).why),
  );
  await look('store, obtained', async () => {
    const keep = storeKindIn(path.join(dataDirectory(), 'store'));
    return good((await obtainStore({ presentOnly: true, keep })).why);
  });
  if (running) {
    await look('HTTP API', () => httpAnswers(running));
    await look('gRPC ingestion', () => portAnswers(running.grpc));
    if (running.temporalUi)
      await look('Temporal web UI', () => portAnswers(new URL(running.temporalUi!).host));
  } else {
    for (const [what, port] of portsOf(settled)) await look(what, () => portIsFree(port));
  }
  if (running || process.env['TEMPORAL_ADDRESS']) await look('Temporal', () => temporalAnswers(settled));
  if (running?.store || settled.config.store.uri) await look('store', () => storeAnswers(settled));
  return symptoms;
}

const OLDEST_SAFE: Readonly<Record<number, readonly [number, number]>> = {
  20: [20, 2],
  22: [22, 2],
  24: [14, 1],
};

function nodeVersion(): Finding {
  const [major = 0, minor = 0, patch = 0] = process.versions.node.split('.').map(Number);
  const found = process.versions.node;
  if (major < 20 || (major === 20 && minor < 19)) return bad(found, 'Install Node.js 20.19 or newer.');
  const safe = OLDEST_SAFE[major];
  if (safe && (minor < safe[0] || (minor === safe[0] && patch < safe[1])))
    return odd(found, `Versions of ${major} before ${major}.${safe.join('.')} have known faults in HTTP/2.`);
  return good(found);
}

function versionOf(name: string): string {
  return (createRequire(import.meta.url)(name) as { version: string }).version;
}

function settings({ file, profileName, unknownVariables }: LoadedConfig): Finding {
  const found = `${file ?? 'no file, defaults'}, profile ${profileName}`;
  return unknownVariables.length === 0
    ? good(found)
    : odd(found, `These variables mean nothing: ${unknownVariables.join(', ')}. See .env.example.`);
}

function dataIsWritable(): Finding {
  const directory = dataDirectory();
  const existing = fs.existsSync(directory) ? directory : path.dirname(directory);
  try {
    fs.accessSync(existing, fs.constants.W_OK);
  } catch {
    return bad(directory, 'Make it writable, or choose another with TOCSIN_DATA.');
  }
  return existing === directory ? good(directory) : off(`${directory}, not made yet`);
}

const GIB = 1024 ** 3;

function disk(): Finding {
  const directory = dataDirectory();
  const { bavail, blocks, bsize } = fs.statfsSync(
    fs.existsSync(directory) ? directory : path.dirname(directory),
  );
  const freeGib = (bavail * bsize) / GIB;
  const found = `${freeGib.toFixed(1)} GiB free of ${((blocks * bsize) / GIB).toFixed(1)}`;
  if (freeGib < 0.5) return bad(found, 'Free some space: ingestion stops when the disk is full.');
  return freeGib < 2 ? odd(found, 'Free some space soon.') : good(found);
}

function credentials(): Finding {
  const directory = dataDirectory();
  const known = readCredentials(directory);
  if (known === null) return off('none yet', 'They are made at the first start.');
  const file = path.join(directory, 'credentials.json');
  const mode = fs.statSync(file).mode & 0o777;
  return (mode & 0o077) === 0
    ? good(`${Object.keys(known).length} keys, readable by you alone`)
    : bad(`${file} can be read by others (mode ${mode.toString(8)})`, `chmod 600 ${file}`);
}

function portsOf({ config: { listen } }: LoadedConfig): (readonly [string, number])[] {
  return [
    ['port for HTTP', listen.http],
    ['port for gRPC', listen.grpc],
    ['port for metrics', listen.metrics],
    ['port for Temporal', listen.temporal],
    ['port for the Temporal web UI', listen.temporal_ui],
  ];
}

async function portIsFree(port: number): Promise<Finding> {
  if (port === 0) return good('a free one is taken');
  return (await accepts('127.0.0.1', port))
    ? bad(`${port} is taken by another program`, 'Stop that program, or choose another with TOCSIN_PORT_*.')
    : good(`${port} is free`);
}

async function portAnswers(hostAndPort: string): Promise<Finding> {
  const at = hostAndPort.lastIndexOf(':');
  return (await accepts(hostAndPort.slice(0, at), Number(hostAndPort.slice(at + 1))))
    ? good(hostAndPort)
    : bad(`${hostAndPort} does not answer`, 'See .tocsin/logs; the supervisor restarts what ends.');
}

function accepts(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect({ host, port });
    const answer = (yes: boolean) => () => {
      socket.destroy();
      resolve(yes);
    };
    socket.once('connect', answer(true));
    socket.once('error', answer(false));
    socket.setTimeout(2_000, answer(false));
  });
}

async function httpAnswers({ http }: Running): Promise<Finding> {
  const response = await fetch(`${http}/readyz`, { signal: AbortSignal.timeout(5_000) }).catch(() => null);
  if (response === null) return bad(`${http} does not answer`, 'See .tocsin/logs/api.log.');
  const body = (await response.json().catch(() => ({}))) as Record<string, unknown>;
  return response.ok
    ? good(`${http} is ready`)
    : bad(`${http} is not ready: ${JSON.stringify(body)}`, 'See .tocsin/logs.');
}

async function temporalAnswers(loaded: LoadedConfig): Promise<Finding> {
  const client = await connectTemporal(loaded);
  try {
    const { serverVersion } = await client.workflowService.getSystemInfo({});
    return good(`server ${serverVersion ?? 'of unknown version'}, namespace ${client.options.namespace}`);
  } finally {
    await client.connection.close();
  }
}

/** More than this apart, times in the record can no longer be compared. */
const APART_MS = 2_000;

async function storeAnswers(loaded: LoadedConfig): Promise<readonly Symptom[]> {
  const store = await connectStore(storeUri(loaded), { dbName: loaded.config.store.database });
  try {
    const found = await probeStore(store.connection);
    const { backend, insertRace, compareAndSet, reads, transactions, clockAheadMs } = found;
    const apart = `${new Date().toISOString()}, ${Math.abs(clockAheadMs)} ms from the store's`;
    return [
      { what: 'store', ...good(`${backend.kind}, speaks as MongoDB ${backend.version}`) },
      {
        what: 'store, insert race',
        ...(found.usable
          ? good(`1 winner of ${insertRace.contenders}`)
          : bad(
              `${insertRace.winners} winners of ${insertRace.contenders}`,
              'This store cannot hold what must happen once. Use MongoDB, or the embedded store.',
            )),
      },
      {
        what: 'store, what it can do',
        ...good(
          `compare-and-set ${compareAndSet.winners} of ${compareAndSet.contenders} win (not relied on), transactions ${transactions ? 'yes' : 'no'} (not relied on), read by id ${reads.exactMs.toFixed(1)} ms among ${reads.documents}`,
        ),
      },
      {
        what: 'clock',
        ...(Math.abs(clockAheadMs) > APART_MS ? bad(apart, 'Set the clocks by NTP.') : good(apart)),
      },
    ];
  } finally {
    await store.close();
  }
}
