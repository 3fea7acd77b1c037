import { Client, credentials, Metadata, status } from '@grpc/grpc-js';
import type { ChannelCredentials, ClientDuplexStream, StatusObject } from '@grpc/grpc-js';
import type { Item } from '../../proto/gen/tocsin/v1/Item.ts';
import type { MessageResult__Output } from '../../proto/gen/tocsin/v1/MessageResult.ts';
import type { PublishRequest } from '../../proto/gen/tocsin/v1/PublishRequest.ts';
import type { PublishResponse__Output } from '../../proto/gen/tocsin/v1/PublishResponse.ts';
import type { SensorDescription } from '../../proto/gen/tocsin/v1/SensorDescription.ts';
import { VendorError } from '../failure.ts';
import { methodOf } from '../wire.ts';

const ANSWER_WITHIN_MS = 10_000;
const IDENTITY = (bytes: Buffer): Buffer => bytes;

/** Speaks to a server without any of the kit's comforts: what it sends and what comes is what happened. */
export class WireClient {
  readonly #client: Client;

  constructor(address: string, channel: ChannelCredentials = credentials.createInsecure()) {
    this.#client = new Client(address, channel, {
      'grpc.per_rpc_retry_buffer_size': 64 * 1024,
      // Each has a connection of its own.
      'grpc.use_local_subchannel_pool': 1,
      'grpc.initial_reconnect_backoff_ms': 100,
      'grpc.max_reconnect_backoff_ms': 1_000,
      'grpc.max_receive_message_length': 64 * 1024 * 1024,
      'grpc.max_send_message_length': 8 * 1024 * 1024,
    });
  }

  /** A call with bytes in and out. @throws VendorError */
  raw(path: string, message: Buffer, metadata: Metadata): Promise<Buffer> {
    return new Promise((resolve, reject) =>
      this.#client.makeUnaryRequest(
        path,
        IDENTITY,
        IDENTITY,
        message,
        metadata,
        { deadline: Date.now() + ANSWER_WITHIN_MS },
        (error, answer) =>
          error ? reject(new VendorError(error.code, error.details, error.metadata)) : resolve(answer!),
      ),
    );
  }

  async describe(sensors: readonly SensorDescription[], metadata: Metadata): Promise<number> {
    const { path, requestSerialize, responseDeserialize } = methodOf('Describe');
    const answer = await this.raw(path, requestSerialize({ sensors: [...sensors] }), metadata);
    return (responseDeserialize(answer) as { registered: number }).registered;
  }

  async once(items: readonly Item[], metadata: Metadata, sentAtMs = Date.now()): Promise<string[]> {
    const { path, requestSerialize, responseDeserialize } = methodOf('PublishOnce');
    const answer = await this.raw(path, requestSerialize({ sentAtMs, items: [...items] }), metadata);
    return verdictsOf(
      (responseDeserialize(answer) as { result: MessageResult__Output | null }).result,
      items.length,
    );
  }

  open(metadata: Metadata): WireStream {
    const { path, requestSerialize, responseDeserialize } = methodOf('Publish');
    const call = this.#client.makeBidiStreamRequest<Buffer, PublishResponse__Output>(
      path,
      IDENTITY,
      (bytes) => responseDeserialize(bytes) as PublishResponse__Output,
      metadata,
    );
    return new WireStream(call, requestSerialize);
  }

  /** Names of the services that the server says it has. */
  reflect(metadata: Metadata): Promise<string> {
    // ServerReflectionRequest { list_services: "" }, field 7; the answer is searched, not decoded.
    const call = this.#client.makeBidiStreamRequest<Buffer, Buffer>(
      '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
      IDENTITY,
      IDENTITY,
      metadata,
      { deadline: Date.now() + ANSWER_WITHIN_MS },
    );
    return new Promise((resolve, reject) => {
      call.on('data', (bytes) => {
        resolve(bytes.toString('latin1'));
        call.end();
      });
      call.on('error', (error: Error & { code?: number }) =>
        reject(new VendorError(error.code ?? status.UNKNOWN, error.message)),
      );
      call.write(Buffer.from([0x3a, 0x00]));
    });
  }

  close(): void {
    this.#client.close();
  }
}

