import { z } from 'zod';
import { MISSION_STATUSES } from '../../domain/situation.ts';
import { LEVELS } from '../../domain/units.ts';

/**
 * What goes over HTTP, once: requests are parsed by these, `openapi.json` is made from them, and the tests
 * parse every answer with them. Instants are milliseconds since 1970 in UTC, by the clock of the incident.
 */
const epochMs = z.int().min(0).meta({ description: 'Milliseconds since 1970-01-01T00:00:00Z.' });
const durationMs = z.number().min(0).meta({ description: 'Milliseconds.' });
const slug = z.string().min(1).max(200);
/** Free text of a person, kept in the record. */
const reason = z.string().trim().min(1).max(2_000);
const hash = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .meta({ description: 'Lower-case hexadecimal SHA-256.' });
const anyRecord = z.record(z.string(), z.unknown());

export const TextSchema = z.object({ en: z.string(), zh: z.string() }).meta({ id: 'Text' });
export const LevelSchema = z
  .enum(LEVELS)
  .meta({ id: 'Level', description: 'I (extremely serious, red), II (orange), III (yellow), IV (blue).' });
export const ModeSchema = z.enum(['live', 'exercise']).meta({ id: 'Mode' });
export const PhaseSchema = z.enum(['classifying', 'responding', 'resolved', 'closed']).meta({ id: 'Phase' });
const latitudeDeg = z.number().min(-90).max(90);
const longitudeDeg = z.number().min(-180).max(180);
const PositionSchema = z.object({ latitudeDeg, longitudeDeg }).meta({ id: 'Position' });

export const PlaceSchema = z
  .object({
    id: z.string(),
    name: TextSchema,
    kind: z.enum(['place-of-care', 'building']),
    district: z.string(),
    population: z.number().min(0),
    latitudeDeg,
    longitudeDeg,
  })
  .meta({ id: 'Place' });

export const QuestionSchema = z
  .object({
    id: z.string(),
    about: z.string().meta({ description: 'type, approval, doubt or acknowledgement.' }),
    role: z.string(),
    text: TextSchema,
    choices: z.array(z.string()),
    askedAtMs: epochMs,
    deadlineMs: epochMs,
    otherwise: z.string().meta({ description: 'What applies when nobody answers in time.' }),
    answer: z.object({ choice: z.string(), by: z.string(), atMs: epochMs, reason: z.string() }).optional(),
    expiredAtMs: epochMs.optional(),
  })
  .meta({ id: 'Question' });

export const MissionSchema = z
  .object({
    id: z.string(),
    orderId: z.string(),
    unit: z.string(),
    epoch: z.int().meta({ description: 'Fencing number: a larger one ends all smaller ones.' }),
    capability: z.string(),
    grantedAtMs: epochMs,
    travelMs: durationMs,
    status: z.enum(MISSION_STATUSES),
    times: z.partialRecord(z.enum(MISSION_STATUSES), epochMs),
    transmittedAtMs: epochMs.optional(),
    releasedAtMs: epochMs.optional(),
  })
  .meta({ id: 'Mission' });

export const IncidentSummarySchema = z
  .object({
    incidentId: z.string(),
    tenant: z.string(),
    mode: ModeSchema,
    clock: z.enum(['wall', 'feed']),
    hazard: z.string(),
    type: z.string().nullable(),
    severity: z.string().nullable(),
    confidence: z.number().min(0).max(1).nullable(),
    doubt: z.string(),
    place: PlaceSchema,
    planId: z.string(),
    planHash: z.string(),
    level: LevelSchema.nullable(),
    highestLevel: LevelSchema.nullable(),
    phase: PhaseSchema,
    openedAtMs: epochMs,
    nowMs: epochMs.meta({ description: 'Latest time of the incident by its own clock.' }),
    updatedAtMs: epochMs,
    writtenAtMs: epochMs.meta({ description: 'Wall time of this data: its age is measured from here.' }),
    waiting: z.array(QuestionSchema).meta({ description: 'Open questions, earliest deadline first.' }),
    evidenceCount: z.int(),
    missions: z.object({ open: z.int(), onScene: z.int(), total: z.int() }),
    runId: z.string(),
    webUi: z.string().nullable().meta({ description: 'The workflow in the Temporal web UI.' }),
  })
  .meta({ id: 'IncidentSummary' });

