import { detectorNamed } from '../detect/detectors.ts';
import type { DetectorName, DetectorParameters } from '../detect/detectors.ts';
import { networkParameters } from '../detect/seismic/network-parameters.ts';
import { TocsinError } from '../errors.ts';
import type { LiveForecastKind } from '../forecast/live.ts';
import type { ChannelCondition, Condition, ForecastCondition } from './document.ts';
import { toMs } from './quantities.ts';
import type { Duration, Quantity, UnitName } from './quantities.ts';

/** What sensors measure, handed to a plan's callbacks by its name. */
export interface Channel<U extends UnitName> {
  readonly channel: string;
  readonly unit: U;
}

/** A kind of notice from another system, handed to a plan's callbacks by its name. */
export interface BulletinHandle {
  readonly bulletin: string;
}

export interface Hold {
  /** The threshold must be met without a break for this long. @default at once */
  readonly for?: Duration;
  /** How many sensors of one site must meet it at the same time. @default 1 */
  readonly onSensors?: number | 'all';
}

/**
 * Readings at or above a threshold.
 *
 * @example
 * atLeast(methane, lel(10), { for: '30 seconds', onSensors: 2 })
 */
export const atLeast = <U extends UnitName>(
  channel: Channel<U>,
  threshold: Quantity<NoInfer<U>>,
  hold: Hold = {},
): Condition => onChannel('atLeast', channel, threshold, hold);

/** Readings below a threshold. */
export const below = <U extends UnitName>(
  channel: Channel<U>,
  threshold: Quantity<NoInfer<U>>,
  hold: Hold = {},
): Condition => onChannel('below', channel, threshold, hold);

function onChannel(
  when: ChannelCondition['when'],
  { channel, unit }: Channel<UnitName>,
  threshold: Quantity<UnitName>,
  { for: hold, onSensors = 1 }: Hold,
): ChannelCondition {
  return {
    when,
    channel,
    threshold: threshold.value,
    unit,
    forMs: hold === undefined ? 0 : toMs(hold),
    onSensors,
  };
}

/**
 * A detector by its name raises its alarm on a channel's readings, each sensor by itself. `tocsin detect list`
 * shows the detectors with their parameters; what is left out has its default, and is written into the document.
 *
 * @throws TocsinError DETECTOR_PARAMETER for a value out of range, DETECTOR_CHANNELS for a detector of several channels
 * @example
 * detects(methane, 'auto', {}, { onSensors: 2 })
 */
export function detects<U extends UnitName, N extends DetectorName>(
  { channel, unit }: Channel<U>,
  detector: N,
  parameters: DetectorParameters<N> = {},
  { for: hold, onSensors = 1 }: Hold = {},
): Condition {
  const named = detectorNamed(detector, parameters as Readonly<Record<string, number>>);
  named.create(1);
  return {
    when: 'detects',
    channel,
    unit,
    detector,
    parameters: named.parameters,
    forMs: hold === undefined ? 0 : toMs(hold),
    onSensors,
  };
}

/**
 * A detector judges several channels of a site together, row by row: each may be as ever, and all of them as never.
 *
 * @throws TocsinError PLAN_NOT_COMPILED without a channel, DETECTOR_PARAMETER, DETECTOR_CHANNELS
 * @example
 * detectsTogether([flow, pressure], 'pca', { adapt: 300 }, { for: '2 minutes' })
 */
export function detectsTogether<N extends DetectorName>(
  channels: readonly Channel<UnitName>[],
  detector: N,
  parameters: DetectorParameters<N> = {},
  { for: hold }: Pick<Hold, 'for'> = {},
): Condition {
  if (channels.length === 0) {
    throw new TocsinError('PLAN_NOT_COMPILED', '`detectsTogether` needs at least one channel.');
  }
  const named = detectorNamed(detector, parameters as Readonly<Record<string, number>>);
  named.create(Math.max(2, channels.length));
  return {
    when: 'detectsTogether',
    channels: channels.map(({ channel }) => channel),
    detector,
    parameters: named.parameters,
    forMs: hold === undefined ? 0 : toMs(hold),
  };
}

