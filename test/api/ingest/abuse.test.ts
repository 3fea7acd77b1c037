import assert from 'node:assert/strict';
import type http2 from 'node:http2';
import { after, before as beforeAll, describe, it } from 'node:test';
import zlib from 'node:zlib';
import {
  callHeaders,
  callWith,
  connectRaw,
  delay,
  frame,
  grpcMessage,
  headerBlock,
  honestVendor,
  openSession,
  PREFACE,
  PUBLISH,
  PUBLISH_ONCE,
  TYPE,
} from '../../support/abuse.ts';
import type { Item } from '../../../proto/gen/tocsin/v1/Item.ts';
import { reading } from '../../support/door.ts';
import { startDoorProcess } from '../../support/door-process.ts';
import type { DoorLook, DoorProcess } from '../../support/door-process.ts';

/** The numbers of a thorough run take minutes: `TOCSIN_ABUSE=full`. */
const FULL = process.env['TOCSIN_ABUSE'] === 'full';
/** Answers that an honest vendor must have got during the harm: a share of none would be anything. */
const ANSWERS_AT_LEAST = 10;
const AT_MOST_MS = 60_000;
const WARM_UP_MESSAGES = 4_000;
const AT_ONCE = 50;
const READINGS_EACH = 50;
/** Of the memory before, when all is over: what is reachable, and what is resident, where young objects have their room. */
const REACHABLE_AT_MOST = 1.1;
const RESIDENT_AT_MOST = FULL ? 1.1 : 1.2;
const many = (inSuite: number, inFull: number): number => (FULL ? inFull : inSuite);
const SETTINGS = frame(TYPE.settings, 0, 0);
const HEADERS = headerBlock(callHeaders(PUBLISH_ONCE));

