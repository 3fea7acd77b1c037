import { bandPass, filtered } from './butterworth.ts';

/** Up to three components of one station, evenly sampled, of equal length. */
export interface Seismogram {
  readonly rateHz: number;
  /** The vertical component. */
  readonly vertical: ArrayLike<number>;
  /** The horizontal ones: two, or none where the station has none. */
  readonly horizontals: readonly ArrayLike<number>[];
}

/** A moment at which a P wave may have come, and what speaks for it. */
export interface Candidate {
  readonly sample: number;
  /** In the order of `FEATURES`. */
  readonly features: readonly number[];
}

/** Pass bands in Hz, so chosen that local and regional P waves stand out in two or three of them. */
const BANDS = [
  [1, 4],
  [2, 8],
  [4, 12],
  [8, 20],
  [15, 35],
] as const;

/** What a candidate is ranked by. Ratios are natural logarithms of power. */
export const FEATURES = [
  'verticalRatio03',
  'verticalRatio1',
  'verticalRatio3',
  'allRatio1',
  'allRatio3',
  'allRatio8',
  'bestBandRatio1',
  'secondBandRatio1',
  'worstBandRatio1',
  'aboveFloorBefore',
  'belowLoudest',
  'laterRise',
  'earlierBest',
  'earlierBestAboveOwn',
  'horizontalGain',
  'persistence',
  'higherPitch',
  'aicDepth',
  'secondsBefore',
  'quietestBefore',
] as const;

/** Nothing is asked of the first and last moments: there is nothing to compare with. */
const EDGE_SECONDS = 0.7;
/** Two candidates are at least so far apart. */
const APART_SECONDS = 0.4;
const MOST = 24;

interface Energies {
  readonly rateHz: number;
  readonly length: number;
  /** Running sums of the squared vertical component, one a band. */
  readonly vertical: readonly Float64Array[];
  /** Of all components together. */
  readonly all: readonly Float64Array[];
  /** Vertical component from 1 to 20 Hz, for the onset itself. */
  readonly broad: Float64Array;
  /** Horizontal power, or null where there are no horizontals. */
  readonly horizontal: readonly Float64Array[] | null;
}

/** Every moment of a record at which a P wave may have come, in time order, with features. */
export function candidatesOf(seismogram: Seismogram): Candidate[] {
  const energies = measure(seismogram);
  const samples = propose(energies);
  const rises = samples.map((sample) => meanOf(ratiosAt(energies.all, energies, sample, 1, 5)));
  return samples.map((sample, index) => ({ sample, features: describe(energies, samples, rises, index) }));
}

function measure({ rateHz, vertical, horizontals }: Seismogram): Energies {
  const z = mended(vertical, rateHz);
  const h = horizontals.map((component) => mended(component, rateHz));
  const perBand = (component: Float64Array): Float64Array[] =>
    BANDS.map(([lowHz, highHz]) => {
      const band = filtered(component, bandPass({ rateHz, lowHz, highHz, corners: 2 }));
      return runningPower([band]);
    });
  const verticalSums = perBand(z);
  const horizontalSums = h.map(perBand);
  const sumOf = (parts: readonly Float64Array[]): Float64Array => {
    const total = new Float64Array(parts[0]!.length);
    for (const part of parts) for (let i = 0; i < total.length; i++) total[i]! += part[i]!;
    return total;
  };
  const horizontal =
    h.length === 0 ? null : BANDS.map((_, band) => sumOf(horizontalSums.map((sums) => sums[band]!)));
  return {
    rateHz,
    length: z.length,
    vertical: verticalSums,
    all: BANDS.map((_, band) =>
      horizontal === null ? verticalSums[band]! : sumOf([verticalSums[band]!, horizontal[band]!]),
    ),
    horizontal,
    broad: filtered(z, bandPass({ rateHz, lowHz: 1.5, highHz: 22, corners: 2 })),
  };
}

/**
 * Without its mean; a stretch that does not move (a gap filled with zeros) shows the noise beside it, mirrored, so
 * that its end is no arrival.
 */
