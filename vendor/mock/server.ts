import { Metadata, Server, ServerCredentials, status } from '@grpc/grpc-js';
import type { sendUnaryData, ServerDuplexStream, ServerUnaryCall, ServiceDefinition } from '@grpc/grpc-js';
import { ReflectionService } from '@grpc/reflection';
import { HealthImplementation } from 'grpc-health-check';
import { encodeMessage, IngestService, wire } from '../../proto/load.ts';
import type { DescribeRequest__Output } from '../../proto/gen/tocsin/v1/DescribeRequest.ts';
import type { Item__Output } from '../../proto/gen/tocsin/v1/Item.ts';
import type { MessageResult } from '../../proto/gen/tocsin/v1/MessageResult.ts';
import type { PublishOnceRequest__Output } from '../../proto/gen/tocsin/v1/PublishOnceRequest.ts';
import type { PublishRequest__Output } from '../../proto/gen/tocsin/v1/PublishRequest.ts';
import type { PublishResponse } from '../../proto/gen/tocsin/v1/PublishResponse.ts';
import { Ledger, runsOf } from './ledger.ts';
import type { Fault, Judged } from './ledger.ts';
import { Observations } from './report.ts';
import type { MockReport } from './report.ts';

export interface MockOptions {
  /** @default 127.0.0.1 */
  readonly host?: string;
  /** 0: one that is free. @default 0 */
  readonly port?: number;
  /** Share of messages at which the stream is broken instead of answered; half of them were stored. @default 0 */
  readonly lose?: number;
  /** Share of messages that are answered RETRY_LATER. @default 0 */
  readonly retryLater?: number;
  /** What it asks for then. @default 500 */
  readonly retryAfterMs?: number;
  /** How long a message waits for its answer. @default 5 */
  readonly delayMs?: number;
  /** What it does wrong, to test a conformance run. @default nothing */
  readonly faults?: readonly Fault[];
  /** Keys that are let in. @default any */
  readonly keys?: readonly string[];
  /** 0..1. @default Math.random */
  readonly random?: () => number;
}

export interface MockServer {
  readonly address: string;
  /** What the clients did so far. */
  report(): MockReport;
  stop(): Promise<void>;
}

const MESSAGE_BYTES_AT_MOST = 256 * 1024;
const ITEMS_AT_MOST = 1_000;
/** Told of one message. */
const GAPS_AT_MOST = 1_000;
const RESULTS_A_RESPONSE = 20;
const UNANSWERED_READINGS_AT_MOST = 1_000;

type Call = ServerDuplexStream<PublishRequest__Output | Malformed, PublishResponse>;
interface Malformed {
  readonly malformed: number;
}

/**
 * A server for a vendor to test a client against: it keeps the contract of the real one, in memory, and makes
 * trouble when it is told to. Its report says what the client lost, sent needlessly, or did against the contract.
 */
