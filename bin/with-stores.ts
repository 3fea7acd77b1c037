import type { Stores } from '../domain/ports.ts';
import type { LoadedConfig } from './config.ts';

/**
 * Opens the store for some work and closes it after, however the work ends.
 *
 * @throws CommandFailed or TocsinError when the store is not there, and what the work throws
 */
export async function withStores<T>(work: (stores: Stores) => Promise<T>, loaded?: LoadedConfig): Promise<T> {
  // Loaded here: the store's driver would make every command start late, --help too.
  const { openStores } = await import('./office.ts');
  const office = await openStores(loaded);
  try {
    return await work(office.stores);
  } finally {
    await office.close();
  }
}