/** Units of ground motion: acceleration, or velocity. */
export type GroundMotion = 'Gal' | 'm/s²' | 'mm/s';

/**
 * How a seismic network tells an earthquake. The defaults were chosen on recordings of accelerometers in buildings;
 * docs/seismic.md says which, and how they do.
 */
export interface NetworkTrigger {
  /**
   * Stations whose P waves must agree on one place and time. Each nearer station that stays silent takes one more; one
   * that triggered alone in the last minutes, or was not yet listened to for long, counts for less than a whole one.
   * 2 to 50. @default 2
   */
  readonly onStations?: number;
  /** Speed of P waves in the crust; IASP91 has 5.8 to 6.5 km/s (Kennett & Engdahl 1991). @default kmps(6.5) */
  readonly pWaves?: Quantity<'km/s'>;
  /** Band in which a station listens: local earthquakes stand out from people and wind. @default 1 to 10 Hz */
  readonly band?: { readonly from: Quantity<'Hz'>; readonly to: Quantity<'Hz'> };
  /** Short average of power, as long as a P wave takes to rise (Allen 1978). 0.05 s to 1 min. @default '0.5 seconds' */
  readonly sta?: Duration;
  /** Long average: the noise before. 1 s to 10 min. @default '15 seconds' */
  readonly lta?: Duration;
  /** A station triggers above this ratio of the two powers (Withers et al. 1998). @default 6, in amplitude 2.4 */
  readonly on?: number;
  /** Its shaking is over below this ratio. @default 2 */
  readonly off?: number;
  /** The alert is over when none of its stations has shaken for so long; P, S and coda are one. @default '2 minutes' */
  readonly quietAfter?: Duration;
}

/**
 * The stations of a seismic network agree on an earthquake: each triggers on the waveforms of its one to three axes
 * by itself, and the onsets fit the travel times of P waves from one place. A clock that cannot be right is not
 * believed, and the arrival of the packets stands in for it. Sensors of one vendor at one position are one station.
 *
 * @throws TocsinError PLAN_NOT_COMPILED for no channel or more than three, or channels of different units;
 * DETECTOR_PARAMETER for a value out of range
 * @example
 * networkTriggers([north, east, up], { onStations: 3 })
 */
export function networkTriggers<U extends GroundMotion>(
  axes: readonly Channel<U>[],
  { onStations, pWaves, band, sta, lta, on, off, quietAfter }: NetworkTrigger = {},
): Condition {
  const [first] = axes;
  if (first === undefined || axes.length > 3) {
    throw new TocsinError(
      'PLAN_NOT_COMPILED',
      '`networkTriggers` needs one to three channels: the axes of a station.',
    );
  }
  if (axes.some(({ unit }) => unit !== first.unit)) {
    throw new TocsinError('PLAN_NOT_COMPILED', 'The axes of `networkTriggers` must be measured in one unit.');
  }
  const given = {
    onStations,
    pKmPerS: pWaves?.value,
    lowHz: band?.from.value,
    highHz: band?.to.value,
    staSeconds: sta === undefined ? undefined : toMs(sta) / 1_000,
    ltaSeconds: lta === undefined ? undefined : toMs(lta) / 1_000,
    on,
    off,
    quietSeconds: quietAfter === undefined ? undefined : toMs(quietAfter) / 1_000,
  };
  const said = Object.entries(given).filter((entry): entry is [string, number] => entry[1] !== undefined);
  return {
    when: 'networkTriggers',
    channels: axes.map(({ channel }) => channel),
    unit: first.unit,
    parameters: networkParameters(Object.fromEntries(said)),
  };
}

