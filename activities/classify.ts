import { TocsinError } from '../domain/errors.ts';
import { noticeOf } from '../domain/classify/notices.ts';
import type { RecogniserStore, StoredRecogniser } from '../domain/ports.ts';
import type { VoteResult } from '../domain/situation.ts';
import type { AssessmentRequest } from '../domain/world.ts';
import type { RecognitionPool } from './recognition/pool.ts';

export interface RecognitionActivities {
  assessNotice(request: AssessmentRequest): Promise<VoteResult>;
}

/** The active recognisers vote on a CPU thread; artefacts are read once per hash. */
export function createRecognitionActivities({
  recognisers,
  pool,
}: {
  readonly recognisers: RecogniserStore;
  readonly pool: RecognitionPool;
}): RecognitionActivities {
  const known = new Map<string, StoredRecogniser>();
  const active = async (name: string): Promise<StoredRecogniser> => {
    const activation = await recognisers.active(name);
    if (activation === null) {
      throw new TocsinError('RECOGNISER_UNKNOWN', `No recogniser named "${name}" is active.`, {
        details: { name },
      });
    }
    const key = `${name}@${activation.hash}`;
    const stored = known.get(key) ?? (await recognisers.get(name, activation.hash));
    if (stored === null) {
      throw new TocsinError('RECOGNISER_UNKNOWN', `The artefact of "${name}" is missing.`, {
        details: { name, hash: activation.hash },
      });
    }
    known.set(key, stored);
    return stored;
  };
  return {
    async assessNotice(request) {
      if (request.evidence.kind !== 'bulletin') {
        throw new TocsinError('RECOGNISER_INPUT_INVALID', 'These recognisers read bulletins only.');
      }
      const voters = await Promise.all(request.recognisers.map(active));
      return pool.assess({
        voters: voters.map(({ artefact, hash }) => ({ artefact, hash })),
        row: noticeOf(request.evidence.bulletin),
        minConfidence: request.minConfidence,
      });
    },
  };
}
