/** One trigger of one channel of a network, in seconds since any common origin. */
export interface ChannelTrigger {
  readonly channel: string;
  readonly onSeconds: number;
  readonly offSeconds: number;
}

export interface CoincidentEvent {
  /** When the first channel triggered. */
  readonly atSeconds: number;
  readonly durationSeconds: number;
  /** In the order in which they triggered. */
  readonly channels: readonly string[];
  /** Weights of the channels, summed. */
  readonly sum: number;
}

/**
 * Overlapping triggers of several channels as events, by the rule of ObsPy's `coincidence_trigger`: a chain of
 * overlaps is one event, a channel counts once in it, and a chain that ends with the event before it, or sooner, is
 * part of that one. For a network whose stations stand so close that travel times do not matter.
 *
 * @param minSum weights that must come together
 * @param weight of a channel. @default 1 each
 */
export function coincidentEvents(
  triggers: readonly ChannelTrigger[],
  { minSum, weight = () => 1 }: { readonly minSum: number; readonly weight?: (channel: string) => number },
): CoincidentEvent[] {
  const sorted = [...triggers].sort((a, b) => a.onSeconds - b.onSeconds || a.offSeconds - b.offSeconds);
  const events: CoincidentEvent[] = [];
  let lastOff = Number.NEGATIVE_INFINITY;
  for (const [index, first] of sorted.entries()) {
    let off = first.offSeconds;
    const channels = [first.channel];
    for (const next of sorted.slice(index + 1)) {
      if (next.onSeconds > off) break;
      if (channels.includes(next.channel)) continue;
      channels.push(next.channel);
      off = Math.max(off, next.offSeconds);
    }
    const sum = channels.reduce((total, channel) => total + weight(channel), 0);
    if (sum < minSum || off <= lastOff) continue;
    events.push({ atSeconds: first.onSeconds, durationSeconds: off - first.onSeconds, channels, sum });
    lastOff = off;
  }
  return events;
}
