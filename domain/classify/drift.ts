import type { FeatureEncoding, Row } from './features.ts';
import { pastRow } from './past.ts';
import { predict, type Recogniser } from './recogniser.ts';
import { percent, vote } from './vote.ts';

/** Above this, beyond what chance gives, the population has changed (the customary limit of the index). */
const STABILITY_LIMIT = 0.25;
/** Fewer rows tell nothing. */
const ROWS_AT_LEAST = 30;
const KNOWN_AT_LEAST = 20;
const CALIBRATION_LIMIT = 0.1;
const ABSTENTION_LIMIT = 0.05;
const BINS = 10;

export interface DriftMonitor {
  readonly monitor: 'population' | 'calibration' | 'abstention';
  /** The input, for `population`. */
  readonly feature?: string;
  readonly value: number;
  /** What the value was to be compared with. */
  readonly limit: number;
  readonly alarm: boolean;
  readonly reason: string;
}

export interface DriftReport {
  readonly rows: number;
  /** False when there are too few rows for any judgement: no monitor then raises an alarm. */
  readonly enough: boolean;
  readonly monitors: readonly DriftMonitor[];
  readonly alarm: boolean;
}

export interface DriftInput {
  readonly recogniser: Recogniser;
  readonly rows: readonly Row[];
  /** Label of each row where it became known, else null. */
  readonly truths: readonly (string | null)[];
  /** What the rows are compared with. @default the past rows kept in the artefact */
  readonly reference?: readonly Row[];
  readonly minConfidence: number;
  /** Share of rows it abstained on when it was judged. @default its share on `reference` */
  readonly usualAbstention?: number;
}

/**
 * Whether what a recogniser sees, says and doubts is still what it was: population stability index of every input
 * less its expectation under no change, confidence against accuracy where the truth became known, and the share of
 * abstentions. Each with a limit; a monitor above its limit is an alarm.
 */
export function driftOf(input: DriftInput): DriftReport {
  const { recogniser, rows, truths, minConfidence } = input;
  const reference = input.reference ?? Array.from(recogniser.past?.y ?? [], (_, r) => pastRow(recogniser, r));
  const enough = rows.length >= ROWS_AT_LEAST && reference.length >= ROWS_AT_LEAST;
  if (!enough) return { rows: rows.length, enough, monitors: [], alarm: false };
  const monitors: DriftMonitor[] = recogniser.preprocessing.features.map((feature) =>
    populationOf(feature, reference, rows),
  );
  const abstains = (some: readonly Row[]): number =>
    some.filter((row) => vote([predict(recogniser, row)], { minConfidence }).label === undefined).length /
    some.length;
  monitors.push(abstentionOf(abstains(rows), input.usualAbstention ?? abstains(reference), rows.length));
  const known = rows.flatMap((row, r) => {
    const truth = truths[r] ?? null;
    return truth === null ? [] : [{ prediction: predict(recogniser, row), truth }];
  });
  if (known.length >= KNOWN_AT_LEAST) {
    monitors.push(
      calibrationOf(
        known.map(({ prediction }) => prediction.probabilities[prediction.label]!),
        known.map(({ prediction, truth }) => prediction.label === truth),
      ),
    );
  }
  return { rows: rows.length, enough, monitors, alarm: monitors.some(({ alarm }) => alarm) };
}

function populationOf(
  { spec }: FeatureEncoding,
  reference: readonly Row[],
  rows: readonly Row[],
): DriftMonitor {
  const binOf = binsFor(reference.map((row) => row[spec.name] ?? null));
  const before = shares(reference.map((row) => binOf(row[spec.name] ?? null)));
  const after = shares(rows.map((row) => binOf(row[spec.name] ?? null)));
  const bins = [...new Set([...before.keys(), ...after.keys()])];
  const smoothed = (of: ReadonlyMap<string, number>, total: number, bin: string): number =>
    ((of.get(bin) ?? 0) + 0.5) / (total + 0.5 * bins.length);
  let index = 0;
  for (const bin of bins) {
    const p = smoothed(before, reference.length, bin);
    const q = smoothed(after, rows.length, bin);
    index += (q - p) * Math.log(q / p);
  }
  // Two samples of one population differ by this much on average.
  const byChance = (bins.length - 1) * (1 / reference.length + 1 / rows.length);
  const value = Math.max(0, index - byChance);
  const alarm = value > STABILITY_LIMIT;
  return {
    monitor: 'population',
    feature: spec.name,
    value,
    limit: STABILITY_LIMIT,
    alarm,
    reason: `${spec.name} is distributed ${alarm ? 'otherwise than' : 'as'} before (index ${value.toFixed(3)})`,
  };
}

/** Tenths of the reference for numbers, a bin for each text, one for what is missing. */
function binsFor(reference: readonly Row[string][]): (value: Row[string]) => string {
  const sorted = reference.filter((value) => typeof value === 'number').sort((a, b) => a - b);
  const edges = Array.from(
    { length: BINS - 1 },
    (_, i) => sorted[Math.floor(((i + 1) * sorted.length) / BINS)],
  );
  return (value) =>
    value === null
      ? 'missing'
      : typeof value === 'string'
        ? `text ${value}`
        : `tenth ${edges.filter((edge) => edge !== undefined && value >= edge).length}`;
}

function shares(bins: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const bin of bins) counts.set(bin, (counts.get(bin) ?? 0) + 1);
  return counts;
}

function abstentionOf(now: number, usual: number, rows: number): DriftMonitor {
  const chance = 3 * Math.sqrt(Math.max(usual * (1 - usual), 1 / rows) / rows);
  const limit = usual + Math.max(ABSTENTION_LIMIT, chance);
  return {
    monitor: 'abstention',
    value: now,
    limit,
    alarm: now > limit,
    reason: `it abstains on ${percent(now)} of the rows, usually on ${percent(usual)}`,
  };
}

function calibrationOf(confidences: readonly number[], right: readonly boolean[]): DriftMonitor {
  const n = confidences.length;
  const said = confidences.reduce((sum, p) => sum + p, 0) / n;
  const came = right.filter(Boolean).length / n;
  const value = Math.abs(said - came);
  const limit = Math.max(CALIBRATION_LIMIT, 3 * Math.sqrt((said * (1 - said)) / n));
  return {
    monitor: 'calibration',
    value,
    limit,
    alarm: value > limit,
    reason: `it was sure by ${percent(said)} and right in ${percent(came)} of ${n} known cases`,
  };
}