/** One stream, message by message. */
export class WireStream {
  readonly call: ClientDuplexStream<Buffer, PublishResponse__Output>;
  readonly responses: PublishResponse__Output[] = [];
  readonly ended: Promise<VendorError>;
  #sequence = 0;
  readonly #serialize: (request: PublishRequest) => Buffer;
  #over: VendorError | null = null;
  readonly #waiting = new Set<() => void>();

  constructor(
    call: ClientDuplexStream<Buffer, PublishResponse__Output>,
    serialize: (request: PublishRequest) => Buffer,
  ) {
    this.call = call;
    this.#serialize = serialize;
    call.on('error', () => undefined);
    call.on('data', (response: PublishResponse__Output) => {
      this.responses.push(response);
      for (const look of this.#waiting) look();
    });
    this.ended = new Promise((resolve) =>
      call.on('status', ({ code, details, metadata }: StatusObject) => {
        this.#over = new VendorError(code, details, metadata);
        resolve(this.#over);
        for (const look of this.#waiting) look();
      }),
    );
  }

  get results(): MessageResult__Output[] {
    return this.responses.flatMap(({ results }) => results);
  }

  /** @param change numbers or times that are not what they should be */
  send(items: readonly Item[], change: Partial<PublishRequest> = {}): boolean {
    this.#sequence += 1;
    const request = { sequence: this.#sequence, sentAtMs: Date.now(), items: [...items], ...change };
    return this.call.write(this.#serialize(request));
  }

  sendBytes(bytes: Buffer): boolean {
    this.#sequence += 1;
    return this.call.write(bytes);
  }

  /** Results of the first messages. @throws Error in words when they do not come */
  async answered(messages: number, withinMs = ANSWER_WITHIN_MS): Promise<MessageResult__Output[]> {
    await this.until(
      () => this.results.length >= messages,
      withinMs,
      () => `${this.results.length} of ${messages} messages were answered`,
    );
    return this.results.slice(0, messages);
  }

  async until(holds: () => boolean, withinMs: number, came: () => string): Promise<void> {
    const deadline = Date.now() + withinMs;
    while (!holds()) {
      if (this.#over !== null) {
        throw new Error(`${came()}, then the stream ended with ${nameOf(this.#over)}`);
      }
      const leftMs = deadline - Date.now();
      if (leftMs <= 0) throw new Error(`${came()} within ${withinMs / 1_000} s`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(done, Math.min(leftMs, 200));
        const waiting = this.#waiting;
        function done(): void {
          clearTimeout(timer);
          waiting.delete(done);
          resolve();
        }
        waiting.add(done);
      });
    }
  }

  /** Ends it in order. @returns how the server ended it */
  async finish(): Promise<VendorError> {
    this.call.end();
    return this.ended;
  }

  /** Breaks it, as a lost connection would. */
  async cut(): Promise<void> {
    this.call.cancel();
    await this.ended;
  }
}

/** `ACCEPTED`, `QUARANTINED(RANGE)`, `RETRY_LATER`: one for each item; `nothing` where none was said. */
export function verdictsOf(result: MessageResult__Output | null | undefined, items: number): string[] {
  const verdicts = new Array<string>(items).fill('nothing');
  for (const { firstItem, items: count, disposition, reason } of result?.items ?? []) {
    const word = disposition.replace('DISPOSITION_', '');
    const verdict = word === 'QUARANTINED' ? `${word}(${reason.replace('QUARANTINE_REASON_', '')})` : word;
    for (let n = firstItem; n < firstItem + count && n < items; n++) {
      const known = verdicts[n]!;
      verdicts[n] = known === 'nothing' || known === verdict ? verdict : `${known}+${verdict}`;
    }
  }
  return verdicts;
}

export function withKey(key: string | null, more: Readonly<Record<string, string>> = {}): Metadata {
  const metadata = new Metadata();
  if (key !== null) metadata.set('authorization', `Bearer ${key}`);
  for (const [name, value] of Object.entries(more)) metadata.set(name, value);
  return metadata;
}

/** `UNAUTHENTICATED (Give a key.)` */
export const nameOf = (error: VendorError): string =>
  `${status[error.code] ?? error.code}${error.message === '' ? '' : ` (${error.message})`}`;
