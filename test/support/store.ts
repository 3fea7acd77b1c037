import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import type { Connection } from 'mongoose';
import { obtainStore } from '../../embedded/obtain-store.mjs';
import { startStore } from '../../embedded/run-store.ts';
import { connectStore } from '../../models/connect.ts';

export interface TestStore {
  readonly uri: string;
  /** A connection to a database of its own. */
  connect(): Promise<Connection>;
  /** Closes the connections, and drops or deletes what was stored. */
  stop(): Promise<void>;
}

let databases = 0;

/** The embedded store in a temporary directory, whatever address the environment names. */
export async function startEmbeddedStore(): Promise<TestStore> {
  const { MONGODB_URI: _uri, ...env } = process.env;
  const { binary = '', kind = 'ferret' } = await obtainStore({ env });
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'tocsin-store-'));
  const server = await startStore({ binary, kind, dir });
  const opened = openDatabases(server.uri);
  return {
    uri: server.uri,
    connect: opened.connect,
    async stop() {
      await opened.close();
      await server.stop();
      fs.rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** The store at an address, in databases of our own that are dropped at the end. */
export function useStoreAt(uri: string): TestStore {
  const opened = openDatabases(uri);
  return {
    uri,
    connect: opened.connect,
    async stop() {
      await opened.drop();
      await opened.close();
    },
  };
}

function openDatabases(uri: string): {
  connect(): Promise<Connection>;
  drop(): Promise<void>;
  close(): Promise<void>;
} {
  const connections: Connection[] = [];
  return {
    async connect() {
      const dbName = `tocsin_test_${process.pid}_${Date.now()}_${++databases}`;
      const { connection } = await connectStore(uri, { dbName });
      connections.push(connection);
      return connection;
    },
    async drop() {
      for (const connection of connections) await connection.dropDatabase();
    },
    async close() {
      await Promise.all(connections.map((connection) => connection.close()));
    },
  };
}

/** From now on a connection breaks while something with this text in it is written to it. */
export function breakWritesOf(text: string): { readonly broken: () => number; readonly mend: () => void } {
  const { write } = net.Socket.prototype;
  let broken = 0;
  net.Socket.prototype.write = function (this: net.Socket, ...args: Parameters<typeof write>) {
    if (Buffer.isBuffer(args[0]) && args[0].includes(text)) {
      broken += 1;
      this.destroy();
    }
    return write.apply(this, args);
  } as typeof write;
  return { broken: () => broken, mend: () => void (net.Socket.prototype.write = write) };
}
