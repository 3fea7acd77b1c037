import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Logger } from 'pino';
import { TocsinError } from '../../domain/errors.ts';
import type { QuarantinedItem, QuarantineStore } from '../../domain/ports-ingest.ts';
import type { EpochMs } from '../../domain/units.ts';
import { ORPHANS_AT_MOST } from './archive.ts';
import type { Archive, NewFrame, NumberedFrame } from './archive.ts';
import { failpoint } from './failpoint.ts';
import { FrameWriter } from './frame.ts';
import type { StoredBlock } from './frame.ts';
import { loadOf, LoadSum } from './load.ts';
import type { Load } from './load.ts';
import { elapsed, persist } from './persist.ts';

/** A frame is closed when it has reached this size. */
const FRAME_BYTES = 48 * 1024;
/** Frames of one insert: the store writes them together. */
const FRAMES_AT_ONCE = 40;
/** Groups under way: while the store writes one, the next is framed, deflated and sent. */
const GROUPS_AT_ONCE = 2;
const QUARANTINED_AT_ONCE = 200;

interface Submission {
  readonly blocks: readonly StoredBlock[];
  readonly quarantined: readonly QuarantinedItem[];
  readonly load: Load;
  readonly done: (archivedThrough: number) => void;
  readonly failed: (error: unknown) => void;
}

export interface GroupCommitOptions {
  readonly archive: Archive;
  readonly quarantine: QuarantineStore;
  readonly log: Pick<Logger, 'warn' | 'info' | 'error'>;
  readonly now: () => EpochMs;
  /** Waited for before each group: back-pressure of what comes after the archive. @default nothing */
  readonly mayGoOn?: () => Promise<void>;
  /** Told how long each group took to become durable, ms, and what it was. */
  readonly onCommitted?: (ms: number, load: Load) => void;
}

/**
 * Makes what several streams submit durable together. Two groups may be under way; while they are, the next one
 * gathers. What is durable is told in order: a group counts when those before it do. An idle door writes at once.
 */
export class GroupCommit {
  readonly #options: GroupCommitOptions;
  readonly #stopping = new AbortController();
  readonly #writer = new FrameWriter();
  #queue: Submission[] = [];
  #pumping: Promise<void> | null = null;
  /** Oldest first; each resolves after those before it, with whether it is durable. */
  readonly #underWay: Promise<boolean>[] = [];
  readonly #pending = new LoadSum();
  #quarantineBatch = 0;
  #broken: unknown = null;

  constructor(options: GroupCommitOptions) {
    this.#options = options;
  }

  /** What waits to become durable. */
  get pending(): Load {
    return this.#pending;
  }

  /**
   * Resolves with the archive's newest frame when everything submitted up to and including this is durable; an
   * empty submission waits for what came before it.
   */
  submit(
    blocks: readonly StoredBlock[] = [],
    quarantined: readonly QuarantinedItem[] = [],
    load: Load = loadOf(blocks, quarantined),
  ): Promise<number> {
    if (this.#broken !== null) return Promise.reject(asError(this.#broken));
    return new Promise((done, failed) => {
      this.#pending.add(load);
      this.#queue.push({ blocks, quarantined, load, done, failed });
      this.#pumpSoon();
    });
  }

  /** Writes what was submitted, for at most `graceMs`; what is left then stays unanswered. */
  async stop(graceMs: number): Promise<void> {
    await Promise.race([this.#drained(), elapsed(graceMs)]);
    this.#stopping.abort(new Error('stopping'));
    this.#broken ??= new TocsinError('INGEST_STOPPING', 'The ingest service is stopping.', {
      retryable: true,
    });
  }

  #pumpSoon(): void {
    if (this.#queue.length > 0 && this.#underWay.length < GROUPS_AT_ONCE) this.#pumping ??= this.#pump();
  }

  async #pump(): Promise<void> {
    // Streams that are served in this turn of the event loop belong to the same group.
    await nextTurn();
    await this.#options.mayGoOn?.();
    this.#pumping = null;
    while (this.#queue.length > 0 && this.#underWay.length < GROUPS_AT_ONCE) {
      const before = this.#underWay.at(-1) ?? Promise.resolve(true);
      this.#underWay.push(this.#commit(this.#takeGroup(), before));
    }
  }

