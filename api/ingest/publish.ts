import type { ServerDuplexStream } from '@grpc/grpc-js';
import { status } from '@grpc/grpc-js';
import type { Logger } from 'pino';
import { TocsinError } from '../../domain/errors.ts';
import type { DurationMs } from '../../domain/units.ts';
import type { PublishOnceResponse } from '../../proto/gen/tocsin/v1/PublishOnceResponse.ts';
import { encodeAnswers, messageResultOf } from './answer.ts';
import type { Answer } from './answer.ts';
import { failpoint } from './failpoint.ts';
import type { GroupCommit } from './commit.ts';
import type { Fairness, Refusal, Share } from './fair.ts';
import type { Intake } from './intake.ts';
import { loadOf } from './load.ts';
import type { Sender } from './sender.ts';
import type { IngestLimits } from './limits.ts';
import type { IngestMetrics } from './metrics.ts';
import { toServiceError } from './grpc-error.ts';
import { readMessage } from './message.ts';
import type { Run, Taking } from './taking.ts';
import type { RetryCause, VendorAccount, VendorLog } from './vendor-log.ts';

/** A stream that was asked to wait is not read for so long: it would only be asked again. */
const REFUSED_PAUSE_AT_MOST_MS = 250;

/** Bytes both ways: what cannot be decoded is answered, and the stream goes on. */
export type PublishCall = ServerDuplexStream<Buffer, Buffer>;

export interface PublishOptions {
  readonly intake: Intake;
  readonly commit: GroupCommit;
  readonly fairness: Fairness;
  readonly limits: IngestLimits;
  readonly metrics: IngestMetrics | null;
  readonly vendors: VendorLog;
  readonly now: () => number;
  readonly log: Pick<Logger, 'error'>;
}

interface Unanswered extends Answer {
  readonly size: number;
  /** null: it is not durable yet. */
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
  publishing: PublishOptions,
): Promise<void> {
  const { intake, fairness, limits, vendors, now, log } = publishing;
  const share = fairness.of(sender);
  const account = vendors.of(sender);
  const unanswered: Unanswered[] = [];
  let unackedReadings = 0;
  let sequence = 0;
  let heardAt = performance.now();
  let takesMore = true;
  let isOver = false;
  let isScheduled = false;
  let restsUntil = 0;
  let rest: NodeJS.Timeout | undefined;
  let resolveOver = (): void => {};
  const over = new Promise<void>((resolve) => (resolveOver = resolve));

  const finish = (how: () => void): void => {
    if (isOver) return;
    isOver = true;
    clearInterval(silence);
    clearInterval(recheck);
    clearTimeout(rest);
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
    call.write(encodeAnswers(last.sequence, answers, last.archivedThrough!));
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
    takesMore &&
    unackedReadings < limits.unackedReadingsAtMost &&
    !call.writableNeedDrain &&
    performance.now() >= restsUntil;
  const read = (): void => {
    if (mayRead() && call.isPaused()) call.resume();
  };
  const restFor = (ms: number): void => {
    restsUntil = performance.now() + ms;
    clearTimeout(rest);
    // Timers may come a little early.
    rest = setTimeout(() => {
      restsUntil = 0;
      read();
    }, ms);
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
    const nowMs = now();
    account.heard(nowMs);
    const refusal = share.admit(bytes.length);
    if (refusal !== null) {
      askedAgain(account, refusal.cause, refusal.retryAfterMs, publishing);
      unanswered.push({ sequence, ...later(message.size, refusal), size: 0, archivedThrough: 0 });
      restFor(Math.min(refusal.retryAfterMs, REFUSED_PAUSE_AT_MOST_MS));
      return schedule();
    }
    const taking = intake.take(sender, message, nowMs, fairness.isHalfFull());
    const { runs, gaps, moreGaps, size } = taking;
    const waiting: Unanswered = { sequence, runs, gaps, moreGaps, size, archivedThrough: null };
    unanswered.push(waiting);
    unackedReadings += size;
    failpoint('validated');
    archive(account, share, taking, arrivedAt, publishing).then((archivedThrough) => {
      waiting.archivedThrough = archivedThrough;
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
  publishing: PublishOptions,
): Promise<PublishOnceResponse> {
  const { intake, fairness, vendors, now } = publishing;
  const arrivedAt = performance.now();
  const share = fairness.of(sender);
  const account = vendors.of(sender);
  const nowMs = now();
  account.heard(nowMs);
  const message = readMessage('PublishOnce', bytes, intake.namesOf(sender));
  const refusal = share.admit(bytes.length);
  if (refusal !== null) {
    askedAgain(account, refusal.cause, refusal.retryAfterMs, publishing);
    return { result: messageResultOf(later(message.size, refusal)) };
  }
  const taking = intake.take(sender, message, nowMs, fairness.isHalfFull());
  const archivedThrough = await archive(account, share, taking, arrivedAt, publishing);
  return { result: messageResultOf(taking), archivedThrough };
}

/** Makes durable what was taken; resolves with the archive's newest frame. */
function archive(
  account: VendorAccount,
  share: Share,
  taking: Taking,
  arrivedAt: number,
  publishing: PublishOptions,
): Promise<number> {
  const { commit, metrics, limits } = publishing;
  if (taking.asksAgain) askedAgain(account, 'archive-only', limits.retryAfterMs, publishing);
  const load = loadOf(taking.blocks, taking.quarantined);
  const durable = commit.submit(taking.blocks, taking.quarantined, load);
  share.taken(load, taking.size);
  return durable.then(
    (archivedThrough) => {
      share.archived(load);
      account.archived(taking);
      metrics?.acknowledged((performance.now() - arrivedAt) / 1_000);
      return archivedThrough;
    },
    (error: unknown) => {
      share.archived(load);
      throw error;
    },
  );
}

function askedAgain(
  account: VendorAccount,
  cause: RetryCause,
  afterMs: DurationMs,
  { metrics }: PublishOptions,
): void {
  account.askedAgain(cause);
  metrics?.retryLater(cause, afterMs);
}

const later = (items: number, { retryAfterMs }: Refusal): Omit<Answer, 'sequence'> => {
  const run: Run = {
    verdict: 'RETRY_LATER',
    firstItem: 0,
    items,
    explanation: '',
    retryAfterMs,
    firstReading: 0,
    readings: 0,
  };
  return { runs: [run], gaps: [], moreGaps: 0 };
};
