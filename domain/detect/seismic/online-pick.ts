import { bandPass, createCascade } from './butterworth.ts';
import { onsetNear } from './p-candidates.ts';

/** A P wave as it was picked while the record was still coming in. */
export interface OnlinePick {
  /** First sample of the P wave, from 0 at the start of the stream. */
  readonly sample: number;
  /** Sample with which the pick was given; the difference is the latency. */
  readonly givenAtSample: number;
}

export interface OnlinePicker {
  /** One sample of each component, in time order. Answers with a pick on the sample that completes it. */
  push(components: ArrayLike<number>): OnlinePick | null;
}

/** Bands in Hz in which a rise is looked for; it must show in all of them together. */
const BANDS = [
  [1, 6],
  [3, 12],
  [8, 25],
] as const;
const SHORT_SECONDS = 0.4;
const LONG_SECONDS = 8;
/** Until it knows the noise. */
const READY_SECONDS = 2;
/** Geometric mean over the bands of short over long average power. */
const ON = 7;
const OFF = 2;
/** So much of the rise is awaited before the onset is sought in it. */
const LOOK_SECONDS = 0.8;
/** So much of the past is kept for the onset. */
const KEEP_SECONDS = 3;

/**
 * Picks on a stream with constant memory: short over long averages of power in three bands, all components together,
 * then the Akaike criterion over the last seconds of the component that rose most. Latency about a second. It cannot
 * know whether a greater rise is yet to come, so it is wrong more often than `pickP`, which can.
 *
 * @param components 1 to 3
 */
export function createOnlinePicker({
  rateHz,
  components,
}: {
  readonly rateHz: number;
  readonly components: number;
}): OnlinePicker {
  const filters = Array.from({ length: components }, () =>
    BANDS.map(([lowHz, highHz]) => createCascade(bandPass({ rateHz, lowHz, highHz, corners: 2 }))),
  );
  const broad = Array.from({ length: components }, () =>
    createCascade(bandPass({ rateHz, lowHz: 1.5, highHz: 22, corners: 2 })),
  );
  const keep = Math.round(KEEP_SECONDS * rateHz);
  const kept = Array.from({ length: components }, () => new Float64Array(keep));
  const short = new Float64Array(BANDS.length);
  const long = new Float64Array(BANDS.length);
  const offsets = new Float64Array(components);
  let seen = 0;
  let risenAt = -1;
  let open = false;

  const ratio = (): number => {
    let product = 1;
    for (let b = 0; b < BANDS.length; b++) product *= short[b]! / Math.max(long[b]!, Number.MIN_VALUE);
    return Math.cbrt(product);
  };

  const onset = (): number => {
    const length = Math.min(seen, keep);
    const first = seen - length;
    let best = { sample: risenAt - first, depth: Number.NEGATIVE_INFINITY };
    for (const ring of kept) {
      const trace = Float64Array.from({ length }, (_, i) => ring[(first + i) % keep]!);
      const found = onsetNear(trace, rateHz, risenAt - first);
      if (found.depth > best.depth) best = found;
    }
    return first + best.sample;
  };

  return {
    push(row) {
      const at = seen++;
      if (at === 0) for (let c = 0; c < components; c++) offsets[c] = row[c]!;
      for (let c = 0; c < components; c++) kept[c]![at % keep] = broad[c]!.push(row[c]! - offsets[c]!);
      for (let b = 0; b < BANDS.length; b++) {
        let power = 0;
        for (let c = 0; c < components; c++) power += filters[c]![b]!.push(row[c]! - offsets[c]!) ** 2;
        // The filters' own settling is no noise to compare with.
        if (at < 0.3 * rateHz) continue;
        const since = at - 0.3 * rateHz + 1;
        short[b]! += (power - short[b]!) / Math.min(since, SHORT_SECONDS * rateHz);
        if (!open) long[b]! += (power - long[b]!) / Math.min(since, LONG_SECONDS * rateHz);
      }
      if (at < READY_SECONDS * rateHz) return null;
      const now = ratio();
      if (!open) {
        if (now <= ON) return null;
        open = true;
        risenAt = at;
        return null;
      }
      if (at === risenAt + Math.round(LOOK_SECONDS * rateHz)) return { sample: onset(), givenAtSample: at };
      if (at > risenAt + rateHz && now < OFF) open = false;
      return null;
    },
  };
}
