import { TocsinError } from '../errors.ts';
import type { EpochMs } from '../units.ts';

/** One value a channel, in the order of the channels. NaN: missing. */
export type Row = ArrayLike<number>;

/**
 * What a detector says of one row.
 * `score`: 0 (as ever) to 1 (nothing like it was seen); comparable over time within one detector.
 * `alarm`: the condition holds at this row. One cause may hold for many rows; {@link Detector} `begins` marks the
 * first.
 */
export interface Verdict {
  readonly score: number;
  readonly alarm: boolean;
  /** True on the row with which an alarm begins. */
  readonly begins: boolean;
  /** The statistic behind the score in its own unit (a residual, a ratio, a count of deviations). */
  readonly statistic: number;
}

/** Everything a detector must remember, as plain JSON (no NaN, no infinities). */
export type DetectorState = Readonly<Record<string, unknown>>;

/**
 * A detector on a stream: one pass, memory that does not grow with the stream. Give it every row once, in time order;
 * a row with an earlier time than the last is ignored (score 0; an alarm goes on).
 *
 * The verdict object is reused by the next `push`: copy what you keep.
 */
export interface Detector {
  /** How many values a row must have. */
  readonly channels: number;
  push(timeMs: EpochMs, row: Row): Verdict;
  /** A detector created with this state goes on as if it had never stopped. A copy: later rows do not change it. */
  save(): DetectorState;
  /** What was learnt, for people: coefficients, errors, levels. */
  describe?(): Readonly<Record<string, number>>;
}

/** A number a detector can be given. */
export interface Parameter {
  /** What it does, in one sentence. */
  readonly meaning: string;
  readonly default: number;
  readonly minimum: number;
  readonly maximum: number;
  /** @default false */
  readonly whole?: boolean;
  /** Unit, where there is one: `ms`, `rows`, `Hz`, `deviations`. */
  readonly unit?: string;
}

export type Parameters = Readonly<Record<string, Parameter>>;
export type ParameterValues<P extends Parameters = Parameters> = { readonly [name in keyof P]: number };

export interface CreateOptions<P extends Parameters> {
  readonly parameters: ParameterValues<P>;
  readonly channels: number;
  /** What `save()` answered. */
  readonly state?: DetectorState | undefined;
}

/** A kind of detector: its name, what it can be given, and how one is made. */
export interface DetectorKind<P extends Parameters = Parameters, N extends string = string> {
  readonly name: N;
  /** What it finds, in one sentence. */
  readonly summary: string;
  /** Channels it can take. @default { minimum: 1, maximum: 1 } */
  readonly channels: { readonly minimum: number; readonly maximum: number };
  /**
   * It reads a stream of even steps. On a live channel with a declared rate the last value stands in for a step that
   * is missing, for as many steps as this; what was filled in raises no alarm. @default nothing is filled
   */
  readonly fillsAtMost?: number;
  readonly parameters: P;
  create(options: CreateOptions<P>): Detector;
}

/** Declares a kind of detector; `parameters` types what `create` gets, and what a plan may give. */
export function defineDetector<const P extends Parameters, const N extends string>(
  kind: Omit<DetectorKind<P, N>, 'channels'> & Partial<Pick<DetectorKind<P, N>, 'channels'>>,
): DetectorKind<P, N> {
  return { channels: { minimum: 1, maximum: 1 }, ...kind };
}

/**
 * Completes given parameters by the defaults.
 * @throws TocsinError DETECTOR_PARAMETER for an unknown name, no number, or a number out of range
 */
export function completeParameters<P extends Parameters>(
  kind: Pick<DetectorKind<P>, 'name' | 'parameters'>,
  given: Readonly<Record<string, number>> = {},
): ParameterValues<P> {
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(kind.parameters, name)) {
      const known = Object.keys(kind.parameters);
      refuse(
        kind.name,
        name,
        given[name],
        `it takes ${known.length > 0 ? known.join(', ') : 'no parameters'}`,
      );
    }
  }
  return Object.fromEntries(
    Object.entries(kind.parameters).map(([name, { minimum, maximum, whole, default: usual }]) => {
      const value = given[name] ?? usual;
      if (typeof value !== 'number' || !(value >= minimum && value <= maximum)) {
        refuse(kind.name, name, value, `give a number from ${minimum} to ${maximum}`);
      }
      if (whole === true && !Number.isInteger(value)) refuse(kind.name, name, value, 'give a whole number');
      return [name, value];
    }),
  ) as ParameterValues<P>;
}

function refuse(detector: string, parameter: string, value: unknown, allowed: string): never {
  throw new TocsinError('DETECTOR_PARAMETER', `${detector}: ${parameter} = ${String(value)}: ${allowed}.`, {
    details: { detector, parameter, value: typeof value === 'number' ? value : String(value), allowed },
  });
}
