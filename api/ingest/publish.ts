import type { ServerDuplexStream } from '@grpc/grpc-js';
import { status } from '@grpc/grpc-js';
import type { Logger } from 'pino';
import { TocsinError } from '../../domain/errors.ts';
import type { PublishOnceResponse } from '../../proto/gen/tocsin/v1/PublishOnceResponse.ts';
import type { MessageResult } from '../../proto/gen/tocsin/v1/MessageResult.ts';
import type { PublishResponse } from '../../proto/gen/tocsin/v1/PublishResponse.ts';
import { failpoint } from './failpoint.ts';
import type { GroupCommit } from './commit.ts';
import type { Intake } from './intake.ts';
import type { Sender } from './sender.ts';
import type { IngestLimits } from './limits.ts';
import type { IngestMetrics } from './metrics.ts';
import { toServiceError } from './grpc-error.ts';
import { readMessage } from './message.ts';
import type { VendorLog } from './vendor-log.ts';

/** Messages arrive as bytes: what cannot be decoded is answered, and the stream goes on. */
export type PublishCall = ServerDuplexStream<Buffer, PublishResponse>;

export interface PublishOptions {
  readonly intake: Intake;
  readonly commit: GroupCommit;
  readonly limits: IngestLimits;
  readonly metrics: IngestMetrics | null;
  readonly vendors: VendorLog;
  readonly now: () => number;
  readonly log: Pick<Logger, 'error'>;
}

interface Answer {
  readonly sequence: number;
  readonly result: MessageResult;
  readonly size: number;
  archivedThrough: number | null;
}

/**
 * Serves one stream: takes messages in order, and answers them in order as they become durable, several in one
 * response when they became so together. With too much unanswered it stops reading, and HTTP/2 stops the vendor.
 * Resolves when the stream is over; what went wrong was told to the vendor.
 *
 * @param check throws when the caller's key is not valid any more
 * @param ending aborted when the server wants no more messages
 */
