import { TocsinError } from '../errors.ts';
import type { Level, Text } from '../units.ts';
import type { BulletinHandle, Channel } from './conditions.ts';
import type { ClassifySpec, Condition, Measure, PlanDocument, Step } from './document.ts';
import { toMs } from './quantities.ts';
import type { Bounds, Duration, UnitName } from './quantities.ts';
import type { AffectedPlace, PlannedStep } from './steps.ts';

/** What a plan's callbacks are handed: its channels and its bulletins, by the names the plan gave them. */
export type Handles<Channels, Bulletins> = {
  readonly [C in keyof Channels]: Channels[C] extends UnitName ? Channel<Channels[C]> : never;
} & { readonly [B in keyof Bulletins]: BulletinHandle };

type When<Channels, Bulletins, Result = Condition> = (handles: Handles<Channels, Bulletins>) => Result;

/** A plan as a planner writes it. */
export interface PlanSource<
  Severity extends string,
  Channels extends Readonly<Record<string, UnitName>>,
  Bulletins extends Readonly<Record<string, string>>,
> {
  /** Lower-case slug: `gas-leak`. */
  readonly id: string;
  readonly title: Text;
  /** Path of the file that cites the source of every number. */
  readonly basis: string;
  readonly covers: { readonly hazard: string };
  /** Channels that conditions may use, with the unit they are compared in. */
  readonly channels?: Channels;
  /** Names for the bulletin types that conditions may use: `{ notice: 'earthquake-notice' }`. */
  readonly bulletins?: Bulletins;
  /** Severities, with the level each maps to. */
  readonly severities: Readonly<Record<Severity, Level>>;

  readonly detect: When<Channels, Bulletins>;
  readonly sequence?: {
    readonly radius: 'gardner-knopoff-1974';
    readonly within: Duration;
    /** @default the plan's only bulletin */
    readonly bulletin?: NoInfer<keyof Bulletins & string>;
  };

  readonly classify: {
    readonly by: Vote | Rule;
    /** What the recognisers read. @default the plan's only bulletin */
    readonly bulletin?: NoInfer<keyof Bulletins & string>;
    /** 0..1; below it the answer counts as doubt. @default 1, for a plan by rule */
    readonly minConfidence?: number;
    readonly ifUnsure: {
      /** Role of the person asked. */
      readonly ask: string;
      readonly within: Duration;
      /** Severity for silence; `scale` takes the hazard as real and lets the scale decide. */
      readonly otherwise: NoInfer<Severity> | 'scale';
    };
    /** What each type leads to. */
    readonly types: Readonly<Record<string, NoInfer<Severity> | 'scale'>>;
    /** The first rule that holds decides; the last is `always`. */
    readonly scale: When<
      Channels,
      Bulletins,
      readonly { readonly severity: NoInfer<Severity>; readonly when: Condition }[]
    >;
  };

  readonly dispatch: { readonly [S in NoInfer<Severity>]: readonly PlannedStep[] };

  readonly evaluate: {
    readonly every: Duration;
    readonly staleAfter?: Duration;
    readonly resolvedWhen: When<Channels, Bulletins>;
    readonly resolvedWhenBySeverity?: {
      readonly [S in NoInfer<Severity>]?: When<Channels, Bulletins>;
    };
    readonly escalateWhen?: When<Channels, Bulletins>;
    readonly measures?: Readonly<Record<string, Measure>>;
  };

  readonly refine: {
    /** What refinement may propose to change, and how far. */
    readonly mayTune: Readonly<Record<string, Bounds>>;
    readonly afterIncidents: number;
    readonly approvedBy: string;
  };
}

interface Vote {
  readonly kind: 'vote';
  readonly recognisers: readonly string[];
}
interface Rule {
  readonly kind: 'rule';
  readonly type: string;
}

/** Recognisers that vote on the type; where they disagree, a person is asked. */
export const vote = (first: string, second: string, ...more: readonly string[]): Vote => ({
  kind: 'vote',
  recognisers: [first, second, ...more],
});

/** The condition itself says what it is: a methane alarm is a gas leak. */
export const rule = (type: string): Rule => ({ kind: 'rule', type });

/** Time from an order to the last of its units on scene. */
export const arrival = (
  capability: string,
  { percentile, goal }: { readonly percentile: number; readonly goal: Duration },
): Measure => ({ measure: 'arrival', capability, percentile, goalMs: toMs(goal) });

/**
 * Compiles a plan to its document: plain JSON, durations in milliseconds, a path as each step's id. Callbacks run
 * once, here. Whether the plan makes sense is for `checkPlan` to say.
 *
 * @throws TocsinError PLAN_NOT_COMPILED when a number, a time span or a reference cannot be compiled
 */
export function definePlan<
  const Severity extends string,
  const Channels extends Readonly<Record<string, UnitName>> = Record<never, never>,
  const Bulletins extends Readonly<Record<string, string>> = Record<never, never>,
