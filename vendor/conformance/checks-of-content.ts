import { status } from '@grpc/grpc-js';
import type { Item } from '../../proto/gen/tocsin/v1/Item.ts';
import { bulletin, must, mustEqual, reading } from './check.ts';
import type { Bench, Check } from './check.ts';
import { nameOf, verdictsOf } from './wire-client.ts';

const HOUR_MS = 3_600_000;
/** The libraries of both sides keep some 16 responses each, of up to 1,000 answers. */
const ANSWERS_AT_MOST = 40_000;
/** A server that takes nothing for so long has paused. */
const PAUSED_AFTER_MS = 2_000;

interface BadItem {
  readonly what: string;
  readonly reasons: readonly string[];
  readonly item: (bench: Bench, boot: string) => Item;
}

const BAD: readonly BadItem[] = [
  { what: 'NaN', reasons: ['NOT_FINITE'], item: (on, boot) => reading(on, boot, 1, { value: NaN }) },
  {
    what: 'infinity',
    reasons: ['NOT_FINITE'],
    item: (on, boot) => reading(on, boot, 1, { value: -Infinity }),
  },
  {
    what: 'a value over the range',
    reasons: ['RANGE'],
    item: (on, boot) => reading(on, boot, 1, { value: 101 }),
  },
  {
    what: 'a value under the range',
    reasons: ['RANGE'],
    item: (on, boot) => reading(on, boot, 1, { value: -1 }),
  },
  { what: 'another unit', reasons: ['UNIT'], item: (on, boot) => reading(on, boot, 1, { unit: 'furlong' }) },
  {
    what: 'an unknown sensor',
    reasons: ['UNKNOWN_SENSOR'],
    item: (on, boot) => reading({ sensor: on.fresh('nobody') }, boot, 1),
  },
  {
    what: 'a reading ten minutes in the future',
    reasons: ['FUTURE'],
    item: (on, boot) => reading(on, boot, 1, { observedAtMs: Date.now() + 600_000 }),
  },
  {
    what: 'a reading four days old',
    reasons: ['TOO_LATE'],
    item: (on, boot) => reading(on, boot, 1, { observedAtMs: Date.now() - 96 * HOUR_MS }),
  },
  {
    what: 'a reading at epoch 0',
    reasons: ['TOO_LATE', 'MALFORMED'],
    item: (on, boot) => reading(on, boot, 1, { observedAtMs: 0 }),
  },
  { what: 'an item without anything', reasons: ['MALFORMED'], item: () => ({}) },
  {
    what: 'a sensor name with a blank',
    reasons: ['MALFORMED', 'UNKNOWN_SENSOR'],
    item: (_, boot) => reading({ sensor: 'a b' }, boot, 1),
  },
  {
    what: 'columns without values',
    reasons: ['MALFORMED'],
    item: ({ sensor }, boot) => ({ columns: { sensor, boot, firstSequence: 1 } }),
  },
  {
    what: 'columns of 10,001 readings',
    reasons: ['OVERSIZED'],
    item: ({ sensor }, boot) => ({
      columns: {
        sensor,
        boot,
        firstSequence: 1,
        firstObservedAtMs: Date.now() - 11_000,
        intervalMs: 1,
        values: new Array<number>(10_001).fill(1),
      },
    }),
  },
  {
    what: 'columns whose times go backwards',
    reasons: ['MALFORMED'],
    item: ({ sensor }, boot) => ({
      columns: {
        sensor,
        boot,
        firstSequence: 1,
        firstObservedAtMs: Date.now(),
        offsetsMs: [5, 4],
        values: [1, 2],
      },
    }),
  },
  {
    what: 'a waveform without a rate',
    reasons: ['MALFORMED'],
    item: ({ sensor }, boot) => ({
      waveform: { sensor, boot, firstSequence: 1, startedAtMs: Date.now(), rateHz: 0, samples: [1] },
    }),
  },
  { what: 'a bulletin without an id', reasons: ['MALFORMED'], item: () => bulletin('') },
  {
    what: 'a bulletin at latitude 91',
    reasons: ['MALFORMED'],
    item: (on) => bulletin(on.fresh('pole'), { position: { latitudeDeg: 91, longitudeDeg: 0 } }),
  },
  {
    what: 'a bulletin with NaN in a field',
    reasons: ['NOT_FINITE'],
    item: (on) => bulletin(on.fresh('nan'), { fields: { magnitude: { number: NaN } } }),
  },
];

/** In two steps: in a busy process a timer may come before what arrived long ago is read. */
async function stillAfter(ms: number): Promise<true> {
  for (const part of [ms / 2, ms / 2]) await new Promise((resolve) => setTimeout(resolve, part));
  return true;
}

