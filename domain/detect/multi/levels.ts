import type { DetectorState, Row } from '../detector.ts';
import { fromJson, toJson } from '../stream/verdict.ts';

/**
 * Trailing means of several channels at once. A missing value counts as the channel's last one; until every channel
 * has had a value there is nothing to average.
 */
export class TrailingMeans {
  readonly means: Float64Array;
  readonly #channels: number;
  readonly #window: number;
  readonly #ring: Float64Array;
  readonly #last: Float64Array;
  #seen = 0;

  constructor(channels: number, window: number, state?: DetectorState) {
    this.#channels = channels;
    this.#window = window;
    this.#ring = new Float64Array(channels * window);
    this.#last = new Float64Array(channels).fill(Number.NaN);
    this.means = new Float64Array(channels);
    if (state === undefined) return;
    this.#ring.set(state['ring'] as number[]);
    this.#last.set((state['last'] as (number | null)[]).map(fromJson));
    this.#seen = Number(state['seen']);
  }

  /** False while a channel has not had a value yet, and for a row without any value. */
  push(row: Row): boolean {
    let some = false;
    for (let c = 0; c < this.#channels; c++) {
      const value = row[c]!;
      if (!Number.isFinite(value)) continue;
      this.#last[c] = value;
      some = true;
    }
    if (!some || this.#last.some(Number.isNaN)) return false;
    const at = (this.#seen % this.#window) * this.#channels;
    this.#ring.set(this.#last, at);
    this.#seen++;
    const rows = Math.min(this.#seen, this.#window);
    // Summed anew each time: a running sum drifts away over months, and a window is short.
    for (let c = 0; c < this.#channels; c++) {
      let sum = 0;
      for (let i = c; i < rows * this.#channels; i += this.#channels) sum += this.#ring[i]!;
      this.means[c] = sum / rows;
    }
    return true;
  }

  /** The row as it was counted, gaps filled. */
  get row(): Float64Array {
    return this.#last;
  }

  save(): DetectorState {
    return { ring: [...this.#ring], last: Array.from(this.#last, toJson), seen: this.#seen };
  }
}

/** How a channel's trailing mean behaves when all is well. */
export interface Levels {
  readonly centre: Float64Array;
  /** Deviation of the trailing mean to be expected, drift included. */
  readonly scale: Float64Array;
}

/** Least deviation as a share of the level: a channel that stood still must not divide by nothing. */
const LEAST_SHARE = 1e-5;

/**
 * Learns centre and scale of each channel's trailing mean from rows when all was well. A channel that wanders (a
 * temperature that follows the weather) has its scale widened by `drift` times what it moved over `lag` rows beyond
 * what its noise explains: it will have moved further by the time it is judged.
 *
 * @param rows row-major, without gaps
 */
export function learnLevels(
  rows: Float64Array,
  channels: number,
  { window, lag, drift }: { readonly window: number; readonly lag: number; readonly drift: number },
): Levels & { readonly means: Float64Array } {
  const n = rows.length / channels;
  const means = trailingMeans(rows, channels, window);
  const kept = n - window;
  const centre = new Float64Array(channels);
  const scale = new Float64Array(channels);
  for (let c = 0; c < channels; c++) {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += rows[i * channels + c]!;
    const mean = sum / n;
    let rough = 0;
    for (let i = 0; i < n; i++) rough += (rows[i * channels + c]! - mean) ** 2;
    let smooth = 0;
    for (let i = 0; i < kept; i++) smooth += (means[i * channels + c]! - mean) ** 2;
    let moved = 0;
    for (let i = lag; i < kept; i++) {
      moved += (means[i * channels + c]! - means[(i - lag) * channels + c]!) ** 2;
    }
    const noise = rough / n / window;
    const wander = kept > lag ? Math.max(0, moved / (kept - lag) - 2 * noise) : 0;
    const variance = Math.max(smooth / Math.max(1, kept), noise) + drift * wander;
    centre[c] = mean;
    scale[c] = Math.max(Math.sqrt(variance), LEAST_SHARE * Math.abs(mean), 1e-9);
  }
  return { centre, scale, means };
}

/** Means of `window` rows, from the first row that has a whole window before it. */
function trailingMeans(rows: Float64Array, channels: number, window: number): Float64Array {
  const n = rows.length / channels;
  const means = new Float64Array(Math.max(0, n - window) * channels);
  for (let i = window; i < n; i++) {
    for (let c = 0; c < channels; c++) {
      let sum = 0;
      for (let k = i - window + 1; k <= i; k++) sum += rows[k * channels + c]!;
      means[(i - window) * channels + c] = sum / window;
    }
  }
  return means;
}