export type Expectation = Expecting &
  (
    | {
        /**
         * How it is forecast: from the sensor's own past, learnt again as it goes. @default 'auto': what validation
         * chooses
         */
        readonly model?: LiveForecastKind;
        readonly forecaster?: never;
      }
    | {
        readonly model?: never;
        /**
         * A forecast that was trained before, by its name in the register (`tocsin forecast list`). The version in use
         * when the reading comes is taken; when none is intact and fits, `model: 'auto'` stands in, and a doubt says so.
         */
        readonly forecaster: string;
      }
  );

interface Expecting extends Hold {
  readonly within: Duration;
  /** At least so likely, above 0 and below 1. @default 0.8 */
  readonly probability?: number;
}

/**
 * A sensor's own past says that its readings reach the threshold in time: early warning before it happens.
 *
 * @throws TocsinError PLAN_NOT_COMPILED for a probability that is none
 * @example
 * expectedAtLeast(stage, metres(4), { within: '30 minutes', probability: 0.9 })
 */
export const expectedAtLeast = <U extends UnitName>(
  channel: Channel<U>,
  threshold: Quantity<NoInfer<U>>,
  expectation: Expectation,
): Condition => expected('expectedAtLeast', channel, threshold, expectation);

/** As `expectedAtLeast`, for readings that fall below a threshold. */
export const expectedBelow = <U extends UnitName>(
  channel: Channel<U>,
  threshold: Quantity<NoInfer<U>>,
  expectation: Expectation,
): Condition => expected('expectedBelow', channel, threshold, expectation);

function expected(
  when: ForecastCondition['when'],
  { channel, unit }: Channel<UnitName>,
  threshold: Quantity<UnitName>,
  { within, probability = 0.8, model = 'auto', forecaster, for: hold, onSensors = 1 }: Expectation,
): ForecastCondition {
  if (!(probability > 0 && probability < 1)) {
    throw new TocsinError(
      'PLAN_NOT_COMPILED',
      `A probability lies above 0 and below 1, not at ${probability}.`,
    );
  }
  return {
    when,
    channel,
    threshold: threshold.value,
    unit,
    withinMs: toMs(within),
    probability,
    ...(forecaster === undefined ? { model } : { model: 'trained', forecaster }),
    forMs: hold === undefined ? 0 : toMs(hold),
    onSensors,
  };
}

/**
 * A notice of at least this magnitude, no further than `within` from a place of care.
 *
 * @example
 * magnitudeNear(notice, { atLeast: magnitude(1), within: km(20) })
 */
export const magnitudeNear = (
  { bulletin }: BulletinHandle,
  { atLeast: least, within }: { readonly atLeast: Quantity<'M'>; readonly within: Quantity<'km'> },
): Condition => ({ when: 'magnitudeNear', bulletin, magnitude: least.value, withinKm: within.value });

/**
 * A notice whose expected intensity at a place of care, by Allen, Wald & Worden (2012), reaches a value.
 *
 * @example
 * expectedIntensity(notice, { atLeast: mmi(5) })
 */
export const expectedIntensity = (
  { bulletin }: BulletinHandle,
  { atLeast: least }: { readonly atLeast: Quantity<'MMI'> },
): Condition => ({ when: 'intensity', bulletin, atLeastMmi: least.value });

/** No further notice joined the incident for this long. */
export const quietFor = ({ bulletin }: BulletinHandle, time: Duration): Condition => ({
  when: 'quietFor',
  bulletin,
  forMs: toMs(time),
});

/** Holds whenever it is read: the last rule of every scale. */
export const always: Condition = { when: 'always' };

export const all = (...of: readonly Condition[]): Condition => compound('all', of);
export const any = (...of: readonly Condition[]): Condition => compound('any', of);
export const not = (condition: Condition): Condition => ({ when: 'not', of: [condition] });

function compound(when: 'all' | 'any', of: readonly Condition[]): Condition {
  if (of.length === 0) {
    throw new TocsinError('PLAN_NOT_COMPILED', `\`${when}\` needs at least one condition.`);
  }
  return { when, of };
}
