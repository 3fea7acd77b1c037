import { walkConditions } from '../detect/condition.ts';
import type { Parameters } from '../detect/detector.ts';
import { detectorKinds } from '../detect/detectors.ts';
import { NETWORK } from '../detect/seismic/network-parameters.ts';
import { describeDuration } from './describe.ts';
import type { Condition, DetectorCondition, PlanDocument, TogetherCondition } from './document.ts';
import type { Say } from './finding.ts';
import { stepsOf, wholeConditionsOf } from './walk.ts';

/** A number that the basis file must name: its spellings, and a word that must stand beside it. */
interface Cited {
  readonly place: string;
  readonly spellings: readonly { readonly number: string; readonly word: string }[];
}

/** Every number of a plan stands in a table row of its basis file, beside its unit. */
export function checkSources(plan: PlanDocument, sources: string | null, say: Say): void {
  if (sources === null) {
    say(
      'mandatory',
      'PLAN_BASIS_MISSING',
      'basis',
      `There is no file ${plan.basis}, so no number of the plan has a source.`,
      'Write it: one table row for each number, with its source, or "judgement" where it is yours.',
    );
    return;
  }
  const rows = sources.split('\n').filter((line) => line.trimStart().startsWith('|'));
  const said = new Set<string>();
  for (const { place, spellings } of numbersOf(plan)) {
    if (spellings.some(({ number, word }) => rows.some((row) => names(row, number, word)))) continue;
    const [first] = spellings;
    const number = `${first?.number ?? ''} ${first?.word ?? ''}`;
    // The same number in ten steps is one number to look up.
    if (said.has(number)) continue;
    said.add(number);
    say(
      'mandatory',
      'PLAN_NUMBER_WITHOUT_SOURCE',
      place,
      `No table row of ${plan.basis} names ${number}.`,
      'Add a row that names the number with its unit, and its source.',
    );
  }
}

function names(row: string, number: string, word: string): boolean {
  const escaped = number.replace('.', '\\.');
  const whole = number.includes('.') ? `${escaped}0*` : `${escaped}(\\.0+)?`;
  return (
    new RegExp(`(^|[^\\d.])${whole}(?![\\d]|\\.\\d)`).test(row) &&
    row.toLowerCase().includes(word.toLowerCase())
  );
}

const UNITS_MS: readonly (readonly [number, string])[] = [
  [1_000, 'second'],
  [60_000, 'minute'],
  [3_600_000, 'hour'],
  [86_400_000, 'day'],
];

const one = (place: string, value: number, word: string): Cited => ({
  place,
  spellings: [{ number: String(value), word }],
});

/** 24 hours may be called a day. The spelling that people would choose comes first. */
function time(place: string, ms: number): Cited {
  const [preferred = ''] = describeDuration(ms).en.split(' ');
  const spellings = UNITS_MS.filter(([unit]) => ms % unit === 0).map(([unit, word]) => ({
    number: String(ms / unit),
    word,
  }));
  return { place, spellings: spellings.sort((a) => (a.number === preferred ? -1 : 0)) };
}