export async function startMockServer(options: MockOptions = {}): Promise<MockServer> {
  const { host = '127.0.0.1', port = 0, lose = 0, retryLater = 0, retryAfterMs = 500, delayMs = 5 } = options;
  const { random = Math.random } = options;
  const faults: ReadonlySet<Fault> = new Set(options.faults);
  const observed = new Observations();
  const ledgers = new Map<string, Ledger>();
  const server = new Server({ 'grpc.max_receive_message_length': 4 * MESSAGE_BYTES_AT_MOST });
  let archivedThrough = 0;

  const ledgerOf = (metadata: Metadata): Ledger => {
    const [header] = metadata.get('authorization');
    const key = /^Bearer (.+)$/.exec(String(header ?? ''))?.[1];
    const isKnown = key !== undefined && (options.keys === undefined || options.keys.includes(key));
    if (!isKnown && !faults.has('open-door')) {
      observed.violation('key', 'A call without a key, or with a wrong one.');
      throw refusal(
        status.UNAUTHENTICATED,
        'UNAUTHENTICATED',
        'Give a valid key: authorization: Bearer <key>.',
      );
    }
    const whose = faults.has('shares') || key === undefined ? 'all' : key;
    if (!ledgers.has(whose)) ledgers.set(whose, new Ledger());
    return ledgers.get(whose)!;
  };

  /** Judges a message; null when its answer is lost. */
  function take(ledger: Ledger, items: readonly Item__Output[], stream: object): MessageResult | null {
    const nowMs = Date.now();
    observed.message(items.length);
    if (items.length > ITEMS_AT_MOST) observed.violation('items', `${items.length} items in one message.`);
    const identities = items.map((item) => ledger.identities(item));
    for (const identity of identities.flat()) {
      const dueMs = ledger.owed.get(identity);
      if (dueMs !== undefined && nowMs < dueMs - 1) {
        observed.violation(
          'retry-too-early',
          `${identity} came ${dueMs - nowMs} ms before it was asked for.`,
        );
      }
      if (ledger.told.get(identity) === stream) observed.needless();
    }
    const owe = (): void => {
      for (const identity of identities.flat()) ledger.owed.set(identity, 0);
    };
    if (random() < retryLater) {
      owe();
      observed.retryLater(items.length);
      return {
        items: [{ firstItem: 0, items: items.length, disposition: 'DISPOSITION_RETRY_LATER', retryAfterMs }],
      };
    }
    const isLost = random() < lose;
    const isStored = !isLost || random() < 0.5;
    const judged = items.map((item) => ledger.take(item, nowMs, faults, isStored));
    if (isLost) {
      owe();
      observed.lost(items.length);
      return null;
    }
    archivedThrough += 1;
    for (const one of judged.flat()) settleOne(ledger, one, stream);
    const gaps = faults.has('no-gaps') ? [] : gapsOf(ledger, items);
    return {
      items: faults.has('skips') ? [] : runsOf(judged),
      gaps: gaps.slice(0, GAPS_AT_MOST),
      moreGaps: Math.max(0, gaps.length - GAPS_AT_MOST),
    };
  }

  /** From now on it is too early for them: until then the client did not know. */
  function asked(ledger: Ledger, items: readonly Item__Output[]): void {
    const dueMs = Date.now() + retryAfterMs;
    for (const identity of items.flatMap((item) => ledger.identities(item))) {
      if (ledger.owed.has(identity)) ledger.owed.set(identity, dueMs);
    }
  }

  function settleOne(ledger: Ledger, { identity, verdict, again }: Judged, stream: object): void {
    observed.answered(verdict.disposition, verdict.reason ?? '');
    if (again) observed.violation('quarantined-again', `${identity} came again unchanged.`);
    if (identity === '') return;
    ledger.owed.delete(identity);
    if (verdict.disposition !== 'QUARANTINED') ledger.told.set(identity, stream);
  }

  function serve(call: Call): void {
    call.on('error', () => undefined);
    let ledger: Ledger;
    try {
      ledger = ledgerOf(call.metadata);
    } catch (error) {
      return void call.emit('error', error);
    }
    observed.stream();
    let sequence = 0;
    let unansweredReadings = 0;
    let isOver = false;
    let timer: NodeJS.Timeout | null = null;
    const waiting: Waiting[] = [];
    const finish = (error?: Error): void => {
      if (isOver) return;
      isOver = true;
      if (timer !== null) clearTimeout(timer);
      if (faults.has('forgets')) {
        ledger.stored.clear();
      }
      if (error === undefined) call.end();
      else call.emit('error', error);
    };
    const answer = (): void => {
      timer = null;
      if (isOver || waiting.length === 0) return;
      while (waiting.length > 0) {
        const answers = waiting.splice(0, RESULTS_A_RESPONSE);
        const last = answers.at(-1)!;
        if (faults.has('out-of-order')) answers.reverse();
        for (const { readings, result, items } of answers) {
          unansweredReadings -= readings;
          if (isLater(result)) asked(ledger, items);
        }
        call.write({
          acknowledgedThrough: last.sequence,
          results: answers.map((one) => ({ ...one.result, sequence: one.sequence })),
          archivedThrough,
        });
      }
      resume();
    };
    const isFull = (): boolean => unansweredReadings >= UNANSWERED_READINGS_AT_MOST || call.writableNeedDrain;
    const resume = (): void => {
      if (!isOver && !isFull() && call.isPaused()) call.resume();
    };
    const isEnded = (): void => {
      if (waiting.length > 0) answer();
      finish();
    };
    call.on('data', (request: PublishRequest__Output | Malformed) => {
      if (isOver) return;
      sequence += 1;
      const problem = problemOf(request, sequence);
      if (problem !== null) return finish(problem);
      const items = 'malformed' in request ? [{} as Item__Output] : request.items;
      const result = take(ledger, items, call);
      if (result === null) {
        return finish(
          refusal(status.UNAVAILABLE, 'BACKEND_UNAVAILABLE', 'The stream was broken on purpose.', 50),
        );
      }
      const readings = items.reduce((sum, item) => sum + (item.columns?.values.length ?? 1), 0);
      unansweredReadings += readings;
      waiting.push({ sequence, result, readings, items });
      timer ??= setTimeout(answer, delayMs);
      if (isFull()) call.pause();
    });
    call.on('drain', resume);
    call.on('end', isEnded);
    call.on('cancelled', () => finish());
  }

  function problemOf(request: PublishRequest__Output | Malformed, sequence: number): Error | null {
    if ('malformed' in request) {
      if (request.malformed > MESSAGE_BYTES_AT_MOST) {
        observed.violation('bytes', `A message of ${request.malformed} bytes.`);
        return refusal(
          status.RESOURCE_EXHAUSTED,
          'MESSAGE_TOO_LARGE',
          `Received message larger than max (${request.malformed} vs ${MESSAGE_BYTES_AT_MOST})`,
        );
      }
      observed.violation('malformed', 'Bytes that are no message of the contract.');
      return faults.has('falls-over')
        ? refusal(status.INTERNAL, 'INTERNAL', 'These bytes are not a message.')
        : null;
    }
    if (request.sequence === '0' || Number(request.sequence) === sequence) return null;
    observed.violation('sequence', `Message ${request.sequence} where ${sequence} was to come.`);
    return refusal(
      status.INVALID_ARGUMENT,
      'STREAM_SEQUENCE',
      `Expected message ${sequence} of this stream, got ${request.sequence}.`,
    );
  }

  const unary =
    <Q, A>(work: (call: ServerUnaryCall<Q, A>, ledger: Ledger) => A) =>
    (call: ServerUnaryCall<Q, A>, callback: sendUnaryData<A>): void => {
      try {
        const answer = work(call, ledgerOf(call.metadata));
        setTimeout(() => callback(null, answer), delayMs);
      } catch (error) {
        callback(error as Error);
      }
    };

  server.addService(tolerant(IngestService.service), {
    Publish: serve,
    PublishOnce: unary((call: ServerUnaryCall<PublishOnceRequest__Output | Malformed, object>, ledger) => {
      const items = 'malformed' in call.request ? [{} as Item__Output] : call.request.items;
      const result = take(ledger, items, call);
      if (result === null) throw refusal(status.UNAVAILABLE, 'BACKEND_UNAVAILABLE', 'Lost on purpose.', 50);
      if (isLater(result)) asked(ledger, items);
      return { result, archivedThrough };
    }),
    Describe: unary((call: ServerUnaryCall<DescribeRequest__Output, object>, ledger) => {
      const wrong = ledger.describe(call.request.sensors, faults);
      if (wrong !== null) throw refusal(status.INVALID_ARGUMENT, 'REQUEST_INVALID', wrong);
      return { registered: call.request.sensors.length };
    }),
  });
  new HealthImplementation({ '': 'SERVING', 'tocsin.v1.IngestService': 'SERVING' }).addToServer(server);
  new ReflectionService(wire).addToServer(server);
  const bound = await new Promise<number>((resolve, reject) =>
    server.bindAsync(`${host}:${port}`, ServerCredentials.createInsecure(), (error, chosen) =>
      error === null ? resolve(chosen) : reject(error),
    ),
  );
  return {
    address: `${host}:${bound}`,
    report: () => observed.report([...ledgers.values()]),
    stop: async () => {
      await new Promise<void>((resolve) => {
        server.tryShutdown(() => resolve());
        server.forceShutdown();
      });
    },
  };
}

