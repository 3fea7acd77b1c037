import { setTimeout as sleep } from 'node:timers/promises';
import { Metadata, credentials, status } from '@grpc/grpc-js';
import type { ServiceError } from '@grpc/grpc-js';
import type { Bulletin } from '../domain/evidence.ts';
import type { PublishOnceResponse__Output } from '../proto/gen/tocsin/v1/PublishOnceResponse.ts';
import { IngestService } from '../proto/load.ts';
import { bulletinToWire } from '../proto/map.ts';
import { CommandFailed, EXIT } from './exit-codes.ts';
import { readRunning } from './running.ts';

export interface VendorDoor {
  /** Sends one message and answers when it is durable or refused. */
  send(bulletins: readonly Bulletin[]): Promise<{ sent: number; acknowledged: number; refused: number }>;
  close(): void;
}

const ANSWER_WITHIN_MS = 30_000;
const DEFAULT_ADDRESS = '127.0.0.1:50051';

/** gRPC ingestion as a vendor's small client sees it. */
export function openVendorDoor(options: { readonly key: string; readonly grpc?: string }): VendorDoor {
  const address = options.grpc ?? readRunning()?.grpc ?? DEFAULT_ADDRESS;
  const metadata = new Metadata();
  metadata.set('authorization', `Bearer ${options.key}`);
  const client = new IngestService(address, credentials.createInsecure());

  const publish = (bulletins: readonly Bulletin[]): Promise<PublishOnceResponse__Output> =>
    new Promise((resolve, reject) => {
      const items = bulletins.map(bulletinToWire);
      // The feed's own clock: a recorded notice is not late.
      const sentAtMs = bulletins.at(-1)?.observedAtMs ?? Date.now();
      const deadline = Date.now() + ANSWER_WITHIN_MS;
      client.publishOnce({ sentAtMs, items }, metadata, { deadline }, (error, answer) => {
        if (error) reject(explain(error, address));
        else resolve(answer!);
      });
    });

  return {
    async send(bulletins) {
      let waiting = bulletins;
      const total = { sent: bulletins.length, acknowledged: 0, refused: 0 };
      while (waiting.length > 0) {
        const { result } = await publish(waiting);
        const again: Bulletin[] = [];
        let pauseMs = 0;
        for (const { firstItem, items, disposition, retryAfterMs } of result?.items ?? []) {
          const run = waiting.slice(firstItem, firstItem + items);
          if (disposition === 'DISPOSITION_RETRY_LATER') {
            again.push(...run);
            pauseMs = Math.max(pauseMs, retryAfterMs);
          } else if (disposition === 'DISPOSITION_QUARANTINED') total.refused += run.length;
          else total.acknowledged += run.length;
        }
        waiting = again;
        if (pauseMs > 0) await sleep(pauseMs);
      }
      return total;
    },
    close: () => client.close(),
  };
}

function explain(error: ServiceError, address: string): CommandFailed {
  switch (error.code) {
    case status.UNAUTHENTICATED:
    case status.PERMISSION_DENIED:
      return new CommandFailed(
        EXIT.refused,
        'VENDOR_REFUSED',
        `${error.details} Send as a vendor with --as, for example --as vendor-quakes.`,
        { cause: error },
      );
    case status.UNAVAILABLE:
    case status.DEADLINE_EXCEEDED:
      return new CommandFailed(
        EXIT.unavailable,
        'INGEST_UNREACHABLE',
        `Ingestion at ${address} does not answer. Start Tocsin with npm start, or name another address with --grpc.`,
        { cause: error },
      );
    default:
      return new CommandFailed(EXIT.failed, 'INGEST_FAILED', error.details, { cause: error });
  }
}
