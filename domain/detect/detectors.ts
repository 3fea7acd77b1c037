import { TocsinError } from '../errors.ts';
import { completeParameters } from './detector.ts';
import type { Detector, DetectorKind, DetectorState, Parameters, ParameterValues } from './detector.ts';
import { levelChange } from './multi/level-change.ts';
import { pca } from './multi/pca.ts';
import { staLta } from './seismic/sta-lta-detector.ts';
import { auto } from './stream/auto.ts';
import { ar, arRls } from './stream/autoregression.ts';
import { changePoint } from './stream/change-point.ts';
import { cusum } from './stream/cusum.ts';
import { ewma } from './stream/ewma.ts';
import { flatLine } from './stream/flat-line.ts';
import { grouping } from './stream/grouped.ts';
import type { GROUPING } from './stream/grouped.ts';
import { rateOfChange } from './stream/rate-of-change.ts';
import { robust } from './stream/robust.ts';
import { seasonal } from './stream/seasonal.ts';
import { silence } from './stream/silence.ts';
import { threshold } from './stream/threshold.ts';

/** Every kind of detector that plans, the command line and the API can name. A new one is one line here. */
const KINDS = [
  auto,
  threshold,
  rateOfChange,
  ewma,
  cusum,
  ar,
  arRls,
  seasonal,
  robust,
  silence,
  flatLine,
  changePoint,
  staLta,
  pca,
  levelChange,
] as const satisfies readonly DetectorKind[];

const OFFERED: readonly DetectorKind[] = KINDS.map((kind: DetectorKind) => grouping(kind));

export type DetectorName = (typeof KINDS)[number]['name'];
/** What a detector of that name can be given; what is left out has its default. */
export type DetectorParameters<N extends DetectorName> = Partial<
  ParameterValues<Extract<(typeof KINDS)[number], { readonly name: N }>['parameters']> &
    ParameterValues<typeof GROUPING>
>;

export function detectorKinds(): readonly DetectorKind[] {
  return OFFERED;
}

/** A kind of detector with its parameters fixed; `create` makes one for a channel. */
export interface NamedDetector {
  readonly kind: DetectorKind;
  readonly parameters: Readonly<Record<string, number>>;
  /** @throws TocsinError DETECTOR_CHANNELS when the kind does not take so many channels */
  create(channels?: number, state?: DetectorState): Detector;
}

/**
 * @example
 * const overheated = detectorNamed('threshold', { level: 80, holdMs: 30_000 }).create();
 * overheated.push(Date.UTC(2026, 0, 1), [81]).alarm; // false: not yet for 30 seconds
 *
 * @throws TocsinError DETECTOR_UNKNOWN, DETECTOR_PARAMETER
 */
export function detectorNamed(name: string, given: Readonly<Record<string, number>> = {}): NamedDetector {
  const kind: DetectorKind<Parameters> | undefined = OFFERED.find((known) => known.name === name);
  if (kind === undefined) {
    const known = OFFERED.map((each) => each.name);
    throw new TocsinError(
      'DETECTOR_UNKNOWN',
      `There is no detector ${name}. There are: ${known.join(', ')}.`,
      {
        details: { name, known },
      },
    );
  }
  const parameters = completeParameters(kind, given);
  return {
    kind,
    parameters,
    create(channels = kind.channels.minimum, state) {
      const { minimum, maximum } = kind.channels;
      if (channels < minimum || channels > maximum) {
        const takes = minimum === maximum ? `${minimum}` : `${minimum} to ${maximum}`;
        throw new TocsinError('DETECTOR_CHANNELS', `${name} takes ${takes} channels, not ${channels}.`, {
          details: { detector: name, channels, minimum, maximum },
        });
      }
      return kind.create({ parameters, channels, state });
    },
  };
}
