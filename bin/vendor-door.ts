import { setTimeout as sleep } from 'node:timers/promises';
import { Metadata, credentials, status } from '@grpc/grpc-js';
import type { ServiceError } from '@grpc/grpc-js';
import type { EpochMs } from '../domain/units.ts';
import type { DescribeRequest } from '../proto/gen/tocsin/v1/DescribeRequest.ts';
import type { Item } from '../proto/gen/tocsin/v1/Item.ts';
import type { PublishOnceResponse__Output } from '../proto/gen/tocsin/v1/PublishOnceResponse.ts';
import { IngestService } from '../proto/load.ts';
import { CommandFailed, EXIT } from './exit-codes.ts';
import { readRunning } from './running.ts';

/** What became of the items of one message. */
export interface Receipt {
  readonly sent: number;
  readonly acknowledged: number;
  readonly refused: number;
}

export interface VendorDoor {
  /**
   * Sends one message and answers when each item is durable or refused.
   *
   * @param sentAtMs by the clock of the feed: a recorded item is not late
   */
  send(items: readonly Item[], sentAtMs: EpochMs): Promise<Receipt>;
  /** Registers sensors; harmless when repeated. */
  describe(sensors: DescribeRequest['sensors'] & object): Promise<void>;
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

  const call = <A>(
    start: (options: { deadline: number }, done: (error: ServiceError | null, answer?: A) => void) => unknown,
  ): Promise<A> =>
    new Promise((resolve, reject) => {
      start({ deadline: Date.now() + ANSWER_WITHIN_MS }, (error, answer) =>
        error ? reject(explain(error, address)) : resolve(answer!),
      );
    });

  return {
    async send(items, sentAtMs) {
      let waiting = [...items];
      const total = { sent: items.length, acknowledged: 0, refused: 0 };
      while (waiting.length > 0) {
        const { result } = await call<PublishOnceResponse__Output>((options, done) =>
          client.publishOnce({ sentAtMs, items: waiting }, metadata, options, done),
        );
        const again = new Set<Item>();
        const refused = new Set<Item>();
        let pauseMs = 0;
        for (const { firstItem, items: count, disposition, retryAfterMs } of result?.items ?? []) {
          const run = waiting.slice(firstItem, firstItem + count);
          if (disposition === 'DISPOSITION_QUARANTINED') run.forEach((item) => refused.add(item));
          if (disposition !== 'DISPOSITION_RETRY_LATER') continue;
          run.forEach((item) => again.add(item));
          pauseMs = Math.max(pauseMs, retryAfterMs);
        }
        for (const item of waiting) {
          if (refused.has(item)) total.refused += 1;
          else if (!again.has(item)) total.acknowledged += 1;
        }
        waiting = [...again].filter((item) => !refused.has(item));
        if (pauseMs > 0) await sleep(pauseMs);
      }
      return total;
    },
    async describe(sensors) {
      await call((options, done) => client.describe({ sensors }, metadata, options, done));
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