/** What is refused, with which reason, and that the rest goes on. */
export const checksOfContent: readonly Check[] = [
  ...BAD.map(({ what, reasons, item }): Check => ({
    name: `quarantine: ${what}`,
    expected: `QUARANTINED(${reasons.join(' or ')}) with a sentence; the good readings before and after it are ACCEPTED.`,
    async run(bench) {
      const client = bench.connect();
      const boot = bench.fresh('bad');
      const good = bench.fresh('good');
      const stream = client.open(bench.key);
      stream.send([reading(bench, good, 1), item(bench, boot), reading(bench, good, 2)]);
      stream.send([reading(bench, good, 3)]);
      const [mixed, after] = await stream.answered(2);
      const [before, bad, beside] = verdictsOf(mixed, 3);
      must(
        reasons.some((reason) => bad === `QUARANTINED(${reason})`),
        `${what} is ${bad}`,
      );
      const run = mixed!.items.find(({ disposition }) => disposition === 'DISPOSITION_QUARANTINED');
      must((run?.explanation ?? '') !== '', `${what} is quarantined without a word of explanation`);
      mustEqual(
        [before!, beside!, ...verdictsOf(after, 1)],
        ['ACCEPTED', 'ACCEPTED', 'ACCEPTED'],
        (n) => `the good reading ${['before it', 'after it', 'in the next message'][n]}`,
      );
      await stream.finish();
      client.close();
    },
  })),
  {
    name: 'quarantine-frees-number',
    expected: 'A quarantined reading does not use up its number: the corrected one is ACCEPTED under it.',
    async run(bench) {
      const client = bench.connect();
      const boot = bench.fresh('corrected');
      const came = [
        ...(await client.once([reading(bench, boot, 1, { value: NaN })], bench.key)),
        ...(await client.once([reading(bench, boot, 1)], bench.key)),
      ];
      mustEqual(
        came,
        ['QUARANTINED(NOT_FINITE)', 'ACCEPTED'],
        (n) => ['the bad one', 'the corrected one'][n]!,
      );
      client.close();
    },
  },
  {
    name: 'garbage-on-stream',
    expected: 'Bytes that are no message are QUARANTINED(MALFORMED), and the stream goes on.',
    async run(bench) {
      const client = bench.connect();
      const boot = bench.fresh('garbage');
      const stream = client.open(bench.key);
      stream.send([reading(bench, boot, 1)]);
      stream.sendBytes(Buffer.from('ffffffffffffffffff07', 'hex'));
      stream.sendBytes(Buffer.from([0x1a, 0x7f, 0x00]));
      stream.send([reading(bench, boot, 2)]);
      const results = await stream.answered(4);
      mustEqual(
        results.map((result) => verdictsOf(result, 1)[0]!),
        ['ACCEPTED', 'QUARANTINED(MALFORMED)', 'QUARANTINED(MALFORMED)', 'ACCEPTED'],
        (n) => `message ${n + 1}`,
      );
      await stream.finish();
      client.close();
    },
  },
  {
    name: 'oversized-message',
    expected: 'A message over 256 KiB ends the stream with RESOURCE_EXHAUSTED; a new one is served at once.',
    async run(bench) {
      const client = bench.connect();
      const stream = client.open(bench.key);
      stream.send([bulletin(bench.fresh('big'), { fields: { text: { text: 'x'.repeat(300 * 1024) } } })]);
      const ended = await Promise.race([
        stream.ended,
        stream.answered(1).then(
          () => null,
          () => stream.ended,
        ),
      ]);
      must(ended !== null, 'it was answered as if it were an ordinary message');
      must(ended.code === status.RESOURCE_EXHAUSTED, `the stream ended with ${nameOf(ended)}`);
      const again = client.open(bench.key);
      again.send([reading(bench, bench.fresh('big'), 1)]);
      const [result] = await again.answered(1);
      mustEqual(verdictsOf(result, 1), ['ACCEPTED'], () => 'a reading on the next stream');
      await again.finish();
      client.close();
    },
  },
  {
    name: 'back-pressure',
    expected:
      'A client that takes no answers is paused before 40,000 of them wait, and served when it takes them.',
    async run(bench) {
      const client = bench.connect();
      const boot = bench.fresh('pressure');
      // 60 gaps make every answer about this boot some 2 KiB long, and cost the server nothing to store.
      const odd = Array.from({ length: 60 }, (_, n) => reading(bench, boot, 2 * n + 1));
      await client.once(odd, bench.key);
      const stream = client.open(bench.key);
      stream.call.pause();
      const again = [reading(bench, boot, 1)];
      let messages = 0;
      let isPaused = false;
      while (messages < ANSWERS_AT_MOST && !isPaused) {
        messages += 1;
        if (stream.send(again)) continue;
        isPaused = await Promise.race([
          new Promise<false>((resolve) => stream.call.once('drain', () => resolve(false))),
          stillAfter(PAUSED_AFTER_MS),
        ]);
      }
      must(isPaused, `it took ${messages} messages while none of its answers was taken`);
      stream.call.resume();
      const results = await stream.answered(messages, 30_000);
      mustEqual(
        results.map((result) => verdictsOf(result, 1)[0]!),
        results.map(() => 'DUPLICATE'),
        (n) => `message ${n + 1}`,
      );
      await stream.finish();
      client.close();
    },
  },
  {
    name: 'window',
    expected: '2,000 readings may be under way at once: all are answered, with none sent after them.',
    async run(bench) {
      const client = bench.connect();
      const boot = bench.fresh('window');
      const stream = client.open(bench.key);
      for (let n = 1; n <= 2_000; n++) stream.send([reading(bench, boot, n)]);
      const results = await stream.answered(2_000, 30_000);
      mustEqual(
        results.map((result) => verdictsOf(result, 1)[0]!),
        results.map(() => 'ACCEPTED'),
        (n) => `message ${n + 1}`,
      );
      await stream.finish();
      client.close();
    },
  },
];