/** Each does its harm and returns what the door answered, one word a call where there is one. */
const classes: Record<string, (door: DoorProcess) => Promise<readonly string[]>> = {
  'connections that say their preface a byte at a time': async (door) => {
    const raws = await Promise.all(Array.from({ length: many(100, 500) }, () => connectRaw(door)));
    for (let at = 0; at < 10; at++) {
      for (const raw of raws) await raw.write(PREFACE.subarray(at, at + 1));
      await delay(20);
    }
    for (const raw of raws) raw.socket.destroy();
    return [];
  },
  'a flood of header fields': async (door) => {
    const raw = await connectRaw(door);
    await raw.write(Buffer.concat([PREFACE, SETTINGS]));
    const fields = Object.fromEntries(Array.from({ length: 600 }, (_, n) => [`x-${n}`, 'v'.repeat(10)]));
    const block = Buffer.concat([HEADERS, headerBlock(fields)]).subarray(0, 16_000);
    for (let n = 0; n < many(200, 5_000); n++) {
      if (!(await raw.write(frame(TYPE.headers, 4, 2 * n + 1, block)))) break;
    }
    raw.socket.destroy();
    return [];
  },
  'a flood of CONTINUATION frames': async (door) => {
    const raw = await connectRaw(door);
    await raw.write(Buffer.concat([PREFACE, SETTINGS, frame(TYPE.headers, 0, 1, HEADERS)]));
    const more = frame(TYPE.continuation, 0, 1, headerBlock({ 'x-more': 'v'.repeat(8_000) }));
    let sent = 0;
    while (sent < many(2_000, 50_000) && (await raw.write(more))) sent += 1;
    await Promise.race([raw.closed, delay(2_000)]);
    const wasCut = raw.socket.destroyed || raw.socket.readableEnded;
    raw.socket.destroy();
    return [wasCut ? 'cut' : 'open'];
  },
  'a flood of pings': async (door) => {
    const raw = await connectRaw(door);
    await raw.write(Buffer.concat([PREFACE, SETTINGS]));
    const pings = Buffer.concat(Array.from({ length: 100 }, () => frame(TYPE.ping, 0, 0, Buffer.alloc(8))));
    for (let n = 0; n < many(200, 5_000); n++) if (!(await raw.write(pings))) break;
    raw.socket.destroy();
    return [];
  },
  'calls that are reset at once': async (door) => {
    const raw = await connectRaw(door);
    await raw.write(Buffer.concat([PREFACE, SETTINGS]));
    const cancel = Buffer.from([0, 0, 0, 8]);
    for (let n = 0; n < many(1_000, 10_000); n++) {
      const id = 2 * n + 1;
      const both = Buffer.concat([frame(TYPE.headers, 4, id, HEADERS), frame(TYPE.reset, 0, id, cancel)]);
      if (!(await raw.write(both))) break;
    }
    await delay(100);
    raw.socket.destroy();
    return [];
  },
  'windows that overflow': async (door) => {
    const raws = [];
    for (let n = 0; n < many(20, 500); n++) {
      const raw = await connectRaw(door);
      const most = Buffer.from([0x7f, 0xff, 0xff, 0xff]);
      const grow = frame(TYPE.window, 0, 0, most);
      await raw.write(Buffer.concat([PREFACE, SETTINGS, grow, grow]));
      raws.push(raw);
    }
    await Promise.race([Promise.all(raws.map((raw) => raw.closed)), delay(2_000)]);
    const cut = raws.map((raw) => (raw.socket.destroyed ? 'cut' : 'open'));
    for (const raw of raws) raw.socket.destroy();
    return cut;
  },
  'calls that never end their message': (door) =>
    withSession(door, async (session) => {
      const calls = Array.from({ length: 16 }, () =>
        callWith(session, callHeaders(PUBLISH_ONCE), Buffer.from([0, 0, 0]), false),
      );
      return Promise.all(calls.map(({ outcome }) => outcome));
    }),
  'streams without a deadline that say nothing': (door) =>
    withSession(door, async (session) => {
      const calls = Array.from({ length: 16 }, () => callWith(session, callHeaders(PUBLISH), null, false));
      return Promise.all(calls.map(({ outcome }) => outcome));
    }),
  'messages of more than 256 KiB': (door) =>
    repeat(door, many(20, 500), () => [callHeaders(PUBLISH_ONCE), grpcMessage(Buffer.alloc(300 * 1024))]),
  'messages that swell when they are decompressed': (door) => {
    const bomb = zlib.gzipSync(Buffer.alloc(64 * 1024 * 1024));
    const headers = callHeaders(PUBLISH_ONCE, { 'grpc-encoding': 'gzip' });
    return repeat(door, many(10, 200), () => [headers, grpcMessage(bomb, 1)]);
  },
  'paths that lead nowhere': (door) =>
    repeat(door, many(100, 5_000), (n) => [
      callHeaders(`/tocsin.v1.Nothing/${n}`),
      grpcMessage(Buffer.alloc(0)),
    ]),
  'content that is not gRPC': (door) =>
    repeat(door, many(100, 5_000), () => [
      callHeaders(PUBLISH_ONCE, { 'content-type': 'text/html' }),
      Buffer.from('<html>'),
    ]),
  'messages whose length is a lie': (door) =>
    repeat(door, many(100, 5_000), (n) => [
      callHeaders(PUBLISH_ONCE),
      grpcMessage(Buffer.alloc(10), 0, [0, 9, 11, 2 ** 31, 2 ** 32 - 1][n % 5]!),
    ]),
  'a preface of something else': async (door) => {
    const outcomes = [];
    for (let n = 0; n < many(30, 500); n++) {
      const raw = await connectRaw(door);
      await raw.write(Buffer.from('GET / HTTP/1.1\r\nHost: door\r\n\r\n'.repeat(10)));
      await Promise.race([raw.closed, delay(2_000)]);
      outcomes.push(raw.socket.destroyed ? 'cut' : 'open');
      raw.socket.destroy();
    }
    return outcomes;
  },
  'calls that end before any message': (door) =>
    repeat(door, many(100, 5_000), () => [callHeaders(PUBLISH_ONCE), null]),
  'metadata without measure': (door) =>
    repeat(door, many(20, 500), () => [callHeaders(PUBLISH_ONCE, { 'x-huge': 'h'.repeat(60_000) }), null]),
};

