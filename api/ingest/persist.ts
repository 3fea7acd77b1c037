import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { TocsinError } from '../../domain/errors.ts';

const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 1_000;

/**
 * Repeats a step until it succeeds: giving up would lose what was promised. Only what can never succeed is thrown.
 * The first failure of a row is logged, and then one in a minute.
 */
export async function persist<T>(
  what: string,
  step: () => Promise<T>,
  options: { readonly log: Pick<Logger, 'warn' | 'info'>; readonly signal: AbortSignal },
): Promise<T> {
  let pauseMs = FIRST_PAUSE_MS;
  let loggedAt = -Infinity;
  const startedAt = performance.now();
  for (let attempt = 1; ; attempt++) {
    options.signal.throwIfAborted();
    try {
      const value = await step();
      if (attempt > 1) {
        options.log.info({ what, attempt, seconds: (performance.now() - startedAt) / 1_000 }, 'goes on');
      }
      return value;
    } catch (error) {
      if (error instanceof TocsinError && !error.retryable) throw error;
      if (performance.now() - loggedAt > 60_000) {
        options.log.warn({ what, attempt, err: error }, 'failed; repeating');
        loggedAt = performance.now();
      }
    }
    await sleep(pauseMs, undefined, { signal: options.signal });
    pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2);
  }
}

/**
 * Does what detection does not wait for; never rejects. Nothing is lost when it fails: the next start reads more frames,
 * the next write more.
 */
export async function beside(
  what: string,
  work: () => Promise<void>,
  options: { readonly log: Pick<Logger, 'error'>; readonly signal: AbortSignal },
): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (options.signal.aborted) return;
    options.log.error({ what, err: error }, 'could not be written');
  }
}

/** Resolves after `ms`; keeps no process alive. */
export const elapsed = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
