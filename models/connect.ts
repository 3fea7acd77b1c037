import mongoose from 'mongoose';
import type { Connection } from 'mongoose';
import { storeFailure } from './failure.ts';

export interface ConnectOptions {
  /** Database that holds Tocsin's collections. @default the one in the connection string, else `tocsin` */
  dbName?: string;
  /** How long a call waits for a store that is not there before it fails. @default 5_000 */
  serverSelectionTimeoutMs?: number;
  /** How long a sent call waits for its answer; its outcome is then unknown. @default 15_000 */
  answerTimeoutMs?: number;
}

export interface StoreConnection {
  readonly connection: Connection;
  close(): Promise<void>;
}

/**
 * Connects to a MongoDB-compatible store and answers when it is reachable.
 *
 * No retryable writes: FerretDB may apply them twice, and every write of ours is repeatable by its key anyway.
 * Acknowledged means journalled by a majority, where the store knows these words.
 *
 * @param uri MongoDB connection string
 * @throws TocsinError STORE_UNAVAILABLE
 */
export async function connectStore(uri: string, options: ConnectOptions = {}): Promise<StoreConnection> {
  const { serverSelectionTimeoutMs = 5_000, answerTimeoutMs = 15_000 } = options;
  const dbName = options.dbName ?? (databaseIn(uri) || 'tocsin');
  const connection = mongoose.createConnection(uri, {
    dbName,
    retryWrites: false,
    writeConcern: { w: 'majority', journal: true },
    bufferCommands: false,
    autoIndex: false,
    autoCreate: false,
    maxPoolSize: 32,
    serverSelectionTimeoutMS: serverSelectionTimeoutMs,
    connectTimeoutMS: serverSelectionTimeoutMs,
    socketTimeoutMS: answerTimeoutMs,
  });
  try {
    await connection.asPromise();
  } catch (error) {
    await connection.close().catch(() => undefined);
    throw storeFailure(error);
  }
  return { connection, close: () => connection.close() };
}

/** `mongodb://host/name?…` names a database after the hosts. */
function databaseIn(uri: string): string {
  const afterHosts = /^mongodb(?:\+srv)?:\/\/[^/]*\/([^?]*)/.exec(uri)?.[1] ?? '';
  return decodeURIComponent(afterHosts);
}
