import { setImmediate as nextTurn } from 'node:timers/promises';
import type { CheckpointStore } from '../../domain/ports-ingest.ts';

/** Where the parts of a checkpoint are. Two sets take turns: the last whole one stays until the next is whole. */
export interface PartsHead {
  readonly set: 0 | 1;
  readonly parts: number;
}

/** The set that is free while `head` holds. */
export const otherSet = (head: PartsHead | null): PartsHead['set'] => (head?.set === 0 ? 1 : 0);

/**
 * Saves a large checkpoint piece by piece, and lets acknowledgements go between two of them: all of it at once would
 * make every vendor wait, and be in memory twice. It counts when the caller has saved the head.
 *
 * @param between waited for after each piece. @default one turn of the event loop
 */
export async function saveParts(
  checkpoints: CheckpointStore,
  name: string,
  set: PartsHead['set'],
  pieces: Iterable<unknown>,
  between: () => Promise<unknown> = nextTurn,
): Promise<PartsHead> {
  let parts = 0;
  for (const piece of pieces) {
    await checkpoints.save(nameOf(name, set, parts++), piece);
    await between();
  }
  return { set, parts };
}

/** @throws RangeError when a part is missing */
export async function* loadParts<T>(
  checkpoints: CheckpointStore,
  name: string,
  { set, parts }: PartsHead,
): AsyncGenerator<T> {
  for (let n = 0; n < parts; n++) {
    const part = await checkpoints.load<T>(nameOf(name, set, n));
    if (part === null) throw new RangeError(`Part ${n} of the checkpoint "${name}" is missing.`);
    yield part;
  }
}

const nameOf = (name: string, set: PartsHead['set'], part: number): string => `${name}|${set}|${part}`;
