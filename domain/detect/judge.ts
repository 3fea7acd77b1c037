import type { ReadingsCondition } from '../plan/document.ts';
import type { EpochMs } from '../units.ts';
import type { Detector, DetectorState } from './detector.ts';
import { detectorNamed } from './detectors.ts';

/** Says of each reading whether it meets a condition, sensor by sensor. */
export interface Judge {
  /** Give it every reading of a sensor once, oldest first. */
  meets(sensor: number, atMs: EpochMs, value: number): boolean;
  /** What it must remember, by sensor; absent when it remembers nothing. */
  save?(): Readonly<Record<string, DetectorState>>;
}

export function createJudge(
  condition: ReadingsCondition,
  sensors: readonly { readonly id: string }[],
  states: Readonly<Record<string, DetectorState>> = {},
): Judge {
  switch (condition.when) {
    case 'atLeast': {
      const { threshold } = condition;
      return { meets: (_sensor, _atMs, value) => value >= threshold };
    }
    case 'below': {
      const { threshold } = condition;
      return { meets: (_sensor, _atMs, value) => value < threshold };
    }
    case 'detects': {
      const named = detectorNamed(condition.detector, condition.parameters);
      return byDetectors(sensors, (id) => named.create(1, states[id]));
    }
    default:
      return condition satisfies never;
  }
}

function byDetectors(
  sensors: readonly { readonly id: string }[],
  create: (sensor: string) => Detector,
): Judge {
  const detectors = sensors.map(({ id }) => create(id));
  const row = [NaN];
  return {
    meets(sensor, atMs, value) {
      row[0] = value;
      return detectors[sensor]!.push(atMs, row).alarm;
    },
    save: () => Object.fromEntries(sensors.map(({ id }, n) => [id, detectors[n]!.save()])),
  };
}
