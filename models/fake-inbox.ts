import type { AsideRecord, Delivery, IngestStores } from '../domain/ports-ingest.ts';
import { createFakeFrameArchive } from './fake-frames.ts';
import { createFakeQuarantineStore } from './fake-quarantine.ts';
import { createFakeTable } from './fake-table.ts';
import { byPosition, byTime } from './inbox.ts';

export function createFakeIngestStores(): IngestStores {
  const inbox = createFakeTable<Delivery>();
  const removed = new Set<string>();
  const asides = createFakeTable<AsideRecord>();
  const checkpoints = createFakeTable<unknown>();
  return {
    frames: createFakeFrameArchive(),
    quarantine: createFakeQuarantineStore(),
    inbox: {
      async put(deliveries) {
        for (const delivery of deliveries) {
          if (removed.delete(delivery.id)) inbox.replace(delivery.id, delivery);
          else inbox.insert(delivery.id, delivery);
        }
      },
      remove: async (id) => void removed.add(id),
      pending: async () =>
        inbox
          .all()
          .filter(({ id }) => !removed.has(id))
          .sort(byPosition),
    },
    asides: {
      put: async (records) => records.forEach((record) => asides.insert(record.id, record)),
      list: async (kind) =>
        asides
          .all()
          .filter((record) => record.kind === kind)
          .sort(byTime),
    },
    checkpoints: {
      load: async <T>(name: string) => checkpoints.get(name) as T | null,
      save: async (name, value) => checkpoints.replace(name, value),
    },
  };
}