const AssessmentSchema = z
  .looseObject({
    atMs: epochMs,
    type: z.string(),
    confidence: z.number().min(0).max(1),
    severity: z.string(),
    level: LevelSchema,
    decidedBy: z.enum(['recognisers', 'rule', 'human', 'otherwise']),
    doubt: z.string(),
    votes: z.array(
      z.looseObject({
        recogniser: z.string(),
        hash: z.string(),
        label: z.string(),
        probabilities: z.record(z.string(), z.number()),
        outOfRange: z.array(z.string()),
        contributions: z.array(z.object({ feature: z.string(), value: z.string(), weight: z.number() })),
        sentence: TextSchema,
      }),
    ),
    path: z.array(z.object({ question: z.string(), answer: z.string() })),
    affected: z.array(
      z.object({ placeId: z.string(), place: PlaceSchema, distanceKm: z.number(), expectedMmi: z.number() }),
    ),
  })
  .meta({ id: 'Assessment' });

export const SituationSchema = z
  .looseObject({
    incidentId: z.string(),
    phase: PhaseSchema,
    nowMs: epochMs,
    wakeAtMs: epochMs.nullable(),
    evidence: z.array(anyRecord),
    evidenceCount: z.int(),
    assessment: AssessmentSchema.nullable(),
    questions: z.record(z.string(), QuestionSchema),
    orders: z.record(z.string(), anyRecord),
    missions: z.record(z.string(), MissionSchema),
    steps: z.record(z.string(), anyRecord),
    commands: z.array(anyRecord),
    outcome: anyRecord.nullable(),
  })
  .meta({ id: 'Situation', description: 'Everything one incident knows.' });

export const IncidentSchema = IncidentSummarySchema.extend({ situation: SituationSchema }).meta({
  id: 'Incident',
});

export const LiveSituationSchema = z
  .object({
    source: z.enum(['incident', 'projection']).meta({
      description:
        'incident: asked just now. projection: the incident did not answer, this is what it last wrote.',
    }),
    asOfMs: epochMs.meta({ description: 'Wall time of the data.' }),
    situation: SituationSchema,
  })
  .meta({ id: 'LiveSituation' });

export const FactSchema = z
  .object({
    incidentId: z.string(),
    seq: z.int().min(0),
    atMs: epochMs,
    stage: z.enum(['detect', 'classify', 'dispatch', 'evaluate', 'refine']),
    kind: z.string(),
    data: anyRecord,
  })
  .meta({ id: 'Fact' });

export const AnswerBody = z
  .strictObject({ questionId: slug, choice: slug, reason: z.string().trim().max(2_000).default('') })
  .meta({ id: 'AnswerRequest' });
export const AnsweredSchema = z
  .object({ questionId: z.string(), choice: z.string(), atMs: epochMs })
  .meta({ id: 'Answered' });

export const CommandBody = z
  .strictObject({
    kind: z.enum(['escalate', 'stand-down', 'close']),
    severity: slug.optional(),
    reason,
  })
  .refine((command) => (command.kind === 'escalate') === (command.severity !== undefined), {
    message: 'severity belongs to escalate, and escalate needs it',
    path: ['severity'],
  })
  .meta({ id: 'CommandRequest' });
export const CommandedSchema = z.object({ commandId: z.string(), atMs: epochMs }).meta({ id: 'Commanded' });

export const StatusBody = z
  .strictObject({
    status: z.enum(['acknowledged', 'en-route', 'on-scene', 'done', 'stood-down']),
    epoch: z.int().min(0).meta({ description: 'Fencing number of the grant the crew acts under.' }),
    unit: slug.optional().meta({ description: 'When given, it must be the unit of the mission.' }),
    incidentId: slug.optional().meta({ description: 'When given, it must be the incident of the mission.' }),
    atMs: epochMs.optional().meta({
      description: 'When it happened, by the clock of the incident. Default: now.',
    }),
  })
  .meta({ id: 'StatusReport' });
export const StatusTakenSchema = z
  .object({ missionId: z.string(), status: z.enum(MISSION_STATUSES), atMs: epochMs })
  .meta({ id: 'StatusTaken' });