>(source: PlanSource<Severity, Channels, Bulletins>): PlanDocument {
  const channels: Readonly<Record<string, UnitName>> = source.channels ?? {};
  const bulletins: Readonly<Record<string, string>> = source.bulletins ?? {};
  const handles = handlesOf(channels, bulletins) as Handles<Channels, Bulletins>;
  const { classify, evaluate, sequence, refine } = source;

  return {
    schema: 'tocsin/plan/v1',
    id: source.id,
    title: source.title,
    basis: source.basis,
    covers: source.covers,
    channels,
    bulletins: Object.values(bulletins),
    severities: source.severities,
    detect: source.detect(handles),
    ...(sequence === undefined
      ? {}
      : {
          sequence: {
            bulletin: bulletinOf(bulletins, sequence.bulletin, 'sequence.bulletin'),
            radius: sequence.radius,
            withinMs: toMs(sequence.within),
          },
        }),
    classify: {
      by: compiledBy(classify.by, bulletins, classify.bulletin),
      minConfidence: classify.minConfidence ?? 1,
      ifUnsure: {
        ask: classify.ifUnsure.ask,
        withinMs: toMs(classify.ifUnsure.within),
        otherwise: classify.ifUnsure.otherwise,
      },
      types: classify.types,
      scale: classify.scale(handles),
    },
    dispatch: Object.fromEntries(
      Object.entries<readonly PlannedStep[]>(source.dispatch).map(([severity, steps]) => [
        severity,
        compiledSteps(steps, severity, []),
      ]),
    ),
    evaluate: {
      everyMs: toMs(evaluate.every),
      ...(evaluate.staleAfter === undefined ? {} : { staleAfterMs: toMs(evaluate.staleAfter) }),
      resolvedWhen: evaluate.resolvedWhen(handles),
      ...(evaluate.resolvedWhenBySeverity === undefined
        ? {}
        : { resolvedWhenBySeverity: compiledConditions(evaluate.resolvedWhenBySeverity, handles) }),
      ...(evaluate.escalateWhen === undefined ? {} : { escalateWhen: evaluate.escalateWhen(handles) }),
      measures: evaluate.measures ?? {},
    },
    refine: {
      mayTune: refine.mayTune,
      afterIncidents: refine.afterIncidents,
      approvedBy: refine.approvedBy,
    },
  };
}

function handlesOf(
  channels: Readonly<Record<string, UnitName>>,
  bulletins: Readonly<Record<string, string>>,
): Readonly<Record<string, Channel<UnitName> | BulletinHandle>> {
  const twice = Object.keys(channels).find((name) => name in bulletins);
  if (twice !== undefined) throw refused(`\`${twice}\` names both a channel and a bulletin.`);
  return {
    ...Object.fromEntries(Object.entries(channels).map(([channel, unit]) => [channel, { channel, unit }])),
    ...Object.fromEntries(Object.entries(bulletins).map(([name, bulletin]) => [name, { bulletin }])),
  };
}

function bulletinOf(
  bulletins: Readonly<Record<string, string>>,
  name: string | undefined,
  place: string,
): string {
  const types = Object.values(bulletins);
  const only = types.length === 1 ? types[0] : undefined;
  const type = name === undefined ? only : bulletins[name];
  if (type === undefined) throw refused(`Say in \`${place}\` which of the plan's bulletins it reads.`);
  return type;
}

function compiledBy(
  by: Vote | Rule,
  bulletins: Readonly<Record<string, string>>,
  name: string | undefined,
): ClassifySpec['by'] {
  return by.kind === 'rule' ? by : { ...by, bulletin: bulletinOf(bulletins, name, 'classify.bulletin') };
}

function compiledConditions<H>(
  conditions: Readonly<Record<string, ((handles: H) => Condition) | undefined>>,
  handles: H,
): Record<string, Condition> {
  return Object.fromEntries(
    Object.entries(conditions).flatMap(([severity, when]) =>
      when === undefined ? [] : [[severity, when(handles)] as const],
    ),
  );
}

const compiledSteps = (
  steps: readonly PlannedStep[],
  path: string,
  places: readonly AffectedPlace[],
): Step[] => steps.map((step, index) => compiledStep(step, `${path}.${index}`, places));

function compiledStep(planned: PlannedStep, id: string, places: readonly AffectedPlace[]): Step {
  const { at, ...step } = planned;
  if (at !== undefined && !places.includes(at)) {
    throw refused(`Step ${id} names a place that belongs to another \`forEach\`.`);
  }
  switch (step.do) {
    case 'notify':
    case 'send': {
      const { otherwise, ...rest } = step;
      return otherwise === undefined
        ? { ...rest, id }
        : { ...rest, id, otherwise: compiledStep(otherwise, `${id}.otherwise`, places) };
    }
    case 'together':
      return { do: step.do, id, steps: compiledSteps(step.steps, id, places) };
    case 'forEachPlace': {
      const { place, steps, ...rest } = step;
      return { ...rest, id, steps: compiledSteps(steps, id, [...places, place]) };
    }
    case 'evacuate':
    case 'actuate':
    case 'procedure':
      return { ...step, id };
    default:
      return step satisfies never;
  }
}

const refused = (message: string): TocsinError => new TocsinError('PLAN_NOT_COMPILED', message);
