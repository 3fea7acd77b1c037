import { TocsinError } from '../domain/errors.ts';

/** What one error code means to each kind of caller. */
export interface ErrorEntry {
  /** Short, stable, the same for every occurrence. */
  readonly title: string;
  readonly http: number;
  /** gRPC status number: 3 INVALID_ARGUMENT, 5 NOT_FOUND, 9 FAILED_PRECONDITION … */
  readonly grpc: number;
  /** True when the same request may succeed later without being changed. */
  readonly retryable: boolean;
  /** What the caller should do about it. */
  readonly remedy: string;
}

const GRPC = {
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  UNAUTHENTICATED: 16,
} as const;

type GrpcName = keyof typeof GRPC;

const entry = (
  title: string,
  http: number,
  grpc: GrpcName,
  remedy: string,
  retryable = false,
): ErrorEntry => ({
  title,
  http,
  grpc: GRPC[grpc],
  retryable,
  remedy,
});

/**
 * Every code that a caller can meet, described in `docs/errors.md`; tests hold the two together, and hold both
 * to the codes that the source throws.
 */
export const ERRORS: Readonly<Record<string, ErrorEntry>> = {
  ALREADY_ANSWERED: entry(
    'Somebody answered first',
    409,
    'FAILED_PRECONDITION',
    'Read the incident: the answer that counts is in it. To change course, send a command.',
  ),
  ARCHIVE_CONFLICT: entry(
    'The archive does not hold what was acknowledged',
    409,
    'ABORTED',
    'A frame is missing or differs: check for a second ingest process, and restore from a backup.',
  ),
  BACKEND_UNAVAILABLE: entry(
    'Temporal did not answer in time',
    503,
    'UNAVAILABLE',
    'Repeat the request unchanged. Answers, and commands sent with the same Idempotency-Key, take effect once.',
    true,
  ),
  BUNDLE_UNREADABLE: entry(
    'Not an evidence bundle',
    422,
    'INVALID_ARGUMENT',
    'Use a file that tocsin audit export wrote, unchanged.',
  ),
  CERTIFICATE_REFUSED: entry(
    'The certificate is not of this caller',
    401,
    'UNAUTHENTICATED',
    'Connect with the client certificate that the operator knows for the principal of your key or token.',
  ),
  CHOICE_INVALID: entry(
    'Not one of the choices offered',
    422,
    'INVALID_ARGUMENT',
    'Choose one of details.choices.',
  ),
  CLEAN_STEP_INVALID: entry(
    'Not a step of cleaning, or one that cannot be done',
    422,
    'INVALID_ARGUMENT',
    'The message names the step; tocsin forecast train --help lists the forms.',
  ),
  CURSOR_INVALID: entry(
    'Not a cursor of this list',
    400,
    'INVALID_ARGUMENT',
    'Use nextCursor of the page before, unchanged, or start without a cursor.',
  ),
  DETECTOR_CHANNELS: entry(
    'The detector does not take so many channels',
    422,
    'INVALID_ARGUMENT',
    'Give as many channels as details.minimum to details.maximum, or choose another detector.',
  ),
  DETECTOR_PARAMETER: entry(
    'Not a parameter of the detector, or out of range',
    422,
    'INVALID_ARGUMENT',
    'See tocsin detect list for the parameters and their ranges.',
  ),
  DETECTOR_UNKNOWN: entry('No such detector', 404, 'NOT_FOUND', 'Take the name from tocsin detect list.'),
  EVIDENCE_MISSING: entry(
    'The record is incomplete',
    409,
    'FAILED_PRECONDITION',
    'Restore what the message names from a backup, or export an incident whose record is whole.',
  ),
  FACT_CONFLICT: entry(
    'Another fact already holds this number',
    409,
    'ABORTED',
    'The record has two writers. Stop, export the incident, and compare its history with its facts.',
  ),
  FORECASTER_DAMAGED: entry(
    'Not an intact forecaster artefact',
    422,
    'FAILED_PRECONDITION',
    'Restore the file from where it was written, or train it again.',
  ),
  FORECASTER_GATE_REFUSED: entry(
    'The version may not be used',
    422,
    'FAILED_PRECONDITION',
    'Read the gates in details: store what the plans in force ask for, or register it under another name.',
  ),
  FORECASTER_NEWER: entry(
    'The forecaster artefact is from a newer version',
    422,
    'FAILED_PRECONDITION',
    'Update Tocsin, or train the forecast again with this version.',
  ),
  FORECASTER_TOO_LARGE: entry(
    'The forecaster is too large to store',
    413,
    'RESOURCE_EXHAUSTED',
    'Train it with a shorter horizon or longer steps.',
  ),
  FORECASTER_UNKNOWN: entry('No such forecaster', 404, 'NOT_FOUND', 'Take name and hash from the list.'),
  FORECAST_DATA_INVALID: entry(
    'The values cannot train, judge or continue a forecast',
    422,
    'INVALID_ARGUMENT',
    'Give more values, a shorter horizon, or cleaning that closes the gaps; the message says which.',
  ),
  IDEMPOTENCY_MISMATCH: entry(
    'This Idempotency-Key belongs to another request',
    422,
    'INVALID_ARGUMENT',
    'Use a new key for a new request; repeat a request with its old key unchanged.',
  ),
  INCIDENT_CLOSED: entry(
    'The incident is closed',
    409,
    'FAILED_PRECONDITION',
    'A closed incident takes no commands and no reports. Read its record.',
  ),
  INCIDENT_UNKNOWN: entry(
    'No such incident',
    404,
    'NOT_FOUND',
    'Take the id from the incident list, and percent-encode it as one path segment.',
  ),
  INGEST_STOPPING: entry(
    'The ingest service is stopping',
    503,
    'UNAVAILABLE',
    'Send what was not acknowledged again, after a moment.',
    true,
  ),
  INTERNAL: entry(
    'Something failed inside Tocsin',
    500,
    'INTERNAL',
    'Quote requestId: the operator finds the cause in the log under it.',
  ),
  LABEL_GIVEN: entry(
    'You have labelled this incident already',
    409,
    'ALREADY_EXISTS',
    'What you said first stands; somebody else may say otherwise.',
  ),
  LABEL_TOO_EARLY: entry(
    'The incident is not closed',
    409,
    'FAILED_PRECONDITION',
    'Label it when it is closed.',
  ),
  MEDIA_TYPE: entry(
    'The body is not JSON',
    415,
    'INVALID_ARGUMENT',
    'Send Content-Type: application/json, UTF-8, not compressed.',
  ),
  MISSION_EPOCH: entry(
    'The unit runs under another grant',
    409,
    'FAILED_PRECONDITION',
    'Take the mission and its epoch from the newest order: a larger epoch ends all smaller ones.',
  ),
  MISSION_NOT_ON_SCENE: entry(
    'The unit was never on scene',
    409,
    'FAILED_PRECONDITION',
    'Report on-scene first.',
  ),
  MISSION_OVER: entry(
    'The mission has ended',
    409,
    'FAILED_PRECONDITION',
    'An ended mission takes no reports.',
  ),
  MISSION_STATUS_BACKWARDS: entry(
    'The mission is already further',
    409,
    'FAILED_PRECONDITION',
    'Report only what comes after details.from.',
  ),
  MISSION_UNKNOWN: entry(
    'No such mission',
    404,
    'NOT_FOUND',
    'Take the id from the missions of an incident.',
  ),
  NOT_JSON: entry(
    'A value that JSON cannot carry',
    422,
    'INVALID_ARGUMENT',
    'Replace the value at details.place: NaN, infinities and lone surrogates have no JSON form.',
  ),
  PLACE_UNKNOWN: entry('No such place', 404, 'NOT_FOUND', 'Take the id from the list of places.'),
  PLAN_INVALID: entry(
    'The plan may not be published',
    422,
    'INVALID_ARGUMENT',
    'Correct every mandatory finding in details.findings: each names its place and its remedy.',
  ),
  PLAN_NOT_COMPILED: entry(
    'The plan does not compile',
    422,
    'INVALID_ARGUMENT',
    'Correct what the message names in the plan file: a value without its unit, an unknown name.',
  ),
  PLAN_PARAMETER_UNKNOWN: entry(
    'Not one parameter of the plan',
    422,
    'INVALID_ARGUMENT',
    'Give the path of exactly one number of the document.',
  ),
  PLAN_UNKNOWN: entry(
    'No such plan or version',
    404,
    'NOT_FOUND',
    'Take plan and hash from the list of versions.',
  ),
  PRINCIPAL_KEY_TAKEN: entry(
    'The key belongs to another principal',
    409,
    'ALREADY_EXISTS',
    'Make a new key.',
  ),
  PROPOSAL_DECIDED: entry(
    'The proposal is decided',
    409,
    'FAILED_PRECONDITION',
    'Read its decision; a new change needs a new proposal.',
  ),
  PROPOSAL_UNKNOWN: entry('No such proposal', 404, 'NOT_FOUND', 'Take the id from the list of proposals.'),
  QUESTION_CLOSED: entry(
    'The deadline passed before the answer',
    409,
    'FAILED_PRECONDITION',
    'The declared fallback was applied. To change course, send a command.',
  ),
  QUESTION_UNKNOWN: entry(
    'The incident never asked this',
    404,
    'NOT_FOUND',
    'Take the id from the open questions of the incident.',
  ),
  RATE_LIMITED: entry(
    'Too many requests',
    429,
    'RESOURCE_EXHAUSTED',
    'Wait as long as Retry-After says.',
    true,
  ),
  RECOGNISER_CANARY_DIFFERS: entry(
    'The independent check disagrees with the recogniser',
    422,
    'FAILED_PRECONDITION',
    'Do not activate it: train it again and compare the rows in details.',
  ),
  RECOGNISER_DAMAGED: entry(
    'The recogniser is not readable',
    422,
    'INVALID_ARGUMENT',
    'Its bytes were cut or altered: store it again from the file it was trained into.',
  ),
  RECOGNISER_GATE_REFUSED: entry(
    'The version may not vote',
    422,
    'FAILED_PRECONDITION',
    'Read the findings in details: train a better version, or let this one run as a shadow.',
  ),
  RECOGNISER_HASH_MISMATCH: entry(
    'Not the bytes that were activated',
    409,
    'FAILED_PRECONDITION',
    'Treat it as tampering: activate a version whose hash you know.',
  ),
  RECOGNISER_INPUT_INVALID: entry(
    'The recogniser cannot read this input',
    422,
    'INVALID_ARGUMENT',
    'Give the columns of its card, as finite numbers and known categories.',
  ),
  RECOGNISER_NEWER: entry(
    'The recogniser comes from a newer version',
    422,
    'FAILED_PRECONDITION',
    'Upgrade Tocsin, or train the recogniser with this version.',
  ),
  RECOGNISER_NO_EARLIER: entry(
    'There is no earlier version',
    409,
    'FAILED_PRECONDITION',
    'Activate a version by its hash: only one has ever voted.',
  ),
  RECOGNISER_TOO_LARGE: entry(
    'The recogniser is too large to store',
    413,
    'RESOURCE_EXHAUSTED',
    'Train fewer or shallower trees.',
  ),
  RECOGNISER_UNKNOWN: entry('No such recogniser', 404, 'NOT_FOUND', 'Take name and hash from the list.'),
  RECOGNITION_TIMED_OUT: entry(
    'No vote came in time',
    503,
    'DEADLINE_EXCEEDED',
    'Repeat it. In an incident a human is asked instead.',
    true,
  ),
  REPORT_REFUSED: entry(
    'A crew report was refused',
    422,
    'INVALID_ARGUMENT',
    'Read the refusal in the message: the report itself is wrong.',
  ),
  REQUEST_INVALID: entry(
    'The request does not fit its schema',
    400,
    'INVALID_ARGUMENT',
    'Correct each of details.issues; /openapi.json has the schema.',
  ),
  ROLE_REQUIRED: entry(
    'Your role does not allow this',
    403,
    'PERMISSION_DENIED',
    'Use a key of a principal that has one of details.roles.',
  ),
  ROUTE_UNKNOWN: entry('Nothing lives at this address', 404, 'NOT_FOUND', 'See /openapi.json or /docs.'),
  SENSOR_UNKNOWN: entry('No such sensor', 404, 'NOT_FOUND', 'Take the id from the list of sensors.'),
  STORE_REFUSED: entry(
    'The store cannot hold this document',
    422,
    'INVALID_ARGUMENT',
    'Repeating does not help. Quote requestId: the log has the reason.',
  ),
  STORE_UNAVAILABLE: entry(
    'The store did not answer',
    503,
    'UNAVAILABLE',
    'Repeat the request: every write is repeatable by its key.',
    true,
  ),
  TOO_LARGE: entry('The body is too large', 413, 'RESOURCE_EXHAUSTED', 'Send at most 256 KB.'),
  CONNECTION_LIMIT: entry(
    'Too many connections of one vendor',
    429,
    'RESOURCE_EXHAUSTED',
    'Use fewer connections: one carries 16 streams.',
    true,
  ),
  STREAM_LIMIT: entry(
    'Too many streams of one vendor',
    429,
    'RESOURCE_EXHAUSTED',
    'Close a stream, or send more over each: one stream carries thousands of readings a second.',
    true,
  ),
  STREAM_SEQUENCE: entry(
    'A message of the stream is missing or repeated',
    400,
    'INVALID_ARGUMENT',
    'Number the messages of each stream 1, 2, 3, …; on a new stream begin with 1 again.',
  ),
  TABLE_COLUMN_UNKNOWN: entry(
    'The table has no such column',
    422,
    'INVALID_ARGUMENT',
    'Take a name from details.known; case and blanks count.',
  ),
  TABLE_MALFORMED: entry(
    'The table cannot be read',
    422,
    'INVALID_ARGUMENT',
    'Correct the file at details.file, details.line and details.column.',
  ),
  TRAINING_DATA_INVALID: entry(
    'These rows cannot train a recogniser',
    422,
    'INVALID_ARGUMENT',
    'Give rows of at least two of the declared labels.',
  ),
  TOKEN_EXPIRED: entry(
    'The token has expired',
    401,
    'UNAUTHENTICATED',
    'Take a fresh token from its issuer, and connect again.',
  ),
  TOKEN_REFUSED: entry(
    'The token is not valid here',
    401,
    'UNAUTHENTICATED',
    'Check its signature, kid, aud, iss, iat, exp (15 minutes at most) and sub against docs/vendors.md.',
  ),
  UNAUTHENTICATED: entry(
    'No valid key',
    401,
    'UNAUTHENTICATED',
    'Send Authorization: Bearer <key> with a key that is known and not revoked.',
  ),
  UNIT_UNKNOWN: entry('No such unit', 404, 'NOT_FOUND', 'Take the id from the roster.'),
};