export const WaitingSchema = z
  .discriminatedUnion('kind', [
    z.object({
      kind: z.literal('question'),
      incidentId: z.string(),
      hazard: z.string(),
      place: PlaceSchema,
      level: LevelSchema.nullable(),
      mode: ModeSchema,
      clock: z.enum(['wall', 'feed']),
      nowMs: epochMs,
      deadlineMs: epochMs,
      role: z.string(),
      question: QuestionSchema,
    }),
    z.object({
      kind: z.literal('proposal'),
      proposalId: z.string(),
      planId: z.string(),
      role: z.string(),
      deadlineMs: z.null(),
      atMs: epochMs,
    }),
  ])
  .meta({ id: 'Waiting', description: 'Something that waits for a human.' });

export const FindingSchema = z
  .object({
    code: z.string(),
    severity: z.enum(['mandatory', 'advisory']),
    place: z.string(),
    message: z.string(),
    remedy: z.string(),
  })
  .meta({ id: 'Finding' });

export const ActivationSchema = z
  .object({
    planId: z.string(),
    n: z.int(),
    hash,
    by: z.string(),
    reason: z.string(),
    atMs: epochMs,
  })
  .meta({ id: 'Activation' });

export const ActivateBody = z.strictObject({ hash, reason }).meta({ id: 'ActivateRequest' });

export const VersionSummarySchema = z
  .object({
    planId: z.string(),
    hash,
    author: z.string(),
    publishedAtMs: epochMs,
    parent: z.string().nullable(),
    proposal: z.string().nullable(),
  })
  .meta({ id: 'PlanVersionSummary' });

export const PlanSummarySchema = z
  .object({
    planId: z.string(),
    title: TextSchema.nullable(),
    hazard: z.string().nullable(),
    active: ActivationSchema.nullable(),
    versions: z.int(),
  })
  .meta({ id: 'PlanSummary' });

const RehearsalSchema = z
  .object({
    incidents: z.number(),
    nuisance: z.number(),
    severe: z.number(),
    severeMissed: z.number(),
    unitsSent: z.number(),
    humansAsked: z.number(),
  })
  .meta({ id: 'RehearsalFigures' });

export const DecisionSchema = z
  .object({ proposalId: z.string(), approve: z.boolean(), by: z.string(), reason: z.string(), atMs: epochMs })
  .meta({ id: 'Decision' });

export const ProposalSummarySchema = z
  .object({
    id: z.string(),
    planId: z.string(),
    n: z.int(),
    fromHash: z.string(),
    changes: z.array(z.object({ path: z.string(), from: z.number(), to: z.number(), reason: TextSchema })),
    evidence: z.array(z.string()),
    rehearsal: z.object({ before: RehearsalSchema, after: RehearsalSchema }),
    approvedBy: z.string(),
    atMs: epochMs,
    decision: DecisionSchema.nullable(),
  })
  .meta({ id: 'ProposalSummary' });

export const DecideBody = z.strictObject({ approve: z.boolean(), reason }).meta({ id: 'DecideRequest' });
export const DecidedSchema = z
  .object({ proposalId: z.string(), approved: z.boolean(), activeHash: z.string() })
  .meta({ id: 'Decided' });

export const UnitSchema = z
  .object({
    id: z.string(),
    name: TextSchema,
    district: z.string(),
    capabilities: z.array(z.string()),
    home: PositionSchema,
    speedKmh: z.number(),
    fictional: z.boolean(),
    doing: z
      .object({
        missionId: z.string(),
        incidentId: z.string(),
        capability: z.string(),
        status: z.string(),
        sinceMs: epochMs,
      })
      .nullable()
      .meta({ description: 'Its newest open mission; null: free.' }),
  })
  .meta({ id: 'Unit' });

export const RecogniserSummarySchema = z
  .object({
    name: z.string(),
    active: z.object({ hash: z.string(), n: z.int() }).nullable(),
    shadow: z.string().nullable().meta({ description: 'Hash of the version that answers beside it.' }),
    retraining: z
      .object({ hash: z.string().nullable(), by: z.string(), reason: z.string(), atMs: epochMs })
      .nullable()
      .meta({ description: 'How the last one ended. hash: the version it made; null when it made none.' }),
  })
  .meta({ id: 'RecogniserSummary' });
export const RecogniserCardSchema = z
  .object({ name: z.string(), hash: z.string(), active: z.boolean(), atMs: epochMs, card: anyRecord })
  .meta({ id: 'RecogniserCard' });