function mended(samples: ArrayLike<number>, rateHz: number): Float64Array {
  const n = samples.length;
  const shortest = Math.round(0.2 * rateHz);
  const flat: { from: number; to: number }[] = [];
  for (let from = 0, i = 1; i <= n; i++) {
    if (i < n && samples[i] === samples[from]) continue;
    if (i - from >= shortest) flat.push({ from, to: i });
    from = i;
  }
  const out = Float64Array.from(samples);
  const isFlat = new Uint8Array(n);
  for (const { from, to } of flat) isFlat.fill(1, from, to);
  let sum = 0;
  let moving = 0;
  for (let i = 0; i < n; i++) {
    if (isFlat[i] === 1) continue;
    sum += out[i]!;
    moving++;
  }
  const mean = moving > 0 ? sum / moving : 0;
  for (let i = 0; i < n; i++) out[i] = out[i]! - mean;
  for (const { from, to } of flat) {
    // Before the gap where there is enough, else after it.
    const before = from >= shortest;
    const width = before ? from : n - to;
    if (width <= 0) continue;
    const span = Math.min(width, Math.round(5 * rateHz));
    for (let k = 0; k < to - from; k++) {
      const back = k % (2 * span);
      const step = back < span ? back : 2 * span - 1 - back;
      if (before) out[from + k] = out[from - 1 - step]!;
      else out[to - 1 - k] = out[to + step]!;
    }
  }
  return out;
}

/** `sums[i]` is the power of the first i samples. */
function runningPower(components: readonly Float64Array[]): Float64Array {
  const sums = new Float64Array(components[0]!.length + 1);
  for (const component of components) {
    let total = 0;
    for (let i = 0; i < component.length; i++) {
      total += component[i]! * component[i]!;
      sums[i + 1]! += total;
    }
  }
  return sums;
}

/** Mean power from `from` to `to` (exclusive), clipped to the record; never 0. */
function power(sums: Float64Array, from: number, to: number): number {
  const a = Math.max(0, Math.min(from, sums.length - 2));
  const b = Math.min(sums.length - 1, Math.max(to, a + 1));
  return (sums[b]! - sums[a]!) / (b - a) + 1e-30;
}

/** Logarithms of power after over power before, one a band. */
function ratiosAt(
  bands: readonly Float64Array[],
  { rateHz }: Energies,
  sample: number,
  afterSeconds: number,
  beforeSeconds: number,
): number[] {
  // The causal filters ring on for a moment; before the onset nothing of it must be seen.
  const guard = Math.round(0.1 * rateHz);
  return bands.map((sums) => {
    const after = power(sums, sample, sample + Math.round(afterSeconds * rateHz));
    const before = power(sums, sample - guard - Math.round(beforeSeconds * rateHz), sample - guard);
    return Math.log(after / before);
  });
}

const meanOf = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length;

/** Local maxima of several measures of a rise, each moved to the onset that the Akaike criterion sees near it. */
function propose(energies: Energies): number[] {
  const { rateHz, length, vertical, all } = energies;
  const edge = Math.round(EDGE_SECONDS * rateHz);
  const step = Math.max(1, Math.round(0.05 * rateHz));
  const measures: ((sample: number) => number)[] = [
    (sample) => Math.max(...ratiosAt(vertical, energies, sample, 0.5, 4)),
    (sample) => meanOf(ratiosAt(vertical, energies, sample, 1, 5)),
    (sample) => meanOf(ratiosAt(all, energies, sample, 2, 8)),
  ];
  const found: { sample: number; height: number }[] = [];
  for (const measureAt of measures) {
    const times: number[] = [];
    for (let sample = edge; sample < length - edge; sample += step) times.push(sample);
    const heights = times.map(measureAt);
    const reach = Math.round((0.6 * rateHz) / step);
    const peaks: { sample: number; height: number }[] = [];
    for (const [i, height] of heights.entries()) {
      if (height < 0.25) continue;
      let highest = true;
      for (let k = Math.max(0, i - reach); k <= Math.min(heights.length - 1, i + reach) && highest; k++) {
        if (heights[k]! > height || (heights[k] === height && k < i)) highest = false;
      }
      if (highest) peaks.push({ sample: times[i]!, height });
    }
    peaks.sort((a, b) => b.height - a.height);
    found.push(...peaks.slice(0, MOST / 2));
  }
  const refined = found
    .sort((a, b) => b.height - a.height)
    .map(({ sample }) => onsetNear(energies.broad, rateHz, sample).sample);
  const kept: number[] = [];
  for (const sample of refined) {
    if (kept.length >= MOST) break;
    if (kept.every((other) => Math.abs(other - sample) >= APART_SECONDS * rateHz)) kept.push(sample);
  }
  return kept.sort((a, b) => a - b);
}