  async #drained(): Promise<void> {
    while (this.#pumping !== null || this.#underWay.length > 0) await (this.#pumping ?? this.#underWay[0]);
  }

  async #commit(group: readonly Submission[], before: Promise<boolean>): Promise<boolean> {
    const { archive, onCommitted } = this.#options;
    const startedAt = performance.now();
    try {
      const frames = await this.#write(group, before);
      if (!(await before)) throw this.#broken;
      archive.grow(frames);
    } catch (error) {
      this.#giveUp([...group, ...this.#queue.splice(0)], error);
      await before;
      return false;
    } finally {
      void this.#underWay.shift();
    }
    const durable = new LoadSum();
    for (const { load, done } of group) {
      durable.add(load);
      done(archive.head);
    }
    this.#pending.remove(durable);
    onCommitted?.(performance.now() - startedAt, durable);
    this.#pumpSoon();
    return true;
  }

  /** As much as one insert may carry. */
  #takeGroup(): Submission[] {
    let bytes = 0;
    let count = 0;
    for (; count < this.#queue.length; count++) {
      bytes += this.#queue[count]!.load.archiveBytes;
      if (count > 0 && bytes > FRAME_BYTES * (FRAMES_AT_ONCE / 2)) break;
    }
    return this.#queue.splice(0, count);
  }

  /** Answers the frames that are durable now; their numbers may come before those of a group that is not. */
  async #write(group: readonly Submission[], before: Promise<boolean>): Promise<NumberedFrame[]> {
    const { archive, quarantine, log, now } = this.#options;
    const retry = { log, signal: this.#stopping.signal };
    const refused: QuarantinedItem[] = [];
    const blocks: StoredBlock[] = [];
    for (const submission of group) {
      refused.push(...submission.quarantined);
      blocks.push(...submission.blocks);
    }
    const wanted = framesOf(this.#writer, blocks);
    // What a crash leaves behind a gap must be found again.
    const tooFar = archive.framesUnderWay + wanted.length > ORPHANS_AT_MOST;
    if (tooFar && !(await before)) throw this.#broken;
    const frames = archive.number(wanted, now());
    for (let from = 0; from < refused.length; from += QUARANTINED_AT_ONCE) {
      const id = `${archive.writer}/${++this.#quarantineBatch}`;
      const batch = refused.slice(from, from + QUARANTINED_AT_ONCE);
      failpoint('before-quarantine');
      await persist('quarantine', () => quarantine.append(id, batch), retry);
      failpoint('after-quarantine');
    }
    for (let from = 0; from < frames.length; from += FRAMES_AT_ONCE) {
      const batch = frames.slice(from, from + FRAMES_AT_ONCE);
      await persist('archive', () => archive.append(batch), retry);
    }
    return frames;
  }

  #giveUp(submissions: readonly Submission[], error: unknown): void {
    const isNews = this.#broken !== error;
    this.#broken = error;
    if (isNews && !this.#stopping.signal.aborted) {
      this.#options.log.error({ err: error }, 'the archive refuses: nothing is acknowledged any more');
    }
    for (const submission of submissions) submission.failed(error);
  }
}

function framesOf(writer: FrameWriter, blocks: readonly StoredBlock[]): NewFrame[] {
  const frames: NewFrame[] = [];
  let from = 0;
  const close = (to: number): void => {
    frames.push({ blocks: blocks.slice(from, to), bytes: writer.finish() });
    from = to;
  };
  blocks.forEach((block, n) => {
    writer.add(block);
    if (writer.size >= FRAME_BYTES) close(n + 1);
  });
  if (!writer.isEmpty) close(blocks.length);
  return frames;
}

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));
