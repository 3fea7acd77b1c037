import { pino } from 'pino';
import type { Logger } from 'pino';
import { exitWithParent } from '../../embedded/role.ts';
import type { LoadedConfig } from '../config.ts';

/** What a role opens and must close again. Closed in reverse, each at most once. */
export interface Closing {
  add(what: string, close: () => Promise<void> | void): void;
  close(): Promise<void>;
}

/** JSON lines on standard output, which the supervisor keeps in the role's log file. */
export function createLog(name: string, { config }: LoadedConfig): Logger {
  return pino({ name, level: config.log.level });
}

/**
 * From now on the role ends in order with whoever started it, or on a signal.
 *
 * @param withinMs a production worker waits for its activities, everything else is gone in 5 s
 */
export function closeWithParent(log: Logger, withinMs = 5_000): Closing {
  const opened: { what: string; close: () => Promise<void> | void }[] = [];
  const closing: Closing = {
    add(what, close) {
      opened.push({ what, close });
    },
    async close() {
      for (const { what, close } of opened.splice(0).reverse()) {
        try {
          await close();
        } catch (error) {
          log.warn({ what, err: error }, 'did not close cleanly');
        }
      }
    },
  };
  exitWithParent(() => closing.close(), withinMs);
  return closing;
}
