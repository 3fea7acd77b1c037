import type { Item } from '../proto/gen/tocsin/v1/Item.ts';
import { ITEMS_AT_MOST } from './client.ts';
import type { VendorClient } from './client.ts';
import type { Answer, Receipt } from './receipt.ts';
import { encodeItem, ITEM_OVERHEAD_BYTES, sizeOf } from './wire.ts';

export interface BatcherOptions {
  readonly client: Pick<VendorClient, 'publishEncoded'>;
  /** How long an item may wait for others, ms; 0: for those of the same turn of the event loop. @default 5 */
  readonly lingerMs?: number;
  /** Items of one message. @default 500 @maximum 1_000 */
  readonly itemsAtMost?: number;
  /** Bytes of one message. @default 64 KiB */
  readonly bytesAtMost?: number;
}

/**
 * Collects single items into messages: a message of 500 readings costs little more than one of a single reading.
 *
 * @example
 * const batcher = new Batcher({ client });
 * const { disposition } = await batcher.send({ reading });
 */
export class Batcher {
  readonly #options: Required<BatcherOptions>;
  #items: Uint8Array[] = [];
  #takers: { resolve: (answer: Answer) => void; reject: (error: Error) => void }[] = [];
  #bytes = 0;
  #readings = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor({ client, lingerMs = 5, itemsAtMost = 500, bytesAtMost = 64 * 1024 }: BatcherOptions) {
    this.#options = { client, lingerMs, itemsAtMost: Math.min(itemsAtMost, ITEMS_AT_MOST), bytesAtMost };
  }

  /** Resolves when the item is stored or refused. */
  send(item: Item): Promise<Answer> {
    const bytes = encodeItem(item);
    const { itemsAtMost, bytesAtMost, lingerMs } = this.#options;
    if (this.#items.length > 0 && this.#bytes + bytes.length > bytesAtMost) this.flush();
    return new Promise((resolve, reject) => {
      this.#items.push(bytes);
      this.#takers.push({ resolve, reject });
      this.#bytes += bytes.length + ITEM_OVERHEAD_BYTES;
      this.#readings += sizeOf(item);
      if (this.#items.length >= itemsAtMost) this.flush();
      else this.#timer ??= setTimeout(() => this.flush(), lingerMs);
    });
  }

  /** Sends what has been collected, now. */
  flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#items.length === 0) return;
    const takers = this.#takers;
    const answered = this.#options.client.publishEncoded(this.#items, this.#readings);
    this.#items = [];
    this.#takers = [];
    this.#bytes = 0;
    this.#readings = 0;
    answered.then(
      ({ answers }: Receipt) => takers.forEach(({ resolve }, n) => resolve(answers[n]!)),
      (error: Error) => takers.forEach(({ reject }) => reject(error)),
    );
  }
}
