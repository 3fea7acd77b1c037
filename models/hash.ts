import { createHash } from 'node:crypto';
import { canonicalJson } from '../domain/canonical.ts';

/** Lower-case hex SHA-256 of bytes, or of the UTF-8 form of a text. */
export function sha256Hex(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

/**
 * The name of a JSON value by its content: SHA-256 of its canonical JSON (RFC 8785). The version of a plan
 * document is this.
 *
 * @throws TocsinError NOT_JSON when the value is not JSON
 */
export function hashOf(value: unknown): string {
  return sha256Hex(canonicalJson(value));
}
