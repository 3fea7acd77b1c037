import { Client, credentials, Metadata } from '@grpc/grpc-js';
import type { ChannelOptions, ClientDuplexStream } from '@grpc/grpc-js';
import { IngestService } from '../../proto/load.ts';
import { VendorClient } from '../../vendor/client.ts';
import type { Item } from '../../proto/gen/tocsin/v1/Item.ts';
import type { PublishResponse__Output } from '../../proto/gen/tocsin/v1/PublishResponse.ts';
import { countsOf, encode, KEY, renumbered, sensorName, valueOf, withRepeats } from './messages.ts';
import type { Load } from './messages.ts';

/** What the parent asks; one answer each. */
export type ClientTask =
  /** Sends a load over so many streams, as fast as the server takes it. */
  | {
      readonly do: 'flood';
      readonly port: number;
      readonly load: Load;
      readonly streams: number;
      /** The server answers once, when the stream has ended: the reference. @default false */
      readonly answersOnce?: boolean;
    }
  /** The same at a given rate, each stream with sensors of its own. */
  | {
      readonly do: 'pace';
      readonly port: number;
      readonly load: Load;
      readonly streams: number;
      readonly perSecond: number;
      /** Share of the messages that are sent again. */
      readonly repeats?: number;
    }
  /** Single-reading messages by the vendor's kit, or by a client as grpc-js makes it. */
  | { readonly do: 'kit' | 'plain'; readonly port: number; readonly load: Load };

export interface ClientResult {
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  readonly accepted: number;
  /** Of each message, ms; paced loads only. */
  readonly ackMs: readonly number[];
  /** Of this process, ms. */
  readonly cpuMs: number;
}

const nowMs = (): number => performance.timeOrigin + performance.now();
const key = (): Metadata => {
  const metadata = new Metadata();
  metadata.set('authorization', `Bearer ${KEY}`);
  return metadata;
};

/** Small enough that the client is not the bottleneck (see docs/ingestion.md). */
const SMALL_RETRY_BUFFER: ChannelOptions = { 'grpc.per_rpc_retry_buffer_size': 64 * 1024 };

type Stream = ClientDuplexStream<Buffer, PublishResponse__Output>;

const CONNECTED_WITHIN_MS = 10_000;

/** A connection of its own for each stream; it stands before the clock of a load starts. */
async function open(port: number): Promise<{ stream: Stream; close: () => void }> {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), {
    ...SMALL_RETRY_BUFFER,
    'grpc.use_local_subchannel_pool': 1,
  });
  await new Promise<void>((resolve, reject) =>
    client.waitForReady(Date.now() + CONNECTED_WITHIN_MS, (error) => (error ? reject(error) : resolve())),
  );
  const { Publish } = IngestService.service;
  const stream = client.makeBidiStreamRequest(
    Publish.path,
    (bytes: Buffer) => bytes,
    Publish.responseDeserialize,
    key(),
  );
  return { stream, close: () => client.close() };
}

/**
 * Sends messages and resolves with the number of accepted readings when all are answered for good. What the server has
 * no time for is sent again as the vendors' kit does it: under a new number, before everything else, and not before the
 * time that the server asked for and up to a half more.
 */
function send(
  stream: Stream,
  messages: readonly Buffer[],
  perMessage: number,
  waitFor: (n: number) => number,
  answered: (n: number) => void,
  answersOnce: boolean,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const underWay: number[] = [];
    const again: number[] = [];
    let accepted = 0;
    let settled = 0;
    let sent = 0;
    let next = 0;
    let restsUntilMs = 0;
    let timer: NodeJS.Timeout | undefined;
    let isBlocked = false;
    const pumpIn = (ms: number): void => {
      clearTimeout(timer);
      timer = setTimeout(pump, ms);
    };
    const pump = (): void => {
      while (!isBlocked && (again.length > 0 || next < messages.length)) {
        const restMs = restsUntilMs - nowMs();
        const waitMs = restMs > 0 ? restMs : again.length > 0 ? 0 : waitFor(next);
        if (waitMs > 0) return pumpIn(waitMs);
        const n = again.shift() ?? next++;
        underWay.push(n);
        sent += 1;
        isBlocked = !stream.write(sent === n + 1 ? messages[n]! : renumbered(messages[n]!, sent));
      }
      if (answersOnce && next === messages.length) stream.end();
    };
    stream.on('drain', () => {
      isBlocked = false;
      pump();
    });
    stream.on('data', (response: PublishResponse__Output) => {
      if (answersOnce) return resolve(Number(response.archivedThrough));
      const refused: number[] = [];
      for (const { items } of response.results) {
        const n = underWay.shift()!;
        let retryAfterMs = -1;
        for (const run of items) {
          if (run.disposition === 'DISPOSITION_ACCEPTED') accepted += run.items * perMessage;
          else if (run.disposition === 'DISPOSITION_RETRY_LATER') {
            retryAfterMs = Math.max(retryAfterMs, run.retryAfterMs);
          } else if (run.disposition !== 'DISPOSITION_DUPLICATE') {
            reject(new Error(`${run.disposition} ${run.reason} ${run.explanation}`));
          }
        }
        if (retryAfterMs < 0) {
          settled += 1;
          answered(n);
          continue;
        }
        refused.push(n);
        restsUntilMs = Math.max(restsUntilMs, nowMs() + retryAfterMs * (1 + Math.random() / 2));
      }
      if (refused.length > 0) {
        again.unshift(...refused);
        pumpIn(restsUntilMs - nowMs());
      }
      if (settled < messages.length) return;
      stream.end();
      resolve(accepted);
    });
    stream.on('error', reject);
    pump();
  });
}

