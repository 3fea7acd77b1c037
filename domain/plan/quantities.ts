import { TocsinError } from '../errors.ts';
import type { DurationMs } from '../units.ts';

/** Units a plan compares in, spelt as sensors declare them. */
export type UnitName =
  | '%LEL'
  | 'ppm'
  | 'm/s'
  | 'm'
  | 'km'
  | '°C'
  | 'kPa'
  | 'mm/h'
  | 'MMI'
  | 'M'
  | 'Gal'
  | 'm/s²'
  | 'mm/s'
  | 'Hz'
  | 'km/s'
  | 'sensors';

/** A number that knows its unit. */
export interface Quantity<U extends UnitName> {
  readonly value: number;
  readonly unit: U;
}

const quantity =
  <U extends UnitName>(unit: U) =>
  (value: number): Quantity<U> => {
    if (!Number.isFinite(value)) {
      throw new TocsinError('PLAN_NOT_COMPILED', `Expected a number of ${unit}, got ${value}.`);
    }
    return { value, unit };
  };

/** Share of the lower explosive limit, percent. 100 %LEL of methane is 5 % by volume in air. */
export const lel = quantity('%LEL');
/** Parts per million by volume. */
export const ppm = quantity('ppm');
/** Metres per second. */
export const mps = quantity('m/s');
export const metres = quantity('m');
export const km = quantity('km');
/** Degrees Celsius. */
export const celsius = quantity('°C');
export const kilopascals = quantity('kPa');
/** Rain or snow, millimetres per hour. */
export const millimetresPerHour = quantity('mm/h');
/** Modified Mercalli Intensity, 1..12: how strongly a place is shaken. */
export const mmi = quantity('MMI');
/** Magnitude of an earthquake as its network gives it: how much energy was released. */
export const magnitude = quantity('M');

/** Acceleration of the ground: 1 Gal is 1 cm/s². */
export const gal = quantity('Gal');
/** Acceleration, metres per second squared. */
export const mps2 = quantity('m/s²');
/** Velocity of the ground, millimetres per second. */
export const millimetresPerSecond = quantity('mm/s');
export const hertz = quantity('Hz');
/** Kilometres per second: how fast seismic waves are. */
export const kmps = quantity('km/s');
/** How many sensors of a place, as on the channel `doubtfulSensors`. */
export const sensors = quantity('sensors');

/** Bounds of a number that refinement may tune, both inclusive. */
export interface Bounds {
  readonly low: number;
  readonly high: number;
}

/**
 * @example
 * between(magnitude(1), magnitude(2.5)) // { low: 1, high: 2.5 }
 */
export function between(low: number, high: number): Bounds;
export function between<U extends UnitName>(low: Quantity<U>, high: Quantity<NoInfer<U>>): Bounds;
export function between(low: number | Quantity<UnitName>, high: number | Quantity<UnitName>): Bounds {
  return { low: valueOf(low), high: valueOf(high) };
}

const valueOf = (bound: number | Quantity<UnitName>): number =>
  typeof bound === 'number' ? bound : bound.value;

type TimeUnit = 'second' | 'seconds' | 'minute' | 'minutes' | 'hour' | 'hours' | 'day' | 'days';

/** A time span as people say it: `'30 seconds'`, `'8 minutes'`, `'72 hours'`, `'3 days'`. */
export type Duration = `${number} ${TimeUnit}`;

const MS_PER: Readonly<Record<string, number>> = {
  second: 1_000,
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
};

/**
 * A duration in whole milliseconds.
 *
 * @throws TocsinError PLAN_NOT_COMPILED for anything but a positive number of seconds, minutes, hours or days
 * @example
 * toMs('8 minutes') // 480000
 */
export function toMs(duration: Duration): DurationMs {
  const [, count, unit] = /^(\d+(?:\.\d+)?) (second|minute|hour|day)s?$/.exec(duration) ?? [];
  const ms = Math.round(Number(count) * (MS_PER[unit ?? ''] ?? NaN));
  if (!(ms > 0)) {
    throw new TocsinError(
      'PLAN_NOT_COMPILED',
      `Expected a time span such as '8 minutes' or '72 hours', got '${duration}'.`,
    );
  }
  return ms;
}
