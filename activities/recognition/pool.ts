import { Piscina } from 'piscina';
import { RECOGNITION_TIMED_OUT } from '../../domain/classify/codes.ts';
import type { Row } from '../../domain/classify/features.ts';
import { TocsinError } from '../../domain/errors.ts';
import type { VoteResult } from '../../domain/situation.ts';
import { verifyHash } from './artefacts.ts';
import type { TrainNoticesOptions } from './train-notices.ts';
import type { Answer, SentRecogniser, SharedArtefact, Task } from './work.ts';

/** CPU work off the event loop: votes with their explanations, and training. */
export interface RecognitionPool {
  /**
   * Every voter answers for the row and explains itself. Artefacts are opened once a thread and known by their hash.
   * Throws RECOGNISER_HASH_MISMATCH, RECOGNISER_DAMAGED, RECOGNISER_NEWER, RECOGNISER_INPUT_INVALID or, after
   * `timeoutMs`, RECOGNITION_TIMED_OUT (retryable).
   */
  assess(request: {
    readonly voters: readonly { readonly artefact: Uint8Array; readonly hash: string }[];
    readonly row: Row;
    readonly minConfidence: number;
  }): Promise<VoteResult>;
  /** `trainNoticeRecognisers` on a pool thread. */
  trainNotices(options: TrainNoticesOptions): Promise<Record<'forest' | 'svm', SentRecogniser>>;
  /** Ends the threads; work under way is given up. */
  close(): Promise<void>;
}

export interface RecognitionPoolOptions {
  /** Threads at most; one is kept. @default 1 @minimum 1 */
  readonly threads?: number;
  /** Longest wait for a vote. @default 10000 */
  readonly timeoutMs?: number;
}

export function createRecognitionPool({
  threads = 1,
  timeoutMs = 10_000,
}: RecognitionPoolOptions = {}): RecognitionPool {
  const piscina = new Piscina({
    filename: new URL('./worker.mjs', import.meta.url).href,
    minThreads: 1,
    maxThreads: threads,
    // The thread registers its own loader: what the parent was started with does not matter.
    execArgv: [],
  });
  const shared = new Map<string, SharedArtefact>();
  const share = ({
    artefact,
    hash,
  }: {
    readonly artefact: Uint8Array;
    readonly hash: string;
  }): SharedArtefact => {
    const known = shared.get(hash);
    if (known !== undefined && Buffer.compare(known.artefact, artefact) === 0) return known;
    // A thread keeps what it opened by its hash, so bytes under a hash are checked before any thread sees them.
    verifyHash(artefact, hash);
    const copy = new Uint8Array(new SharedArrayBuffer(artefact.byteLength));
    copy.set(artefact);
    const entry = { artefact: copy, hash };
    shared.set(hash, entry);
    return entry;
  };
  const run = async (task: Task, signal?: AbortSignal): Promise<unknown> => {
    const answer = (await piscina.run(task, signal === undefined ? {} : { signal })) as Answer;
    if (answer.ok) return answer.value;
    if (answer.code === null) throw new Error(answer.message);
    throw new TocsinError(answer.code, answer.message, {
      retryable: answer.retryable,
      details: answer.details,
    });
  };
  return {
    async assess({ voters, row, minConfidence }) {
      const signal = AbortSignal.timeout(timeoutMs);
      try {
        return (await run(
          { task: 'assess', voters: voters.map(share), row, minConfidence },
          signal,
        )) as VoteResult;
      } catch (cause) {
        if (!signal.aborted || cause instanceof TocsinError) throw cause;
        throw new TocsinError(
          RECOGNITION_TIMED_OUT,
          `The recognisers did not answer within ${timeoutMs} ms.`,
          {
            cause,
            retryable: true,
            details: { timeoutMs },
          },
        );
      }
    },
    async trainNotices(options) {
      return (await run({ task: 'train-notices', options })) as Record<'forest' | 'svm', SentRecogniser>;
    },
    close: () => piscina.destroy(),
  };
}