/**
 * The sample that best parts noise from signal near a rise: the least of Maeda's form of the Akaike criterion,
 * k·ln(var before k) + (n - k)·ln(var after k) (Maeda 1985; Zhang et al. 2003, BSSA 93).
 */
export function onsetNear(
  trace: Float64Array,
  rateHz: number,
  sample: number,
): { readonly sample: number; readonly depth: number } {
  const from = Math.max(0, sample - Math.round(2 * rateHz));
  const to = Math.min(trace.length, sample + Math.round(0.8 * rateHz));
  const n = to - from;
  const margin = Math.round(0.1 * rateHz);
  if (n < 4 * margin) return { sample, depth: 0 };
  const sums = new Float64Array(n + 1);
  for (let i = 0; i < n; i++) sums[i + 1] = sums[i]! + trace[from + i]! * trace[from + i]!;
  const whole = n * Math.log(sums[n]! / n + 1e-30);
  let least = Number.POSITIVE_INFINITY;
  let at = sample - from;
  for (let k = margin; k < n - margin; k++) {
    const before = k * Math.log(sums[k]! / k + 1e-30);
    const after = (n - k) * Math.log((sums[n]! - sums[k]!) / (n - k) + 1e-30);
    if (before + after < least) {
      least = before + after;
      at = k;
    }
  }
  return { sample: from + at, depth: (whole - least) / n };
}

function describe(
  energies: Energies,
  samples: readonly number[],
  rises: readonly number[],
  index: number,
): number[] {
  const { rateHz, vertical, all, horizontal, length, broad } = energies;
  const sample = samples[index]!;
  const seconds = (s: number): number => Math.round(s * rateHz);
  const one = ratiosAt(all, energies, sample, 1, 5);
  const sorted = [...one].sort((a, b) => b - a);
  const best = one.indexOf(sorted[0]!);

  // The band in which it stands out most tells of noise floor and of what comes later.
  const band = all[best]!;
  const bins: number[] = [];
  for (let from = 0; from + seconds(1) <= length; from += seconds(0.5)) {
    bins.push(Math.log(power(band, from, from + seconds(1))));
  }
  const ordered = [...bins].sort((a, b) => a - b);
  const floor = ordered[Math.floor(ordered.length * 0.1)] ?? 0;
  const loudest = ordered.at(-1) ?? 0;
  const before = Math.log(power(band, sample - seconds(3), sample - seconds(0.1)));
  const after = Math.log(power(band, sample, sample + seconds(1)));
  let quietest = before;
  for (let from = sample - seconds(10); from <= sample - seconds(1); from += seconds(0.5)) {
    if (from >= 0) quietest = Math.min(quietest, Math.log(power(band, from, from + seconds(1))));
  }

  let persistent = 0;
  const noise = power(band, sample - seconds(5), sample - seconds(0.1));
  for (let k = 0; k < 12; k++) {
    const from = sample + seconds(0.4 * k);
    if (from < length && power(band, from, from + seconds(0.4)) > 2 * noise) persistent++;
  }
  const earlier = rises.slice(0, index);
  const later = rises.slice(index + 1);
  const earlierBest = earlier.length > 0 ? Math.max(...earlier) : 0;
  const laterBest = later.length > 0 ? Math.max(...later) : 0;
  const mine = ratiosAt(vertical, energies, sample, 1, 5);
  const gain =
    horizontal === null
      ? 0
      : meanOf(ratiosAt(horizontal, energies, sample, 1, 5).map((ratio, b) => ratio - mine[b]!));
  const pitchOf = (from: number, to: number): number =>
    Math.log(power(all[3]!, from, to) / power(all[0]!, from, to));
  return [
    meanOf(ratiosAt(vertical, energies, sample, 0.3, 5)),
    meanOf(mine),
    meanOf(ratiosAt(vertical, energies, sample, 3, 5)),
    meanOf(one),
    meanOf(ratiosAt(all, energies, sample, 3, 5)),
    meanOf(ratiosAt(all, energies, sample, 8, 8)),
    sorted[0]!,
    sorted[1]!,
    sorted.at(-1)!,
    before - floor,
    loudest - after,
    laterBest,
    earlierBest,
    Math.max(0, earlierBest - rises[index]!),
    gain,
    persistent / 12,
    pitchOf(sample, sample + seconds(1)) - pitchOf(0, length),
    onsetNear(broad, rateHz, sample + seconds(0.3)).depth,
    Math.min(sample / rateHz, 20),
    before - quietest,
  ];
}
