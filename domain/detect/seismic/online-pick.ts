import { createBaerPicker } from './baer.ts';
import { bandPass, createCascade } from './butterworth.ts';

/** A P wave as it was picked while the record was still coming in. */
export interface OnlinePick {
  /** First sample of the P wave, from 0 at the start of the stream. */
  readonly sample: number;
  /** Sample with which the pick was given; the difference is the latency. */
  readonly givenAtSample: number;
}

export interface OnlinePicker {
  /** The next sample of the vertical component. Answers with a pick on the sample that completes it. */
  push(sample: number): OnlinePick | null;
}

/** The paper's thresholds; lengths that suit local earthquakes. */
const TRIGGER = 10;
const DOWN_SECONDS = 0.1;
const UP_SECONDS = 0.5;
const PRESET_SECONDS = 0.5;
const BAND = { lowHz: 1, highHz: 20, corners: 2 };

/**
 * Picks on a live stream: the picker of Baer & Kradolfer on the band of local earthquakes, in constant memory, which
 * answers within a fraction of a second. It cannot know whether a greater rise is yet to come, so it is wrong more
 * often than `pickP`, which can.
 */
export function createOnlinePicker(rateHz: number): OnlinePicker {
  const filter = createCascade(bandPass({ rateHz, ...BAND }));
  const picker = createBaerPicker({
    rateHz,
    downSamples: Math.round(DOWN_SECONDS * rateHz),
    upSamples: Math.round(UP_SECONDS * rateHz),
    trigger: TRIGGER,
    update: 2 * TRIGGER,
    presetSamples: Math.round(PRESET_SECONDS * rateHz),
  });
  let seen = 0;
  let offset = 0;
  return {
    push(sample) {
      if (seen === 0) offset = sample;
      const pick = picker.push(filter.push(sample - offset));
      const givenAtSample = seen++;
      return pick === null ? null : { sample: pick.sample, givenAtSample };
    },
  };
}
