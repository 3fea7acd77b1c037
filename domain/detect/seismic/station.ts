import { bandPass, createCascade } from './butterworth.ts';
import type { Cascade } from './butterworth.ts';

/** What a station takes for the beginning of shaking. */
export interface StationTrigger {
  /** First sample of the shaking, seconds by our clock. */
  readonly onsetSeconds: number;
  /** Largest ratio of short to long average power so far, a measure of how far it stands out. */
  readonly peakRatio: number;
  /** Largest filtered acceleration so far, in the unit of the samples. */
  readonly peak: number;
  /** When the shaking was over; null while it lasts. */
  readonly endedSeconds: number | null;
}

/** Evenly sampled, three axes, one number an axis and sample. */
export interface Block {
  /** Time of the last sample, seconds by our clock. */
  readonly endSeconds: number;
  readonly rateHz: number;
  readonly axes: readonly (readonly number[])[];
}

export interface Station {
  /** Takes a block; one that comes late is put where it belongs and everything after it is looked at again. */
  take(block: Block): void;
  /** The trigger that is open or was last closed, or undefined when there was none. */
  trigger(): StationTrigger | undefined;
  /** Until when its samples have been seen. */
  seenUntilSeconds(): number;
  /** Whether it has been listening for long enough to know its own noise. */
  readonly ready: boolean;
}

const BAND = { lowHz: 1, highHz: 10, corners: 2 };
const SHORT_SECONDS = 0.5;
const LONG_SECONDS = 15;
/** It takes so long to know the noise. */
const READY_SECONDS = 10;
/** Power of shaking over power of noise: 2.4 in amplitude. */
const ON = 6;
const OFF = 2;
/** Of the samples of the short window so many must stand out by themselves: a spike of one or two does not count. */
const HOT_SHARE = 0.3;
const HOT = 3;
/** A single sample that stands out by so many deviations between neighbours that are alike is no motion. */
const SPIKE = 12;
const ALIKE = 4;
/** A "shaking" that lasts longer is a new level of noise. */
const LONGEST_SECONDS = 90;
/** While it shakes, the long average follows at this share of its speed. */
const SLOWED = 1 / 16;
/** Blocks kept to put a late one in its place. */
const KEPT = 24;

interface State {
  filters: (readonly number[])[];
  offsets: readonly number[] | null;
  /** Last sample of each axis. */
  lasts: readonly number[] | null;
  samples: number;
  short: number;
  long: number;
  hot: readonly number[];
  openSince: number | null;
  trigger: StationTrigger | undefined;
}

export function createStation(): Station {
  let rateHz = 0;
  let cascades: Cascade[] = [];
  let state: State = fresh();
  const kept: { block: Block; before: State }[] = [];

  const copy = (): State => ({ ...state, filters: cascades.map((cascade) => cascade.save()) });
  const restore = (saved: State): void => {
    state = { ...saved };
    for (const [axis, cascade] of cascades.entries()) cascade.restore(saved.filters[axis]!);
  };

  const run = (block: Block): void => {
    kept.push({ block, before: copy() });
    if (kept.length > KEPT) kept.shift();
    state = process(state, block, cascades);
  };

  return {
    take(block) {
      const axes = block.axes.length;
      if (rateHz !== block.rateHz || cascades.length !== axes) {
        // A device that changes its rate starts anew.
        rateHz = block.rateHz;
        const sections = bandPass({ rateHz, ...BAND });
        cascades = block.axes.map(() => createCascade(sections));
        state = fresh();
        kept.length = 0;
      }
      // Sent twice.
      if (kept.some((entry) => Math.abs(entry.block.endSeconds - block.endSeconds) < 0.5 / rateHz)) return;
      const place = kept.findIndex((entry) => entry.block.endSeconds > block.endSeconds);
      if (place < 0) return run(block);
      // Older than all that is kept: its shaking is history, and its place is unknown.
      if (place === 0 && kept.length === KEPT) return;
      const again = kept.splice(place);
      restore(again[0]!.before);
      run(block);
      for (const { block: later } of again) run(later);
    },
    trigger: () => state.trigger,
    seenUntilSeconds: () => kept.at(-1)?.block.endSeconds ?? Number.NEGATIVE_INFINITY,
    get ready() {
      return rateHz > 0 && state.samples >= READY_SECONDS * rateHz;
    },
  };
}

