/**
 * The ratio of a short-term to a long-term average of the squared signal (Allen 1978, BSSA 68; Withers et al. 1998,
 * BSSA 88), in the definitions that ObsPy has made common, so that thresholds from the literature can be used as
 * they are.
 */
export interface StaLtaWindows {
  /** Samples of the short window, 1 or more. */
  readonly sta: number;
  /** Samples of the long window, more than `sta`. */
  readonly lta: number;
}

/** Keeps the ratio finite on a channel that has only been silent. */
const TINY = 1e-99;

/** One sample in, one ratio out; constant memory. */
export interface RecursiveStaLta {
  /** The ratio at this sample; 0 during the first `lta` samples. */
  push(sample: number): number;
  /** `[samples seen, short average, long average]` */
  save(): readonly [number, number, number];
  restore(state: readonly [number, number, number]): void;
}

/**
 * Averages that forget exponentially: `sta += (x² - sta) / nsta` and likewise `lta`. The first sample only starts
 * the count.
 */
export function createRecursiveStaLta({
  sta: shortSamples,
  lta: longSamples,
}: StaLtaWindows): RecursiveStaLta {
  checkWindows(shortSamples, longSamples);
  const shortWeight = 1 / shortSamples;
  const longWeight = 1 / longSamples;
  let seen = 0;
  let short = 0;
  let long = TINY;
  return {
    push(sample) {
      if (seen++ === 0) return 0;
      const power = sample * sample;
      short = shortWeight * power + (1 - shortWeight) * short;
      long = longWeight * power + (1 - longWeight) * long;
      return seen <= longSamples ? 0 : short / long;
    },
    save: () => [seen, short, long],
    restore([savedSeen, savedShort, savedLong]) {
      seen = savedSeen;
      short = savedShort;
      long = savedLong;
    },
  };
}

/** The recursive ratio of a whole trace. */
export function recursiveStaLta(samples: ArrayLike<number>, windows: StaLtaWindows): Float64Array {
  const ratio = createRecursiveStaLta(windows);
  const out = new Float64Array(samples.length);
  for (let i = 0; i < out.length; i++) out[i] = ratio.push(samples[i]!);
  return out;
}

/** Averages over the last `sta` and `lta` samples; 0 until the long window is full. */
export function classicStaLta(samples: ArrayLike<number>, { sta, lta }: StaLtaWindows): Float64Array {
  checkWindows(sta, lta);
  const n = samples.length;
  const sums = new Float64Array(n + 1);
  for (let i = 0; i < n; i++) sums[i + 1] = sums[i]! + samples[i]! * samples[i]!;
  const out = new Float64Array(n);
  for (let end = lta; end <= n; end++) {
    const short = (sums[end]! - sums[end - sta]!) / sta;
    const long = (sums[end]! - sums[end - lta]!) / lta;
    out[end - 1] = short / Math.max(long, TINY);
  }
  return out;
}

function checkWindows(sta: number, lta: number): void {
  if (!(sta >= 1 && lta > sta))
    throw new RangeError(`Expected 1 <= sta < lta samples, got ${sta} and ${lta}`);
}

/** First and last sample of one trigger, both inclusive. */
export interface Onset {
  readonly on: number;
  readonly off: number;
}

/**
 * Where a ratio rises above `on`, and the last sample before it falls back to `off`. A trigger open at the end of
 * the trace ends with it.
 *
 * @param maxSamples a longer trigger is cut there; it does not open again before the ratio has been below `on`.
 *   @default no limit
 * @param dropLong leave out triggers that would have been cut. @default false
 */
export function triggerOnsets(
  ratio: ArrayLike<number>,
  {
    on,
    off,
    maxSamples = Number.POSITIVE_INFINITY,
    dropLong = false,
  }: { readonly on: number; readonly off: number; readonly maxSamples?: number; readonly dropLong?: boolean },
): Onset[] {
  const onsets: Onset[] = [];
  const n = ratio.length;
  let start = -1;
  let armed = true;
  for (let i = 0; i < n; i++) {
    const value = ratio[i]!;
    if (start < 0) {
      if (value <= on) armed = true;
      else if (armed) {
        start = i;
        armed = false;
      }
    }
    if (start < 0) continue;
    const tooLong = i - start >= maxSamples;
    const falls = i + 1 < n && !(ratio[i + 1]! > off);
    if (!tooLong && !falls && i + 1 < n) continue;
    if (!(tooLong && !falls && dropLong)) onsets.push({ on: start, off: i });
    start = -1;
    armed = value <= on;
  }
  return onsets;
}
