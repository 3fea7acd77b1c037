import { Client, credentials, Metadata, status } from '@grpc/grpc-js';
import type { ChannelCredentials, ClientDuplexStream, StatusObject } from '@grpc/grpc-js';
import type { DescribeResponse__Output } from '../proto/gen/tocsin/v1/DescribeResponse.ts';
import type { Item } from '../proto/gen/tocsin/v1/Item.ts';
import type { SensorDescription } from '../proto/gen/tocsin/v1/SensorDescription.ts';
import { Backoff } from './backoff.ts';
import { VendorError } from './failure.ts';
import { Queue } from './queue.ts';
import { EMPTY_RECEIPT, plainReceipt, ReceiptBook } from './receipt.ts';
import type { Receipt } from './receipt.ts';
import {
  decodeOnce,
  decodeResponse,
  encodeItem,
  encodeOnce,
  encodeRequest,
  ITEM_OVERHEAD_BYTES,
  MESSAGE_OVERHEAD_BYTES,
  methodOf,
  sizeOf,
} from './wire.ts';
import type { Response, Result } from './wire.ts';

export interface VendorClientOptions {
  /** `127.0.0.1:50051` */
  readonly address: string;
  /**
   * The vendor's API key or token. A function is asked before each stream and each call: for tokens that expire. Empty
   * where a certificate is enough.
   */
  readonly key: string | (() => string | Promise<string>);
  /** @default insecure, for loopback */
  readonly channel?: ChannelCredentials;
  /** Messages sent and not yet acknowledged. @default 1_000 */
  readonly windowMessages?: number;
  /** Readings in them; one message may always be under way, however large. @default 4_000 */
  readonly windowReadings?: number;
  /** Bytes given and not yet acknowledged; at more, `publish` rejects and `room` waits. @default 16 MiB */
  readonly queueBytesAtMost?: number;
  /** Shortest pause before a reconnection; see Backoff. @default 100 */
  readonly reconnectAfterMs?: number;
  /** A stream that leaves a message unanswered for so long is given up for another. @default 60_000 */
  readonly answerWithinMs?: number;
  /** Told about every reconnection, and about nothing else. */
  readonly onReconnect?: (reason: string) => void;
  /** 0..1, for the jitter. @default Math.random */
  readonly random?: () => number;
}

/** Bytes of one message that the server takes. */
export const MESSAGE_BYTES_AT_MOST = 256 * 1024;
/** Items of one message that the server takes. */
export const ITEMS_AT_MOST = 1_000;

interface Outgoing {
  readonly items: readonly Uint8Array[];
  readonly readings: number;
  readonly bytes: number;
  /** undefined: the time of sending. */
  readonly sentAtMs: number | undefined;
  /** For each item its place in the message that the caller gave; null: the same. */
  readonly places: readonly number[] | null;
  /** null until an answer comes that is not a plain one. */
  book: ReceiptBook | null;
  readonly resolve: (receipt: Receipt) => void;
  readonly reject: (error: Error) => void;
}

/** Messages that the transport keeps for a retry of its own make many small messages five times slower. */
const RETRY_BUFFER_BYTES = 64 * 1024;
const RESPONSE_BYTES_AT_MOST = 64 * 1024 * 1024;
const CALL_WITHIN_MS = 30_000;
const KEEPALIVE_EVERY_MS = 30_000;
const KEEPALIVE_WITHIN_MS = 10_000;

/**
 * Sends to Tocsin's vendors' door: several messages under way at once, each promise resolved when its message is
 * stored. After a broken connection whatever was not acknowledged is sent again with the same identities, so
 * nothing is lost and the server drops what it had already.
 *
 * @example
 * const client = new VendorClient({ address: '127.0.0.1:50051', key });
 * const receipt = await client.publish([{ reading: { sensor: 'riser-1', boot, sequence: 1, observedAtMs, value } }]);
 * client.close();
 */
export class VendorClient {
  readonly #options: VendorClientOptions;
  readonly #client: Client;
  readonly #backoff: Backoff;
  readonly #windowMessages: number;
  readonly #windowReadings: number;
  readonly #queueBytesAtMost: number;
  readonly #queue = new Queue<Outgoing>();
  readonly #underWay = new Queue<Outgoing>();
  readonly #waiting: { resolve: () => void; reject: (error: Error) => void }[] = [];
  #bytes = 0;
  #readingsUnderWay = 0;
  #acknowledged = 0;
  #stream: ClientDuplexStream<Buffer, Response> | null = null;
  #isOpening = false;
  #answeredOnStream = false;
  #refusedKeys = 0;
  #pause: NodeJS.Timeout | null = null;
  #watch: NodeJS.Timeout | null = null;
  #heardAt = 0;
  #closed = false;