export function servePublish(
  call: PublishCall,
  sender: Sender,
  check: () => Promise<unknown>,
  ending: AbortSignal,
  { intake, commit, limits, metrics, vendors, now, log }: PublishOptions,
): Promise<void> {
  const unanswered: Answer[] = [];
  let unackedReadings = 0;
  let sequence = 0;
  let heardAt = performance.now();
  let takesMore = true;
  let isOver = false;
  let isScheduled = false;
  let resolveOver = (): void => {};
  const over = new Promise<void>((resolve) => (resolveOver = resolve));

  const finish = (how: () => void): void => {
    if (isOver) return;
    isOver = true;
    clearInterval(silence);
    clearInterval(recheck);
    ending.removeEventListener('abort', takeNoMore);
    how();
    resolveOver();
  };
  const fail = (error: unknown): void =>
    finish(() => {
      const told = toServiceError(error);
      if (told.code === status.INTERNAL) log.error({ ...sender, err: error }, 'stream failed');
      call.emit('error', told);
    });
  const takeNoMore = (): void => {
    takesMore = false;
    call.pause();
    if (unanswered.length === 0) finish(() => call.end());
  };

  const answer = (): void => {
    isScheduled = false;
    const waits = unanswered.findIndex((one) => one.archivedThrough === null);
    const answers = unanswered.splice(0, waits < 0 ? unanswered.length : waits);
    const last = answers.at(-1);
    if (last === undefined || isOver) return;
    for (const one of answers) unackedReadings -= one.size;
    failpoint('before-ack');
    call.write({
      acknowledgedThrough: last.sequence,
      results: answers.map((one) => one.result),
      archivedThrough: last.archivedThrough!,
    });
    failpoint('after-ack');
    if (takesMore) read();
    else if (unanswered.length === 0) finish(() => call.end());
  };
  // Everything of one group becomes durable at once: one response for all of it.
  const schedule = (): void => {
    if (isScheduled) return;
    isScheduled = true;
    queueMicrotask(answer);
  };

  const mayRead = (): boolean =>
    takesMore && unackedReadings < limits.unackedReadingsAtMost && !call.writableNeedDrain;
  const read = (): void => {
    if (mayRead() && call.isPaused()) call.resume();
  };

  const take = (bytes: Buffer): void => {
    const arrivedAt = performance.now();
    heardAt = arrivedAt;
    sequence += 1;
    const message = readMessage('Publish', bytes, intake.namesOf(sender));
    if (message.sequence !== 0 && message.sequence !== sequence) {
      return fail(
        new TocsinError(
          'STREAM_SEQUENCE',
          `Expected message ${sequence} of this stream, got ${message.sequence}.`,
          { details: { expected: sequence, got: message.sequence } },
        ),
      );
    }
    vendors.heard(sender, now());
    if (commit.pendingBytes > limits.pendingBytesAtMost) {
      vendors.retryLater(sender);
      metrics?.retryLater(sender);
      unanswered.push({
        sequence,
        result: later(sequence, message.size, limits),
        size: 0,
        archivedThrough: 0,
      });
      return schedule();
    }
    const taking = intake.take(sender, message, now(), sheds(commit, limits));
    if (taking.asksAgain) {
      vendors.retryLater(sender);
      metrics?.retryLater(sender);
    }
    const waiting: Answer = {
      sequence,
      result: { sequence, items: [...taking.results], gaps: [...taking.gaps] },
      size: taking.size,
      archivedThrough: null,
    };
    unanswered.push(waiting);
    unackedReadings += taking.size;
    failpoint('validated');
    commit.submit(taking.blocks, taking.quarantined).then((archivedThrough) => {
      waiting.archivedThrough = archivedThrough;
      vendors.taken(sender, taking.counts);
      metrics?.taken(sender, taking.counts);
      metrics?.acknowledged((performance.now() - arrivedAt) / 1_000);
      schedule();
    }, fail);
  };

  const silence = setInterval(() => {
    if (unanswered.length === 0 && performance.now() - heardAt > limits.silentStreamAfterMs) takeNoMore();
  }, limits.silentStreamAfterMs / 4);
  const recheck = setInterval(() => void check().catch(fail), limits.reauthenticateEveryMs);

  call.on('data', (bytes: Buffer) => {
    if (isOver || !takesMore) return;
    try {
      take(bytes);
    } catch (error) {
      fail(error);
    }
    if (!mayRead()) call.pause();
  });
  call.on('drain', read);
  call.on('end', takeNoMore);
  // A stream that broke has nobody left to tell; what was taken becomes durable all the same.
  const gone = (): void => finish(() => undefined);
  call.on('cancelled', gone);
  call.on('close', gone);
  if (ending.aborted) takeNoMore();
  else ending.addEventListener('abort', takeNoMore);
  return over;
}

/** The unary form: the same for one message. */
export async function publishOnce(
  bytes: Buffer,
  sender: Sender,
  { intake, commit, limits, metrics, vendors, now }: PublishOptions,
): Promise<PublishOnceResponse> {
  const arrivedAt = performance.now();
  vendors.heard(sender, now());
  const message = readMessage('PublishOnce', bytes, intake.namesOf(sender));
  if (commit.pendingBytes > limits.pendingBytesAtMost) {
    vendors.retryLater(sender);
    metrics?.retryLater(sender);
    return { result: later(0, message.size, limits) };
  }
  const taking = intake.take(sender, message, now(), sheds(commit, limits));
  if (taking.asksAgain) {
    vendors.retryLater(sender);
    metrics?.retryLater(sender);
  }
  const archivedThrough = await commit.submit(taking.blocks, taking.quarantined);
  vendors.taken(sender, taking.counts);
  metrics?.taken(sender, taking.counts);
  metrics?.acknowledged((performance.now() - arrivedAt) / 1_000);
  return { result: { items: [...taking.results], gaps: [...taking.gaps] }, archivedThrough };
}

/** Half way to the end of what may wait, what is only archived must wait outside; what is detected comes in. */
const sheds = (commit: GroupCommit, limits: IngestLimits): boolean =>
  commit.pendingBytes > limits.pendingBytesAtMost / 2;

const later = (sequence: number, items: number, limits: IngestLimits): MessageResult => ({
  sequence,
  items: [{ firstItem: 0, items, disposition: 'DISPOSITION_RETRY_LATER', retryAfterMs: limits.retryAfterMs }],
});
