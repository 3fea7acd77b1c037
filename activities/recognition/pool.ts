import { Piscina } from 'piscina';
import { RECOGNITION_TIMED_OUT } from '../../domain/classify/codes.ts';
import type { Row } from '../../domain/classify/features.ts';
import { TocsinError } from '../../domain/errors.ts';
import type { VoteResult } from '../../domain/situation.ts';
import { verifyHash } from './artefacts.ts';
import type { Retrained, RetrainNoticesRequest, Sealed } from './retrain-notices.ts';
import type { TrainNoticesOptions } from './train-notices.ts';
import type { Answer, SentRecogniser, Task } from './work.ts';

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
  /** `retrainNotices` on a thread of its own, which ends the work when `signal` aborts. */
  retrainNotices(request: RetrainNoticesRequest, signal?: AbortSignal): Promise<Retrained<SentRecogniser>>;
  /** Ends the threads; work under way is given up. */
  close(): Promise<void>;
}

export interface RecognitionPoolOptions {
  /** Threads at most that vote; one is kept. Training has one more. @default 1 @minimum 1 */
  readonly threads?: number;
  /** Longest wait for a vote. @default 10000 */
  readonly timeoutMs?: number;
}

export function createRecognitionPool({
  threads = 1,
  timeoutMs = 10_000,
}: RecognitionPoolOptions = {}): RecognitionPool {
  const start = (minThreads: number, maxThreads: number): Piscina =>
    new Piscina({
      filename: new URL('./worker.mjs', import.meta.url).href,
      minThreads,
      maxThreads,
      // The thread registers its own loader: what the parent was started with does not matter.
      execArgv: [],
    });
  const voting = start(1, threads);
  // An incident must not wait for its vote until a training is over: no thread does both.
  const training = start(0, 1);
  const shared = new Map<string, Sealed>();
  const share = ({ artefact, hash }: { readonly artefact: Uint8Array; readonly hash: string }): Sealed => {
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
    const threadsFor = task.task === 'assess' ? voting : training;
    const answer = (await threadsFor.run(task, signal === undefined ? {} : { signal })) as Answer;
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
    async retrainNotices(request, signal) {
      return (await run({ task: 'retrain-notices', request }, signal)) as Retrained<SentRecogniser>;
    },
    async close() {
      await Promise.all([voting.destroy(), training.destroy()]);
    },
  };
}