interface Waiting {
  readonly sequence: number;
  readonly result: MessageResult;
  readonly readings: number;
  readonly items: readonly Item__Output[];
}

const isLater = ({ items }: MessageResult): boolean => items?.[0]?.disposition === 'DISPOSITION_RETRY_LATER';

function gapsOf(ledger: Ledger, items: readonly Item__Output[]): NonNullable<MessageResult['gaps']> {
  const whose = new Map<string, { sensor: string; boot: string }>();
  for (const { reading, columns } of items) {
    const of = reading ?? columns;
    if (of) whose.set(`${of.sensor}|${of.boot}`, { sensor: of.sensor, boot: of.boot });
  }
  return [...whose.values()].flatMap(({ sensor, boot }) =>
    ledger
      .gaps(sensor, boot)
      .map(([firstSequence, lastSequence]) => ({ sensor, boot, firstSequence, lastSequence })),
  );
}

/** Bytes that cannot be decoded, or are too many, reach the handler as their number. */
function tolerant(service: ServiceDefinition): ServiceDefinition {
  const wrapped = (name: string): ServiceDefinition[string] => {
    const definition = service[name]!;
    return {
      ...definition,
      requestDeserialize: (bytes: Buffer): unknown => {
        if (bytes.length > MESSAGE_BYTES_AT_MOST) return { malformed: bytes.length } satisfies Malformed;
        try {
          return definition.requestDeserialize(bytes) as unknown;
        } catch {
          return { malformed: bytes.length } satisfies Malformed;
        }
      },
    };
  };
  return { ...service, Publish: wrapped('Publish'), PublishOnce: wrapped('PublishOnce') };
}

function refusal(code: status, reason: string, message: string, retryAfterMs?: number): Error {
  const any = (name: string, value: object): object => ({
    type_url: `type.googleapis.com/${name}`,
    value: encodeMessage(name, value),
  });
  const details = [any('google.rpc.ErrorInfo', { reason, domain: 'tocsin', metadata: {} })];
  if (retryAfterMs !== undefined) {
    details.push(
      any('google.rpc.RetryInfo', { retryDelay: { seconds: 0, nanos: retryAfterMs * 1_000_000 } }),
    );
  }
  const metadata = new Metadata();
  metadata.set('grpc-status-details-bin', encodeMessage('google.rpc.Status', { code, message, details }));
  return Object.assign(new Error(message), { code, details: message, metadata });
}
