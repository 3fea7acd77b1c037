import { z } from 'zod';
import type { Condition, PlanDocument, Step } from '../../domain/plan/document.ts';
import { LevelSchema, TextSchema } from './schemas.ts';

/**
 * The shape of a plan document as somebody sends it. Shape only: what a plan means is judged by `checkPlan`.
 * Unknown members are refused, so that a misspelt one is not silently without effect.
 */
const name = z.string().min(1).max(200);
const ms = z.int().min(0);
const positiveMs = z.int().min(1);
const finite = z.number();

export const ConditionSchema: z.ZodType<Condition> = z
  .lazy(() =>
    z.union([
      z.strictObject({
        when: z.enum(['atLeast', 'below']),
        channel: name,
        threshold: finite,
        unit: name,
        forMs: ms,
        onSensors: z.union([z.int().min(1), z.literal('all')]),
      }),
      z.strictObject({
        when: z.literal('detects'),
        channel: name,
        unit: name,
        detector: name,
        parameters: z.record(name, finite),
        forMs: ms,
        onSensors: z.union([z.int().min(1), z.literal('all')]),
      }),
      z.strictObject({
        when: z.literal('detectsTogether'),
        channels: z.array(name).min(1).max(64),
        detector: name,
        parameters: z.record(name, finite),
        forMs: ms,
      }),
      z.strictObject({
        when: z.literal('networkTriggers'),
        channels: z.array(name).min(1).max(3),
        unit: name,
        parameters: z.record(name, finite),
      }),
      z.strictObject({
        when: z.enum(['expectedAtLeast', 'expectedBelow']),
        channel: name,
        threshold: finite,
        unit: name,
        withinMs: positiveMs,
        probability: finite,
        model: name,
        forecaster: name.optional(),
        forMs: ms,
        onSensors: z.union([z.int().min(1), z.literal('all')]),
      }),
      z.strictObject({
        when: z.literal('magnitudeNear'),
        bulletin: name,
        magnitude: finite,
        withinKm: z.number().positive(),
      }),
      z.strictObject({ when: z.literal('intensity'), bulletin: name, atLeastMmi: z.number().min(1).max(12) }),
      z.strictObject({ when: z.literal('quietFor'), bulletin: name, forMs: positiveMs }),
      z.strictObject({ when: z.literal('always') }),
      z.strictObject({ when: z.enum(['all', 'any']), of: z.array(ConditionSchema).min(1).max(50) }),
      z.strictObject({ when: z.literal('not'), of: z.tuple([ConditionSchema]) }),
    ]),
  )
  .meta({ id: 'Condition' });

const approval = z.strictObject({ from: name, withinMs: positiveMs, otherwise: z.enum(['proceed', 'hold']) });

export const StepSchema = z
  .lazy(() =>
    z.discriminatedUnion('do', [
      z.strictObject({
        do: z.literal('notify'),
        id: name,
        to: name,
        acknowledgedWithinMs: positiveMs.optional(),
        otherwise: StepSchema.optional(),
      }),
      z.strictObject({
        do: z.literal('send'),
        id: name,
        capability: name,
        count: z.int().min(1),
        withinMs: positiveMs,
        otherwise: StepSchema.optional(),
      }),
      z.strictObject({ do: z.literal('evacuate'), id: name, radiusM: z.number().positive(), approval }),
      z.strictObject({
        do: z.literal('actuate'),
        id: name,
        device: name,
        action: z.enum(['close-valve', 'open-valve', 'stop-trains', 'shut-power']),
        approval,
      }),
      z.strictObject({ do: z.literal('together'), id: name, steps: z.array(StepSchema).min(1).max(50) }),
      z.strictObject({
        do: z.literal('forEachPlace'),
        id: name,
        atLeastMmi: z.number().min(1).max(12),
        atMost: z.int().min(1),
        steps: z.array(StepSchema).min(1).max(50),
      }),
      z.strictObject({
        do: z.literal('procedure'),
        id: name,
        name,
        codeHash: name,
        arguments: z.record(name, z.union([z.string(), z.number(), z.boolean()])),
      }),
    ]),
  )
  .meta({ id: 'Step' }) as unknown as z.ZodType<Step>;

export const PlanDocumentSchema = z
  .strictObject({
    schema: z.literal('tocsin/plan/v1'),
    id: z.string().regex(/^[a-z][a-z0-9-]{0,62}$/),
    title: TextSchema,
    basis: name,
    covers: z.strictObject({ hazard: name }),
    channels: z.record(name, name),
    bulletins: z.array(name),
    severities: z.record(name, LevelSchema),
    detect: ConditionSchema,
    sequence: z
      .strictObject({ bulletin: name, radius: z.literal('gardner-knopoff-1974'), withinMs: positiveMs })
      .optional(),
    classify: z.strictObject({
      by: z.discriminatedUnion('kind', [
        z.strictObject({ kind: z.literal('vote'), recognisers: z.array(name).min(1), bulletin: name }),
        z.strictObject({ kind: z.literal('rule'), type: name }),
      ]),
      minConfidence: z.number().min(0).max(1),
      ifUnsure: z.strictObject({ ask: name, withinMs: positiveMs, otherwise: name }),
      types: z.record(name, name),
      scale: z.array(z.strictObject({ severity: name, when: ConditionSchema })),
    }),
    dispatch: z.record(name, z.array(StepSchema).max(100)),
    evaluate: z.strictObject({
      everyMs: positiveMs,
      staleAfterMs: positiveMs.optional(),
      resolvedWhen: ConditionSchema,
      resolvedWhenBySeverity: z.record(name, ConditionSchema).optional(),
      escalateWhen: ConditionSchema.optional(),
      measures: z.record(
        name,
        z.strictObject({
          measure: z.literal('arrival'),
          capability: name,
          percentile: z.number().min(1).max(100),
          goalMs: positiveMs,
        }),
      ),
    }),
    refine: z.strictObject({
      mayTune: z.record(name, z.strictObject({ low: finite, high: finite })),
      afterIncidents: z.int().min(1),
      approvedBy: name,
    }),
  })
  .meta({ id: 'PlanDocument' });

/** The document as the domain knows it. The schema above lets nothing else through. */
export const asPlanDocument = (parsed: z.output<typeof PlanDocumentSchema>): PlanDocument =>
  parsed as PlanDocument;