describe('a door that is abused', () => {
  let door: DoorProcess;
  let before: DoorLook;
  beforeAll(async () => {
    door = await startDoorProcess({ receiveWithinMs: 400, silentStreamAfterMs: 400 });
    // A door at work: growth is what abuse leaves, not what work loads, compiles and has room for.
    let sequence = 0;
    const message = (): Item[] =>
      Array.from({ length: READINGS_EACH }, () => reading(++sequence, { boot: 'warm-up' }));
    for (let sent = 0; sent < WARM_UP_MESSAGES; sent += AT_ONCE) {
      await Promise.all(Array.from({ length: AT_ONCE }, () => door.publishOnce(message())));
    }
    before = await door.look();
  });
  after(() => door.stop());

  for (const [name, abuse] of Object.entries(classes)) {
    it(`serves others within a second, and goes on: ${name}`, async (context) => {
      const honest = honestVendor(door, name.replaceAll(/[^a-z]+/g, '-'));
      const outcomes: string[] = [];
      const until = performance.now() + AT_MOST_MS;
      let rounds = 0;
      do {
        outcomes.push(...(await abuse(door)));
        rounds += 1;
      } while (honest.answered() < ANSWERS_AT_LEAST && performance.now() < until);
      const waits = await honest.stop();
      assert.ok(waits.length >= ANSWERS_AT_LEAST, `${waits.length} answers in ${rounds} rounds`);
      const p99 = waits[Math.ceil(waits.length * 0.99) - 1]!;
      if (FULL)
        context.diagnostic(
          `${name}: p99 ${Math.round(p99)} ms of ${waits.length}, ${JSON.stringify(tally(outcomes))}`,
        );
      // Clients and honest vendor share one process, and in a suite the machine.
      assert.ok(p99 <= (FULL ? 1_000 : 3_000), `${p99} ms`);
      for (const fault of ['2', '13', '15'])
        assert.ok(!outcomes.includes(fault), JSON.stringify(tally(outcomes)));
      assert.ok(!outcomes.includes('open'), JSON.stringify(tally(outcomes)));
      const session = openSession(door);
      const { outcome } = callWith(session, callHeaders(PUBLISH_ONCE), grpcMessage(Buffer.alloc(0)));
      assert.equal(await outcome, '0');
      session.destroy();
    });
  }

  it('keeps nothing of it in memory', async (context) => {
    const after = await door.look();
    context.diagnostic(`MB before and after: ${JSON.stringify(before)} ${JSON.stringify(after)}`);
    assert.deepEqual(after.complaints, []);
    assert.ok(after.rssMb <= RESIDENT_AT_MOST * before.rssMb, JSON.stringify([before, after]));
    assert.ok(after.heapMb <= REACHABLE_AT_MOST * before.heapMb, JSON.stringify([before, after]));
  });
});

function tally(words: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const word of words) counts[word] = (counts[word] ?? 0) + 1;
  return counts;
}

async function withSession<T>(
  door: DoorProcess,
  use: (session: http2.ClientHttp2Session) => Promise<T>,
): Promise<T> {
  const session = openSession(door);
  try {
    return await use(session);
  } finally {
    session.destroy();
  }
}

/** So many calls, 16 at a time; a connection carries 480, as Node cuts one that resets more than a thousand. */
async function repeat(
  door: DoorProcess,
  times: number,
  callOf: (n: number) => readonly [Record<string, string>, Buffer | null],
): Promise<string[]> {
  const outcomes: string[] = [];
  for (let from = 0; from < times; from += 480) {
    await withSession(door, async (session) => {
      for (let n = from; n < Math.min(times, from + 480); n += 16) {
        const batch = Array.from({ length: Math.min(16, times - n) }, (_, m) => {
          const [headers, body] = callOf(n + m);
          return callWith(session, headers, body).outcome;
        });
        outcomes.push(...(await Promise.all(batch)));
      }
    });
  }
  return outcomes;
}
