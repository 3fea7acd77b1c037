import type { DurationMs } from '../units.ts';

/** A sensor as a condition knows it. */
export interface WatchedSensor {
  readonly id: string;
  readonly vendor: string;
  /** Silent for longer, it has broken its hold and does not count until it is heard again. @default 60_000 */
  readonly silentAfterMs?: DurationMs;
  /** Between two readings, as the vendor declared it. @default not known */
  readonly everyMs?: DurationMs;
}
