import { defineDetector } from '../detector.ts';
import { onOneChannel } from './one-channel.ts';
import { toJson } from './verdict.ts';

/**
 * Change points by the likelihood ratio of two adjacent windows: how much better two normal distributions explain them
 * than one, in nats a row. A mean that moves by δ deviations gives ln(1 + δ²/4), a deviation that grows k times
 * ln((1 + k²)/2) - ln k. The change is found half way, `window` rows after it.
 */
export const changePoint = defineDetector({
  name: 'change-point',
  summary: 'mean or spread changed from one window of rows to the next',
  parameters: {
    window: {
      meaning: 'rows before and rows after the change',
      default: 50,
      minimum: 5,
      maximum: 5000,
      whole: true,
      unit: 'rows',
    },
    limit: {
      meaning: 'likelihood ratio that alarms',
      default: 1.2,
      minimum: 0.05,
      maximum: 50,
      unit: 'nats per row',
    },
  },
  create: ({ parameters: { window, limit }, state }) =>
    onOneChannel(state, {
      limit,
      // A ratio near the limit goes up and down: one change is one detection.
      release: limit / 2,
      create(saved) {
        const ring = new Float64Array(2 * window);
        const times = new Float64Array(2 * window);
        let rows = (saved?.['rows'] as number | undefined) ?? 0;
        if (saved !== undefined) {
          ring.set(saved['ring'] as number[]);
          times.set(saved['times'] as number[]);
        }
        let changedMs = Number.NaN;
        let highest = 0;
        return {
          of(timeMs, value) {
            ring[rows % ring.length] = value;
            times[rows % ring.length] = timeMs;
            rows++;
            if (rows < ring.length) return 0;
            const ratio = likelihoodRatio(ring, rows % ring.length);
            if (ratio < limit) highest = 0;
            else if (ratio > highest) {
              highest = ratio;
              changedMs = times[(rows + window) % ring.length]!;
            }
            return ratio;
          },
          save: () => ({ rows, ring: [...ring], times: Array.from(times, (time) => toJson(time) ?? 0) }),
          describe: () => (Number.isNaN(changedMs) ? {} : { lastChangeMs: changedMs }),
        };
      },
    }),
});

/** Of the older half of a ring against the newer; `oldest` is where the ring begins. */
export function likelihoodRatio(ring: Float64Array, oldest: number): number {
  const half = ring.length >> 1;
  const before = varianceOf(ring, oldest, half);
  const after = varianceOf(ring, oldest + half, half);
  const both = varianceOf(ring, oldest, ring.length);
  // A window that does not move at all would make any change infinitely clear.
  const least = 1e-6 * both + 1e-18 * ring[oldest]! ** 2 + Number.MIN_VALUE;
  return Math.max(
    0,
    Math.log(Math.max(both, least)) -
      (Math.log(Math.max(before, least)) + Math.log(Math.max(after, least))) / 2,
  );
}

function varianceOf(ring: Float64Array, start: number, length: number): number {
  let mean = 0;
  for (let i = 0; i < length; i++) mean += ring[(start + i) % ring.length]! / length;
  let squares = 0;
  for (let i = 0; i < length; i++) squares += (ring[(start + i) % ring.length]! - mean) ** 2;
  return squares / length;
}
