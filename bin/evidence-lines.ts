import type { Evidence, ReadingsEvidence } from '../domain/evidence.ts';
import { positionText } from './output.ts';

/** What a network of stations and trained forecasts last said in an incident, a line each, for people. */
export function evidenceLines(evidence: readonly Evidence[]): string[] {
  const newest = new Map<string, ReadingsEvidence>();
  for (const item of evidence) if (item.kind === 'readings') newest.set(item.leaf, item);
  return [...newest.values()].flatMap((item) => [...networkLines(item), ...forecastLines(item)]);
}

const clock = (ms: number): string => new Date(ms).toISOString().slice(11, 23);

function networkLines({ network, sensors, holds, unit }: ReadingsEvidence): string[] {
  if (network === undefined) return [];
  return [
    `${network.stations} stations agree on an earthquake at ${clock(network.originAtMs)}, ${positionText(network.position, 2)}, give or take ${network.uncertaintyKm} km${holds ? '' : '; the shaking is over'}`,
    ...sensors.map(
      ({ sensor, sinceMs, value }) =>
        `  ${sensor}: P wave at ${sinceMs === null ? '-' : clock(sinceMs)}, up to ${value.toPrecision(2)} ${unit}`,
    ),
    ...network.clocksNotBelieved.map(({ sensor, reason }) => `  clock of ${sensor} not believed: ${reason}`),
  ];
}

function forecastLines({ forecast, unit, channel }: ReadingsEvidence): string[] {
  if (forecast === undefined) return [];
  const { name, hash, probability, expected } = forecast;
  if (hash === null) return [`forecast ${name} could not be used: the sensor's own past stood in for it`];
  const likely = probability === null ? 'nothing yet' : `${Math.round(probability * 100)} % likely`;
  const value =
    expected === undefined
      ? ''
      : `; ${channel} ${expected.value.toPrecision(3)} ${unit} (${expected.low.toPrecision(3)} to ${expected.high.toPrecision(3)}, ${Math.round(expected.level * 100)} %)`;
  return [`forecast ${name}@${hash.slice(0, 12)}: ${likely}${value}`];
}