async function flood(task: Extract<ClientTask, { do: 'flood' | 'pace' }>): Promise<ClientResult> {
  const { load, streams } = task;
  const share = { ...load, sensors: Math.floor(load.sensors / streams) };
  const repeats = task.do === 'pace' ? (task.repeats ?? 0) : 0;
  const all = Array.from({ length: streams }, () => {
    const messages = encode({ ...share, readings: load.readings / streams });
    return repeats === 0 ? messages : withRepeats(messages, repeats);
  });
  // Each stream has sensors of its own: their names differ in a digit that is written over.
  if (streams > 1) all.forEach((messages, n) => messages.forEach((bytes) => rename(bytes, n)));
  const ackMs: number[] = [];
  const perSecond = task.do === 'pace' ? task.perSecond : Infinity;
  const opened = await Promise.all(all.map(() => open(task.port)));
  const cpu = process.cpuUsage();
  const startedAtMs = nowMs();
  const accepted = await Promise.all(
    all.map((messages, n) => {
      const sentAt: number[] = [];
      const gapMs = (1_000 * load.batch * streams) / perSecond;
      const waitFor = (message: number): number => {
        const at = nowMs();
        const dueAt = startedAtMs + message * gapMs + (n * gapMs) / streams;
        if (at < dueAt) return dueAt - at;
        // By when it should have been sent: a pause of the stream counts.
        sentAt[message] = dueAt;
        return 0;
      };
      const { stream } = opened[n]!;
      return send(
        stream,
        messages,
        load.form === 'columns' ? 10 : 1,
        perSecond === Infinity ? () => 0 : waitFor,
        (message) => {
          if (perSecond !== Infinity) ackMs.push(nowMs() - sentAt[message]!);
        },
        task.do === 'flood' && task.answersOnce === true,
      );
    }),
  );
  const endedAtMs = nowMs();
  const spent = process.cpuUsage(cpu);
  for (const { close } of opened) close();
  return {
    startedAtMs,
    endedAtMs,
    accepted: accepted.reduce((sum, one) => sum + one, 0),
    ackMs,
    cpuMs: (spent.user + spent.system) / 1_000,
  };
}

/** `meter-000012` of stream 3 becomes `meter-300012`. */
function rename(bytes: Buffer, stream: number): void {
  for (let at = bytes.indexOf('meter-'); at >= 0; at = bytes.indexOf('meter-', at + 12)) {
    bytes[at + 6] = 48 + Math.floor(stream / 10);
    bytes[at + 7] = 48 + (stream % 10);
  }
}

async function one(task: Extract<ClientTask, { do: 'kit' | 'plain' }>): Promise<ClientResult> {
  const { readings, sensors, round, startMs } = task.load;
  const perRound = countsOf(task.load);
  const item = (n: number): Item => {
    const sensor = n % sensors;
    const k = round * perRound[sensor]! + Math.floor(n / sensors);
    const value = valueOf(sensor, k);
    return { reading: { sensor: sensorName(sensor), sequence: k + 1, observedAtMs: startMs, value } };
  };
  const cpu = process.cpuUsage();
  const startedAtMs = nowMs();
  let accepted = 0;
  if (task.do === 'kit') {
    const client = new VendorClient({ address: `127.0.0.1:${task.port}`, key: KEY });
    let last: Promise<unknown> = Promise.resolve();
    for (let n = 0; n < readings; n++) {
      await client.room();
      last = client.publish([item(n)]).then((receipt) => (accepted += receipt.accepted));
    }
    await last;
    client.close();
  } else {
    const client = new IngestService(`127.0.0.1:${task.port}`, credentials.createInsecure());
    const stream = client.Publish(key());
    accepted = await new Promise<number>((resolve, reject) => {
      let count = 0;
      stream.on('data', (response: PublishResponse__Output) => {
        for (const { items } of response.results) {
          for (const run of items) if (run.disposition === 'DISPOSITION_ACCEPTED') count += run.items;
        }
        if (Number(response.acknowledgedThrough) === readings) resolve(count);
      });
      stream.on('error', reject);
      let n = 0;
      const pump = (): void => {
        while (n < readings) {
          const message = { sequence: n + 1, sentAtMs: startMs, items: [item(n)] };
          n += 1;
          if (!stream.write(message)) return void stream.once('drain', pump);
        }
        stream.end();
      };
      pump();
    });
    client.close();
  }
  const spent = process.cpuUsage(cpu);
  return {
    startedAtMs,
    endedAtMs: nowMs(),
    accepted,
    ackMs: [],
    cpuMs: (spent.user + spent.system) / 1_000,
  };
}

process.on('message', (task: ClientTask) => {
  const work = task.do === 'flood' || task.do === 'pace' ? flood(task) : one(task);
  work.then(
    (result) => process.send!(result),
    (error: unknown) => process.send!({ error: String(error) }),
  );
});
// The parent is gone, however it went.
process.on('disconnect', () => process.exit());
