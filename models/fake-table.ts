import { canonicalJson } from '../domain/canonical.ts';
import type { Inserted } from '../domain/ports.ts';

/**
 * Values by id, kept as canonical JSON like the real rows: what is read is a copy, and what JSON cannot carry is
 * refused.
 */
export interface FakeTable<T> {
  insert(id: string, value: T): Inserted;
  replace(id: string, value: T): void;
  get(id: string): T | null;
  all(): T[];
}

export function createFakeTable<T>(): FakeTable<T> {
  const rows = new Map<string, string>();
  return {
    insert(id, value) {
      const json = canonicalJson(value);
      if (rows.has(id)) return 'exists';
      rows.set(id, json);
      return 'inserted';
    },
    replace: (id, value) => void rows.set(id, canonicalJson(value)),
    get(id) {
      const json = rows.get(id);
      return json === undefined ? null : (JSON.parse(json) as T);
    },
    all: () => [...rows.values()].map((json) => JSON.parse(json) as T),
  };
}