/** An error as a caller sees it (RFC 9457, `application/problem+json`). The cause is not in it. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  readonly retryable: boolean;
  readonly instance: string;
  readonly requestId: string;
  readonly details: Readonly<Record<string, unknown>>;
}

/** Any thrown value as a registered error: what is not ours becomes INTERNAL, with the original as cause. */
export function toTocsinError(error: unknown): TocsinError {
  for (const link of chainOf(error)) {
    if (link instanceof TocsinError) {
      return link.code in ERRORS ? link : internal(error);
    }
    const refusal = refusalOf(link);
    if (refusal !== null) return refusal;
  }
  return internal(error);
}

export function toProblem(
  error: unknown,
  request: { readonly instance: string; readonly requestId: string },
): Problem {
  const known = toTocsinError(error);
  const { title, http } = entryOf(known.code);
  return {
    type: `/docs/errors#${known.code}`,
    title,
    status: http,
    detail: known.message,
    code: known.code,
    retryable: known.retryable || entryOf(known.code).retryable,
    instance: request.instance,
    requestId: request.requestId,
    details: known.details,
  };
}

/** The same error as a gRPC status: number, safe text, and the code for the status details. */
export function toGrpcStatus(error: unknown): {
  readonly code: number;
  readonly details: string;
  readonly errorCode: string;
  readonly retryable: boolean;
} {
  const known = toTocsinError(error);
  const { grpc, retryable } = entryOf(known.code);
  return {
    code: grpc,
    details: `${known.code}: ${known.message}`,
    errorCode: known.code,
    retryable: known.retryable || retryable,
  };
}

