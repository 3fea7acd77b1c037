import { TocsinError } from '../errors.ts';
import type { Condition, PlanDocument } from './document.ts';

/** Fields of a condition that refinement may be allowed to move. */
const TUNABLE = ['threshold', 'magnitude', 'withinKm', 'atLeastMmi'] as const;
type Tunable = (typeof TUNABLE)[number];

/** The values that a path names: none when it names no tunable parameter, several when it names them without telling them apart. */
export function tunableValues(document: PlanDocument, path: string): readonly number[] {
  if (path === 'classify.minConfidence') return [document.classify.minConfidence];
  const field = fieldOf(path);
  return field === undefined ? [] : leavesOf(document.detect).flatMap((leaf) => valueOf(leaf, field));
}

/**
 * Reads a tunable parameter: `classify.minConfidence`, or `detect.<field>` where exactly one leaf of the detect
 * condition has that field.
 *
 * @throws TocsinError PLAN_PARAMETER_UNKNOWN when the path names no parameter or more than one
 */
export function readTunable(document: PlanDocument, path: string): number {
  const values = tunableValues(document, path);
  const [value] = values;
  if (value === undefined || values.length > 1) {
    throw new TocsinError(
      'PLAN_PARAMETER_UNKNOWN',
      `"${path}" names ${values.length} parameters of this plan, not one.`,
      { details: { path, matches: values.length } },
    );
  }
  return value;
}

/** The same document with one parameter changed. @throws as `readTunable` */
export function writeTunable(document: PlanDocument, path: string, value: number): PlanDocument {
  readTunable(document, path);
  if (path === 'classify.minConfidence') {
    return { ...document, classify: { ...document.classify, minConfidence: value } };
  }
  return { ...document, detect: withField(document.detect, fieldOf(path)!, value) };
}

function fieldOf(path: string): Tunable | undefined {
  return TUNABLE.find((field) => path === `detect.${field}`);
}

function leavesOf(condition: Condition): Condition[] {
  return 'of' in condition ? condition.of.flatMap(leavesOf) : [condition];
}

const valueOf = (leaf: Condition, field: Tunable): number[] => {
  const value = (leaf as Partial<Record<Tunable, number>>)[field];
  return value === undefined ? [] : [value];
};

function withField(condition: Condition, field: Tunable, value: number): Condition {
  if (condition.when === 'not') return { ...condition, of: [withField(condition.of[0], field, value)] };
  if (condition.when === 'all' || condition.when === 'any') {
    return { ...condition, of: condition.of.map((inner) => withField(inner, field, value)) };
  }
  return valueOf(condition, field).length === 0 ? condition : { ...condition, [field]: value };
}
