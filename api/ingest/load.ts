import type { QuarantinedItem } from '../../domain/ports-ingest.ts';
import { archivedBytesOf, memoryOf } from './frame.ts';
import type { StoredBlock } from './frame.ts';

/** What something costs on its way into the archive. Small messages need memory, large ones the archive's time. */
export interface Load {
  readonly memoryBytes: number;
  /** What the archive is given to write. */
  readonly archiveBytes: number;
}

/** Of a submission, whatever is in it. */
const SUBMISSION_BYTES = 64;
const QUARANTINED_BYTES = 200;

/** The load of one submission. */
export function loadOf(blocks: readonly StoredBlock[], quarantined: readonly QuarantinedItem[]): Load {
  let memoryBytes = SUBMISSION_BYTES;
  let archiveBytes = SUBMISSION_BYTES;
  for (const block of blocks) {
    memoryBytes += memoryOf(block);
    archiveBytes += archivedBytesOf(block);
  }
  for (const { item, explanation } of quarantined) {
    const bytes = QUARANTINED_BYTES + item.length + explanation.length;
    memoryBytes += bytes;
    archiveBytes += bytes;
  }
  return { memoryBytes, archiveBytes };
}

/** Of everything that waits. */
export class LoadSum implements Load {
  memoryBytes = 0;
  archiveBytes = 0;

  add({ memoryBytes, archiveBytes }: Load): void {
    this.memoryBytes += memoryBytes;
    this.archiveBytes += archiveBytes;
  }

  remove({ memoryBytes, archiveBytes }: Load): void {
    this.memoryBytes -= memoryBytes;
    this.archiveBytes -= archiveBytes;
  }
}
