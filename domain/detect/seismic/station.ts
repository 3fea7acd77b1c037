import { bandPass, createCascade } from './butterworth.ts';
import type { Cascade } from './butterworth.ts';
import { packSamples, unpackSamples } from './samples.ts';

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
  readonly axes: readonly ArrayLike<number>[];
}

/** How a station tells shaking from noise. */
export interface Triggering {
  /** Band of local earthquakes, Hz. */
  readonly lowHz: number;
  readonly highHz: number;
  /** Short and long average of power, seconds. */
  readonly staSeconds: number;
  readonly ltaSeconds: number;
  /** Power of shaking over power of noise, to begin and to end. */
  readonly on: number;
  readonly off: number;
}

/** Everything a station must remember, as JSON. */
export interface StationState {
  readonly rateHz: number;
  /** As it was before the oldest block that is kept. */
  readonly before: State;
  readonly blocks: readonly { readonly endSeconds: number; readonly axes: readonly string[] }[];
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
  /** null: it has heard nothing. Samples are kept as 32-bit numbers. */
  save(): StationState | null;
}

/** 6 in power is 2.4 in amplitude. */
export const USUAL_TRIGGERING: Triggering = {
  lowHz: 1,
  highHz: 10,
  staSeconds: 0.5,
  ltaSeconds: 15,
  on: 6,
  off: 2,
};

const CORNERS = 2;
/** It takes so long to know the noise. */
const READY_SECONDS = 10;
/** Of the samples of the short window so many must stand out by themselves: a spike of one or two does not count. */
const HOT_SHARE = 0.3;
const HOT = 3;
/** A single sample that stands out by so many deviations between neighbours that are alike is no motion. */
const SPIKE = 12;
const ALIKE = 4;
/** A channel that was only silent stands out without bound. */
const MOST = 1e12;
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

export function createStation(triggering: Triggering = USUAL_TRIGGERING, saved?: StationState): Station {
  const { lowHz, highHz } = triggering;
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
    state = process(state, block, cascades, triggering);
  };

  const begin = (hz: number, axes: number): void => {
    rateHz = hz;
    // Below the Nyquist frequency, however slowly it samples.
    const sections = bandPass({ rateHz, lowHz, highHz: Math.min(highHz, 0.45 * hz), corners: CORNERS });
    cascades = Array.from({ length: axes }, () => createCascade(sections));
    state = fresh();
    kept.length = 0;
  };

  if (saved !== undefined) {
    begin(saved.rateHz, saved.before.filters.length);
    restore(saved.before);
    for (const { endSeconds, axes } of saved.blocks) {
      run({ endSeconds, rateHz, axes: axes.map(unpackSamples) });
    }
  }

  return {
    take(block) {
      const axes = block.axes.length;
      // A device that changes its rate starts anew.
      if (rateHz !== block.rateHz || cascades.length !== axes) begin(block.rateHz, axes);
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
    save() {
      const oldest = kept[0];
      if (oldest === undefined) return null;
      return {
        rateHz,
        before: oldest.before,
        blocks: kept.map(({ block: { endSeconds, axes } }) => ({
          endSeconds,
          axes: axes.map(packSamples),
        })),
      };
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

function process(
  before: State,
  block: Block,
  cascades: readonly Cascade[],
  { staSeconds, ltaSeconds, on, off }: Triggering,
): State {
  const { axes, rateHz, endSeconds } = block;
  const n = axes[0]!.length;
  const window = Math.max(2, Math.round(staSeconds * rateHz));
  // Gravity or an offset must not ring through the filter at the start.
  const offsets = before.offsets ?? axes.map(meanOf);
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
    const forgets = Math.min(samples - rateHz + 1, ltaSeconds * rateHz);
    long += ((power - long) / forgets) * (openSince === null ? 1 : SLOWED);
    hot.push(power > HOT * long ? 1 : 0);
    if (hot.length > window) hot.shift();
    if (samples < READY_SECONDS * rateHz) continue;

    const at = endSeconds - (n - 1 - i) / rateHz;
    const ratio = Math.min(MOST, short / Math.max(long, Number.MIN_VALUE));
    const standsOut = ratio > on && hot.reduce((sum, one) => sum + one, 0) >= HOT_SHARE * window;
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
    if (ratio >= off && !tooLong) continue;
    openSince = null;
    trigger = { ...trigger, endedSeconds: at };
    if (tooLong) long = short;
  }
  const lasts = clean.map((axis) => axis[n - 1]!);
  return { filters: [], offsets, lasts, samples, short, long, hot, openSince, trigger };
}

function meanOf(axis: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < axis.length; i++) sum += axis[i]!;
  return sum / axis.length;
}

/** The last sample has no neighbour yet: where it stands out it waits for the next block, and the one before stands in. */
function withoutSpikes(axis: ArrayLike<number>, last: number, noise: number): ArrayLike<number> {
  const out = Float64Array.from(axis);
  for (let i = 0; i < out.length; i++) {
    const before = i === 0 ? last : out[i - 1]!;
    const after = i + 1 < out.length ? out[i + 1]! : before;
    const middle = (before + after) / 2;
    if (Math.abs(out[i]! - middle) > SPIKE * noise && Math.abs(after - before) < ALIKE * noise)
      out[i] = middle;
  }
  return out;
}
