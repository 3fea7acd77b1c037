/**
 * The one error type that crosses Tocsin's rooms. It tells four people four things:
 * `code` for machines, `message` (safe to show) for the caller, `cause` for the operator,
 * `retryable` for Temporal and for clients.
 *
 * Every code is registered in `api/errors.ts` with its HTTP and gRPC status and described in
 * `docs/errors.md`.
 *
 * @example
 * throw new TocsinError('INCIDENT_UNKNOWN', `No incident ${id}.`, { retryable: false, details: { id } });
 */
export class TocsinError extends Error {
  readonly code: string;
  readonly retryable: boolean;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: string, safeMessage: string, options: TocsinErrorOptions = {}) {
    super(safeMessage, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'TocsinError';
    this.code = code;
    this.retryable = options.retryable ?? false;
    this.details = options.details ?? {};
  }
}

export interface TocsinErrorOptions {
  /** What really happened, for the operator's log; never sent to a caller. */
  readonly cause?: unknown;
  /** @default false */
  readonly retryable?: boolean;
  /** Safe, structured facts for the caller: the bad value, the allowed ones, the place. */
  readonly details?: Readonly<Record<string, unknown>>;
}
