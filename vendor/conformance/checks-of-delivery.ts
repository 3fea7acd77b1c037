import { status } from '@grpc/grpc-js';
import type { Item } from '../../proto/gen/tocsin/v1/Item.ts';
import { bulletin, must, mustEqual, NotApplicable, reading } from './check.ts';
import type { Bench, Check } from './check.ts';
import { nameOf, verdictsOf } from './wire-client.ts';
import type { WireStream } from './wire-client.ts';

const MESSAGES = 200;
const upTo = (n: number): number[] => Array.from({ length: n }, (_, index) => index + 1);

/** Sends everything again on a stream of its own, and returns what was said of it. */
async function sendAll({ connect, key }: Bench, items: readonly Item[]): Promise<string[]> {
  const client = connect();
  const stream = client.open(key);
  for (const item of items) stream.send([item]);
  const results = await stream.answered(items.length);
  await stream.finish();
  client.close();
  return results.map((result) => verdictsOf(result, 1)[0]!);
}

/** What was acknowledged on a stream that was cut. */
function acknowledgedOn(stream: WireStream): number {
  return Number(stream.responses.at(-1)?.acknowledgedThrough ?? 0);
}

/** What an acknowledgement is worth. */
export const checksOfDelivery: readonly Check[] = [
  {
    name: 'ack-contiguous',
    expected: `${MESSAGES} messages are answered in order, each once; acknowledged_through is the last answered, and only grows.`,
    async run(bench) {
      const client = bench.connect();
      const boot = bench.fresh('order');
      const stream = client.open(bench.key);
      for (const n of upTo(MESSAGES)) stream.send([reading(bench, boot, n)]);
      const results = await stream.answered(MESSAGES);
      let through = 0;
      for (const response of stream.responses) {
        for (const { sequence } of response.results) {
          must(Number(sequence) === through + 1, `message ${sequence} was answered after message ${through}`);
          through += 1;
        }
        const said = Number(response.acknowledgedThrough);
        must(
          said === through,
          `acknowledged_through is ${said} when messages up to ${through} were answered`,
        );
      }
      mustEqual(
        results.map((result) => verdictsOf(result, 1)[0]!),
        upTo(MESSAGES).map(() => 'ACCEPTED'),
        (n) => `message ${n + 1}`,
      );
      const ended = await stream.finish();
      must(ended.code === status.OK, `the finished stream ended with ${nameOf(ended)}`);
      client.close();
    },
  },
  {
    name: 'ack-covers-every-item',
    expected: 'The answer to a message covers each of its items exactly once, good and bad ones mixed.',
    async run(bench) {
      const client = bench.connect();
      const boot = bench.fresh('cover');
      const stream = client.open(bench.key);
      const items = upTo(50).map((n) => reading(bench, boot, n, n % 7 === 0 ? { value: NaN } : {}));
      stream.send(items);
      const [result] = await stream.answered(1);
      const covered = new Array<number>(items.length).fill(0);
      for (const { firstItem, items: count, readings } of result!.items) {
        for (let n = firstItem; n < firstItem + count; n++) if (readings === 0) covered[n]! += 1;
      }
      const wrong = covered.findIndex((times) => times !== 1);
      must(wrong < 0, `item ${wrong} is answered ${covered[wrong]} times`);
      await stream.finish();
      client.close();
    },
  },
  {
    name: 'duplicate-same-stream',
    expected: 'A reading that is sent again on the same stream is answered DUPLICATE.',
    async run(bench) {
      const item = reading(bench, bench.fresh('same'), 1);
      mustEqual(await sendAll(bench, [item, item]), ['ACCEPTED', 'DUPLICATE'], (n) => `time ${n + 1}`);
    },
  },
  {
    name: 'duplicate-across-forms',
    expected:
      'Readings and bulletins that were sent on a stream are DUPLICATE in the unary form, and vice versa.',
    async run(bench) {
      const client = bench.connect();
      const boot = bench.fresh('forms');
      const items = [reading(bench, boot, 1), bulletin(bench.fresh('forms'))];
      const other = [reading(bench, boot, 2), bulletin(bench.fresh('forms'))];
      mustEqual(await sendAll(bench, items), ['ACCEPTED', 'ACCEPTED'], (n) => `item ${n} on a stream`);
      mustEqual(
        await client.once(items, bench.key),
        ['DUPLICATE', 'DUPLICATE'],
        (n) => `item ${n} again, unary`,
      );
      mustEqual(await client.once(other, bench.key), ['ACCEPTED', 'ACCEPTED'], (n) => `item ${n}, unary`);
      mustEqual(
        await sendAll(bench, other),
        ['DUPLICATE', 'DUPLICATE'],
        (n) => `item ${n} again on a stream`,
      );
      client.close();
    },
  },
  {
    name: 'duplicate-recut',
    expected:
      'Readings are known by their numbers however they are cut: columns, single readings, overlapping columns.',
    async run(bench) {
      const client = bench.connect();
      const boot = bench.fresh('recut');
      const columns = (firstSequence: number, count: number): Item => ({
        columns: {
          sensor: bench.sensor,
          boot,
          firstSequence,
          firstObservedAtMs: Date.now() - 1_000,
          intervalMs: 1,
          values: upTo(count),
        },
      });
      mustEqual(await client.once([columns(1, 10)], bench.key), ['ACCEPTED'], () => 'columns 1 to 10');
      const singly = await client.once([reading(bench, boot, 3), reading(bench, boot, 10)], bench.key);
      mustEqual(singly, ['DUPLICATE', 'DUPLICATE'], (n) => `reading ${n === 0 ? 3 : 10} by itself`);
      mustEqual(await client.once([columns(4, 5)], bench.key), ['DUPLICATE'], () => 'columns 4 to 8');
      const parts = await client.once([columns(8, 6)], bench.key);
      mustEqual(parts, ['DUPLICATE+ACCEPTED'], () => 'columns 8 to 13, three of them known');
      client.close();
    },
  },
  {
    name: 'duplicate-unnumbered',
    expected: 'A reading of a device that cannot count (sequence 0) is known by sensor, time and value.',
    async run(bench) {
      const item = reading(bench, bench.fresh('plain'), 0);
      mustEqual(await sendAll(bench, [item, item]), ['ACCEPTED', 'DUPLICATE'], (n) => `time ${n + 1}`);
    },
  },
  {
    name: 'revision-of-bulletin',
    expected:
      'A bulletin with a known identity and other content is a revision, and ACCEPTED; unchanged it is DUPLICATE.',
    async run(bench) {
      const id = bench.fresh('revision');
      const first = bulletin(id);
      const second = bulletin(id, { fields: { run: { text: 'corrected' } } });
      mustEqual(
        await sendAll(bench, [first, second, second]),
        ['ACCEPTED', 'ACCEPTED', 'DUPLICATE'],
        (n) => ['the first', 'the revision', 'the revision again'][n]!,
      );
    },
  },
  {
    name: 'gaps-reported',
    expected: 'Numbers that are missing are told in gaps, and no longer when they came late, in any order.',
    async run(bench) {
      const client = bench.connect();
      const boot = bench.fresh('gaps');
      const stream = client.open(bench.key);
      const gapsAfter = async (n: number): Promise<string> => {
        const result = (await stream.answered(n))[n - 1]!;
        return (
          result.gaps
            .filter((gap) => gap.boot === boot)
            .map(({ firstSequence, lastSequence }) => `${firstSequence}-${lastSequence}`)
            .join(' ') || 'none'
        );
      };
      const steps: [number[], string][] = [
        [[1, 2, 5], '3-4'],
        [[9], '3-4 6-8'],
        [[4], '3-3 6-8'],
        [[8], '3-3 6-7'],
        [[3], '6-7'],
        [[7], '6-6'],
        [[6], 'none'],
      ];
      for (const [index, [numbers, expected]] of steps.entries()) {
        stream.send(numbers.map((n) => reading(bench, boot, n)));
        const came = await gapsAfter(index + 1);
        must(came === expected, `after ${numbers.join(', ')} expected gaps ${expected}, got ${came}`);
      }
      await stream.finish();
      client.close();
    },
  },
  {
    name: 'ack-after-reconnect',
    expected:
      'After a stream that was cut in the middle, what was acknowledged is DUPLICATE and nothing is lost.',
    run: (bench) => cutAndResend(bench, MESSAGES, () => new Promise((resolve) => setTimeout(resolve, 30))),
  },
  {
    name: 'cut-anywhere',
    expected: 'The same, wherever the stream is cut: five times, before, between and after acknowledgements.',
    async run(bench) {
      for (const afterAnswers of [0, 1, 5, 20, 60]) {
        await cutAndResend(bench, 60, async (stream) => {
          if (afterAnswers > 0) await stream.answered(afterAnswers);
        });
      }
    },
  },
  {
    name: 'ack-survives-restart',
    expected: 'After the server was killed and started again, what it had acknowledged is DUPLICATE.',
    async run(bench) {
      const { restart } = bench;
      if (restart === null) {
        throw new NotApplicable('give a command that kills and starts the server with --restart');
      }
      await cutAndResend(bench, MESSAGES, async (stream) => {
        await stream.answered(MESSAGES / 2);
        await restart();
      });
    },
  },
];

/** Sends, breaks off, and sends everything twice more. */
async function cutAndResend(
  bench: Bench,
  messages: number,
  until: (stream: WireStream) => Promise<unknown>,
): Promise<void> {
  const client = bench.connect();
  const boot = bench.fresh('cut');
  const items = upTo(messages).map((n) => reading(bench, boot, n));
  const stream = client.open(bench.key);
  for (const item of items) stream.send([item]);
  await until(stream);
  const acknowledged = acknowledgedOn(stream);
  await stream.cut();
  client.close();
  const second = await sendAll(bench, items);
  for (const [n, came] of second.entries()) {
    if (n < acknowledged) {
      must(
        came === 'DUPLICATE',
        `message ${n + 1} was acknowledged before the stream was cut, and is ${came} now: it was acknowledged and forgotten`,
      );
    } else {
      must(came === 'DUPLICATE' || came === 'ACCEPTED', `message ${n + 1}, sent again, is ${came}`);
    }
  }
  const third = await sendAll(bench, items);
  for (const [n, came] of third.entries()) {
    must(
      came === 'DUPLICATE',
      `message ${n + 1} was acknowledged on one stream, and is ${came} on the next: it was acknowledged and forgotten`,
    );
  }
}
