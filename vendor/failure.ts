import { status } from '@grpc/grpc-js';
import type { Metadata } from '@grpc/grpc-js';
import { decodeMessage } from '../proto/load.ts';

/** A call that failed, in the words of the server. */
export class VendorError extends Error {
  override name = 'VendorError';
  /** gRPC status number. */
  readonly code: number;
  /** The server's name for it (`google.rpc.ErrorInfo`): `UNAUTHENTICATED`, `PLACE_UNKNOWN`; empty without one. */
  readonly reason: string;
  /** When to come back (`google.rpc.RetryInfo`), ms; null when the server did not say. */
  readonly retryAfterMs: number | null;
  /** What is wrong with which field (`google.rpc.BadRequest`). */
  readonly fields: readonly { readonly field: string; readonly description: string }[];

  constructor(code: number, message: string, metadata?: Metadata) {
    super(message);
    this.code = code;
    const { reason, retryAfterMs, fields } = detailsOf(metadata);
    this.reason = reason;
    this.retryAfterMs = retryAfterMs;
    this.fields = fields;
  }

  /** The server will never take this from this client. Everything else is worth another try. */
  get isFinal(): boolean {
    // A message over the server's limit; other exhaustion passes.
    if (this.code === status.RESOURCE_EXHAUSTED) return /larger than max/i.test(this.message);
    return FINAL.has(this.code);
  }
}

const FINAL: ReadonlySet<number> = new Set([
  status.INVALID_ARGUMENT,
  status.UNAUTHENTICATED,
  status.PERMISSION_DENIED,
  status.NOT_FOUND,
  status.UNIMPLEMENTED,
  status.FAILED_PRECONDITION,
]);

type Details = Pick<VendorError, 'reason' | 'retryAfterMs' | 'fields'>;

function detailsOf(metadata: Metadata | undefined): Details {
  const found = { reason: '', retryAfterMs: null as number | null, fields: [] as Details['fields'] };
  const [bytes] = metadata?.get('grpc-status-details-bin') ?? [];
  if (!Buffer.isBuffer(bytes)) return found;
  try {
    const { details } = decodeMessage<{ details: { type_url?: string; typeUrl?: string; value: Buffer }[] }>(
      'google.rpc.Status',
      bytes,
    );
    for (const { type_url, typeUrl, value } of details) {
      const type = (type_url ?? typeUrl ?? '').split('/').at(-1)!;
      if (type === 'google.rpc.ErrorInfo') {
        found.reason = decodeMessage<{ reason: string }>(type, value).reason;
      } else if (type === 'google.rpc.RetryInfo') {
        const { retryDelay } = decodeMessage<{ retryDelay: { seconds: string; nanos: number } | null }>(
          type,
          value,
        );
        if (retryDelay !== null) {
          found.retryAfterMs = Number(retryDelay.seconds) * 1_000 + retryDelay.nanos / 1_000_000;
        }
      } else if (type === 'google.rpc.BadRequest') {
        found.fields = decodeMessage<{ fieldViolations: Details['fields'] }>(type, value).fieldViolations;
      }
    }
  } catch {
    // Details that cannot be read say nothing; the status stands.
  }
  return found;
}
