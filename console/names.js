/** From the middle of a marker, in pixels, in the order in which they are tried. */
export const SIDES = {
  below: { x: 0, y: 29, anchor: 'middle' },
  above: { x: 0, y: -19, anchor: 'middle' },
  right: { x: 18, y: 4, anchor: 'start' },
  left: { x: -18, y: 4, anchor: 'end' },
};
/** Half of the largest of the marks. */
const MARK = 14;
/** How far a line of text reaches over and under its base line, and its outline to the sides. */
const TEXT = { up: 11, down: 4, beside: 2 };
/** Where the number of further incidents begins. */
export const MORE = { x: 15, y: -11 };

/**
 * Chooses on which side of its marker each name stands, so that it covers no marker and no other name and is whole. Who
 * comes first chooses first; whose name fits nowhere, or whose marker is not on the map, goes without. The very first
 * has its name even where it fits nowhere, on the side where it covers and loses least.
 *
 * @param {{ x: number, y: number, nameWidth: number, moreWidth: number }[]} markers in pixels of the map, most
 *   important first; `moreWidth` is 0 where there is but one incident
 * @param {{ width: number, height: number }} map a name is cut at its edges
 * @returns {(keyof typeof SIDES | null)[]} by marker; null: not shown
 */
export function placeNames(markers, map) {
  const taken = markers.map(({ x, y }) => ({
    left: x - MARK,
    right: x + MARK,
    top: y - MARK,
    bottom: y + MARK,
  }));
  for (const marker of markers) if (marker.moreWidth > 0) taken.push(lineAt(marker, MORE, marker.moreWidth));
  return markers.map((marker, n) => {
    if (!isWithin({ left: marker.x, right: marker.x, top: marker.y, bottom: marker.y }, map)) return null;
    const sides = Object.entries(SIDES).map(([side, at]) => {
      const box = lineAt(marker, at, marker.nameWidth, at.anchor);
      return { side, box, harm: taken.reduce((sum, other) => sum + shared(box, other), cut(box, map)) };
    });
    const chosen = sides.reduce((a, b) => (b.harm < a.harm ? b : a));
    if (chosen.harm > 0 && n > 0) return null;
    taken.push(chosen.box);
    return chosen.side;
  });
}

/** The box of a line of text at a place beside a marker. */
function lineAt(marker, at, width, anchor = 'start') {
  const left = marker.x + at.x - { start: 0, middle: width / 2, end: width }[anchor];
  const base = marker.y + at.y;
  return {
    left: left - TEXT.beside,
    right: left + width + TEXT.beside,
    top: base - TEXT.up,
    bottom: base + TEXT.down,
  };
}

/** The area that lies in both boxes. */
const shared = (a, b) =>
  Math.max(0, Math.min(a.right, b.right) - Math.max(a.left, b.left)) *
  Math.max(0, Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top));

/** The area that lies outside the map. */
const cut = (box, { width, height }) =>
  (box.right - box.left) * (box.bottom - box.top) -
  shared(box, { left: 0, right: width, top: 0, bottom: height });

const isWithin = (box, { width, height }) =>
  box.left >= 0 && box.right <= width && box.top >= 0 && box.bottom <= height;
