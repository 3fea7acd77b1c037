import { Client, Connection } from '@temporalio/client';
import type { LoadedConfig } from './config.ts';
import { CommandFailed, EXIT } from './exit-codes.ts';
import { readRunning } from './running.ts';
import { temporalConnection } from './temporal-profile.ts';

/**
 * The connection string of the store: MONGODB_URI, or the one of the Tocsin that runs on this machine.
 *
 * @throws CommandFailed (unavailable) when there is neither
 */
export function storeUri({ config }: LoadedConfig): string {
  const uri = config.store.uri ?? readRunning()?.store;
  if (uri) return uri;
  throw new CommandFailed(
    EXIT.unavailable,
    'STORE_MISSING',
    'No store is known. Start Tocsin on this machine with npm start, or give a MongoDB address with MONGODB_URI.',
  );
}

/**
 * Connects to Temporal: the profile in use, or the server of the Tocsin that runs on this machine.
 *
 * @throws CommandFailed (unavailable) when it is not there
 */
export async function connectTemporal(loaded: LoadedConfig): Promise<Client> {
  const env = withRunningTemporal(process.env);
  const { connectionOptions, namespace } = temporalConnection(loaded, env);
  try {
    const connection = await Connection.connect({ ...connectionOptions, connectTimeout: '10s' });
    return new Client({ connection, namespace });
  } catch (error) {
    throw new CommandFailed(
      EXIT.unavailable,
      'TEMPORAL_UNREACHABLE',
      `Temporal at ${connectionOptions.address ?? 'localhost:7233'} does not answer. Start Tocsin on this machine with npm start, or name another with TEMPORAL_ADDRESS.`,
      { cause: error },
    );
  }
}

/** The embedded server of a running Tocsin stands in where nobody named one. */
export function withRunningTemporal(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const running = env['TEMPORAL_ADDRESS'] || env['TOCSIN_PROFILE'] ? null : readRunning();
  return running === null
    ? env
    : { ...env, TEMPORAL_ADDRESS: running.temporal, TEMPORAL_NAMESPACE: running.namespace };
}
