import { bandPass, filtered } from './butterworth.ts';

/**
 * P and S onsets by autoregression and Akaike's criterion, narrowed down with short and long averages: Akazawa (2004),
 * A technique for automatic detection of onset time of P- and S-phases in strong motion records, 13th World
 * Conference on Earthquake Engineering, paper 786; the criterion of two models, forward and backward, is that of
 * Leonard & Kennett (1999), Phys. Earth Planet. Inter. 113. Windows are counted as ObsPy's `ar_pick` counts them.
 */
export interface ArAicOptions {
  readonly rateHz: number;
  readonly lowHz: number;
  readonly highHz: number;
  /** Averages for P, seconds. */
  readonly shortP: number;
  readonly longP: number;
  /** Averages for S, seconds. */
  readonly shortS: number;
  readonly longS: number;
  /** Coefficients of the autoregression. */
  readonly orderP: number;
  readonly orderS: number;
  /** Length of the window in which prediction errors are averaged, seconds. */
  readonly windowP: number;
  readonly windowS: number;
}

export interface ArAicPick {
  /** Seconds since the first sample, or null where nothing was found. */
  readonly pSeconds: number | null;
  readonly sSeconds: number | null;
}

/** The settings that ObsPy's manual shows for local earthquakes; the sampling rate comes on top. */
export const AR_AIC_FOR_LOCAL_EARTHQUAKES: Omit<ArAicOptions, 'rateHz'> = {
  lowHz: 1,
  highHz: 20,
  longP: 1,
  shortP: 0.1,
  longS: 4,
  shortS: 1,
  orderP: 2,
  orderS: 8,
  windowP: 0.1,
  windowS: 0.2,
};

/** @param record three components of equal length */
export function pickArAic(
  record: {
    readonly vertical: ArrayLike<number>;
    readonly north: ArrayLike<number>;
    readonly east: ArrayLike<number>;
  },
  options: ArAicOptions,
): ArAicPick {
  const { rateHz, orderP, orderS } = options;
  const samplesOf = (seconds: number): number => Math.trunc(seconds * rateHz + 1e-6);
  const windowP = samplesOf(options.windowP);
  const windowS = samplesOf(options.windowS);
  const n = record.vertical.length;
  if (record.north.length !== n || record.east.length !== n) {
    throw new RangeError(
      `Expected components of equal length, got ${n}, ${record.north.length}, ${record.east.length}`,
    );
  }
  const raw = withoutTrend(record.vertical);
  const vertical = zeroPhase(raw, options);

  // Somewhere before the loudest moment the short average stands out most: P lies before that.
  const rise = steepestRise(vertical, samplesOf(options.shortP), samplesOf(options.longP));
  const end = Math.min(n, rise + orderP + windowP);
  const first = leastCriterion(cubed(vertical, 0, Math.min(n, end + windowP)), end, orderP, windowP);
  if (first === null) return { pSeconds: null, sSeconds: null };
  const width = Math.min(n, Math.trunc((end - first) * 2 + orderP + windowP + 0.5));
  const from = Math.max(0, end - width);
  // Once more on the unfiltered record, whose onset no filter has smeared.
  const second = leastCriterion(cubed(raw, from, end), end - from, orderP, windowP);
  if (second === null) return { pSeconds: null, sSeconds: null };
  const afterP = second + from;

  const north = zeroPhase(withoutTrend(record.north), options);
  const east = zeroPhase(withoutTrend(record.east), options);
  const horizontal = loudest(east) > loudest(north) ? east : north;
  const bounds = boundsOfS(horizontal, afterP, {
    short: samplesOf(options.shortS),
    long: samplesOf(options.longS),
    beyond: orderS + windowS,
  });
  let sSeconds: number | null = null;
  if (bounds !== null) {
    const { begin, stop } = bounds;
    const onset = leastCriterion(cubed(horizontal, begin, stop), stop - begin, orderS, windowS);
    if (onset !== null) sSeconds = (onset + begin - windowS) / rateHz;
  }
  return { pSeconds: (afterP - windowP) / rateHz, sSeconds };
}

function zeroPhase(samples: ArrayLike<number>, { rateHz, lowHz, highHz }: ArAicOptions): Float64Array {
  const sections = bandPass({ rateHz, lowHz, highHz, corners: 4 });
  return filtered(filtered(samples, sections).reverse(), sections).reverse();
}

/** Less the straight line that fits best. */
function withoutTrend(samples: ArrayLike<number>): Float64Array {
  const n = samples.length;
  const middle = (n - 1) / 2;
  let sum = 0;
  let product = 0;
  let spread = 0;
  for (let i = 0; i < n; i++) {
    sum += samples[i]!;
    product += (i - middle) * samples[i]!;
    spread += (i - middle) ** 2;
  }
  const slope = spread > 0 ? product / spread : 0;
  return Float64Array.from({ length: n }, (_, i) => samples[i]! - sum / n - slope * (i - middle));
}

function loudest(samples: Float64Array): number {
  let most = 0;
  for (const x of samples) most = Math.max(most, Math.abs(x));
  return most;
}

function cubed(samples: Float64Array, from: number, to: number): Float64Array {
  return samples.subarray(from, to).map((x) => x * x * x);
}

