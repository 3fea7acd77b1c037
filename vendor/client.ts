import { credentials, Metadata, status } from '@grpc/grpc-js';
import type { ChannelCredentials, ClientDuplexStream, ServiceError } from '@grpc/grpc-js';
import { IngestService } from '../proto/load.ts';
import type { DescribeResponse__Output } from '../proto/gen/tocsin/v1/DescribeResponse.ts';
import type { Gap__Output } from '../proto/gen/tocsin/v1/Gap.ts';
import type { IngestServiceClient } from '../proto/gen/tocsin/v1/IngestService.ts';
import type { Item } from '../proto/gen/tocsin/v1/Item.ts';
import type { ItemResult__Output } from '../proto/gen/tocsin/v1/ItemResult.ts';
import type { PublishRequest } from '../proto/gen/tocsin/v1/PublishRequest.ts';
import type { PublishResponse__Output } from '../proto/gen/tocsin/v1/PublishResponse.ts';
import type { SensorDescription } from '../proto/gen/tocsin/v1/SensorDescription.ts';

export interface VendorClientOptions {
  /** `127.0.0.1:50051` */
  readonly address: string;
  /** The vendor's API key. */
  readonly key: string;
  /** @default insecure, for loopback */
  readonly channel?: ChannelCredentials;
  /** Messages sent and not yet acknowledged. @default 32 */
  readonly windowMessages?: number;
  /** Pause before the first reconnection; doubles up to 10 s, with jitter. @default 100 */
  readonly reconnectAfterMs?: number;
  /** Told about every reconnection, and about nothing else. */
  readonly onReconnect?: (reason: string) => void;
  /** 0..1, for the jitter. @default Math.random */
  readonly random?: () => number;
}

/** Items of a message that were not taken, and why. */
export interface Refusal {
  readonly firstItem: number;
  readonly items: number;
  readonly reason: string;
  readonly explanation: string;
}

/** What became of one message. */
export interface Receipt {
  /** Items stored now, stored before, and refused; a columns item that is refused in part counts as refused. */
  readonly accepted: number;
  readonly duplicate: number;
  readonly quarantined: number;
  readonly refusals: readonly Refusal[];
  /** Numbers the server is missing. */
  readonly gaps: readonly Gap__Output[];
  /** Archive position behind which all of it lies. */
  readonly archivedThrough: number;
}

interface Outgoing {
  readonly items: readonly Item[];
  readonly sentAtMs: number;
  /** For each item its place in the message that the caller gave. */
  readonly places: readonly number[];
  readonly receipt: Collected;
}

interface Collected {
  readonly verdicts: ('accepted' | 'duplicate' | 'quarantined' | null)[];
  readonly refusals: Refusal[];
  gaps: readonly Gap__Output[];
  archivedThrough: number;
  readonly resolve: (receipt: Receipt) => void;
  readonly reject: (error: Error) => void;
}

/** Messages that the transport keeps for a retry of its own make many small messages five times slower. */
const RETRY_BUFFER_BYTES = 64 * 1024;
const LONGEST_PAUSE_MS = 10_000;
const CALL_WITHIN_MS = 30_000;

/** The server will never take this from this client. Everything else is worth another try. */
const FINAL: readonly (status | undefined)[] = [
  status.INVALID_ARGUMENT,
  status.UNAUTHENTICATED,
  status.PERMISSION_DENIED,
  status.NOT_FOUND,
  status.UNIMPLEMENTED,
  status.FAILED_PRECONDITION,
];

/**
 * Sends to Tocsin's vendors' door: several messages under way at once, each promise resolved when its message is
 * stored. After a broken connection whatever was not acknowledged is sent again with the same identities, so
 * nothing is lost and the server drops what it had already.
 *
 * @example
 * const client = new VendorClient({ address: '127.0.0.1:50051', key });
 * const receipt = await client.publish([bulletinToWire(bulletin)]);
 * client.close();
 */
