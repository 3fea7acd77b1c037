import type { ArchivedFrame, CheckpointStore, FrameArchive } from '../../domain/ports-ingest.ts';
import type { EpochMs } from '../../domain/units.ts';
import { failpoint } from './failpoint.ts';
import { Dedup } from './dedup.ts';
import type { DedupState } from './dedup.ts';
import { FrameWriter, memoryOf, readStored } from './frame.ts';
import type { StoredBlock } from './frame.ts';
import { loadParts, otherSet, saveParts } from './parts.ts';
import type { PartsHead } from './parts.ts';

/** Frames that a crash may have left behind a gap: no more than this may be under way. */
export const ORPHANS_AT_MOST = 64;
const RECENT_BYTES = 16 * 1024 * 1024;
const DEDUP_CHECKPOINT = 'dedup';

/** What `Dedup` knew, in parts; the first releases saved it in one. */
type DedupCheckpoint = { readonly throughFrame: number } & (PartsHead | { readonly state: DedupState });

export interface ArchiveOptions {
  readonly frames: FrameArchive;
  readonly checkpoints: CheckpointStore;
  /** Names this process in the frames it writes; unique for ever. */
  readonly writer: string;
}

/** A frame before it has a number: what it holds, and the same as bytes. */
export interface NewFrame {
  readonly blocks: readonly StoredBlock[];
  readonly bytes: Uint8Array;
}

export interface NumberedFrame {
  readonly blocks: readonly StoredBlock[];
  readonly row: ArchivedFrame;
}

interface Recent {
  readonly blocks: readonly StoredBlock[];
  readonly byteLength: number;
}

/** The archive as its one writer sees it: numbers its frames, and has the newest at hand for the relay. */
export class Archive {
  readonly #frames: FrameArchive;
  readonly #checkpoints: CheckpointStore;
  readonly writer: string;
  readonly #recent = new Map<number, Recent>();
  #recentBytes = 0;
  #head = 0;
  /** The newest number that a frame was given. */
  #numbered = 0;
  #grown: (() => void) | null = null;
  #dedupParts: PartsHead | null = null;
  #checkpointing: Promise<void> = Promise.resolve();

  constructor({ frames, checkpoints, writer }: ArchiveOptions) {
    this.#frames = frames;
    this.#checkpoints = checkpoints;
    this.writer = writer;
  }

  /** Number of the newest durable frame. */
  get head(): number {
    return this.#head;
  }

  /** Finds the end of the archive and what it holds, from the last checkpoint on. */
  async recover(): Promise<Dedup> {
    const dedup = new Dedup();
    const checkpoint = await this.#checkpoints.load<DedupCheckpoint>(DEDUP_CHECKPOINT);
    if (checkpoint !== null && 'state' in checkpoint) dedup.restore(checkpoint.state);
    else if (checkpoint !== null) {
      this.#dedupParts = checkpoint;
      for await (const piece of loadParts<DedupState>(this.#checkpoints, DEDUP_CHECKPOINT, checkpoint)) {
        dedup.restore(piece);
      }
    }
    this.#head = checkpoint?.throughFrame ?? 0;
    for (;;) {
      const frame = await this.#frames.read(this.#head + 1);
      if (frame === null && !(await this.#adoptOrphans())) break;
      if (frame === null) continue;
      for (const block of readStored(frame.bytes)) dedup.rebuild(block);
      this.#head += 1;
    }
    this.#numbered = this.#head;
    return dedup;
  }

  /**
   * Gives frames the next numbers, which they keep until they are in. Several lots may be on their way at once;
   * `framesUnderWay` says how many frames have a number and are not in yet.
   */
  number(frames: readonly NewFrame[], receivedAtMs: EpochMs): NumberedFrame[] {
    return frames.map(({ blocks, bytes }): NumberedFrame => ({
      blocks,
      row: { seq: ++this.#numbered, writer: this.writer, receivedAtMs, bytes },
    }));
  }

  get framesUnderWay(): number {
    return this.#numbered - this.#head;
  }

  /** Makes numbered frames durable. May be repeated with the same frames after a failure. */
  async append(frames: readonly NumberedFrame[]): Promise<void> {
    failpoint('before-archive');
    await this.#frames.append(frames.map(({ row }) => row));
    failpoint('after-archive');
  }

  /** Counts durable frames as part of the archive. In the order of their numbers: the archive has no gaps. */
  grow(frames: readonly NumberedFrame[]): void {
    for (const { blocks, row } of frames) {
      if (row.seq !== this.#head + 1) throw new Error(`Frame ${row.seq} comes after ${this.#head}.`);
      this.#head = row.seq;
      this.#remember(row.seq, {
        blocks,
        byteLength: blocks.reduce((sum, block) => sum + memoryOf(block), 0),
      });
    }
    this.#grown?.();
  }

  /**
   * What a frame holds; null: there is no such frame. The newest are at hand until they were asked for once: the
   * sooner they go, the less they cost.
   */
  async blocks(seq: number): Promise<readonly StoredBlock[] | null> {
    const recent = this.#recent.get(seq);
    if (recent !== undefined) {
      this.#recent.delete(seq);
      this.#recentBytes -= recent.byteLength;
      return recent.blocks;
    }
    const frame = await this.#frames.read(seq);
    return frame === null ? null : readStored(frame.bytes);
  }

  /** Calls back after every append. */
  onGrowth(grown: () => void): void {
    this.#grown = grown;
  }

  /**
   * Keeps what was archived up to now, so that the next start need not read it all. `durable` must resolve when
   * everything that `dedup` knows at this moment is in the archive.
   */
  checkpoint(dedup: Dedup, durable: () => Promise<void>): Promise<void> {
    // One after the other: both would write the same parts.
    this.#checkpointing = this.#checkpointing
      .catch(() => undefined)
      .then(() => this.#checkpoint(dedup, durable));
    return this.#checkpointing;
  }

  async #checkpoint(dedup: Dedup, durable: () => Promise<void>): Promise<void> {
    // Items that came after this frame and are in a later piece are read again at the next start, and known by then.
    const throughFrame = this.#head;
    const set = otherSet(this.#dedupParts);
    const parts = await saveParts(this.#checkpoints, DEDUP_CHECKPOINT, set, dedup.pieces());
    // A state that counts before its items are durable would call their repetition a duplicate after a crash.
    await durable();
    await this.#checkpoints.save(DEDUP_CHECKPOINT, { throughFrame, ...parts } satisfies DedupCheckpoint);
    this.#dedupParts = parts;
  }

  /**
   * A crash between the documents of one insert, or of two at a time, may leave later frames without an earlier one. Their items were
   * never acknowledged, yet they are there: the gap is closed with an empty frame and they become part of it.
   */
  async #adoptOrphans(): Promise<boolean> {
    for (let ahead = 2; ahead <= ORPHANS_AT_MOST; ahead++) {
      if ((await this.#frames.read(this.#head + ahead)) === null) continue;
      const empty = new FrameWriter().finish();
      await this.#frames.append([
        { seq: this.#head + 1, writer: this.writer, receivedAtMs: 0, bytes: empty },
      ]);
      return true;
    }
    return false;
  }

  #remember(seq: number, frame: Recent): void {
    this.#recent.set(seq, frame);
    this.#recentBytes += frame.byteLength;
    for (const [oldest, { byteLength }] of this.#recent) {
      if (this.#recentBytes <= RECENT_BYTES) return;
      this.#recent.delete(oldest);
      this.#recentBytes -= byteLength;
    }
  }
}