/** End of the windows in which short over long average of the envelope is greatest, up to the envelope's maximum. */
function steepestRise(samples: Float64Array, short: number, long: number): number {
  const top = loudest(samples);
  const curve = samples.map((x) => Math.abs(x) / top - (x * x) / (top * top));
  const envelope = curve.map((x, i) => (i === 0 ? x : Math.max(x, curve[i - 1]!)));
  let peak = 0;
  for (let i = 1; i < envelope.length; i++) if (envelope[i]! > envelope[peak]!) peak = i;
  const sums = runningSums(envelope);
  let most = 0;
  let at = 0;
  for (let end = long; end < peak; end++) {
    const average = (sums[end]! - sums[end - long]!) / long;
    const ratio = average > 0 ? (sums[end]! - sums[end - short]!) / short / average : 0;
    if (ratio > most) {
      most = ratio;
      at = end;
    }
  }
  return at;
}

/** S lies between the last fall of the horizontal motion seen backwards and its greatest rise after P. */
function boundsOfS(
  samples: Float64Array,
  afterP: number,
  { short, long, beyond }: { readonly short: number; readonly long: number; readonly beyond: number },
): { readonly begin: number; readonly stop: number } | null {
  const n = samples.length;
  const sums = runningSums(samples.map(Math.abs));
  let greatest = 0;
  let stop = 0;
  for (let start = afterP; start < n - long; start++) {
    const end = start + long;
    const rise = (sums[end]! - sums[end - short]!) / short - (sums[end]! - sums[start]!) / long;
    if (rise > greatest) {
      greatest = rise;
      stop = end;
    }
  }
  stop = Math.min(n, stop + beyond);
  let least = 0;
  let begin = 0;
  for (let start = stop - 1 - long; start >= afterP - long; start--) {
    if (start <= long || start >= n - long) continue;
    const fall = (sums[start + short]! - sums[start]!) / short - (sums[start + long]! - sums[start]!) / long;
    if (fall < least) {
      least = fall;
      begin = start;
    }
  }
  return begin > 0 && stop > begin ? { begin, stop } : null;
}

function runningSums(samples: Float64Array): Float64Array {
  const sums = new Float64Array(samples.length + 1);
  for (let i = 0; i < samples.length; i++) sums[i + 1] = sums[i]! + samples[i]!;
  return sums;
}

/**
 * The window's end at which the errors of two predictions, one from the beginning on and one backwards from the end,
 * are greatest together, which is the least of the criterion -ln(forward²) - ln(backward²). Null when the trace is
 * too short.
 */
function leastCriterion(trace: Float64Array, end: number, order: number, window: number): number | null {
  const backwards = Float64Array.from(trace).reverse();
  const forward = predictionErrors(trace, end, order, window);
  const backward = predictionErrors(backwards, end, order, window);
  let least = Number.POSITIVE_INFINITY;
  let at: number | null = null;
  const last = end - 1 - order - window;
  for (let i = order + window, j = last; i <= last && j >= order + window; i++, j--) {
    if (!(forward[i]! > 0 && backward[j]! > 0)) continue;
    const criterion = -Math.log(forward[i]! ** 2) - Math.log(backward[j]! ** 2);
    if (criterion < least) {
      least = criterion;
      at = i;
    }
  }
  return at;
}

/** `errors[i]`: mean squared error over the window that ends before sample i. */
function predictionErrors(trace: Float64Array, end: number, order: number, window: number): Float64Array {
  const coefficients = burg(trace.subarray(0, window), order);
  const squares = new Float64Array(end);
  for (let i = order; i < end; i++) {
    let error = trace[i]!;
    // The sample itself stands first: the filter is applied as it was published with ObsPy.
    for (let j = 0; j < order; j++) error -= trace[i - j]! * coefficients[j]!;
    squares[i] = error * error;
  }
  const sums = runningSums(squares);
  const errors = new Float64Array(end);
  for (let i = order; i < end - window; i++) errors[i + window] = (sums[i + window]! - sums[i]!) / window;
  return errors;
}

/** Coefficients of an autoregression by Burg's maximum entropy method (Burg 1968). */
export function burg(samples: Float64Array, order: number): Float64Array {
  const forward = Float64Array.from(samples);
  const backward = Float64Array.from(samples);
  let coefficients = new Float64Array(0);
  for (let m = 1; m <= order; m++) {
    let product = 0;
    let powers = 0;
    for (let i = m; i < samples.length; i++) {
      product += forward[i]! * backward[i - 1]!;
      powers += forward[i]! ** 2 + backward[i - 1]! ** 2;
    }
    const reflection = powers > 0 ? (2 * product) / powers : 0;
    const next = new Float64Array(m);
    for (let j = 0; j < m - 1; j++) next[j] = coefficients[j]! - reflection * coefficients[m - 2 - j]!;
    next[m - 1] = reflection;
    coefficients = next;
    for (let i = samples.length - 1; i >= m; i--) {
      const ahead = forward[i]!;
      forward[i] = ahead - reflection * backward[i - 1]!;
      backward[i] = backward[i - 1]! - reflection * ahead;
    }
  }
  return coefficients;
}