export class VendorClient {
  readonly #options: VendorClientOptions;
  readonly #client: IngestServiceClient;
  readonly #metadata = new Metadata();
  readonly #window: number;
  readonly #queue: Outgoing[] = [];
  #underWay: Outgoing[] = [];
  #acknowledged = 0;
  #stream: ClientDuplexStream<PublishRequest, PublishResponse__Output> | null = null;
  #failures = 0;
  #timer: NodeJS.Timeout | null = null;
  readonly #later = new Set<NodeJS.Timeout>();
  #closed = false;

  constructor(options: VendorClientOptions) {
    this.#options = options;
    this.#window = options.windowMessages ?? 32;
    this.#client = new IngestService(options.address, options.channel ?? credentials.createInsecure(), {
      'grpc.per_rpc_retry_buffer_size': RETRY_BUFFER_BYTES,
    });
    this.#metadata.set('authorization', `Bearer ${options.key}`);
  }

  /** Registers sensors; repeated until it is answered. @returns how many */
  async describe(sensors: readonly SensorDescription[]): Promise<number> {
    for (let failures = 1; ; failures++) {
      try {
        const answer = await this.#describeOnce(sensors);
        return answer.registered;
      } catch (error) {
        if (this.#closed || FINAL.includes((error as ServiceError).code)) throw error;
        this.#options.onReconnect?.((error as Error).message);
        await new Promise((resolve) => setTimeout(resolve, this.#pauseMs(failures)));
      }
    }
  }

  /**
   * Sends one message and resolves when every item of it is answered for good. Items that the server has no time
   * for are sent again by themselves.
   *
   * @param sentAtMs when it was sent; a recorded feed gives its own time here. @default now
   */
  publish(items: readonly Item[], sentAtMs: number = Date.now()): Promise<Receipt> {
    if (this.#closed) return Promise.reject(new Error('The client is closed.'));
    return new Promise((resolve, reject) => {
      const receipt: Collected = {
        verdicts: items.map(() => null),
        refusals: [],
        gaps: [],
        archivedThrough: 0,
        resolve,
        reject,
      };
      if (items.length === 0) return settle(receipt);
      this.#queue.push({ items, sentAtMs, places: [...items.keys()], receipt });
      this.#pump();
    });
  }

  /** Ends the connection; what was not acknowledged is rejected, and may be sent again by another client. */
  close(): void {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    for (const timer of this.#later) clearTimeout(timer);
    this.#stream?.end();
    this.#client.close();
    const left = [...this.#underWay.splice(0), ...this.#queue.splice(0)];
    for (const { receipt } of left) receipt.reject(new Error('The client was closed before the answer.'));
  }

  #pump(): void {
    if (this.#closed || this.#timer !== null) return;
    while (this.#queue.length > 0 && this.#underWay.length < this.#window) {
      this.#stream ??= this.#open();
      const next = this.#queue.shift()!;
      this.#underWay.push(next);
      this.#stream.write({
        sequence: this.#acknowledged + this.#underWay.length,
        sentAtMs: next.sentAtMs,
        items: [...next.items],
      });
    }
  }

  #open(): ClientDuplexStream<PublishRequest, PublishResponse__Output> {
    const stream = this.#client.Publish(this.#metadata);
    this.#acknowledged = 0;
    stream.on('data', (response: PublishResponse__Output) => {
      this.#failures = 0;
      this.#take(response);
      this.#pump();
    });
    // The status says it all; the error event must have a listener.
    stream.on('error', () => undefined);
    stream.on('status', ({ code, details }) => {
      if (this.#stream === stream) this.#lost(code, details);
    });
    return stream;
  }

  #take(response: PublishResponse__Output): void {
    for (const result of response.results) {
      const outgoing = this.#underWay.shift();
      if (outgoing === undefined) return;
      this.#acknowledged += 1;
      const { receipt, places } = outgoing;
      const again: number[] = [];
      let afterMs = 0;
      for (const run of result.items) {
        for (let n = run.firstItem; n < run.firstItem + run.items; n++) {
          if (run.disposition === 'DISPOSITION_RETRY_LATER') {
            again.push(n);
            afterMs = Math.max(afterMs, run.retryAfterMs);
          } else {
            note(receipt, places[n]!, run);
          }
        }
      }
      receipt.gaps = result.gaps;
      receipt.archivedThrough = Math.max(receipt.archivedThrough, Number(response.archivedThrough));
      if (again.length > 0) this.#sendLater(outgoing, again, afterMs);
      else settle(receipt);
    }
  }

  #sendLater(outgoing: Outgoing, which: readonly number[], afterMs: number): void {
    const timer = setTimeout(() => {
      this.#later.delete(timer);
      this.#queue.push({
        ...outgoing,
        items: which.map((n) => outgoing.items[n]!),
        places: which.map((n) => outgoing.places[n]!),
      });
      this.#pump();
    }, this.#jittered(afterMs));
    this.#later.add(timer);
  }

  #lost(code: status, details: string): void {
    this.#stream = null;
    this.#queue.unshift(...this.#underWay.splice(0));
    if (this.#closed || this.#queue.length === 0) return;
    const tooLarge = code === status.RESOURCE_EXHAUSTED && /larger than max/i.test(details);
    if (FINAL.includes(code) || tooLarge) {
      const error = Object.assign(new Error(details), { code });
      for (const { receipt } of this.#queue.splice(0)) receipt.reject(error);
      return;
    }
    this.#failures += 1;
    this.#options.onReconnect?.(details);
    // A stream that the server ended in order (silent, or old) is opened again at once.
    const pauseMs = code === status.OK ? 0 : this.#pauseMs(this.#failures);
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#pump();
    }, pauseMs);
  }

  #pauseMs(failures: number): number {
    const { reconnectAfterMs = 100 } = this.#options;
    return this.#jittered(Math.min(LONGEST_PAUSE_MS, reconnectAfterMs * 2 ** (failures - 1)));
  }

  /** Many clients lose one server at the same moment: they must not all come back at once. */
  #jittered(ms: number): number {
    return ms * (0.5 + (this.#options.random ?? Math.random)());
  }

  #describeOnce(sensors: readonly SensorDescription[]): Promise<DescribeResponse__Output> {
    return new Promise((resolve, reject) => {
      this.#client.Describe(
        { sensors: [...sensors] },
        this.#metadata,
        { deadline: Date.now() + CALL_WITHIN_MS },
        (error, answer) => (error !== null ? reject(error) : resolve(answer!)),
      );
    });
  }
}

function note(receipt: Collected, place: number, run: ItemResult__Output): void {
  const verdict =
    run.disposition === 'DISPOSITION_ACCEPTED'
      ? 'accepted'
      : run.disposition === 'DISPOSITION_DUPLICATE'
        ? 'duplicate'
        : 'quarantined';
  const known = receipt.verdicts[place];
  // Parts of one columns item may be answered differently: the worst stands for the item.
  if (known !== 'quarantined' && !(known === 'accepted' && verdict === 'duplicate')) {
    receipt.verdicts[place] = verdict;
  }
  if (verdict === 'quarantined') {
    const { reason, explanation } = run;
    receipt.refusals.push({
      firstItem: place,
      items: 1,
      reason: reason.replace('QUARANTINE_REASON_', ''),
      explanation,
    });
  }
}

function settle({ verdicts, refusals, gaps, archivedThrough, resolve }: Collected): void {
  const count = (verdict: string): number => verdicts.filter((one) => one === verdict).length;
  resolve({
    accepted: count('accepted'),
    duplicate: count('duplicate'),
    quarantined: count('quarantined'),
    refusals,
    gaps,
    archivedThrough,
  });
}
