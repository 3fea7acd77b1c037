import { once } from 'node:events';
import http2 from 'node:http2';
import net from 'node:net';
import type { Door } from './door.ts';
import { reading, VENDOR_KEY } from './door.ts';

/** Clients that mean harm, on the level of HTTP/2 frames. */
export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
export const TYPE = {
  data: 0,
  headers: 1,
  reset: 3,
  settings: 4,
  ping: 6,
  window: 8,
  continuation: 9,
} as const;

/** One HTTP/2 frame. */
export function frame(
  type: number,
  flags: number,
  stream: number,
  payload: Buffer = Buffer.alloc(0),
): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** Header fields as literals that are not indexed: what an attacker needs no table for. */
export function headerBlock(fields: Readonly<Record<string, string>>): Buffer {
  const parts: Buffer[] = [];
  for (const [name, value] of Object.entries(fields)) {
    parts.push(Buffer.from([0]), text(name), text(value));
  }
  return Buffer.concat(parts);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  if (bytes.length < 127) return Buffer.concat([Buffer.from([bytes.length]), bytes]);
  const length: number[] = [127];
  let left = bytes.length - 127;
  for (; left >= 128; left = Math.floor(left / 128)) length.push((left % 128) + 128);
  return Buffer.concat([Buffer.from([...length, left]), bytes]);
}

export const PUBLISH_ONCE = '/tocsin.v1.IngestService/PublishOnce';
export const PUBLISH = '/tocsin.v1.IngestService/Publish';

export const callHeaders = (path: string, more: Record<string, string> = {}): Record<string, string> => ({
  ':method': 'POST',
  ':scheme': 'http',
  ':path': path,
  ':authority': 'door',
  'content-type': 'application/grpc',
  te: 'trailers',
  authorization: `Bearer ${VENDOR_KEY}`,
  ...more,
});

/** A connection on which anything may be written; what comes back is counted and dropped. */
export interface Raw {
  readonly socket: net.Socket;
  readonly closed: Promise<unknown>;
  received(): number;
  /** Writes, and waits where the kernel's buffer is full; false once the other side has closed. */
  write(bytes: Buffer): Promise<boolean>;
}

export async function connectRaw(door: Pick<Door, 'address'>): Promise<Raw> {
  const socket = net.connect(Number(door.address.split(':')[1]), '127.0.0.1');
  socket.on('error', () => undefined);
  let received = 0;
  socket.on('data', (chunk: Buffer) => (received += chunk.length));
  const closed = new Promise((resolve) => socket.once('close', resolve));
  await once(socket, 'connect');
  return {
    socket,
    closed,
    received: () => received,
    async write(bytes) {
      if (socket.destroyed || !socket.writable) return false;
      if (!socket.write(bytes))
        await Promise.race([once(socket, 'drain').catch(() => null), closed, delay(500)]);
      return !socket.destroyed;
    },
  };
}

/** One call through node:http2 with whatever body; its outcome is a gRPC status, `reset` or `http <code>`. */
export function callWith(
  session: http2.ClientHttp2Session,
  headers: Record<string, string>,
  body: Buffer | null,
  ends = true,
): { readonly stream: http2.ClientHttp2Stream; readonly outcome: Promise<string> } {
  const stream = session.request(headers, { endStream: false });
  const outcome = new Promise<string>((resolve) => {
    let http = 0;
    const note = (fields: http2.IncomingHttpHeaders): void => {
      if (fields['grpc-status'] === undefined) return;
      resolve(String(fields['grpc-status']));
      // As every gRPC client does: what is left of its message will not be read.
      stream.close(http2.constants.NGHTTP2_CANCEL);
    };
    stream.on('response', (fields) => {
      http = fields[':status'] ?? 0;
      note(fields);
    });
    stream.on('trailers', note);
    stream.on('error', () => undefined);
    stream.on('close', () => resolve(http > 200 ? `http ${http}` : 'reset'));
    stream.resume();
  });
  if (body !== null) stream.write(body);
  if (ends) stream.end();
  return { stream, outcome };
}

export function openSession(door: Pick<Door, 'address'>): http2.ClientHttp2Session {
  const session = http2.connect(`http://${door.address}`);
  session.on('error', () => undefined);
  return session;
}

/** A message of gRPC: compressed flag, length, bytes. */
export function grpcMessage(bytes: Buffer, compressed = 0, length = bytes.length): Buffer {
  const head = Buffer.alloc(5);
  head[0] = compressed;
  head.writeUInt32BE(length, 1);
  return Buffer.concat([head, bytes]);
}

export const delay = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Publishes one reading every 50 ms until it is stopped; what it waited for each acknowledgement, sorted. */
export function honestVendor(
  door: Pick<Door, 'publishOnce'>,
  boot: string,
): {
  /** Messages that were answered so far. */
  answered(): number;
  /** How long each took, ms, ascending. */
  stop(): Promise<number[]>;
} {
  const waits: number[] = [];
  let goesOn = true;
  const run = (async () => {
    for (let n = 1; goesOn; n++) {
      const from = performance.now();
      const { result } = await door.publishOnce([reading(n, { boot })]);
      if (result?.items[0]?.disposition !== 'DISPOSITION_ACCEPTED') throw new Error(JSON.stringify(result));
      waits.push(performance.now() - from);
      await delay(50);
    }
  })();
  let failed = false;
  run.catch(() => (failed = true));
  return {
    answered: () => (failed ? Infinity : waits.length),
    async stop() {
      goesOn = false;
      await run;
      return waits.sort((a, b) => a - b);
    },
  };
}