function fresh(): State {
  return {
    filters: [],
    offsets: null,
    lasts: null,
    samples: 0,
    short: 0,
    long: 0,
    hot: [],
    openSince: null,
    trigger: undefined,
  };
}

function process(before: State, block: Block, cascades: readonly Cascade[]): State {
  const { axes, rateHz, endSeconds } = block;
  const n = axes[0]!.length;
  const window = Math.max(2, Math.round(SHORT_SECONDS * rateHz));
  // Gravity or an offset must not ring through the filter at the start.
  const offsets = before.offsets ?? axes.map((axis) => axis.reduce((sum, x) => sum + x, 0) / n);
  let { samples, short, long, openSince, trigger } = before;
  const hot = [...before.hot];
  const noise = Math.sqrt(long / axes.length);
  const knowsNoise = samples >= READY_SECONDS * rateHz && openSince === null;
  const clean = axes.map((axis, a) =>
    knowsNoise ? withoutSpikes(axis, before.lasts?.[a] ?? axis[0]!, noise) : axis,
  );
  for (let i = 0; i < n; i++) {
    let power = 0;
    for (let axis = 0; axis < axes.length; axis++) {
      const y = cascades[axis]!.push(clean[axis]![i]! - offsets[axis]!);
      power += y * y;
    }
    samples++;
    // The filter's own settling.
    if (samples < rateHz) continue;
    short += (power - short) / window;
    const forgets = Math.min(samples - rateHz + 1, LONG_SECONDS * rateHz);
    long += ((power - long) / forgets) * (openSince === null ? 1 : SLOWED);
    hot.push(power > HOT * long ? 1 : 0);
    if (hot.length > window) hot.shift();
    if (samples < READY_SECONDS * rateHz) continue;

    const at = endSeconds - (n - 1 - i) / rateHz;
    const ratio = short / Math.max(long, Number.MIN_VALUE);
    const standsOut = ratio > ON && hot.reduce((sum, one) => sum + one, 0) >= HOT_SHARE * window;
    if (openSince === null) {
      if (!standsOut) continue;
      openSince = at - (hot.length - 1 - hot.indexOf(1)) / rateHz;
      trigger = { onsetSeconds: openSince, peakRatio: ratio, peak: Math.sqrt(power), endedSeconds: null };
      continue;
    }
    trigger = {
      onsetSeconds: openSince,
      peakRatio: Math.max(trigger!.peakRatio, ratio),
      peak: Math.max(trigger!.peak, Math.sqrt(power)),
      endedSeconds: null,
    };
    const tooLong = at - openSince > LONGEST_SECONDS;
    if (ratio >= OFF && !tooLong) continue;
    openSince = null;
    trigger = { ...trigger, endedSeconds: at };
    if (tooLong) long = short;
  }
  const lasts = clean.map((axis) => axis[n - 1]!);
  return { filters: [], offsets, lasts, samples, short, long, hot, openSince, trigger };
}

/** The last sample has no neighbour yet: where it stands out it waits for the next block, and the one before stands in. */
function withoutSpikes(axis: readonly number[], last: number, noise: number): readonly number[] {
  const out = [...axis];
  for (let i = 0; i < out.length; i++) {
    const before = i === 0 ? last : out[i - 1]!;
    const after = i + 1 < out.length ? out[i + 1]! : before;
    const middle = (before + after) / 2;
    if (Math.abs(out[i]! - middle) > SPIKE * noise && Math.abs(after - before) < ALIKE * noise)
      out[i] = middle;
  }
  return out;
}
