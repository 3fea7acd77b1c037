import { Client, status } from '@grpc/grpc-js';
import { VendorError } from '../vendor/failure.ts';
import { CommandFailed, EXIT } from './exit-codes.ts';
import { readRunning } from './running.ts';
import type { Access } from './vendor-access.ts';

const DEFAULT_ADDRESS = '127.0.0.1:50051';
const CONNECT_WITHIN_MS = 5_000;

/** Where a vendor's command sends to: what was named, else the Tocsin on this machine. */
export const targetAddress = (named: string | undefined): string =>
  named ?? readRunning()?.grpc ?? DEFAULT_ADDRESS;

/** @throws CommandFailed (unavailable) when nothing listens there, or not like this */
export async function mustAnswer(
  address: string,
  { channel, overTls }: Pick<Access, 'channel' | 'overTls'>,
): Promise<void> {
  const client = new Client(address, channel, { 'grpc.use_local_subchannel_pool': 1 });
  try {
    await new Promise<void>((resolve, reject) =>
      client.waitForReady(Date.now() + CONNECT_WITHIN_MS, (error) =>
        error === undefined || error === null ? resolve() : reject(error),
      ),
    );
  } catch (error) {
    throw new CommandFailed(
      EXIT.unavailable,
      'INGEST_UNREACHABLE',
      overTls
        ? `Ingestion at ${address} does not answer over TLS. It may not be there, speak plain text, have a certificate of another name or authority, or want one of you (--certificate).`
        : `Ingestion at ${address} does not answer. Start Tocsin with npm start, name another address, or speak TLS (--tls, --authority).`,
      { cause: error },
    );
  } finally {
    client.close();
  }
}

/** What went wrong at the door, for the person at the terminal. */
export function explainRefusal(error: unknown): unknown {
  if (!(error instanceof VendorError)) return error;
  if (error.code === status.UNAUTHENTICATED || error.code === status.PERMISSION_DENIED) {
    return new CommandFailed(
      EXIT.refused,
      'VENDOR_REFUSED',
      `${error.message} Send as a vendor, for example --as vendor-quakes.`,
      { cause: error },
    );
  }
  const fields = error.fields.map(({ field, description }) => ` ${field} ${description}.`).join('');
  return new CommandFailed(EXIT.failed, error.reason || 'INGEST_FAILED', `${error.message}${fields}`, {
    cause: error,
  });
}
