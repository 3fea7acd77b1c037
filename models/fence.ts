import type { Connection } from 'mongoose';
import type { FenceStore } from '../domain/ports.ts';
import { openCollection } from './collection.ts';
import type { Row } from './collection.ts';

/** `<unit>|<epoch>`. */
interface FenceRow extends Row {
  readonly holder: string;
  readonly atMs: number;
}

/** Who may transmit to a unit under an epoch: whoever inserted first, or the tombstone that ended the epoch. */
export function createFenceStore(connection: Connection): FenceStore {
  const fence = openCollection<FenceRow>(connection, 'fence', { holder: String, atMs: Number });
  const idOf = (unit: string, epoch: number): string => `${unit}|${epoch}`;
  return {
    claim: ({ unit, epoch, holder, atMs }) => fence.insert({ _id: idOf(unit, epoch), holder, atMs }),
    holder: async (unit, epoch) => (await fence.get(idOf(unit, epoch)))?.holder ?? null,
  };
}
