import type { HistorySource } from '../domain/audit/gather.ts';
import type { Stores } from '../domain/ports.ts';
import { connectStore } from '../models/connect.ts';
import { createStores } from '../models/stores.ts';
import { loadConfig } from './config.ts';
import { connectTemporal, storeUri } from './connections.ts';
import { createHistorySource } from './histories.ts';

/** The store itself, for what cannot go through the API. */
export interface OpenedStores {
  readonly stores: Stores;
  close(): Promise<void>;
}

/** The store and the histories. */
export interface Office extends OpenedStores {
  readonly histories: HistorySource;
}

/** @throws CommandFailed or TocsinError when the store is not there */
export async function openStores(loaded = loadConfig()): Promise<OpenedStores> {
  const store = await connectStore(storeUri(loaded), { dbName: loaded.config.store.database });
  return { stores: createStores(store.connection), close: () => store.close() };
}

/** @throws CommandFailed or TocsinError when the store or Temporal is not there */
export async function openOffice(loaded = loadConfig()): Promise<Office> {
  const store = await openStores(loaded);
  try {
    const client = await connectTemporal(loaded);
    return {
      stores: store.stores,
      histories: createHistorySource(client),
      async close() {
        await client.connection.close();
        await store.close();
      },
    };
  } catch (error) {
    await store.close();
    throw error;
  }
}
