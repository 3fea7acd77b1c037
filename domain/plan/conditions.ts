import { detectorNamed } from '../detect/detectors.ts';
import type { DetectorName, DetectorParameters } from '../detect/detectors.ts';
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

export interface Expectation extends Hold {
  readonly within: Duration;
  /** At least so likely, above 0 and below 1. @default 0.8 */
  readonly probability?: number;
  /** How it is forecast: from the sensor's own past, learnt again as it goes. @default 'auto': what validation chooses */
  readonly model?: LiveForecastKind;
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
  { within, probability = 0.8, model = 'auto', for: hold, onSensors = 1 }: Expectation,
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
    model,
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
