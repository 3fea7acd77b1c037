import type { QuarantinedItem, QuarantineStore } from '../domain/ports-ingest.ts';
import { createFakeTable } from './fake-table.ts';

export function createFakeQuarantineStore(): QuarantineStore {
  const batches = createFakeTable<readonly QuarantinedItem[]>();
  return {
    append: async (id, items) => void batches.insert(id, items),
    read: async (id) => [...(batches.get(id) ?? [])],
  };
}