function* numbersOf(plan: PlanDocument): Generator<Cited> {
  const tuned = Object.keys(plan.refine.mayTune);
  for (const whole of wholeConditionsOf(plan)) {
    for (const { condition, path: place } of walkConditions(whole.condition, whole.place)) {
      // What refinement set lies between bounds, and these are cited.
      const isTuned = (field: string): boolean =>
        whole.place === 'detect' && tuned.includes(`detect.${field}`);
      for (const cited of numbersOfCondition(condition, place)) {
        if (!isTuned(cited.place.slice(place.length + 1))) yield cited;
      }
    }
  }
  for (const [path, { low, high }] of Object.entries(plan.refine.mayTune)) {
    yield one(`refine.mayTune.${path}.low`, low, 'tunable');
    yield one(`refine.mayTune.${path}.high`, high, 'tunable');
  }
  const { sequence, classify, evaluate, refine } = plan;
  if (sequence !== undefined) yield time('sequence.withinMs', sequence.withinMs);
  if (classify.by.kind === 'vote') {
    if (!tuned.includes('classify.minConfidence')) {
      yield one('classify.minConfidence', classify.minConfidence, 'confidence');
    }
    yield time('classify.ifUnsure.withinMs', classify.ifUnsure.withinMs);
  }
  for (const { step, place } of stepsOf(plan)) {
    if (step.do === 'notify' && step.acknowledgedWithinMs !== undefined) {
      yield time(`${place}.acknowledgedWithinMs`, step.acknowledgedWithinMs);
    }
    if (step.do === 'send') yield time(`${place}.withinMs`, step.withinMs);
    if (step.do === 'send' && step.count > 1) yield one(`${place}.count`, step.count, 'units');
    if ('approval' in step) yield time(`${place}.approval.withinMs`, step.approval.withinMs);
    if (step.do === 'evacuate') yield one(`${place}.radiusM`, step.radiusM, ' m');
    if (step.do === 'forEachPlace') {
      yield one(`${place}.atLeastMmi`, step.atLeastMmi, 'MMI');
      yield one(`${place}.atMost`, step.atMost, 'places');
    }
  }
  yield time('evaluate.everyMs', evaluate.everyMs);
  if (evaluate.staleAfterMs !== undefined) yield time('evaluate.staleAfterMs', evaluate.staleAfterMs);
  for (const [name, measure] of Object.entries(evaluate.measures)) {
    yield one(`evaluate.measures.${name}.percentile`, measure.percentile, 'percentile');
    yield time(`evaluate.measures.${name}.goalMs`, measure.goalMs);
  }
  yield one('refine.afterIncidents', refine.afterIncidents, 'incidents');
}

function numbersOfCondition(condition: Condition, place: string): Cited[] {
  switch (condition.when) {
    case 'atLeast':
    case 'below':
      return [
        one(`${place}.threshold`, condition.threshold, condition.unit),
        ...(condition.forMs === 0 ? [] : [time(`${place}.forMs`, condition.forMs)]),
      ];
    case 'detects':
    case 'detectsTogether':
      return [
        ...changedParameters(condition).map(([name, value]) =>
          one(`${place}.parameters.${name}`, value, `${condition.detector} ${name}`),
        ),
        ...(condition.forMs === 0 ? [] : [time(`${place}.forMs`, condition.forMs)]),
      ];
    case 'networkTriggers':
      return Object.entries(condition.parameters)
        .filter(([name, value]) => usualOfNetwork[name]?.default !== value)
        .map(([name, value]) => one(`${place}.parameters.${name}`, value, `network ${name}`));
    case 'expectedAtLeast':
    case 'expectedBelow':
      return [
        one(`${place}.threshold`, condition.threshold, condition.unit),
        time(`${place}.withinMs`, condition.withinMs),
        one(`${place}.probability`, condition.probability, 'probability'),
        ...(condition.forMs === 0 ? [] : [time(`${place}.forMs`, condition.forMs)]),
      ];
    case 'magnitudeNear':
      return [
        one(`${place}.magnitude`, condition.magnitude, 'magnitude'),
        one(`${place}.withinKm`, condition.withinKm, 'km'),
      ];
    case 'intensity':
      return [one(`${place}.atLeastMmi`, condition.atLeastMmi, 'MMI')];
    case 'quietFor':
      return [time(`${place}.forMs`, condition.forMs)];
    case 'always':
    case 'all':
    case 'any':
    case 'not':
      return [];
    default:
      return condition satisfies never;
  }
}

const usualOfNetwork: Parameters = NETWORK.parameters;

/** A default is the detector's own affair; what the plan sets differently is the planner's. */
function changedParameters({
  detector,
  parameters,
}: DetectorCondition | TogetherCondition): [string, number][] {
  const usual = detectorKinds().find(({ name }) => name === detector)?.parameters ?? {};
  return Object.entries(parameters).filter(([name, value]) => usual[name]?.default !== value);
}
