import fs from 'node:fs';
import path from 'node:path';
import { openDataDirectory } from '../embedded/data-directory.ts';
import type { DataDirectory } from '../embedded/data-directory.ts';
import { openRoleLog } from '../embedded/log-file.ts';
import { exitWithParent, startRole } from '../embedded/role.ts';
import type { RoleHandle } from '../embedded/role.ts';
import { choosePort } from '../embedded/server-process.ts';
import { createSupervisor } from '../embedded/supervise.ts';
import type { Supervisor, SupervisorEvent } from '../embedded/supervise.ts';
import { connectStore } from '../models/connect.ts';
import { createStores } from '../models/stores.ts';
import { bookmarkIn } from './bookmark.ts';
import { ROOT, loadConfig } from './config.ts';
import type { LoadedConfig } from './config.ts';
import { ensureCredentials } from './credentials.ts';
import type { Credentials } from './credentials.ts';
import { CommandFailed, EXIT } from './exit-codes.ts';
import { openOffice } from './office.ts';
import { facts, printJson, say } from './output.ts';
import { announceRunning } from './running.ts';
import type { Running } from './running.ts';
import { seed } from './seed.ts';
import { startServers } from './servers.ts';
import type { Servers } from './servers.ts';
import { printSummary, summarise } from './summary.ts';

export interface StartOptions {
  /** Play the week, print a summary, stop. */
  readonly once?: boolean;
  /** Times the clock, or as fast as acknowledged. */
  readonly speed: number | 'max';
  /** Begin with empty data. */
  readonly fresh?: boolean;
  /** False: play nothing. */
  readonly demo: boolean;
  readonly json?: boolean;
  /** Milliseconds that the clock of the week stands still for a question. */
  readonly hold: number;
}

/** What serves, and how to reach it. */
interface Started {
  readonly running: Running;
  readonly servers: Servers;
  readonly credentials: Credentials;
  readonly loaded: LoadedConfig;
  readonly data: DataDirectory;
}

/**
 * Runs everything on this machine: servers, roles, first data, and the week. With `once` it ends with a summary;
 * otherwise it serves until it is stopped.
 *
 * @throws CommandFailed, ServerRefused, NotObtained or ServiceGaveUp with what to do; everything is stopped by then
 */
export async function start(options: StartOptions): Promise<void> {
  const startedMs = performance.now();
  const loaded = loadConfig();
  if (loaded.config.ingest.tls !== undefined && (options.demo || options.once)) {
    throw new CommandFailed(
      EXIT.usage,
      'CONFIG_REFUSED',
      'The week is sent over gRPC in plain text, and ingest.tls asks for TLS. Start with --no-demo, or without ingest.tls.',
    );
  }
  const data = openDataDirectory();
  const supervisor = createSupervisor({ onEvent: tell });
  const stopping = new AbortController();
  let takeBack = (): void => {};
  const stopAll = async (): Promise<void> => {
    stopping.abort();
    takeBack();
    await supervisor.stop();
    data.release();
  };
  exitWithParent(stopAll);
  const givenUp = supervisor.gaveUp.then((error) => Promise.reject(error));

  const run = async (): Promise<void> => {
    const started = await startAll(supervisor, data, loaded, options);
    takeBack = announceRunning(started.running, data.root);
    say(`ready in ${((performance.now() - startedMs) / 1_000).toFixed(1)} s`);
    say(whereItServes(started));
    if (options.demo || options.once) await play(started, options, startedMs, stopping.signal);
    if (!options.once) {
      say('Serving. Ctrl-C stops everything in order.');
      await new Promise(() => {});
    }
  };
  try {
    await Promise.race([run(), givenUp]);
  } catch (error) {
    // What fails because everything is being stopped is no failure; the stop ends the process.
    if (stopping.signal.aborted && !(error instanceof Error && error.name === 'ServiceGaveUp')) {
      await new Promise(() => {});
    }
    await stopAll();
    throw error;
  }
  await stopAll();
  process.exit(process.exitCode ?? EXIT.ok);
}

