import type { FenceStore } from '../domain/ports.ts';
import { createFakeTable } from './fake-table.ts';

export function createFakeFenceStore(): FenceStore {
  const holders = createFakeTable<string>();
  return {
    claim: async ({ unit, epoch, holder }) => holders.insert(`${unit}|${epoch}`, holder),
    holder: async (unit, epoch) => holders.get(`${unit}|${epoch}`),
  };
}
