import { DOUBTS } from '../ingest/health-book.ts';
import type {
  Condition,
  DetectorCondition,
  ForecastCondition,
  NetworkCondition,
  ReadingsCondition,
  TogetherCondition,
} from './document.ts';

/**
 * True when, whatever is heard, `b` holds whenever `a` does. Cautious: false also when it cannot tell.
 *
 * @example
 * implies(expectedIntensity(notice, { atLeast: mmi(7) }), expectedIntensity(notice, { atLeast: mmi(6) })) // true
 */
export function implies(a: Condition, b: Condition): boolean {
  if (b.when === 'always') return true;
  if (a.when === 'any') return a.of.every((part) => implies(part, b));
  if (b.when === 'all') return b.of.every((part) => implies(a, part));
  if (a.when === 'all' && a.of.some((part) => implies(part, b))) return true;
  if (b.when === 'any') return b.of.some((part) => implies(a, part));
  switch (a.when) {
    case 'atLeast':
      return b.when === 'atLeast' && a.threshold >= b.threshold && lastsAsLong(a, b);
    case 'below':
      return b.when === 'below' && a.threshold <= b.threshold && lastsAsLong(a, b);
    case 'detects':
      return b.when === 'detects' && isSameDetector(a, b) && lastsAsLong(a, b);
    case 'detectsTogether':
      return (
        b.when === 'detectsTogether' &&
        isSameDetector(a, b) &&
        a.channels.join() === b.channels.join() &&
        a.forMs >= b.forMs
      );
    case 'networkTriggers':
      return b.when === 'networkTriggers' && isSameNetwork(a, b);
    case 'expectedAtLeast':
      return b.when === a.when && a.threshold >= b.threshold && isAsSure(a, b) && lastsAsLong(a, b);
    case 'expectedBelow':
      return b.when === a.when && a.threshold <= b.threshold && isAsSure(a, b) && lastsAsLong(a, b);
    case 'magnitudeNear':
      return (
        b.when === 'magnitudeNear' &&
        a.bulletin === b.bulletin &&
        a.magnitude >= b.magnitude &&
        a.withinKm <= b.withinKm
      );
    case 'intensity':
      return b.when === 'intensity' && a.bulletin === b.bulletin && a.atLeastMmi >= b.atLeastMmi;
    case 'quietFor':
      return b.when === 'quietFor' && a.bulletin === b.bulletin && a.forMs >= b.forMs;
    case 'not':
      return b.when === 'not' && implies(b.of[0], a.of[0]);
    default:
      return false;
  }
}

type Detecting = DetectorCondition | TogetherCondition;

const isSameDetector = (a: Detecting, b: Detecting): boolean =>
  a.detector === b.detector &&
  Object.keys({ ...a.parameters, ...b.parameters }).every(
    (name) => a.parameters[name] === b.parameters[name],
  );

/** The same stations in the same way, on at least as many. */
const isSameNetwork = (a: NetworkCondition, b: NetworkCondition): boolean =>
  a.channels.join() === b.channels.join() &&
  a.unit === b.unit &&
  Object.keys({ ...a.parameters, ...b.parameters }).every((name) =>
    name === 'onStations'
      ? (a.parameters[name] ?? 0) >= (b.parameters[name] ?? 0)
      : a.parameters[name] === b.parameters[name],
  );

/** Expected no later, and no less likely, by the same model. */
const isAsSure = (a: ForecastCondition, b: ForecastCondition): boolean =>
  a.model === b.model &&
  a.forecaster === b.forecaster &&
  a.withinMs <= b.withinMs &&
  a.probability >= b.probability;

/** Same channel, on at least as many sensors, for at least as long. */
const lastsAsLong = (a: ReadingsCondition, b: ReadingsCondition): boolean =>
  a.channel === b.channel &&
  a.unit === b.unit &&
  a.forMs >= b.forMs &&
  (a.onSensors === b.onSensors ||
    b.onSensors === 1 ||
    (typeof a.onSensors === 'number' && typeof b.onSensors === 'number' && a.onSensors > b.onSensors));

/** True when a single sensor can make it hold: one that drifts can too. */
export function holdsOnOneSensor(condition: Condition): boolean {
  switch (condition.when) {
    case 'atLeast':
    case 'below':
      // The sensor that counts the doubtful ones is no device that drifts.
      return condition.onSensors === 1 && condition.channel !== DOUBTS.channel;
    case 'detects':
    case 'expectedAtLeast':
    case 'expectedBelow':
      return condition.onSensors === 1;
    case 'any':
      return condition.of.some(holdsOnOneSensor);
    case 'all':
      return condition.of.every(holdsOnOneSensor);
    case 'always':
    case 'detectsTogether':
    case 'networkTriggers':
    case 'magnitudeNear':
    case 'intensity':
    case 'quietFor':
    case 'not':
      return false;
    default:
      return condition satisfies never;
  }
}