async function startAll(
  supervisor: Supervisor,
  data: DataDirectory,
  loaded: LoadedConfig,
  options: StartOptions,
): Promise<Started> {
  if (options.fresh) forgetData(data);
  const { listen, tenant, store } = loaded.config;
  const http = await choosePort(listen.http, 'the HTTP API (TOCSIN_PORT_HTTP)');
  const grpc = await choosePort(listen.grpc, 'gRPC ingestion (TOCSIN_PORT_GRPC)');
  const metrics = listen.metrics && (await choosePort(listen.metrics, 'metrics (TOCSIN_PORT_METRICS)'));
  const servers = await startServers(supervisor, data, loaded, say);
  const { credentials, principals, created } = ensureCredentials(data.root, tenant);
  if (created) say(`credentials: made, in ${path.join(data.root, 'credentials.json')}`);

  const connected = await connectStore(servers.storeUri, { dbName: store.database });
  try {
    await seed({ stores: createStores(connected.connection), principals, say, nowMs: Date.now() });
  } finally {
    await connected.close();
  }

  const clock = options.demo || options.once ? 'feed' : loaded.config.clock;
  const env = {
    TEMPORAL_ADDRESS: servers.temporal,
    TEMPORAL_NAMESPACE: servers.namespace,
    MONGODB_URI: servers.storeUri,
    TOCSIN_DATA: data.root,
    TOCSIN_CLOCK: clock,
    TOCSIN_PORT_HTTP: String(http),
    TOCSIN_PORT_GRPC: String(grpc),
    ...(servers.temporalUi === null ? {} : { TOCSIN_TEMPORAL_UI: servers.temporalUi }),
    // One machine, one Ctrl-C: nobody waits a minute for it.
    TOCSIN_WORKER_SHUTDOWN_GRACE: '4s',
  };
  // Each process has its own metrics; on one machine they cannot share a port.
  const metricsOf: Record<string, number> = { ingest: 0, worker: 1, api: 2 };
  await Promise.all(
    ['worker', 'api', 'ingest', 'jobs'].map((name) => {
      const port = metrics === 0 ? 0 : metrics + (metricsOf[name] ?? 3);
      return runRole(supervisor, data, name, { ...env, TOCSIN_PORT_METRICS: String(port) });
    }),
  );

  return {
    running: {
      pid: process.pid,
      startedAtMs: Date.now(),
      http: `http://${listen.host}:${http}`,
      grpc: `${listen.host}:${grpc}`,
      temporal: servers.temporal,
      namespace: servers.namespace,
      temporalUi: servers.temporalUi,
      clock,
      store: servers.storeIsOurs ? servers.storeUri : null,
    },
    servers,
    credentials,
    loaded,
    data,
  };
}

function runRole(
  supervisor: Supervisor,
  data: DataDirectory,
  name: string,
  env: NodeJS.ProcessEnv,
): Promise<RoleHandle> {
  const log = openRoleLog(data.logsDir, name);
  return supervisor.run({
    name,
    start: (_previous, signal) =>
      startRole({
        name,
        script: path.join(ROOT, 'bin', 'tocsin.ts'),
        args: [name],
        env,
        log: (line) => log.write(line),
        signal,
      }),
  });
}

/** Only what the embedded servers hold: a store that was given is somebody else's. */
function forgetData(data: DataDirectory): void {
  if (process.env['MONGODB_URI'] || process.env['TEMPORAL_ADDRESS']) {
    throw new CommandFailed(
      EXIT.usage,
      'FRESH_REFUSED',
      'With --fresh the data of the embedded servers is deleted, and TEMPORAL_ADDRESS or MONGODB_URI names others. Unset them, or leave --fresh out and empty those yourself.',
    );
  }
  fs.rmSync(path.dirname(data.temporalFile), { recursive: true, force: true });
  fs.rmSync(data.storeDir, { recursive: true, force: true });
  fs.rmSync(bookmarkIn(data.root), { force: true });
}

async function play(
  { running, credentials, loaded, data }: Started,
  options: StartOptions,
  startedMs: number,
  signal: AbortSignal,
): Promise<void> {
  const { playWeek } = await import('./play-week.ts');
  const events = await playWeek({
    running,
    credentials,
    speed: options.speed,
    holdMs: options.hold,
    bookmark: bookmarkIn(data.root),
    signal,
  });
  const office = await openOffice(loaded);
  try {
    const { tenant } = loaded.config;
    const bundles = path.join(data.root, 'bundles');
    const summary = await summarise({ events, tenant, office, bundles, startedMs });
    printSummary(summary);
    if (!options.once) return;
    if (options.json) printJson(summary.report);
    process.exitCode = summary.problems.length === 0 ? EXIT.ok : EXIT.failed;
  } finally {
    await office.close();
  }
}

function whereItServes({ running, data }: Started): string {
  return facts([
    ['console', running.http],
    ['HTTP API', `${running.http}/docs`],
    ['gRPC', running.grpc],
    ...(running.temporalUi ? ([['Temporal web UI', running.temporalUi]] as const) : []),
    ['data', data.root],
  ]);
}

function tell(event: SupervisorEvent): void {
  switch (event.event) {
    case 'ended':
      say(
        `${event.name} ended (${event.exit.signal ?? `exit code ${event.exit.code}`}); it is being restarted`,
      );
      return;
    case 'start-failed':
      say(`${event.name} did not start: ${event.error.message}`);
      return;
    case 'started':
    case 'restarting':
    case 'stopped':
      return;
    default:
      event satisfies never;
  }
}
