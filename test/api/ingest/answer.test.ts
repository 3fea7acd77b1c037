import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { encodeAnswers, messageResultOf } from '../../../api/ingest/answer.ts';
import type { Answer } from '../../../api/ingest/answer.ts';
import { GAPS_AT_MOST } from '../../../api/ingest/taking.ts';
import type { Run, Verdict } from '../../../api/ingest/taking.ts';
import { decodeMessage, encodeMessage } from '../../../proto/load.ts';

const VERDICTS: readonly Verdict[] = [
  'new',
  'DUPLICATE',
  'RETRY_LATER',
  'MALFORMED',
  'OVERSIZED',
  'NOT_FINITE',
  'FUTURE',
  'TOO_LATE',
  'UNIT',
  'RANGE',
  'UNKNOWN_SENSOR',
  'SEQUENCE',
];
const uint32 = fc.oneof(fc.constant(0), fc.nat(200), fc.integer({ min: 0, max: 2 ** 32 - 1 }));
const uint53 = fc.oneof(fc.constant(0), fc.nat(200), fc.maxSafeNat());
const run: fc.Arbitrary<Run> = fc.record({
  verdict: fc.constantFrom(...VERDICTS),
  firstItem: uint32,
  items: uint32,
  explanation: fc.string({ unit: 'grapheme', maxLength: 300 }),
  retryAfterMs: uint32,
  firstReading: uint32,
  readings: uint32,
});
const gap = fc.record({
  sensor: fc.string({ unit: 'grapheme' }),
  boot: fc.string(),
  firstSequence: uint53,
  lastSequence: uint53,
});
const answer: fc.Arbitrary<Answer> = fc.record({
  sequence: uint53,
  runs: fc.array(run, { maxLength: 5 }),
  gaps: fc.array(gap, { maxLength: 5 }),
  moreGaps: uint53,
});

const decode = (bytes: Buffer): object => decodeMessage('tocsin.v1.PublishResponse', bytes);

describe('the answers of a stream', () => {
  it('are what the generated codec writes, however long and many', () => {
    fc.assert(
      fc.property(uint53, fc.array(answer, { maxLength: 40 }), uint53, (through, answers, archived) => {
        const results = answers.map((one) => ({ sequence: one.sequence, ...messageResultOf(one) }));
        const reference = encodeMessage('tocsin.v1.PublishResponse', {
          acknowledgedThrough: through,
          results,
          archivedThrough: archived,
        });
        assert.deepEqual(decode(encodeAnswers(through, answers, archived)), decode(reference));
      }),
    );
  });

  it('tell as many gaps as one response may, and the number of the others', () => {
    const of = (sequence: number, count: number): Answer => ({
      sequence,
      runs: [],
      moreGaps: 1,
      gaps: Array.from({ length: count }, (_, n) => ({
        sensor: 's',
        boot: 'b',
        firstSequence: n,
        lastSequence: n,
      })),
    });
    const { results } = decode(encodeAnswers(3, [of(1, 600), of(2, 600), of(3, 600)], 9)) as {
      results: { gaps: unknown[]; moreGaps: string }[];
    };
    assert.deepEqual(
      results.map(({ gaps, moreGaps }) => [gaps.length, Number(moreGaps)]),
      [
        [600, 1],
        [GAPS_AT_MOST - 600, 1 + 200],
        [0, 1 + 600],
      ],
    );
  });
});
