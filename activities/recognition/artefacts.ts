import { createHash } from 'node:crypto';
import { decodeRecogniser, encodeRecogniser } from '../../domain/classify/artefact.ts';
import type { Voter } from '../../domain/classify/assess.ts';
import { RECOGNISER_HASH_MISMATCH } from '../../domain/classify/codes.ts';
import type { Recogniser } from '../../domain/classify/recogniser.ts';
import { TocsinError } from '../../domain/errors.ts';

/** SHA-256 in hexadecimal. */
export function sha256(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** An artefact's bytes and the hash that names them. */
export function sealRecogniser(recogniser: Recogniser): {
  readonly artefact: Uint8Array;
  readonly hash: string;
} {
  const artefact = encodeRecogniser(recogniser);
  return { artefact, hash: sha256(artefact) };
}

/** Throws RECOGNISER_HASH_MISMATCH when the bytes are not those that `expectedHash` names. */
export function verifyHash(artefact: Uint8Array, expectedHash: string): void {
  const hash = sha256(artefact);
  if (hash === expectedHash) return;
  throw new TocsinError(
    RECOGNISER_HASH_MISMATCH,
    `The recogniser artefact has hash ${hash.slice(0, 12)}, but ${expectedHash.slice(0, 12)} was activated.`,
    { details: { expected: expectedHash, actual: hash } },
  );
}

/** Opens an artefact only when its bytes have the expected hash; otherwise nothing is read from it. */
export function openRecogniser(artefact: Uint8Array, expectedHash: string): Voter {
  verifyHash(artefact, expectedHash);
  return { recogniser: decodeRecogniser(artefact), hash: expectedHash };
}
