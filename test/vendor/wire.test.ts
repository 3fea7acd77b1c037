import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { wire } from '../../proto/load.ts';
import type { PublishRequest__Output } from '../../proto/gen/tocsin/v1/PublishRequest.ts';
import { Backoff } from '../../vendor/backoff.ts';
import { crc32c } from '../../vendor/crc32c.ts';
import { decodeOnce, decodeResponse, encodeItem, encodeOnce, encodeRequest } from '../../vendor/wire.ts';

interface Codec {
  serialize(value: object): Buffer;
  deserialize(bytes: Buffer): object;
}
const codec = (name: string): Codec => wire[`tocsin.v1.${name}`] as unknown as Codec;

const text = fc.string({ unit: 'grapheme', maxLength: 40 });
const count = fc.oneof(fc.nat(), fc.maxSafeNat(), fc.constantFrom(0, 127, 128, 2 ** 31, 2 ** 35));
const value = fc.oneof(fc.double(), fc.constantFrom(0, -0, NaN, Infinity, -Infinity));
const item = fc.oneof(
  fc.record({
    reading: fc.record({ sensor: text, boot: text, sequence: count, observedAtMs: count, value, unit: text }),
  }),
  fc.record({ reading: fc.record({ sensor: text }) }),
  fc.record({ reading: fc.record({ observedAtMs: fc.integer({ max: -1 }), sequence: fc.constant('7') }) }),
  fc.record({
    columns: fc.record({
      sensor: text,
      boot: text,
      firstSequence: count,
      firstObservedAtMs: count,
      offsetsMs: fc.array(fc.nat(2 ** 31 - 1), { maxLength: 20 }),
      intervalMs: fc.nat(),
      values: fc.array(value, { maxLength: 20 }),
      unit: text,
    }),
  }),
  fc.record({ bulletin: fc.record({ source: text, id: text, observedAtMs: count }) }),
  fc.record({ waveform: fc.record({ sensor: text, rateHz: fc.double({ noNaN: true }) }) }),
);

describe('the wire format of the kit', () => {
  it('is that of the contract: the generated codec reads what was given', () => {
    const request = codec('PublishRequest');
    fc.assert(
      fc.property(count, count, fc.array(item, { maxLength: 6 }), (sequence, sentAtMs, items) => {
        const ours = request.deserialize(encodeRequest(sequence, sentAtMs, items.map(encodeItem)));
        const theirs = request.deserialize(request.serialize({ sequence, sentAtMs, items }));
        assert.deepEqual(ours, theirs);
      }),
      { numRuns: 1_000 },
    );
    const once = codec('PublishOnceRequest').deserialize(
      encodeOnce(5, [encodeItem({ reading: { sensor: 'a' } })]),
    ) as PublishRequest__Output;
    assert.deepEqual([once.sentAtMs, once.items[0]?.reading?.sensor], ['5', 'a']);
  });

  it('reads every answer that the generated codec writes', () => {
    const names = ['ACCEPTED', 'DUPLICATE', 'QUARANTINED', 'RETRY_LATER'] as const;
    const run = fc.record({
      firstItem: fc.nat(1_000),
      items: fc.nat(1_000),
      disposition: fc.constantFrom(...names),
      reason: fc.constantFrom('', 'NOT_FINITE', 'SEQUENCE'),
      explanation: text,
      retryAfterMs: fc.nat(),
      firstReading: fc.nat(10_000),
      readings: fc.nat(10_000),
    });
    const gap = fc.record({ sensor: text, boot: text, firstSequence: count, lastSequence: count });
    const result = fc.record({
      sequence: count,
      items: fc.array(run, { maxLength: 4 }),
      gaps: fc.array(gap, { maxLength: 2 }),
      moreGaps: count,
    });
    fc.assert(
      fc.property(count, fc.array(result, { maxLength: 4 }), count, (through, results, archived) => {
        const asWire = results.map((one) => ({
          ...one,
          items: one.items.map((each) => ({
            ...each,
            disposition: `DISPOSITION_${each.disposition}`,
            reason: `QUARANTINE_REASON_${each.reason || 'UNSPECIFIED'}`,
          })),
        }));
        const expected = results.map(({ sequence, items, gaps, moreGaps }) => ({
          sequence,
          runs: items.map((each) => ({
            ...each,
            disposition: each.disposition.toLowerCase().replace('_', '-'),
          })),
          gaps: gaps.map((each) => ({ ...each })),
          moreGaps,
        }));
        assert.deepEqual(
          decodeResponse(
            codec('PublishResponse').serialize({
              acknowledgedThrough: through,
              results: asWire,
              archivedThrough: archived,
            }),
          ),
          { acknowledgedThrough: through, results: expected, archivedThrough: archived },
        );
        if (results.length > 0) {
          const once = codec('PublishOnceResponse').serialize({
            result: asWire[0],
            archivedThrough: archived,
          });
          assert.deepEqual(decodeOnce(once).results, expected.slice(0, 1));
        }
      }),
      { numRuns: 500 },
    );
  });

  it('refuses bytes that are no answer, whatever they are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        try {
          decodeResponse(Buffer.from(bytes));
        } catch (error) {
          assert.ok(error instanceof Error);
        }
      }),
      { numRuns: 2_000 },
    );
    assert.throws(() => decodeResponse(Buffer.from([0x12, 0x05, 1])), /middle of a field/);
    assert.throws(() => decodeResponse(Buffer.from([0x08, 0xff])), /middle of a number/);
  });

  it('checks records with CRC-32C', () => {
    assert.equal(crc32c(Buffer.from('123456789')), 0xe3069283);
    assert.equal(crc32c(Buffer.from('6789'), crc32c(Buffer.from('12345'))), 0xe3069283);
    assert.equal(crc32c(Buffer.alloc(32)), 0x8a9136aa);
  });
});

describe('pauses', () => {
  it('lie between the shortest and three times the last one, under the longest, and never under what was asked', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), { minLength: 1 }), (dice) => {
        let n = 0;
        const backoff = new Backoff({ baseMs: 100, capMs: 5_000, random: () => dice[n++ % dice.length]! });
        let last = 100;
        for (let times = 0; times < 20; times++) {
          const ms = backoff.nextMs();
          assert.ok(ms >= 100 && ms <= Math.min(5_000, last * 3), `${ms} after ${last}`);
          last = ms;
        }
        assert.ok(backoff.nextMs(60_000) >= 60_000);
        backoff.reset();
        assert.ok(backoff.nextMs() <= 300);
      }),
    );
  });
});
