import type { Connection } from 'mongoose';
import { TocsinError } from '../domain/errors.ts';

/**
 * One call to the store, within the time that finding a server and waiting for its answer may take together. The
 * driver keeps both limits, but for one case: a connection that breaks while a command is being written to it never
 * reports, and the call would wait for ever (mongodb 6.22, `Connection.writeCommand` waits for `drain`). What is
 * given up may still happen: every write of ours may be repeated.
 *
 * @param answers how many answers the call may need: a long list comes in several
 * @throws TocsinError STORE_UNAVAILABLE when time is up; else what the call throws
 */
export async function answered<T>(
  connection: Connection,
  call: () => PromiseLike<T>,
  answers = 1,
): Promise<T> {
  const { serverSelectionTimeoutMS, socketTimeoutMS } = connection.getClient().options;
  const limitMs = serverSelectionTimeoutMS + answers * socketTimeoutMS;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const message = `The store did not answer within ${limitMs / 1_000} s.`;
      reject(new TocsinError('STORE_UNAVAILABLE', message, { retryable: true }));
    }, limitMs);
  });
  try {
    return await Promise.race([call(), late]);
  } finally {
    clearTimeout(timer);
  }
}
