import type { Disposition } from '../../proto/gen/tocsin/v1/Disposition.ts';
import type { MessageResult } from '../../proto/gen/tocsin/v1/MessageResult.ts';
import type { QuarantineReason } from '../../proto/gen/tocsin/v1/QuarantineReason.ts';
import { encodeMessage } from '../../proto/load.ts';
import { GAPS_AT_MOST } from './taking.ts';
import type { Reason, Run, Taking, Verdict } from './taking.ts';

/*
 * Answers, written by hand where every message passes: most are one run of items that were accepted. Tests hold
 * the bytes to those of the generated codec.
 */

/** What is told of one message. */
export interface Answer {
  readonly sequence: number;
  readonly runs: readonly Run[];
  readonly gaps: Taking['gaps'];
  readonly moreGaps: number;
}

const DISPOSITIONS = { new: 1, DUPLICATE: 2, RETRY_LATER: 4 } as const;
const QUARANTINED = 3;
const REASONS: Readonly<Record<Reason, number>> = {
  MALFORMED: 1,
  OVERSIZED: 2,
  NOT_FINITE: 3,
  FUTURE: 4,
  TOO_LATE: 5,
  UNIT: 6,
  RANGE: 7,
  UNKNOWN_SENSOR: 8,
  SEQUENCE: 9,
};
/** Tag and length before what a message or a run says. */
const HEAD_AT_MOST = 6;
/** Numbers of a run at their longest; its explanation comes on top. */
const RUN_AT_MOST = 7 * 6 + HEAD_AT_MOST;
/** Numbers of an answer at their longest. */
const ANSWER_AT_MOST = 2 * 11 + HEAD_AT_MOST;

let scratch: Buffer = Buffer.allocUnsafe(64 * 1024);

/** A `PublishResponse`: answers to messages that became durable together, with as many gaps as one response may tell. */
export function encodeAnswers(
  acknowledgedThrough: number,
  answers: readonly Answer[],
  archivedThrough: number,
): Buffer {
  let room = GAPS_AT_MOST;
  let end = number(reserve(0, 11), 0x08, acknowledgedThrough);
  for (const { sequence, runs, gaps, moreGaps } of answers) {
    const told = gaps.length <= room ? gaps : gaps.slice(0, room);
    room -= told.length;
    end = encodeAnswer(end, sequence, runs, told, moreGaps + (gaps.length - told.length));
  }
  end = number(reserve(end, 11), 0x18, archivedThrough);
  return Buffer.from(scratch.subarray(0, end));
}

/** The same of one message for the generated codec. */
export const messageResultOf = ({ runs, gaps, moreGaps }: Omit<Answer, 'sequence'>): MessageResult => ({
  items: runs.map(({ verdict, ...run }) => ({
    ...run,
    disposition: dispositionOf(verdict),
    reason: reasonOf(verdict),
  })),
  gaps: [...gaps],
  moreGaps,
});

function encodeAnswer(
  start: number,
  sequence: number,
  runs: readonly Run[],
  gaps: Answer['gaps'],
  moreGaps: number,
): number {
  const body = reserve(start + HEAD_AT_MOST, ANSWER_AT_MOST);
  let end = number(body, 0x08, sequence);
  for (const run of runs) end = encodeRun(end, run);
  for (const gap of gaps) {
    const bytes = encodeMessage('tocsin.v1.Gap', gap);
    reserve(end, bytes.length + HEAD_AT_MOST);
    scratch[end] = 0x1a;
    end = varint(end + 1, bytes.length);
    end += bytes.copy(scratch, end);
  }
  end = number(reserve(end, 11), 0x20, moreGaps);
  return closed(start, body, end, 0x12);
}

function encodeRun(start: number, run: Run): number {
  const { verdict, explanation } = run;
  const text = explanation === '' ? 0 : Buffer.byteLength(explanation);
  const body = reserve(start + HEAD_AT_MOST, RUN_AT_MOST + text);
  let end = number(body, 0x08, run.firstItem);
  end = number(end, 0x10, run.items);
  end = number(end, 0x18, verdict in DISPOSITIONS ? DISPOSITIONS[verdict as 'new'] : QUARANTINED);
  end = number(end, 0x20, REASONS[verdict as Reason] ?? 0);
  if (text > 0) {
    scratch[end] = 0x2a;
    end = varint(end + 1, text);
    end += scratch.write(explanation, end);
  }
  end = number(end, 0x30, run.retryAfterMs);
  end = number(end, 0x38, run.firstReading);
  end = number(end, 0x40, run.readings);
  return closed(start, body, end, 0x12);
}

/** Writes tag and length of what stands from `body` to `end`, and moves it up to them. */
function closed(start: number, body: number, end: number, tag: number): number {
  scratch[start] = tag;
  const at = varint(start + 1, end - body);
  scratch.copyWithin(at, body, end);
  return at + end - body;
}

/** Makes room for so many bytes at a place; answers the place. */
function reserve(at: number, bytes: number): number {
  if (at + bytes <= scratch.length) return at;
  const larger = Buffer.allocUnsafe(2 * (at + bytes));
  scratch.copy(larger, 0, 0, at);
  scratch = larger;
  return at;
}

function number(at: number, tag: number, value: number): number {
  if (value === 0) return at;
  scratch[at] = tag;
  return varint(at + 1, value);
}

function varint(at: number, value: number): number {
  let rest = value;
  for (; rest >= 2 ** 31; rest = Math.floor(rest / 128)) scratch[at++] = (rest % 128) | 128;
  for (; rest >= 128; rest >>>= 7) scratch[at++] = (rest & 127) | 128;
  scratch[at] = rest;
  return at + 1;
}

const dispositionOf = (verdict: Verdict): Disposition =>
  verdict === 'new'
    ? 'DISPOSITION_ACCEPTED'
    : verdict === 'DUPLICATE' || verdict === 'RETRY_LATER'
      ? `DISPOSITION_${verdict}`
      : 'DISPOSITION_QUARANTINED';

const reasonOf = (verdict: Verdict): QuarantineReason =>
  verdict === 'new' || verdict === 'DUPLICATE' || verdict === 'RETRY_LATER'
    ? 'QUARANTINE_REASON_UNSPECIFIED'
    : `QUARANTINE_REASON_${verdict}`;
