import type { DurationMs } from '../domain/units.ts';

/** How long a door may stay shut before the exercise gives up: longer than any restart of a server behind it. */
export const PATIENCE_MS: DurationMs = 180_000;
const PAUSE_MS: DurationMs = 250;

/**
 * Repeats what failed until it succeeds. Only for steps that may be repeated: every door of the exercise is
 * idempotent by id.
 */
export async function patiently<T>(
  work: () => Promise<T>,
  mayRetry: (error: unknown) => boolean,
  signal?: AbortSignal,
): Promise<T> {
  const until = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (signal?.aborted === true || !mayRetry(error) || performance.now() > until) throw error;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
}
