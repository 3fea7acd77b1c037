import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';

interface Marker {
  readonly x: number;
  readonly y: number;
  readonly nameWidth: number;
  readonly moreWidth: number;
}
type Side = 'below' | 'above' | 'right' | 'left' | null;

const { placeNames, SIDES } = (await import(
  pathToFileURL(join(import.meta.dirname, '../../console/names.js')).href
)) as {
  placeNames: (markers: readonly Marker[], map: { width: number; height: number }) => Side[];
  SIDES: Record<'below' | 'above' | 'right' | 'left', { x: number; y: number; anchor: string }>;
};

const MAP = { width: 800, height: 400 };
const marker = (x: number, y: number, nameWidth = 60, moreWidth = 0): Marker => ({
  x,
  y,
  nameWidth,
  moreWidth,
});

type Box = readonly [left: number, top: number, right: number, bottom: number];
/** What a name covers: letters of 12 pixels that stand up to 11 above and 3 under their line. */
function nameBox({ x, y, nameWidth }: Marker, side: Exclude<Side, null>): Box {
  const at = SIDES[side];
  const left = x + at.x - { start: 0, middle: nameWidth / 2, end: nameWidth }[at.anchor]!;
  return [left, y + at.y - 11, left + nameWidth, y + at.y + 3];
}
const markBox = ({ x, y }: Marker): Box => [x - 14, y - 14, x + 14, y + 14];
const meet = (a: Box, b: Box): boolean => a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];

describe('the names on the map', () => {
  it('stand below their markers where there is room', () => {
    assert.deepEqual(placeNames([marker(200, 100), marker(400, 100), marker(200, 300)], MAP), [
      'below',
      'below',
      'below',
    ]);
    assert.deepEqual(placeNames([], MAP), []);
  });

  it('give way to those of more serious incidents: above, then to the right, then to the left', () => {
    const near = [marker(200, 200), marker(240, 200), marker(280, 200)];
    assert.deepEqual(placeNames(near, MAP), ['below', 'above', 'below']);
    const column = [marker(200, 200), marker(200, 232), marker(200, 264)];
    assert.deepEqual(placeNames(column, MAP), ['above', 'right', 'below']);
    const onTheRight = marker(245, 232);
    assert.deepEqual(placeNames([...column, onTheRight], MAP), ['above', 'left', 'below', 'right']);
  });

  it('are left out where they fit on no side, but for the most serious one, which covers little', () => {
    const crowd = [
      marker(200, 200),
      ...[-1, 0, 1].flatMap((i) => [-1, 1].map((j) => marker(200 + 30 * i, 200 + 25 * j))),
      marker(170, 200),
      marker(230, 200),
    ];
    const [first, ...others] = placeNames(crowd, MAP);
    // To the right it covers one marker, below it three.
    assert.equal(first, 'right');
    assert.ok(others.includes(null));
    assert.equal(placeNames([...crowd.slice(1), ...crowd.slice(0, 1)], MAP).at(-1), null);
  });

  it('keep off the number of further incidents, their own too', () => {
    const above = marker(200, 60);
    const [, name] = placeNames([above, marker(200, 28, 60, 16)], MAP);
    assert.equal(name, 'right');
    assert.deepEqual(placeNames([marker(200, 100), marker(184, 138, 10, 16)], MAP)[0], 'above');
  });

  it('are whole rather than cut at the edge of the map', () => {
    assert.deepEqual(placeNames([marker(200, 385)], MAP), ['above']);
    assert.deepEqual(placeNames([marker(10, 200)], MAP), ['right']);
    assert.deepEqual(placeNames([marker(790, 200)], MAP), ['left']);
  });

  it('are left out where they would be cut, but for the most serious one', () => {
    assert.deepEqual(placeNames([marker(5, 5, 900)], MAP), ['right']);
    assert.deepEqual(placeNames([marker(400, 300), marker(5, 5, 900)], MAP), ['below', null]);
  });

  it('are not there without their markers', () => {
    assert.deepEqual(placeNames([marker(-5, 200), marker(200, 410), marker(60, 200)], MAP), [
      null,
      null,
      'below',
    ]);
  });

  it('never cover one another, nor a marker, and are whole; the first is there whenever its marker is', () => {
    const anyMarker = fc.record({
      x: fc.integer({ min: -20, max: 320 }),
      y: fc.integer({ min: -20, max: 220 }),
      nameWidth: fc.integer({ min: 10, max: 120 }),
      moreWidth: fc.constantFrom(0, 15),
    });
    fc.assert(
      fc.property(fc.array(anyMarker, { minLength: 1, maxLength: 25 }), (markers) => {
        const sides = placeNames(markers, { width: 300, height: 200 });
        assert.equal(sides.length, markers.length);
        const [{ x, y }] = markers as [Marker];
        assert.equal(sides[0] !== null, x >= 0 && x <= 300 && y >= 0 && y <= 200);
        const boxes = sides.flatMap((side, n) =>
          side === null ? [] : [{ n, box: nameBox(markers[n]!, side) }],
        );
        for (const [i, { n, box }] of boxes.entries()) {
          for (const other of boxes.slice(i + 1)) assert.ok(!meet(box, other.box));
          // The first stays even where every side of it is taken by a marker.
          if (n === 0) continue;
          for (const one of markers) assert.ok(!meet(box, markBox(one)));
          assert.ok(box[0] >= 0 && box[1] >= 0 && box[2] <= 300 && box[3] <= 200);
        }
      }),
    );
  });
});
