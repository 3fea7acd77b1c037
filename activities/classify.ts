import { TocsinError } from '../domain/errors.ts';
import type { Row } from '../domain/classify/features.ts';
import { noticeOf } from '../domain/classify/notices.ts';
import { NONE, shadowOf } from '../domain/classify/registered.ts';
import type { RecogniserStore, StoredRecogniser } from '../domain/ports.ts';
import type { Vote, VoteResult } from '../domain/situation.ts';
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
  const version = async (name: string, hash: string): Promise<StoredRecogniser> => {
    const key = `${name}@${hash}`;
    const stored = known.get(key) ?? (await recognisers.get(name, hash));
    if (stored === null) {
      throw new TocsinError('RECOGNISER_UNKNOWN', `The artefact of "${name}" is missing.`, {
        details: { name, hash },
      });
    }
    known.set(key, stored);
    return stored;
  };
  const active = async (name: string): Promise<StoredRecogniser> => {
    const activation = await recognisers.active(name);
    if (activation === null) {
      throw new TocsinError('RECOGNISER_UNKNOWN', `No recogniser named "${name}" is active.`, {
        details: { name },
      });
    }
    return version(name, activation.hash);
  };
  const voteOf = async (
    voters: readonly StoredRecogniser[],
    row: Row,
    minConfidence: number,
  ): Promise<VoteResult> =>
    pool.assess({ voters: voters.map(({ artefact, hash }) => ({ artefact, hash })), row, minConfidence });
  /** A shadow that cannot answer must not cost the vote. */
  const shadowVotes = async (
    names: readonly string[],
    row: Row,
    minConfidence: number,
  ): Promise<readonly Vote[]> => {
    try {
      const running = await Promise.all(
        names.map(async (name) => {
          const shadow = await recognisers.active(shadowOf(name));
          return shadow === null || shadow.hash === NONE ? [] : [await version(name, shadow.hash)];
        }),
      );
      const shadows = running.flat();
      return shadows.length === 0 ? [] : (await voteOf(shadows, row, minConfidence)).votes;
    } catch {
      return [];
    }
  };
  return {
    async assessNotice(request) {
      const { evidence } = request;
      if (evidence.kind !== 'bulletin') {
        throw new TocsinError('RECOGNISER_INPUT_INVALID', 'These recognisers read bulletins only.');
      }
      const voters = await Promise.all(request.recognisers.map(active));
      const row = noticeOf(evidence.bulletin);
      const result = await voteOf(voters, row, request.minConfidence);
      const shadows = await shadowVotes(request.recognisers, row, request.minConfidence);
      return {
        ...result,
        ...(shadows.length === 0 ? {} : { shadows }),
        input: {
          key: evidence.key,
          vendor: evidence.vendor,
          observedAtMs: evidence.bulletin.observedAtMs,
          row,
        },
      };
    },
  };
}
