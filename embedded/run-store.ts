import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import type { StoreKind } from './obtain-store.mjs';
import { ServerRefused, choosePort, prepareDataDirectory, startServer } from './server-process.ts';
import type { ServerHandle } from './server-process.ts';

export interface StoreOptions {
  binary: string;
  kind: StoreKind;
  /** Loopback port. @default 0, a free one */
  port?: number;
  /** Directory that holds the data, made if it is missing. */
  dir: string;
  /** Gets each line that the server prints. */
  log?: (line: string) => void;
  /** Gives up on a start that is under way. */
  signal?: AbortSignal;
}

export interface StoreHandle extends ServerHandle {
  /** Connection string without a database name. */
  uri: string;
  port: number;
}

/** Which kind wrote the data in that directory; undefined for a new one. */
export function storeKindIn(dir: string): StoreKind | undefined {
  try {
    const kind = fs.readFileSync(marker(dir), 'utf8').trim();
    return kind === 'ferret' || kind === 'mongod' ? kind : undefined;
  } catch {
    return undefined;
  }
}

const marker = (dir: string): string => path.join(dir, 'KIND');

/**
 * Runs a document store on loopback and returns when it answers `hello`.
 *
 * @throws ServerRefused with what to do: taken port, unusable directory, full disk, damaged data, data of another kind
 */
export async function startStore(options: StoreOptions): Promise<StoreHandle> {
  const { binary, kind, port: wanted = 0, dir, log, signal } = options;
  prepareDataDirectory(dir);
  const written = storeKindIn(dir);
  if (written && written !== kind) {
    throw new ServerRefused(
      'data-directory',
      `The data in ${dir} was written by ${written} and cannot be read by ${kind}. Run ${written}, or choose another directory with TOCSIN_DATA.`,
    );
  }
  fs.writeFileSync(marker(dir), `${kind}\n`);
  // A free port may be taken between our look and the server's: look again then.
  for (let attempt = 1; ; attempt++) {
    const port = await choosePort(wanted, 'the store');
    const args =
      kind === 'ferret'
        ? ['-addr', `127.0.0.1:${port}`, '-dir', dir]
        : ['--dbpath', dir, '--bind_ip', '127.0.0.1', '--port', String(port), '--nounixsocket', '--quiet'];
    try {
      const plan = {
        name: 'The store',
        binary,
        args,
        data: dir,
        isReady: () => answersHello(port),
        log,
        signal,
      };
      const server = await startServer(plan);
      // FerretDB has no retryable writes, and the driver asks for them unless told.
      const uri = `mongodb://127.0.0.1:${port}/${kind === 'ferret' ? '?retryWrites=false' : ''}`;
      return { ...server, uri, port };
    } catch (error) {
      const lostTheRace = error instanceof ServerRefused && error.refusal === 'port-taken';
      if (!lostTheRace || attempt === 3) throw error;
    }
  }
}

/** Asks `hello` over the wire protocol: a listening socket alone does not mean that the store serves. */
function answersHello(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect({ port, host: '127.0.0.1' }, () => socket.write(helloMessage()));
    const answer = (yes: boolean) => () => {
      socket.destroy();
      resolve(yes);
    };
    socket.once('data', answer(true));
    socket.once('error', answer(false));
    socket.once('close', answer(false));
    socket.setTimeout(1_000, answer(false));
  });
}

/** OP_MSG with one body section, `{ hello: 1, $db: 'admin' }` in BSON. */
function helloMessage(): Buffer {
  const elements = Buffer.concat([
    Buffer.from('\x10hello\0\x01\0\0\0', 'latin1'),
    Buffer.from('\x02$db\0\x06\0\0\0admin\0', 'latin1'),
    Buffer.from([0]),
  ]);
  const message = Buffer.alloc(25 + elements.length);
  message.writeInt32LE(message.length, 0);
  message.writeInt32LE(1, 4); // request id
  message.writeInt32LE(2013, 12); // OP_MSG
  message.writeInt32LE(elements.length + 4, 21); // after 4 bytes of flags and the section kind 0
  elements.copy(message, 25);
  return message;
}
