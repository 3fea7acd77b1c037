import type { Item } from '../proto/gen/tocsin/v1/Item.ts';
import { ITEMS_AT_MOST } from './client.ts';
import type { VendorClient } from './client.ts';
import { lockDirectory, openDirectory } from './disk.ts';
import type { Disk } from './disk.ts';
import { Queue } from './queue.ts';
import type { Receipt } from './receipt.ts';
import { Spool } from './spool.ts';
import type { SpoolOptions } from './spool.ts';
import { encodeItem, ITEM_OVERHEAD_BYTES, sizeOf } from './wire.ts';

export interface OutboxOptions extends SpoolOptions {
  /** Who sends. It stays the caller's: closing the outbox does not close it. */
  readonly client: Pick<VendorClient, 'publishEncoded' | 'room'>;
  /** Where the spool lies; one process at a time. */
  readonly directory: string;
  /** Told about each message that was answered for good: quarantined items are in it, and are not sent again. */
  readonly onReceipt?: (receipt: Receipt) => void;
  /** Sending has stopped: no repetition can help (a revoked key), and everything stays on disk. */
  readonly onStopped?: (error: Error) => void;
}

export interface OutboxState {
  /** Records on disk that are not acknowledged. */
  readonly waiting: number;
  readonly bytesOnDisk: number;
  readonly accepted: number;
  readonly duplicate: number;
  readonly quarantined: number;
}

const READ_AT_ONCE_BYTES = 512 * 1024;
const MESSAGE_BYTES = 128 * 1024;
const MESSAGE_READINGS = 1_000;
/** One record must fit into a message. */
const RECORD_BYTES_AT_MOST = 240 * 1024;

interface Bundle {
  readonly sentAtMs: number | undefined;
  readonly items: Uint8Array[];
  readings: number;
  bytes: number;
  /** Number of its newest record. */
  through: number;
  isAnswered: boolean;
}

