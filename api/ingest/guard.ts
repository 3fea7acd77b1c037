import type { ServerInterceptor } from '@grpc/grpc-js';
import { ServerInterceptingCall, ServerListenerBuilder, status } from '@grpc/grpc-js';
import { TocsinError } from '../../domain/errors.ts';
import type { DurationMs } from '../../domain/units.ts';
import type { Sender } from './sender.ts';

/**
 * Ends calls of one message whose message does not arrive in time: nothing else would, for a client that sets no
 * deadline and answers pings. Streams have a limit of their own.
 */
export function receiveWithin(ms: DurationMs): ServerInterceptor {
  return (method, call) => {
    if (method.requestStream) return new ServerInterceptingCall(call);
    let timer: NodeJS.Timeout | undefined;
    const listener = new ServerListenerBuilder()
      .withOnReceiveHalfClose((next) => {
        clearTimeout(timer);
        next();
      })
      .withOnCancel(() => clearTimeout(timer))
      .build();
    return new ServerInterceptingCall(call, {
      start(next) {
        timer = setTimeout(
          () =>
            call.sendStatus({
              code: status.DEADLINE_EXCEEDED,
              details: `The message of this call did not arrive within ${ms} ms.`,
              metadata: null,
            }),
          ms,
        );
        next(listener);
      },
    });
  };
}

/** Runs the work of a call, unless it comes over one connection too many of its vendor. */
export type ConnectionLimit = <T>(sender: Sender, peer: string, work: () => Promise<T>) => Promise<T>;

/** Counts connections with calls under way, by the address and port at their other end. */
export function createConnectionLimit(atMost: number): ConnectionLimit {
  const vendors = new Map<string, Map<string, number>>();
  return async ({ tenant, vendor }, peer, work) => {
    const key = `${tenant}|${vendor}`;
    const calls = vendors.get(key) ?? new Map<string, number>();
    if (calls.size >= atMost && !calls.has(peer)) {
      throw new TocsinError('CONNECTION_LIMIT', `At most ${atMost} connections a vendor.`, {
        retryable: true,
        details: { retryAfterMs: 5_000 },
      });
    }
    vendors.set(key, calls.set(peer, (calls.get(peer) ?? 0) + 1));
    try {
      return await work();
    } finally {
      const left = calls.get(peer)! - 1;
      if (left > 0) calls.set(peer, left);
      else calls.delete(peer);
      if (calls.size === 0) vendors.delete(key);
    }
  };
}
