import type { ArchivedFrame, FrameArchive } from '../domain/ports-ingest.ts';
import { archiveConflict } from './frames.ts';

export function createFakeFrameArchive(): FrameArchive {
  const frames = new Map<number, ArchivedFrame>();
  return {
    async append(batch) {
      for (const frame of batch) {
        const stored = frames.get(frame.seq);
        if (stored !== undefined && stored.writer !== frame.writer) throw archiveConflict(String(frame.seq));
        if (stored === undefined) frames.set(frame.seq, { ...frame, bytes: Uint8Array.from(frame.bytes) });
      }
    },
    read: async (seq) => frames.get(seq) ?? null,
  };
}
