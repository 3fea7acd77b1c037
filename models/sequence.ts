import type { Collection, Row } from './collection.ts';

/** Nobody else writes this often: more losses in a row than this mean that the store does not keep its word. */
const MAX_LOSSES = 100;

/**
 * A run of rows `<name>/1`, `<name>/2`, … without a gap: "append number n or lose" by unique insert is the one
 * way to agree on an order that every backend has. A row is only ever appended behind one that exists, so the
 * last is found by exact probes and never by a scan.
 */
export interface Sequence<R extends Row> {
  /** Builds the row for the first free number and inserts it; on losing that number tries the next. */
  append(name: string, rowFor: (n: number, id: string) => R): Promise<R>;
  last(name: string): Promise<R | null>;
  all(name: string): Promise<R[]>;
}

export function createSequence<R extends Row & { readonly n: number }>(
  collection: Collection<R>,
): Sequence<R> {
  /** Where the last number was when we looked: a place to start probing, trusted for nothing else. */
  const hints = new Map<string, number>();
  const idOf = (name: string, n: number): string => `${name}/${n}`;
  const at = (name: string, n: number): Promise<R | null> => collection.get(idOf(name, n));

  async function last(name: string): Promise<R | null> {
    const hint = hints.get(name) ?? 1;
    let best = await at(name, hint);
    if (best === null && hint > 1) best = await at(name, 1);
    if (best === null) return null;
    // Doubling steps until a number is free, then halving between the last taken and the first free one.
    let step = 1;
    for (let row = await at(name, best.n + step); row !== null; row = await at(name, best.n + step)) {
      best = row;
      step *= 2;
    }
    let free = best.n + step;
    while (free - best.n > 1) {
      const middle = best.n + Math.floor((free - best.n) / 2);
      const row = await at(name, middle);
      if (row === null) free = middle;
      else best = row;
    }
    hints.set(name, best.n);
    return best;
  }

  return {
    last,
    async append(name, rowFor) {
      let n = ((await last(name))?.n ?? 0) + 1;
      for (let losses = 0; losses < MAX_LOSSES; losses++, n++) {
        const row = rowFor(n, idOf(name, n));
        if ((await collection.insert(row)) === 'inserted') {
          hints.set(name, n);
          return row;
        }
      }
      throw new Error(`No free number after ${MAX_LOSSES} tries for ${name}.`);
    },
    async all(name) {
      const count = (await last(name))?.n ?? 0;
      const rows = await Promise.all(Array.from({ length: count }, (_, i) => at(name, i + 1)));
      return rows.filter((row) => row !== null);
    },
  };
}