export function entryOf(code: string): ErrorEntry {
  return ERRORS[code] ?? (ERRORS['INTERNAL'] as ErrorEntry);
}

const internal = (cause: unknown): TocsinError =>
  new TocsinError('INTERNAL', 'Something failed inside Tocsin.', { cause });

/** Deep enough for an update failure around an application failure around its cause; a bound against cycles. */
const MAX_CAUSES = 8;

function* chainOf(error: unknown): Generator<unknown> {
  let link = error;
  for (let depth = 0; depth < MAX_CAUSES && link !== undefined && link !== null; depth += 1) {
    yield link;
    link = (link as { cause?: unknown }).cause;
  }
}

/**
 * A workflow refuses with an ApplicationFailure whose `type` is our code. Recognised by shape: the codes are
 * ours, and two copies of the SDK must not make a refusal an internal error.
 */
function refusalOf(link: unknown): TocsinError | null {
  const failure = link as { name?: unknown; type?: unknown; message?: unknown; details?: unknown };
  if (failure.name !== 'ApplicationFailure' || typeof failure.type !== 'string') return null;
  const known = ERRORS[failure.type];
  if (known === undefined) return null;
  const first: unknown = Array.isArray(failure.details) ? failure.details[0] : undefined;
  const details = typeof first === 'object' && first !== null ? (first as Record<string, unknown>) : {};
  const message =
    typeof failure.message === 'string' && failure.message !== '' ? failure.message : known.title;
  return new TocsinError(failure.type, message, { cause: link, retryable: known.retryable, details });
}
