import type { DataDirectory } from '../embedded/data-directory.ts';
import { openRoleLog } from '../embedded/log-file.ts';
import { obtainStore } from '../embedded/obtain-store.mjs';
import { obtainTemporal } from '../embedded/obtain-temporal.mjs';
import { startStore, storeKindIn } from '../embedded/run-store.ts';
import type { StoreHandle } from '../embedded/run-store.ts';
import { startTemporal } from '../embedded/run-temporal.ts';
import type { TemporalHandle } from '../embedded/run-temporal.ts';
import type { Supervisor } from '../embedded/supervise.ts';
import type { LoadedConfig } from './config.ts';
import { temporalConnection } from './temporal-profile.ts';

/** The two servers that everything stands on, ours or given. */
export interface Servers {
  readonly temporal: string;
  readonly namespace: string;
  /** null when the server was given: we do not know its web UI. */
  readonly temporalUi: string | null;
  readonly storeUri: string;
  /** False when the store was given: its address may hold a password and is written nowhere. */
  readonly storeIsOurs: boolean;
}

/** Finds or obtains both servers, says which and why, and runs those that are not given. */
export async function startServers(
  supervisor: Supervisor,
  data: DataDirectory,
  loaded: LoadedConfig,
  say: (line: string) => void,
): Promise<Servers> {
  const kept = storeKindIn(data.storeDir);
  const [temporal, store] = await Promise.all([
    obtainTemporal({ log: say }),
    obtainStore({ log: say, keep: kept }),
  ]);
  say(`Temporal: ${temporal.why}`);
  say(`store: ${store.why}`);
  const [ourTemporal, ourStore] = await Promise.all([
    temporal.from === 'address' ? null : runTemporal(supervisor, data, loaded, temporal.binary),
    store.from === 'address' ? null : runStore(supervisor, data, loaded, store.binary, store.kind),
  ]);
  const given = temporalConnection(loaded);
  return {
    temporal: ourTemporal?.address ?? temporal.address ?? given.connectionOptions.address!,
    namespace: ourTemporal ? namespaceOf(loaded) : given.namespace,
    temporalUi: ourTemporal?.uiAddress ?? null,
    storeUri: ourStore?.uri ?? store.uri!,
    storeIsOurs: ourStore !== null,
  };
}

function namespaceOf({ config, profileName }: LoadedConfig): string {
  return config.profile[profileName]?.namespace ?? 'tocsin';
}

function runTemporal(
  supervisor: Supervisor,
  data: DataDirectory,
  loaded: LoadedConfig,
  binary: string,
): Promise<TemporalHandle> {
  const { listen, search_attributes: searchAttributes } = loaded.config;
  const log = openRoleLog(data.logsDir, 'temporal');
  return supervisor.run<TemporalHandle>({
    name: 'temporal',
    start: (previous, signal) =>
      startTemporal({
        binary,
        // After a crash on the same port: everything that is connected waits for it there.
        port: previous?.port ?? listen.temporal,
        uiPort: previous?.uiPort ?? listen.temporal_ui,
        dbFile: data.temporalFile,
        namespace: namespaceOf(loaded),
        searchAttributes,
        log: (line) => log.write(line),
        signal,
      }),
  });
}

function runStore(
  supervisor: Supervisor,
  data: DataDirectory,
  { config }: LoadedConfig,
  binary: string,
  kind: 'ferret' | 'mongod',
): Promise<StoreHandle> {
  const log = openRoleLog(data.logsDir, 'store');
  return supervisor.run<StoreHandle>({
    name: 'store',
    start: (previous, signal) =>
      startStore({
        binary,
        kind,
        port: previous?.port ?? config.listen.store,
        dir: data.storeDir,
        log: (line) => log.write(line),
        signal,
      }),
  });
}
