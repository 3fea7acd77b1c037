import { Metadata } from '@grpc/grpc-js';
import type { ServiceError } from '@grpc/grpc-js';
import { toGrpcStatus, toTocsinError } from '../errors.ts';
import { encodeMessage } from '../../proto/load.ts';

/** Where the codes of ErrorInfo come from. */
export const ERROR_DOMAIN = 'tocsin';
const DEFAULT_RETRY_AFTER_MS = 1_000;

/**
 * An error as a gRPC status with the details of the public error model: ErrorInfo always (`reason` is our code),
 * RetryInfo when repeating may help, BadRequest when fields are named. The cause stays here.
 */
export function toServiceError(error: unknown): ServiceError {
  const known = toTocsinError(error);
  const status = toGrpcStatus(known);
  const { issues, retryAfterMs, ...facts } = known.details as {
    issues?: readonly { readonly path: string; readonly message: string }[];
    retryAfterMs?: number;
  };
  const details = [
    any('google.rpc.ErrorInfo', {
      reason: status.errorCode,
      domain: ERROR_DOMAIN,
      metadata: Object.fromEntries(
        Object.entries(facts).map(([name, value]) => [
          name,
          typeof value === 'string' ? value : JSON.stringify(value),
        ]),
      ),
    }),
  ];
  if (status.retryable) {
    const ms = retryAfterMs ?? DEFAULT_RETRY_AFTER_MS;
    const retryDelay = { seconds: Math.floor(ms / 1_000), nanos: (ms % 1_000) * 1_000_000 };
    details.push(any('google.rpc.RetryInfo', { retryDelay }));
  }
  if (issues !== undefined) {
    const fieldViolations = issues.map(({ path, message }) => ({ field: path, description: message }));
    details.push(any('google.rpc.BadRequest', { fieldViolations }));
  }
  const metadata = new Metadata();
  metadata.set(
    'grpc-status-details-bin',
    encodeMessage('google.rpc.Status', { code: status.code, message: status.details, details }),
  );
  return Object.assign(new Error(status.details), {
    code: status.code,
    details: status.details,
    metadata,
  });
}

const any = (name: string, value: object): { type_url: string; value: Buffer } => ({
  type_url: `type.googleapis.com/${name}`,
  value: encodeMessage(name, value),
});
