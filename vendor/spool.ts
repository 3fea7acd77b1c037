import { crc32c } from './crc32c.ts';
import type { Disk, DiskFile } from './disk.ts';

export interface SpoolOptions {
  /** Bytes on disk at most. @default 256 MiB @minimum two segments */
  readonly bytesAtMost?: number;
  /** Bytes of one segment file: what is freed at once. @default 4 MiB */
  readonly segmentBytes?: number;
  /**
   * `refuse`: nothing is lost that was taken, and the caller hears it. `drop-oldest`: the newest matter more; the
   * oldest segment goes, and `onDropped` hears which records were in it. @default refuse
   */
  readonly whenFull?: 'refuse' | 'drop-oldest';
  readonly onDropped?: (first: number, last: number) => void;
}

/** There is no room left, and nothing may be dropped. What was to be kept still belongs to the caller. */
export class SpoolFull extends Error {
  override name = 'SpoolFull';
}

export interface SpoolRecord {
  /** 1, 2, 3 … for as long as the directory exists. */
  readonly number: number;
  readonly bytes: Buffer;
}

interface Segment {
  readonly name: string;
  /** Number of its first record. */
  readonly first: number;
  /** Records in it. */
  records: number;
  size: number;
}

interface Pending {
  number: number;
  readonly bytes: Uint8Array;
  readonly resolve: (number: number) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Records on disk until they are acknowledged, in files that only grow.
 *
 * - A record is `length, CRC-32C of number and bytes, bytes`, both as 32 bits, little-endian. A tail that was torn
 *   by a crash does not match, and is cut when the spool is opened.
 * - `append` resolves after `fdatasync`: what it answered for survives a crash of the machine. Records that are
 *   appended meanwhile share the next sync.
 * - The cursor (all up to here is acknowledged) is kept in the file `cursor`, without a sync: a crash may set it
 *   back, never forward, and then some records are sent twice.
 * - Segments behind the cursor are removed.
 */
export class Spool {
  readonly #disk: Disk;
  readonly #options: SpoolOptions;
  readonly #bytesAtMost: number;
  readonly #segmentBytes: number;
  readonly #segments: Segment[] = [];
  #file: DiskFile | null = null;
  #cursorFile: DiskFile | null = null;
  #cursorRecords = 0;
  #acknowledged = 0;
  #next = 1;
  #durable = 0;
  #pending: Pending[] = [];
  #writing: Promise<void> | null = null;
  #cursorWriting: Promise<void> | null = null;
  #failure: Error | null = null;
  #cut = 0;

  private constructor(disk: Disk, options: SpoolOptions) {
    this.#disk = disk;
    this.#options = options;
    this.#segmentBytes = options.segmentBytes ?? 4 * 1024 * 1024;
    this.#bytesAtMost = Math.max(options.bytesAtMost ?? 256 * 1024 * 1024, 2 * this.#segmentBytes);
  }

  /** Reads what is there, and cuts a torn tail. @throws Error when a record in the middle is damaged */
  static async open(disk: Disk, options: SpoolOptions = {}): Promise<Spool> {
    const spool = new Spool(disk, options);
    await spool.#recover();
    return spool;
  }

  /** Number of the newest record that is safe on disk. */
  get last(): number {
    return this.#durable;
  }

  /** All records up to this one are acknowledged. */
  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** Bytes on disk. */
  get size(): number {
    return this.#segments.reduce((sum, { size }) => sum + size, 0);
  }

  /** Bytes of a torn tail that were cut on opening: records nobody was told to be safe. */
  get cutBytes(): number {
    return this.#cut;
  }