/**
 * Keeps items on disk until the server has them: through outages, and through crashes on either side. What `put`
 * resolved for is on disk; what the server acknowledged is forgotten; everything else is sent, again if need be,
 * with the same identities.
 *
 * @example
 * const outbox = await Outbox.open({ client, directory: '/var/spool/tocsin' });
 * await outbox.put([{ reading: { sensor: 'riser-1', boot, sequence, observedAtMs, value } }]);
 */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #spool: Spool;
  readonly #unlock: () => void;
  readonly #underWay = new Queue<Bundle>();
  readonly #counts = { accepted: 0, duplicate: 0, quarantined: 0 };
  #sentThrough: number;
  #wake: (() => void) | null = null;
  #drained: { resolve: () => void; reject: (error: Error) => void }[] = [];
  #stopped: Error | null = null;
  #sending: Promise<void>;

  private constructor(options: OutboxOptions, spool: Spool, unlock: () => void) {
    this.#options = options;
    this.#spool = spool;
    this.#unlock = unlock;
    this.#sentThrough = spool.acknowledged;
    this.#sending = this.#send();
  }

  /** Opens the spool, and begins to send what an earlier process left there. */
  static async open(options: OutboxOptions, disk: Disk = openDirectory(options.directory)): Promise<Outbox> {
    const unlock = lockDirectory(options.directory);
    try {
      return new Outbox(options, await Spool.open(disk, options), unlock);
    } catch (error) {
      unlock();
      throw error;
    }
  }

  /**
   * Takes items over. @returns once they are on disk
   * @param sentAtMs as in VendorClient.publish. @default the time of sending
   * @throws SpoolFull, RangeError when they are too many for one message
   */
  async put(items: readonly Item[], sentAtMs?: number): Promise<void> {
    if (items.length === 0) return;
    if (items.length > ITEMS_AT_MOST) throw new RangeError(`At most ${ITEMS_AT_MOST} items at once.`);
    const record = packRecord(items, sentAtMs);
    if (record.length > RECORD_BYTES_AT_MOST) {
      throw new RangeError(`${record.length} bytes at once; at most ${RECORD_BYTES_AT_MOST}. Cut them.`);
    }
    await this.#spool.append(record);
    this.#wake?.();
  }

  /** Resolves when everything that was put is acknowledged. @throws what stopped the sending */
  drained(): Promise<void> {
    if (this.#stopped !== null) return Promise.reject(this.#stopped);
    if (this.state.waiting === 0) return Promise.resolve();
    return new Promise((resolve, reject) => this.#drained.push({ resolve, reject }));
  }

  get state(): OutboxState {
    return {
      waiting: this.#spool.last - this.#spool.acknowledged,
      bytesOnDisk: this.#spool.size,
      ...this.#counts,
    };
  }

  /** Stops; what is not acknowledged stays on disk for the next start. */
  async close(): Promise<void> {
    this.#stop(new Error('The outbox is closed.'), false);
    await this.#sending;
    await this.#spool.close();
    this.#unlock();
  }

  async #send(): Promise<void> {
    try {
      while (this.#stopped === null) {
        const records = await this.#spool.read(this.#sentThrough, READ_AT_ONCE_BYTES);
        if (records.length === 0) {
          if (this.#spool.last > this.#sentThrough) continue;
          await new Promise<void>((resolve) => (this.#wake = resolve));
          this.#wake = null;
          continue;
        }
        for (const bundle of bundlesOf(records)) {
          await this.#options.client.room();
          if (this.#stopped !== null) return;
          this.#sentThrough = bundle.through;
          this.#underWay.push(bundle);
          this.#options.client.publishEncoded(bundle.items, bundle.readings, bundle.sentAtMs).then(
            (receipt) => this.#answered(bundle, receipt),
            (error: Error) => this.#stop(error),
          );
        }
      }
    } catch (error) {
      this.#stop(error as Error);
    }
  }

  #answered(bundle: Bundle, receipt: Receipt): void {
    bundle.isAnswered = true;
    this.#counts.accepted += receipt.accepted;
    this.#counts.duplicate += receipt.duplicate;
    this.#counts.quarantined += receipt.quarantined;
    this.#options.onReceipt?.(receipt);
    // The cursor stands for all before it: an answer that overtook another waits for that.
    let through = 0;
    while (this.#underWay.peek()?.isAnswered === true) through = this.#underWay.shift()!.through;
    if (through > 0) this.#spool.acknowledge(through);
    if (this.state.waiting === 0) for (const { resolve } of this.#drained.splice(0)) resolve();
  }

  #stop(error: Error, isFailure = true): void {
    if (this.#stopped !== null) return;
    this.#stopped = error;
    for (const { reject } of this.#drained.splice(0)) reject(error);
    this.#wake?.();
    if (isFailure) this.#options.onStopped?.(error);
  }
}

/** `sent time or NaN`, then for each item `readings, length, bytes`. */
function packRecord(items: readonly Item[], sentAtMs: number | undefined): Buffer {
  const encoded = items.map(encodeItem);
  const record = Buffer.allocUnsafe(encoded.reduce((sum, { length }) => sum + 8 + length, 8));
  let at = record.writeDoubleLE(sentAtMs ?? NaN, 0);
  for (const [n, bytes] of encoded.entries()) {
    at = record.writeUInt32LE(sizeOf(items[n]!), at);
    at = record.writeUInt32LE(bytes.length, at);
    at += bytes.copy(record, at);
  }
  return record;
}

function* bundlesOf(
  records: readonly { readonly number: number; readonly bytes: Buffer }[],
): Generator<Bundle> {
  let open: Bundle | null = null;
  for (const { number, bytes } of records) {
    const sent = bytes.readDoubleLE(0);
    const record: Bundle = {
      sentAtMs: Number.isNaN(sent) ? undefined : sent,
      items: [],
      readings: 0,
      bytes: 0,
      through: number,
      isAnswered: false,
    };
    for (let at = 8; at < bytes.length;) {
      const length = bytes.readUInt32LE(at + 4);
      record.readings += bytes.readUInt32LE(at);
      record.items.push(bytes.subarray(at + 8, at + 8 + length));
      record.bytes += length + ITEM_OVERHEAD_BYTES;
      at += 8 + length;
    }
    const fits =
      open !== null &&
      open.sentAtMs === record.sentAtMs &&
      open.items.length + record.items.length <= ITEMS_AT_MOST &&
      open.readings + record.readings <= MESSAGE_READINGS &&
      open.bytes + record.bytes <= MESSAGE_BYTES;
    if (open !== null && fits) {
      open.items.push(...record.items);
      open.readings += record.readings;
      open.bytes += record.bytes;
      open.through = number;
    } else {
      if (open !== null) yield open;
      open = record;
    }
  }
  if (open !== null) yield open;
}
