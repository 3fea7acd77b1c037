import type { Voter } from '../../domain/classify/assess.ts';
import { decodeRecogniser, refuseNewerFormat } from '../../domain/classify/artefact.ts';
import { RECOGNISER_DAMAGED, RECOGNISER_HASH_MISMATCH } from '../../domain/classify/codes.ts';
import type { Recogniser } from '../../domain/classify/recogniser.ts';
import { TocsinError } from '../../domain/errors.ts';
import { sealRecogniser, sha256 } from './artefacts.ts';

/**
 * An artefact in a file of its own: its bytes, then `TOCSINH1` and their SHA-256 (32 bytes), so that a file that was
 * cut or altered anywhere is refused before anything in it is believed.
 */
const TRAILER_MAGIC = Buffer.from('TOCSINH1');
const TRAILER_BYTES = TRAILER_MAGIC.length + 32;

export function artefactFileOf(recogniser: Recogniser): {
  readonly bytes: Uint8Array;
  readonly hash: string;
} {
  const { artefact, hash } = sealRecogniser(recogniser);
  return { bytes: Buffer.concat([artefact, TRAILER_MAGIC, Buffer.from(hash, 'hex')]), hash };
}

/**
 * Opens the bytes of an artefact file.
 *
 * @param source the file's name, for errors.
 * @param expectedHash refuses any other version, also one that is intact.
 * @throws TocsinError RECOGNISER_DAMAGED, RECOGNISER_HASH_MISMATCH or RECOGNISER_NEWER
 */
export function openArtefactFile(bytes: Uint8Array, source: string, expectedHash?: string): Voter {
  return naming(source, () => {
    refuseNewerFormat(bytes);
    const end = bytes.length - TRAILER_BYTES;
    if (end < 0 || !TRAILER_MAGIC.equals(bytes.subarray(end, end + TRAILER_MAGIC.length))) {
      throw new TocsinError(
        RECOGNISER_DAMAGED,
        'This is not an intact recogniser artefact: its end is missing.',
      );
    }
    const artefact = bytes.subarray(0, end);
    const written = Buffer.from(bytes.subarray(end + TRAILER_MAGIC.length)).toString('hex');
    const hash = sha256(artefact);
    const expected = expectedHash ?? written;
    if (hash !== written || !hash.startsWith(expected)) {
      throw new TocsinError(
        RECOGNISER_HASH_MISMATCH,
        `The recogniser artefact has hash ${hash.slice(0, 12)}, not ${(hash === written ? expected : written).slice(0, 12)}: it was altered, or is another one.`,
        { details: { expected: hash === written ? expected : written, actual: hash } },
      );
    }
    return { recogniser: decodeRecogniser(artefact), hash };
  });
}

function naming<T>(source: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof TocsinError)) throw error;
    throw new TocsinError(error.code, `${source}: ${error.message}`, {
      cause: error,
      details: { ...error.details, file: source },
    });
  }
}