  /**
   * Keeps a record. @returns its number, once it is safe
   * @throws SpoolFull
   */
  append(bytes: Uint8Array): Promise<number> {
    if (this.#failure !== null) return Promise.reject(this.#failure);
    if (bytes.length === 0) return Promise.reject(new RangeError('A record has at least one byte.'));
    return new Promise((resolve, reject) => {
      this.#pending.push({ number: 0, bytes, resolve, reject });
      this.#writing ??= this.#write();
    });
  }

  /** Records after `after`, oldest first, as many as fit into `bytesAtMost` and at least one when there is one. */
  async read(after: number, bytesAtMost: number): Promise<SpoolRecord[]> {
    const records: SpoolRecord[] = [];
    const from = Math.max(after, this.#acknowledged);
    let taken = 0;
    for (const segment of [...this.#segments]) {
      const end = Math.min(segment.first + segment.records - 1, this.#durable);
      if (end <= from) continue;
      let { at, number } = this.#place(segment, from + 1);
      let block: Buffer = Buffer.alloc(0);
      let offset = 0;
      const need = async (length: number): Promise<void> => {
        if (block.length - offset >= length) return;
        block = await this.#disk.read(segment.name, at, Math.max(length, READ_BYTES));
        offset = 0;
      };
      try {
        for (; number <= end; number++) {
          await need(HEAD_BYTES);
          const length = block.readUInt32LE(offset);
          await need(HEAD_BYTES + length);
          const bytes = block.subarray(offset + HEAD_BYTES, offset + HEAD_BYTES + length);
          if (bytes.length < length || checksum(number, bytes) !== block.readUInt32LE(offset + 4)) {
            throw new Error(`Record ${number} in ${segment.name} is damaged.`);
          }
          offset += HEAD_BYTES + length;
          at += HEAD_BYTES + length;
          if (number > from) {
            records.push({ number, bytes });
            taken += length;
          }
          this.#places.set(segment.name, { at, number: number + 1 });
          if (taken >= bytesAtMost) return records;
        }
      } catch (error) {
        // Acknowledged, or dropped, and removed in the meantime.
        if (this.#segments.includes(segment)) throw error;
      }
    }
    return records;
  }

  /** Where reading goes on in a segment: records have no index. */
  readonly #places = new Map<string, { at: number; number: number }>();

  #place({ name, first }: Segment, wanted: number): { at: number; number: number } {
    const known = this.#places.get(name);
    return known !== undefined && known.number <= wanted ? known : { at: 0, number: first };
  }

  /** All records up to this one are stored elsewhere now: they need not be kept. */
  acknowledge(through: number): void {
    if (through <= this.#acknowledged) return;
    this.#acknowledged = Math.min(through, this.#durable);
    this.#cursorWriting ??= this.#keepCursor();
  }

  /** Finishes what was begun, and keeps the cursor safely. */
  async close(): Promise<void> {
    while (this.#writing !== null) await this.#writing;
    while (this.#cursorWriting !== null) await this.#cursorWriting;
    this.#failure = new Error('The spool is closed.');
    await this.#cursorFile?.sync();
    await this.#cursorFile?.close();
    await this.#file?.close();
  }

  async #recover(): Promise<void> {
    const names = await this.#disk.names();
    const segments = names.filter((name) => SEGMENT.test(name)).sort();
    if (this.#cursorFile === null && names.includes(CURSOR)) this.#acknowledged = await this.#readCursor();
    for (const [index, name] of segments.entries()) {
      const first = Number(name.slice(0, -SUFFIX.length));
      const isLast = index === segments.length - 1;
      const { records, valid } = await this.#scan(name, first);
      const size = await this.#disk.size(name);
      if (valid < size) {
        if (!isLast) throw new Error(`Record ${first + records} in ${name} is damaged, and more follow it.`);
        await this.#disk.truncate(name, valid);
        this.#cut += size - valid;
      }
      this.#segments.push({ name, first, records, size: valid });
    }
    const last = this.#segments.at(-1);
    // Only what was acknowledged or dropped is ever removed; the cursor may be older.
    this.#acknowledged = Math.max(this.#acknowledged, (this.#segments[0]?.first ?? 1) - 1);
    this.#durable = Math.max(this.#acknowledged, last === undefined ? 0 : last.first + last.records - 1);
    this.#next = this.#durable + 1;
    // Numbers go on after a cursor whose records are gone; a new segment says with which.
    if (last !== undefined && last.first + last.records === this.#next) {
      this.#file = await this.#disk.open(last.name);
      // The bytes were read; whether they were safe is not known.
      await this.#file.sync();
    }
    await this.#removeAcknowledged();
  }

  async #scan(name: string, first: number): Promise<{ records: number; valid: number }> {
    const size = await this.#disk.size(name);
    let at = 0;
    let records = 0;
    let chunk: Buffer = Buffer.alloc(0);
    let chunkAt = 0;
    while (at + HEAD_BYTES <= size) {
      const inChunk = (length: number): boolean => at >= chunkAt && at + length <= chunkAt + chunk.length;
      if (!inChunk(HEAD_BYTES)) {
        chunk = await this.#disk.read(name, at, Math.min(size - at, SCAN_BYTES));
        chunkAt = at;
      }
      const length = chunk.readUInt32LE(at - chunkAt);
      if (at + HEAD_BYTES + length > size) break;
      if (!inChunk(HEAD_BYTES + length)) {
        chunk = await this.#disk.read(
          name,
          at,
          Math.max(HEAD_BYTES + length, Math.min(size - at, SCAN_BYTES)),
        );
        chunkAt = at;
      }
      const from = at - chunkAt;
      const bytes = chunk.subarray(from + HEAD_BYTES, from + HEAD_BYTES + length);
      if (length === 0 || checksum(first + records, bytes) !== chunk.readUInt32LE(from + 4)) break;
      at += HEAD_BYTES + length;
      records += 1;
    }
    return { records, valid: at };
  }

  async #write(): Promise<void> {
    while (this.#pending.length > 0) {
      const batch = this.#pending.splice(0);
      try {
        await this.#writeBatch(batch);
      } catch (error) {
        for (const { reject } of [...batch, ...this.#pending.splice(0)]) reject(error as Error);
        await this.#lookAgain();
      }
    }
    this.#writing = null;
  }

  /** After a write that failed (a full disk) an unknown part of it is there: cut it, or give up. */
  async #lookAgain(): Promise<void> {
    try {
      await this.#file?.close().catch(() => undefined);
      this.#file = null;
      this.#segments.length = 0;
      this.#places.clear();
      await this.#recover();
    } catch (error) {
      this.#failure = error as Error;
    }
  }

  async #writeBatch(batch: readonly Pending[]): Promise<void> {
    const kept: Pending[] = [];
    let chunks: Buffer[] = [];
    const flush = async (): Promise<void> => {
      if (chunks.length > 0) await this.#file!.append(Buffer.concat(chunks));
      chunks = [];
    };
    for (const record of batch) {
      const size = HEAD_BYTES + record.bytes.length;
      const current = this.#segments.at(-1);
      const needsSegment =
        this.#file === null || (current!.size > 0 && current!.size + size > this.#segmentBytes);
      if (!(await this.#makeRoom(size))) {
        record.reject(
          new SpoolFull(
            `The spool holds ${this.size} bytes that are not acknowledged, and ${this.#bytesAtMost} are the limit.`,
          ),
        );
        continue;
      }
      if (needsSegment) {
        await flush();
        // What is before a segment must be safe before anything in it is: only the last one may be torn.
        await this.#file?.sync();
        await this.#file?.close();
        const name = `${String(this.#next).padStart(16, '0')}${SUFFIX}`;
        this.#file = await this.#disk.open(name);
        await this.#disk.syncNames();
        this.#segments.push({ name, first: this.#next, records: 0, size: 0 });
      }
      const segment = this.#segments.at(-1)!;
      record.number = this.#next++;
      chunks.push(framed(record.number, record.bytes));
      segment.records += 1;
      segment.size += size;
      kept.push(record);
    }
    await flush();
    if (kept.length === 0) return;
    await this.#file!.sync();
    this.#durable = kept.at(-1)!.number;
    for (const { number, resolve } of kept) resolve(number);
  }

  async #makeRoom(size: number): Promise<boolean> {
    if (size > this.#segmentBytes) return false;
    if (this.size + size > this.#bytesAtMost) await this.#removeAcknowledged();
    while (this.size + size > this.#bytesAtMost) {
      const oldest = this.#segments[0];
      const canDrop =
        this.#options.whenFull === 'drop-oldest' && oldest !== undefined && this.#segments.length > 1;
      if (!canDrop) return false;
      const last = oldest.first + oldest.records - 1;
      const first = Math.max(oldest.first, this.#acknowledged + 1);
      await this.#remove(oldest);
      if (last >= first) {
        this.#acknowledged = last;
        this.#options.onDropped?.(first, last);
      }
    }
    return true;
  }

  async #removeAcknowledged(): Promise<void> {
    for (const segment of [...this.#segments]) {
      if (segment.first + segment.records - 1 > this.#acknowledged || segment.records === 0) break;
      // The file that is written to stays: it says which number comes next.
      if (segment === this.#segments.at(-1)) break;
      await this.#remove(segment);
    }
  }

  async #remove(segment: Segment): Promise<void> {
    this.#segments.splice(this.#segments.indexOf(segment), 1);
    this.#places.delete(segment.name);
    await this.#disk.remove(segment.name);
  }

  async #keepCursor(): Promise<void> {
    try {
      for (let kept = -1; kept !== this.#acknowledged;) {
        kept = this.#acknowledged;
        if (this.#cursorRecords >= CURSOR_RECORDS_AT_MOST) {
          // Without a cursor everything would be sent again: that is allowed, and it is a short moment.
          await this.#cursorFile?.close();
          this.#cursorFile = null;
          await this.#disk.truncate(CURSOR, 0);
          this.#cursorRecords = 0;
        }
        this.#cursorFile ??= await this.#disk.open(CURSOR);
        await this.#cursorFile.append(framed(this.#cursorRecords, numbered(kept)));
        this.#cursorRecords += 1;
        await this.#removeAcknowledged();
      }
    } catch {
      // An old cursor costs duplicates, nothing else; the next acknowledgement tries again in a new file.
      await this.#cursorFile?.close().catch(() => undefined);
      this.#cursorFile = null;
      this.#cursorRecords = CURSOR_RECORDS_AT_MOST;
    }
    this.#cursorWriting = null;
  }

  /** The newest cursor that was written whole. */
  async #readCursor(): Promise<number> {
    const size = await this.#disk.size(CURSOR);
    const bytes = await this.#disk.read(CURSOR, 0, size);
    let cursor = 0;
    let at = 0;
    for (; at + CURSOR_BYTES <= bytes.length; at += CURSOR_BYTES) {
      const body = bytes.subarray(at + HEAD_BYTES, at + CURSOR_BYTES);
      if (checksum(at / CURSOR_BYTES, body) !== bytes.readUInt32LE(at + 4)) break;
      cursor = Number(body.readBigUInt64LE());
    }
    if (at < size) await this.#disk.truncate(CURSOR, at);
    this.#cursorRecords = at / CURSOR_BYTES;
    return cursor;
  }
}

const SUFFIX = '.spool';
const SEGMENT = /^\d{16}\.spool$/;
const CURSOR = 'cursor';
const HEAD_BYTES = 8;
const CURSOR_BYTES = HEAD_BYTES + 8;
const CURSOR_RECORDS_AT_MOST = 4_096;
const SCAN_BYTES = 1024 * 1024;
const READ_BYTES = 64 * 1024;

function checksum(number: number, bytes: Uint8Array): number {
  return crc32c(bytes, crc32c(numbered(number)));
}

function numbered(number: number): Buffer {
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeBigUInt64LE(BigInt(number));
  return bytes;
}

function framed(number: number, bytes: Uint8Array): Buffer {
  const whole = Buffer.allocUnsafe(HEAD_BYTES + bytes.length);
  whole.writeUInt32LE(bytes.length, 0);
  whole.writeUInt32LE(checksum(number, bytes), 4);
  whole.set(bytes, HEAD_BYTES);
  return whole;
}
