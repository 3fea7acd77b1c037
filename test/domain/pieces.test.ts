import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { inPieces } from '../../domain/pieces.ts';

describe('what is cut into pieces', () => {
  it('is whole again when they are put together, and only the last one may be short', () => {
    fc.assert(
      fc.property(fc.array(fc.integer()), fc.integer({ min: 1, max: 12 }), (entries, size) => {
        const pieces = [...inPieces(entries, size)];
        assert.deepEqual(pieces.flat(), entries);
        assert.equal(pieces.length, Math.ceil(entries.length / size));
        assert.ok(pieces.slice(0, -1).every((piece) => piece.length === size));
      }),
    );
  });

  it('may be a map, and nothing gives no piece', () => {
    const map = new Map([
      ['a', 1],
      ['b', 2],
      ['c', 3],
    ]);
    assert.deepEqual(
      [...inPieces(map, 2)],
      [
        [
          ['a', 1],
          ['b', 2],
        ],
        [['c', 3]],
      ],
    );
    assert.deepEqual([...inPieces(new Map(), 2)], []);
  });
});
