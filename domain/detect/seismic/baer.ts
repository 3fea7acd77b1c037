/**
 * The phase picker of Baer & Kradolfer (1987), An automatic phase picker for local and teleseismic events, BSSA 77,
 * 1437-1445, with the counting of ObsPy's `pk_baer`.
 */
export interface BaerOptions {
  readonly rateHz: number;
  /** The function may be below `trigger` for so many samples within one arrival. */
  readonly downSamples: number;
  /** A trigger must last so many samples to be an arrival; each far above the threshold counts for three. */
  readonly upSamples: number;
  /** Threshold of the characteristic function, in standard deviations (10 in the paper). */
  readonly trigger: number;
  /** Above this the function's own mean and deviation are not updated (twice `trigger` in the paper). */
  readonly update: number;
  /** Samples from which the weight of the derivative is first estimated; nothing triggers in twice as many. */
  readonly presetSamples: number;
}

export interface BaerPick {
  /** Sample of the arrival, from 0. ObsPy gives one more. */
  readonly sample: number;
  readonly firstMotion: 'up' | 'down' | null;
}

/** Threshold times this is a strong sign, which earns a trigger bonus samples. */
const STRONG = 4;
const BONUS_SAMPLES = 2;
/** After so many samples of noise the older half counts half: a stream may last for weeks. */
const REMEMBERED_SAMPLES = 2 ** 20;

/** One sample at a time, in constant memory after the preset samples. */
export interface BaerPicker {
  /** Answers with a pick on the sample on which its trigger has lasted long enough. */
  push(sample: number): BaerPick | null;
}

export function createBaerPicker(options: BaerOptions): BaerPicker {
  const { presetSamples } = options;
  let preset: number[] | null = [];
  let step: ((sample: number) => BaerPick | null) | undefined;
  return {
    push(sample) {
      if (preset === null) return step!(sample);
      preset.push(sample);
      if (preset.length <= presetSamples) return null;
      // Nothing can trigger among the preset samples, so that they can be gone through at once.
      step = start(preset, options);
      for (const early of preset.slice(1)) step(early);
      preset = null;
      return null;
    },
  };
}

function start(
  preset: readonly number[],
  { rateHz, downSamples, upSamples, trigger, update, presetSamples }: BaerOptions,
): (sample: number) => BaerPick | null {
  // Power of signal and derivative: their ratio weighs the derivative in the envelope.
  let signal = 0;
  let derivative = 0;
  for (let i = 2; i < preset.length; i++) {
    signal += preset[i]! ** 2;
    derivative += ((preset[i]! - preset[i - 1]!) * rateHz) ** 2;
  }
  let weight = derivative > 0 ? signal / derivative : 0;
  let count = 0;
  let sum = 0;
  let squares = 0;
  let mean = 0;
  let deviation = 1;
  let i = 0;
  let before = Number.NaN;
  let since = 0;
  let down = 0;
  /** 0 while nothing is triggered; counts up with strong signs. */
  let bonus = 0;
  let picked = false;
  let rising = 0;

  return (sample) => {
    i++;
    // The derivative of the first sample has nothing to be taken from.
    const rate = i === 1 ? 0 : (sample - before) * rateHz;
    before = sample;
    const power = sample ** 2;
    signal += power;
    derivative += rate ** 2;
    const envelope = (power + weight * rate ** 2) ** 2;
    weight = derivative > 0 ? signal / derivative : 0;
    const value = deviation > 0 ? (envelope - mean) / deviation : 0;

    let pick: BaerPick | null = null;
    if (value > trigger && i > 2 * presetSamples) {
      if (bonus === 0) {
        since = i;
        bonus = 1;
        rising = Math.sign(rate);
      } else if (value > STRONG * trigger && down === 0) bonus += BONUS_SAMPLES;
      down = 0;
      if (!picked && i - since + bonus >= upSamples) {
        picked = true;
        pick = { sample: since, firstMotion: rising === 0 ? null : rising > 0 ? 'up' : 'down' };
      }
    } else if (bonus > 0 && ++down > downSamples) {
      bonus = 0;
      down = 0;
      picked = false;
    }
    if (value < update || i <= 2 * presetSamples) {
      if (count >= REMEMBERED_SAMPLES) {
        count /= 2;
        sum /= 2;
        squares /= 2;
        signal /= 2;
        derivative /= 2;
      }
      count++;
      sum += envelope;
      squares += envelope ** 2;
      mean = sum / count;
      deviation = Math.sqrt(Math.max(0, squares / count - mean ** 2));
    }
    return pick;
  };
}

/** The first arrival of a whole trace, or null. */
export function pickBaer(samples: ArrayLike<number>, options: BaerOptions): BaerPick | null {
  const picker = createBaerPicker(options);
  for (let i = 0; i < samples.length; i++) {
    const pick = picker.push(samples[i]!);
    if (pick !== null) return pick;
  }
  return null;
}