  constructor(options: VendorClientOptions) {
    this.#options = options;
    this.#windowMessages = options.windowMessages ?? 1_000;
    this.#windowReadings = options.windowReadings ?? 4_000;
    this.#queueBytesAtMost = options.queueBytesAtMost ?? 16 * 1024 * 1024;
    this.#backoff = this.#newBackoff();
    this.#client = new Client(options.address, options.channel ?? credentials.createInsecure(), {
      'grpc.per_rpc_retry_buffer_size': RETRY_BUFFER_BYTES,
      // Many explanations and gaps make long answers.
      'grpc.max_receive_message_length': RESPONSE_BYTES_AT_MOST,
      'grpc.keepalive_time_ms': KEEPALIVE_EVERY_MS,
      'grpc.keepalive_timeout_ms': KEEPALIVE_WITHIN_MS,
      // The pauses are ours: the channel's own grow to two minutes.
      'grpc.initial_reconnect_backoff_ms': options.reconnectAfterMs ?? 100,
      'grpc.max_reconnect_backoff_ms': 2_000,
    });
  }

  /**
   * Registers sensors; repeated until it is answered.
   *
   * @returns how many
   * @throws VendorError when a repetition cannot help; then none is registered
   */
  async describe(sensors: readonly SensorDescription[]): Promise<number> {
    const { path, requestSerialize, responseDeserialize } = methodOf('Describe');
    const { registered } = await this.#call(
      path,
      requestSerialize({ sensors: [...sensors] }),
      (bytes) => responseDeserialize(bytes) as DescribeResponse__Output,
    );
    return registered;
  }

  /**
   * Sends one message and resolves when every item of it is answered for good. Items that the server has no time
   * for are sent again by themselves, when the server said.
   *
   * @param items at most 1,000
   * @param sentAtMs when it was sent; a recorded feed gives its own time here. @default the time of sending
   * @throws VendorError when no repetition can help; RangeError when the message is too large or the queue is full
   */
  publish(items: readonly Item[], sentAtMs?: number): Promise<Receipt> {
    if (items.length === 1) return this.publishEncoded([encodeItem(items[0]!)], sizeOf(items[0]!), sentAtMs);
    let readings = 0;
    for (const item of items) readings += sizeOf(item);
    return this.publishEncoded(items.map(encodeItem), readings, sentAtMs);
  }

  /** The same for items that are encoded already, as a spool keeps them. @param readings in all of them */
  publishEncoded(items: readonly Uint8Array[], readings: number, sentAtMs?: number): Promise<Receipt> {
    if (this.#closed) return Promise.reject(new Error('The client is closed.'));
    if (items.length === 0) return Promise.resolve(EMPTY_RECEIPT);
    let bytes = MESSAGE_OVERHEAD_BYTES;
    for (const item of items) bytes += item.length + ITEM_OVERHEAD_BYTES;
    const tooMuch = this.#tooMuch(items.length, bytes);
    if (tooMuch !== null) return Promise.reject(new RangeError(tooMuch));
    return new Promise((resolve, reject) => {
      const sent = sentAtMs === undefined ? undefined : Math.trunc(sentAtMs);
      this.#bytes += bytes;
      this.#queue.push({ items, readings, bytes, sentAtMs: sent, places: null, book: null, resolve, reject });
      this.#pump();
    });
  }

  /** Resolves when there is room for another message; at once, most of the time. */
  room(): Promise<void> {
    if (this.#closed) return Promise.reject(new Error('The client is closed.'));
    if (this.#bytes < this.#queueBytesAtMost / 2) return Promise.resolve();
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  /**
   * The unary form, for who sends now and then: one message, one call, repeated until it is answered for good.
   *
   * @throws VendorError when no repetition can help
   */
  async publishOnce(items: readonly Item[], sentAtMs?: number): Promise<Receipt> {
    if (items.length === 0) return EMPTY_RECEIPT;
    const encoded = items.map(encodeItem);
    const book = new ReceiptBook(items.length);
    const backoff = this.#newBackoff();
    let places = [...items.keys()];
    while (places.length > 0) {
      const message = encodeOnce(
        Math.trunc(sentAtMs ?? Date.now()),
        places.map((n) => encoded[n]!),
      );
      const { results, archivedThrough } = await this.#call(
        methodOf('PublishOnce').path,
        message,
        decodeOnce,
      );
      const { again, afterMs } = book.take(results[0]!, places, archivedThrough);
      places = again.map((n) => places[n]!);
      if (places.length > 0) await this.#elapsed(backoff.nextMs(afterMs));
    }
    return book.receipt;
  }

  /** Ends the connection; what was not acknowledged is rejected, and may be sent again by another client. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#pause !== null) clearTimeout(this.#pause);
    if (this.#watch !== null) clearInterval(this.#watch);
    this.#stream?.end();
    this.#client.close();
    this.#rejectAll(new Error('The client was closed before the answer.'));
  }

  #tooMuch(items: number, bytes: number): string | null {
    if (items > ITEMS_AT_MOST) return `${items} items in one message; at most ${ITEMS_AT_MOST} are taken.`;
    if (bytes > MESSAGE_BYTES_AT_MOST) {
      return `The message is larger than max: ${bytes} bytes, and ${MESSAGE_BYTES_AT_MOST} are taken. Cut it.`;
    }
    if (this.#bytes + bytes > this.#queueBytesAtMost && this.#bytes > 0) {
      return `${this.#bytes} bytes are not acknowledged yet, and ${this.#queueBytesAtMost} are the limit. Wait for room().`;
    }
    return null;
  }

  #pump(): void {
    if (this.#closed || this.#pause !== null) return;
    while (this.#mayPublish()) {
      if (this.#stream === null) return void this.#open();
      const next = this.#queue.shift()!;
      this.#underWay.push(next);
      this.#readingsUnderWay += next.readings;
      // Waiting for an answer begins when there is something to answer.
      if (this.#underWay.length === 1) this.#heardAt = performance.now();
      this.#stream.write(
        encodeRequest(this.#acknowledged + this.#underWay.length, next.sentAtMs ?? Date.now(), next.items),
      );
    }
  }

  #mayPublish(): boolean {
    const next = this.#queue.peek();
    if (next === undefined) return false;
    if (this.#underWay.length === 0) return true;
    return (
      this.#underWay.length < this.#windowMessages &&
      this.#readingsUnderWay + next.readings <= this.#windowReadings
    );
  }

  async #open(): Promise<void> {
    if (this.#isOpening) return;
    this.#isOpening = true;
    let metadata: Metadata;
    try {
      metadata = await this.#credentials();
    } catch (error) {
      this.#isOpening = false;
      return this.#lost(new VendorError(status.UNAVAILABLE, `There is no key: ${String(error)}`));
    }
    this.#isOpening = false;
    if (this.#closed) return;
    const stream = this.#client.makeBidiStreamRequest<Buffer, Response>(
      methodOf('Publish').path,
      (bytes) => bytes,
      decodeResponse,
      metadata,
    );
    this.#stream = stream;
    this.#acknowledged = 0;
    this.#answeredOnStream = false;
    this.#heardAt = performance.now();
    stream.on('data', (response: Response) => {
      if (this.#stream !== stream) return;
      this.#heardAt = performance.now();
      this.#answeredOnStream = true;
      this.#refusedKeys = 0;
      this.#backoff.reset();
      this.#take(response);
      this.#pump();
    });
    // The status says it all; the error event must have a listener.
    stream.on('error', () => undefined);
    stream.on('status', ({ code, details, metadata: trailers }: StatusObject) => {
      if (this.#stream === stream) this.#lost(new VendorError(code, details, trailers));
    });
    this.#watch ??= setInterval(() => this.#giveUpOnSilence(), 1_000).unref();
    this.#pump();
  }

  async #credentials(): Promise<Metadata> {
    const { key } = this.#options;
    const metadata = new Metadata();
    const shown = typeof key === 'string' ? key : await key();
    if (shown !== '') metadata.set('authorization', `Bearer ${shown}`);
    return metadata;
  }

  #giveUpOnSilence(): void {
    const { answerWithinMs = 60_000 } = this.#options;
    if (this.#stream === null || this.#underWay.length === 0) return;
    if (performance.now() - this.#heardAt < answerWithinMs) return;
    const stream = this.#stream;
    this.#lost(new VendorError(status.DEADLINE_EXCEEDED, `No answer for ${answerWithinMs} ms.`));
    stream.cancel();
  }

  #take({ results, acknowledgedThrough, archivedThrough }: Response): void {
    const again: Outgoing[] = [];
    let afterMs = 0;
    for (const result of results) {
      const outgoing = this.#underWay.shift();
      if (outgoing === undefined) break;
      this.#acknowledged += 1;
      this.#readingsUnderWay -= outgoing.readings;
      const left = settle(outgoing, result, archivedThrough);
      if (left === null) {
        this.#bytes -= outgoing.bytes;
        continue;
      }
      this.#bytes -= outgoing.bytes - left.outgoing.bytes;
      again.push(left.outgoing);
      afterMs = Math.max(afterMs, left.afterMs);
    }
    if (acknowledgedThrough !== this.#acknowledged && results.length > 0) {
      // Answers that do not match the questions prove nothing: all that is open is asked again.
      const stream = this.#stream;
      this.#queue.unshift(again);
      this.#lost(
        new VendorError(
          status.ABORTED,
          `The server acknowledged message ${acknowledgedThrough} after ${this.#acknowledged} answers.`,
        ),
      );
      return stream?.cancel();
    }
    if (again.length > 0) {
      // The server has too much to do: everything waits, and the order stays.
      this.#queue.unshift(again);
      this.#restAndPump(afterMs > 0 ? this.#backoff.afterMs(afterMs) : this.#backoff.nextMs());
    }
    if (this.#bytes < this.#queueBytesAtMost / 2) {
      for (const { resolve } of this.#waiting.splice(0)) resolve();
    }
  }

  #lost(error: VendorError): void {
    this.#stream = null;
    this.#queue.unshift(this.#underWay.drain());
    this.#readingsUnderWay = 0;
    if (this.#closed || this.#queue.length === 0) return;
    const mayRenew =
      typeof this.#options.key === 'function' &&
      error.code === status.UNAUTHENTICATED &&
      ++this.#refusedKeys < 2;
    if (error.isFinal && !mayRenew) return this.#rejectAll(error);
    this.#options.onReconnect?.(error.message);
    // A stream that the server ended in order (silent, or old) is opened again at once.
    const isInOrder = error.code === status.OK && this.#answeredOnStream;
    this.#restAndPump(isInOrder ? 0 : this.#backoff.nextMs(error.retryAfterMs ?? 0));
  }

  #restAndPump(ms: number): void {
    if (this.#pause !== null) clearTimeout(this.#pause);
    this.#pause = setTimeout(() => {
      this.#pause = null;
      this.#pump();
    }, ms);
  }

  #rejectAll(error: Error): void {
    this.#bytes = 0;
    this.#readingsUnderWay = 0;
    for (const { reject } of [...this.#underWay.drain(), ...this.#queue.drain()]) reject(error);
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }

  #newBackoff(): Backoff {
    const { reconnectAfterMs: baseMs, random } = this.#options;
    return new Backoff({
      ...(baseMs === undefined ? {} : { baseMs }),
      ...(random === undefined ? {} : { random }),
    });
  }

  /** A unary call, repeated until it is answered. */
  async #call<A>(path: string, message: Buffer, decode: (bytes: Buffer) => A): Promise<A> {
    const backoff = this.#newBackoff();
    for (;;) {
      if (this.#closed) throw new Error('The client is closed.');
      try {
        return await this.#callOnce(path, message, decode);
      } catch (error) {
        if (this.#closed || !(error instanceof VendorError) || error.isFinal) throw error;
        this.#options.onReconnect?.(error.message);
        await this.#elapsed(backoff.nextMs(error.retryAfterMs ?? 0));
      }
    }
  }

  async #callOnce<A>(path: string, message: Buffer, decode: (bytes: Buffer) => A): Promise<A> {
    const metadata = await this.#credentials();
    return new Promise((resolve, reject) =>
      this.#client.makeUnaryRequest<Buffer, A>(
        path,
        (bytes) => bytes,
        decode,
        message,
        metadata,
        { deadline: Date.now() + CALL_WITHIN_MS },
        (error, answer) =>
          error ? reject(new VendorError(error.code, error.details, error.metadata)) : resolve(answer!),
      ),
    );
  }

  #elapsed(ms: number): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, ms));
  }
}

/** Resolves a message that is answered for good; of another, what is to be sent again and after how long. */
function settle(
  outgoing: Outgoing,
  result: Result,
  archivedThrough: number,
): { readonly outgoing: Outgoing; readonly afterMs: number } | null {
  const { items, places } = outgoing;
  if (outgoing.book === null) {
    const plain = plainReceipt(items.length, result, archivedThrough);
    if (plain !== null) {
      outgoing.resolve(plain);
      return null;
    }
  }
  const book = (outgoing.book ??= new ReceiptBook(items.length));
  const known = places ?? [...items.keys()];
  const { again, afterMs } = book.take(result, known, archivedThrough);
  if (again.length === 0) {
    outgoing.resolve(book.receipt);
    return null;
  }
  const left = again.map((n) => items[n]!);
  const share = left.length / items.length;
  return {
    outgoing: {
      ...outgoing,
      items: left,
      readings: Math.ceil(outgoing.readings * share),
      bytes: left.reduce((sum, item) => sum + item.length + ITEM_OVERHEAD_BYTES, MESSAGE_OVERHEAD_BYTES),
      places: again.map((n) => known[n]!),
    },
    afterMs,
  };
}
