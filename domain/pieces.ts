/**
 * The same entries in the same order, `size` (from 1) at a time: the last piece may be shorter, and none is empty.
 * Entries are read when their piece is asked for: what may change until then is copied first.
 */
export function* inPieces<T>(entries: Iterable<T>, size: number): Generator<T[], void, undefined> {
  let some: T[] = [];
  for (const entry of entries) {
    some.push(entry);
    if (some.length < size) continue;
    yield some;
    some = [];
  }
  if (some.length > 0) yield some;
}
