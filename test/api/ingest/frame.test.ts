import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { FrameWriter, readFrame } from '../../../api/ingest/frame.ts';
import type { Block } from '../../../api/ingest/frame.ts';

const text = fc.string({ unit: 'grapheme', maxLength: 20 });
const number = fc.double();
const origin = { tenant: text, vendor: text, clockMs: fc.integer() };
const sentAtMs = fc.constantFrom({}, { sentAtMs: 1_767_225_600_123 });
const told: fc.Arbitrary<Block> = fc.oneof(
  fc
    .tuple(
      fc.record({ ...origin, sensor: text, boot: text, firstSequence: fc.maxSafeNat() }),
      fc.array(fc.tuple(number, number, fc.nat(255))),
    )
    .map(([head, rows]): Block => ({
      kind: 'readings',
      ...head,
      atMs: Float64Array.from(rows, (row) => row[0]),
      values: Float64Array.from(rows, (row) => row[1]),
      flags: Uint8Array.from(rows, (row) => row[2]),
    })),
  fc
    .tuple(
      fc.record({
        ...origin,
        sensor: text,
        boot: text,
        firstSequence: fc.maxSafeNat(),
        startedAtMs: number,
        rateHz: number,
        flags: fc.nat(255),
      }),
      fc.float32Array(),
    )
    .map(([head, samples]): Block => ({ kind: 'waveform', ...head, samples })),
  fc
    .record({ ...origin, revision: fc.nat(), contentHash: text, flags: fc.nat(127), magnitude: fc.integer() })
    .map(({ magnitude, ...head }): Block => ({
      kind: 'bulletin',
      ...head,
      bulletin: {
        source: 's',
        id: 'i',
        type: 't',
        observedAtMs: 1,
        position: null,
        fields: { magnitude, place: '花莲' },
      },
    })),
);

const blocks: fc.Arbitrary<Block> = fc.tuple(told, sentAtMs).map(([block, sent]) => ({ ...block, ...sent }));

const written = (all: readonly Block[], writer = new FrameWriter()): { size: number; bytes: Buffer } => {
  for (const block of all) writer.add(block);
  return { size: writer.size, bytes: writer.finish() };
};

describe('a frame', () => {
  it('gives back what was put in, NaN and all', () => {
    // One writer for all of them: a frame must not know of the one before.
    const writer = new FrameWriter();
    fc.assert(
      fc.property(fc.array(blocks, { maxLength: 6 }), (all) => {
        const { size, bytes } = written(all, writer);
        assert.deepEqual(readFrame(bytes), all);
        assert.equal(size, bytes.length);
      }),
    );
  });

  it('spells each name once', () => {
    const block: Block = {
      kind: 'readings',
      tenant: 'city',
      vendor: 'gasworks',
      clockMs: 0,
      sensor: 'a-sensor-with-quite-a-long-name',
      boot: '',
      firstSequence: 1,
      atMs: Float64Array.of(1),
      values: Float64Array.of(1),
      flags: Uint8Array.of(0),
    };
    const one = written([block]).bytes.length;
    const hundred = written(Array<Block>(100).fill(block)).bytes.length;
    assert.ok(hundred < one + 99 * 62, `${one} and ${hundred} bytes`);
  });

  it('that was cut or changed is refused or read, and never anything else', () => {
    const { bytes } = written([
      {
        kind: 'bulletin',
        tenant: 'a',
        vendor: 'b',
        clockMs: 1,
        revision: 1,
        contentHash: 'c',
        flags: 0,
        bulletin: { source: 's', id: 'i', type: 't', observedAtMs: 1, position: null, fields: {} },
      },
    ]);
    for (let length = 0; length < bytes.length; length++) {
      assert.throws(() => readFrame(bytes.subarray(0, length)), Error, `${length} bytes`);
    }
    assert.throws(() => readFrame(Buffer.from('not a frame at all')), /Not a frame/);
  });
});
