import { TocsinError } from '../../errors.ts';
import { completeParameters } from '../detector.ts';
import type { DetectorKind, ParameterValues, Parameters } from '../detector.ts';

/** What a network of stations can be given; the defaults are those of `tocsin detect network`. */
export const NETWORK = {
  name: 'networkTriggers',
  summary:
    'the stations of a seismic network agree on an earthquake: a condition of plans, and tocsin detect network on packets',
  /** Axes of a station. */
  channels: { minimum: 1, maximum: 3 },
  parameters: {
    onStations: {
      meaning:
        'stations whose P waves must agree; one that counts for less than a whole one takes another to make up (judgement, by the figures in docs/seismic.md)',
      default: 2,
      minimum: 2,
      maximum: 50,
      whole: true,
      unit: 'stations',
    },
    pKmPerS: {
      meaning: 'speed of P waves in the crust (IASP91: 5.8 to 6.5; Kennett & Engdahl 1991)',
      default: 6.5,
      minimum: 1,
      maximum: 14,
      unit: 'km/s',
    },
    lowHz: {
      meaning: 'lower end of the band listened to: local earthquakes against microseisms (judgement)',
      default: 1,
      minimum: 0.01,
      maximum: 50,
      unit: 'Hz',
    },
    highHz: {
      meaning: 'upper end of the band: the same against machines (judgement)',
      default: 10,
      minimum: 0.02,
      maximum: 100,
      unit: 'Hz',
    },
    staSeconds: {
      meaning: 'length of the short average of power (Allen 1978)',
      default: 0.5,
      minimum: 0.05,
      maximum: 60,
      unit: 's',
    },
    ltaSeconds: {
      meaning: 'length of the long average of power: the noise before (Withers et al. 1998)',
      default: 15,
      minimum: 1,
      maximum: 600,
      unit: 's',
    },
    on: {
      meaning: 'a station triggers above this ratio of power (Withers et al. 1998 have 4 to 10)',
      default: 6,
      minimum: 1.01,
      maximum: 1_000,
    },
    off: {
      meaning: 'its shaking is over below this ratio (judgement)',
      default: 2,
      minimum: 0.1,
      maximum: 1_000,
    },
    quietSeconds: {
      meaning:
        'the alert is over when no station that joined it has shaken for so long: P, S and coda are one (judgement)',
      default: 120,
      minimum: 1,
      maximum: 86_400,
      unit: 's',
    },
  },
} as const satisfies Pick<DetectorKind<Parameters>, 'name' | 'summary' | 'channels' | 'parameters'>;

export type NetworkParameters = ParameterValues<(typeof NETWORK)['parameters']>;

/**
 * Completes given parameters by the defaults.
 * @throws TocsinError DETECTOR_PARAMETER for an unknown name, a number out of range, or two that contradict
 */
export function networkParameters(given: Readonly<Record<string, number>> = {}): NetworkParameters {
  const parameters: NetworkParameters = completeParameters(NETWORK, given);
  for (const [less, more] of [
    ['lowHz', 'highHz'],
    ['staSeconds', 'ltaSeconds'],
    ['off', 'on'],
  ] as const) {
    if (parameters[less] < parameters[more]) continue;
    throw new TocsinError('DETECTOR_PARAMETER', `${NETWORK.name}: ${less} must be less than ${more}.`, {
      details: {
        detector: NETWORK.name,
        parameter: less,
        value: parameters[less],
        allowed: `less than ${more}`,
      },
    });
  }
  return parameters;
}
