import type { ObtainedFrom, ObtainOptions } from './obtain.mjs';

/** What stands behind the MongoDB wire protocol. */
export type StoreKind = 'ferret' | 'mongod';

/** A document store to connect to (`uri`) or to run (`binary`, `kind`), and why this one. */
export type ObtainedStore =
  | { from: 'address'; why: string; uri: string; binary?: never; kind?: never }
  | { from: Exclude<ObtainedFrom, 'address'>; why: string; binary: string; kind: StoreKind; uri?: never };

export interface ObtainStoreOptions extends ObtainOptions {
  /** Take only this kind, because the data directory was written by it (see `storeKindIn`). */
  keep?: StoreKind | undefined;
}

/**
 * Finds or obtains a document store: `MONGODB_URI`, `mongod` on PATH, the cache, the public download of a real
 * mongod where the network has it, our own build of FerretDB over SQLite.
 *
 * @throws NotObtained when nothing works, with each attempt, its reason and its fix
 */
export function obtainStore(options?: ObtainStoreOptions): Promise<ObtainedStore>;
