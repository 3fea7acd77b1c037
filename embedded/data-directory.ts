import path from 'node:path';
import { LockHeld, takeLock } from './lock.mjs';
import { ServerRefused, prepareDataDirectory } from './server-process.ts';

/** The data directory of one Tocsin, and where each thing is in it. */
export interface DataDirectory {
  root: string;
  temporalFile: string;
  storeDir: string;
  logsDir: string;
  /** Gives the directory back to others. */
  release(): void;
}

/**
 * Opens the data directory for this process alone: `TOCSIN_DATA`, by default `.tocsin` in the project. The lock
 * of a process that is gone is taken over.
 *
 * @throws ServerRefused when it cannot be written, is full, or is in use by a running Tocsin
 */
export function openDataDirectory(env: NodeJS.ProcessEnv = process.env): DataDirectory {
  const root = env['TOCSIN_DATA']
    ? path.resolve(env['TOCSIN_DATA'])
    : path.resolve(import.meta.dirname, '..', '.tocsin');
  prepareDataDirectory(root);
  try {
    const release = takeLock(path.join(root, 'lock'));
    return {
      root,
      temporalFile: path.join(root, 'temporal', 'temporal.db'),
      storeDir: path.join(root, 'store'),
      logsDir: path.join(root, 'logs'),
      release,
    };
  } catch (error) {
    if (!(error instanceof LockHeld)) throw error;
    throw new ServerRefused(
      'data-directory',
      `The data directory ${root} is in use by a running Tocsin (process ${error.holder}). Stop that one, or choose another directory with TOCSIN_DATA.`,
      { cause: error },
    );
  }
}