const ForecasterVersionFields = {
  hash: z.string(),
  active: z.boolean().meta({ description: 'Plans use this version.' }),
  atMs: epochMs.meta({ description: 'When it was stored.' }),
  kind: z.string().nullable(),
  channel: z.string().nullable().meta({ description: 'Of plans.' }),
  unit: z.string().nullable(),
  everyMs: durationMs.nullable().meta({ description: 'Length of a step.' }),
  steps: z.int().nullable().meta({ description: 'Steps that it looks ahead.' }),
};
export const ForecasterVersionSchema = z.object(ForecasterVersionFields).meta({ id: 'ForecasterVersion' });
export const ForecasterSummarySchema = z
  .object({
    name: z.string(),
    active: z.object({ hash: z.string(), n: z.int() }).nullable(),
    versions: z.int(),
  })
  .meta({ id: 'ForecasterSummary' });
export const ForecasterCardSchema = z
  .object({
    name: z.string(),
    ...ForecasterVersionFields,
    card: anyRecord,
    gates: z
      .array(z.object({ check: z.enum(['artefact', 'plan']), passed: z.boolean(), reason: z.string() }))
      .meta({ description: 'What activating it would find now: all must pass.' }),
  })
  .meta({ id: 'ForecasterCard' });
export const ForecasterActivationSchema = z
  .object({ name: z.string(), n: z.int(), hash, by: z.string(), reason: z.string(), atMs: epochMs })
  .meta({ id: 'ForecasterActivation' });

export const SensorHealthSchema = z
  .object({
    status: z.enum(['ok', 'unheard', 'silent', 'stuck', 'flat', 'noisy', 'skewed', 'gappy']).meta({
      description:
        'silent, stuck, flat and noisy are doubts. skewed: its clock is off, and its times are corrected. gappy: a fifth of its readings is missing. unheard: nothing came yet.',
    }),
    sinceMs: epochMs.nullable(),
    lastObservedAtMs: epochMs.nullable().meta({ description: "By the device's clock." }),
    lastReceivedAtMs: epochMs.nullable(),
    lastValue: z.number().nullable(),
    readings: z.int().min(0),
    missing: z.int().min(0),
    disordered: z.int().min(0),
    spikes: z.int().min(0),
    late: z.int().min(0),
    skewed: z.int().min(0),
    clock: z
      .object({ offsetMs: z.number(), spreadMs: z.number(), messages: z.int().min(0) })
      .nullable()
      .meta({ description: 'How far the device is ahead of the server; negative: behind.' }),
    correctedByMs: z.number().meta({ description: 'What is taken off its times; 0: nothing.' }),
  })
  .meta({ id: 'SensorHealth' });

export const SensorSchema = z
  .object({
    id: z.string(),
    vendor: z.string(),
    tenant: z.string(),
    site: z.string(),
    channel: z.string(),
    unit: z.string(),
    low: z.number(),
    high: z.number(),
    position: PositionSchema.nullable(),
    samplingHz: z.number().optional(),
    clockQuality: z.enum(['free', 'network', 'satellite']).optional(),
    retired: z
      .enum(['vendor', 'operator'])
      .optional()
      .meta({ description: 'Out of service, and who said so: it is not heard, and nobody misses it.' }),
    health: SensorHealthSchema,
  })
  .meta({ id: 'Sensor' });

export const EvaluationSchema = z
  .looseObject({
    incidentId: z.string(),
    planId: z.string(),
    planHash: z.string(),
    closedAtMs: epochMs,
    type: z.string(),
    severity: z.string(),
    level: LevelSchema,
    highestLevel: LevelSchema,
    humansAsked: z.int(),
    unitsSent: z.int(),
  })
  .meta({ id: 'Evaluation' });

export const SessionSchema = z
  .object({
    caller: z.object({ id: z.string(), tenant: z.string(), roles: z.array(z.string()) }),
    version: z.string(),
    mode: ModeSchema.nullable(),
    webUi: z.string().nullable(),
    nowMs: epochMs,
  })
  .meta({ id: 'Session' });

export const ProblemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.string(),
    retryable: z.boolean(),
    instance: z.string(),
    requestId: z.string(),
    details: anyRecord,
  })
  .meta({ id: 'Problem', description: 'RFC 9457; codes are explained at /docs/errors.' });

/** A page of a list. `nextCursor` is null on the last one. */
export const pageOf = <T extends z.ZodType>(item: T) =>
  z.object({ items: z.array(item), nextCursor: z.string().nullable() });
/** A list short enough to send whole. */
export const listOf = <T extends z.ZodType>(item: T) => z.object({ items: z.array(item) });

export const hashParameter = hash;
