import type { EpochMs } from '../domain/units.ts';

interface Entry<T> {
  readonly atMs: EpochMs;
  readonly order: number;
  readonly what: T;
}

/**
 * What is due, earliest first; entries of one instant keep the order in which they were added. A binary heap: a
 * week of notices and every crew report of its incidents go through it.
 */
export class Agenda<T> {
  readonly #heap: Entry<T>[] = [];
  #order = 0;

  get size(): number {
    return this.#heap.length;
  }

  nextMs(): EpochMs | null {
    return this.#heap[0]?.atMs ?? null;
  }

  add(atMs: EpochMs, what: T): void {
    const heap = this.#heap;
    heap.push({ atMs, order: this.#order++, what });
    let child = heap.length - 1;
    while (child > 0) {
      const parent = (child - 1) >> 1;
      if (!before(heap[child]!, heap[parent]!)) break;
      [heap[child], heap[parent]] = [heap[parent]!, heap[child]!];
      child = parent;
    }
  }

  take(): { readonly atMs: EpochMs; readonly what: T } | null {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined) return null;
    if (heap.length > 0) {
      heap[0] = last;
      let parent = 0;
      for (;;) {
        const left = 2 * parent + 1;
        let least = parent;
        if (left < heap.length && before(heap[left]!, heap[least]!)) least = left;
        if (left + 1 < heap.length && before(heap[left + 1]!, heap[least]!)) least = left + 1;
        if (least === parent) break;
        [heap[least], heap[parent]] = [heap[parent]!, heap[least]!];
        parent = least;
      }
    }
    return first;
  }
}

const before = <T>(a: Entry<T>, b: Entry<T>): boolean =>
  a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
