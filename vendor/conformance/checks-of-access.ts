import { status } from '@grpc/grpc-js';
import { VendorError } from '../failure.ts';
import { bulletin, must, mustEqual, NotApplicable, reading } from './check.ts';
import type { Check } from './check.ts';
import { nameOf, verdictsOf, withKey } from './wire-client.ts';

const SERVICE = 'tocsin.v1.IngestService';

async function refusalOf(call: Promise<unknown>, what: string): Promise<VendorError> {
  try {
    await call;
  } catch (error) {
    if (error instanceof VendorError) return error;
    throw error;
  }
  must(false, `${what} was let in`);
  throw new Error();
}

/** Who is let in, and as whom. */
export const checksOfAccess: readonly Check[] = [
  {
    name: 'health',
    expected: `grpc.health.v1.Health/Check answers SERVING, for the server and for ${SERVICE}.`,
    async run({ connect }) {
      const client = connect();
      for (const name of ['', SERVICE]) {
        const request = Buffer.concat([Buffer.from([0x0a, name.length]), Buffer.from(name)]);
        const answer = await client.raw('/grpc.health.v1.Health/Check', request, withKey(null));
        must(
          answer.equals(Buffer.from([0x08, 0x01])),
          `"${name}" answers ${answer.toString('hex') || 'nothing'}`,
        );
      }
      client.close();
    },
  },
  {
    name: 'reflection',
    expected: `grpc.reflection.v1 lists ${SERVICE}, so that a vendor needs no files to look at it.`,
    async run({ connect, key }) {
      const client = connect();
      const said = await client.reflect(key);
      must(said.includes(SERVICE), 'the list has no such service');
      client.close();
    },
  },
  {
    name: 'unauthenticated-refused',
    expected: 'Publish, PublishOnce and Describe refuse a call without a key, or with a wrong one.',
    async run({ connect, site }) {
      const client = connect();
      for (const [what, metadata] of [
        ['no key', withKey(null)],
        ['a wrong key', withKey('this-is-not-a-key')],
        ['an empty key', withKey('')],
      ] as const) {
        const sensor = { sensor: 'intruder', site, channel: 'conformance', unit: '%', low: 0, high: 1 };
        const refusals = [
          await refusalOf(client.once([bulletin('intruder')], metadata), `PublishOnce with ${what}`),
          await refusalOf(client.describe([sensor], metadata), `Describe with ${what}`),
        ];
        const stream = client.open(metadata);
        stream.send([bulletin('intruder')]);
        const ended = await Promise.race([
          stream.ended,
          stream.answered(1).then(
            () => null,
            () => stream.ended,
          ),
        ]);
        must(ended !== null, `Publish with ${what} was let in`);
        for (const refusal of [...refusals, ended]) {
          const isRight = [status.UNAUTHENTICATED, status.PERMISSION_DENIED].includes(refusal.code);
          must(isRight, `${what} is answered with ${nameOf(refusal)}`);
        }
      }
      client.close();
    },
  },
  {
    name: 'error-details',
    expected: 'A refusal carries google.rpc.ErrorInfo with a reason that a program can read.',
    async run({ connect }) {
      const client = connect();
      const refusal = await refusalOf(
        client.once([bulletin('x')], withKey('this-is-not-a-key')),
        'a wrong key',
      );
      must(refusal.reason !== '', `${nameOf(refusal)} has no ErrorInfo`);
      client.close();
    },
  },
  {
    name: 'describe-all-or-none',
    expected: 'Describe with one bad sensor among good ones fails, says which field, and registers none.',
    async run(bench) {
      const client = bench.connect();
      const sensor = bench.fresh('half');
      const good = { sensor, site: bench.site, channel: 'conformance', unit: '%', low: 0, high: 100 };
      const refusal = await refusalOf(
        client.describe([good, { ...good, sensor: bench.fresh('bad'), low: 5, high: 1 }], bench.key),
        'a sensor with low over high',
      );
      must(refusal.code === status.INVALID_ARGUMENT, `the refusal is ${nameOf(refusal)}`);
      const came = await client.once([reading({ sensor }, 'b', 1)], bench.key);
      mustEqual(came, ['QUARANTINED(UNKNOWN_SENSOR)'], () => 'a reading of the good sensor of that list');
      client.close();
    },
  },
  {
    name: 'tenant-from-principal',
    expected: 'Who is speaking comes from the key alone: naming another tenant or vendor changes nothing.',
    async run({ connect, key, fresh, sensor }) {
      const client = connect();
      const id = fresh('tenant');
      const boot = fresh('tenant');
      const pretending = key.clone();
      for (const name of ['x-tenant', 'tenant', 'x-vendor', 'vendor']) pretending.set(name, 'somebody-else');
      const items = [bulletin(id, { observedAtMs: Date.now() }), reading({ sensor }, boot, 1)];
      mustEqual(
        await client.once(items, pretending),
        ['ACCEPTED', 'ACCEPTED'],
        (n) => `item ${n}, pretending`,
      );
      mustEqual(await client.once(items, key), ['DUPLICATE', 'DUPLICATE'], (n) => `item ${n}, as oneself`);
      client.close();
    },
  },
  {
    name: 'vendors-apart',
    expected: "Another vendor's sensors are unknown, and another vendor's identities are not one's own.",
    async run({ connect, key, otherKey, fresh, sensor }) {
      if (otherKey === null) throw new NotApplicable('give the key of a second vendor with --other-key');
      const client = connect();
      const item = bulletin(fresh('apart'));
      mustEqual(await client.once([item], key), ['ACCEPTED'], () => 'a bulletin of the first vendor');
      mustEqual(await client.once([item], otherKey), ['ACCEPTED'], () => 'the same of the second vendor');
      const came = await client.once([reading({ sensor }, fresh('apart'), 1)], otherKey);
      mustEqual(came, ['QUARANTINED(UNKNOWN_SENSOR)'], () => "a reading of the first vendor's sensor");
      client.close();
    },
  },
  {
    name: 'stream-numbers',
    expected: 'A message with another number than the next one ends the stream with INVALID_ARGUMENT.',
    async run({ connect, key, sensor, fresh }) {
      const client = connect();
      const boot = fresh('numbers');
      const stream = client.open(key);
      stream.send([reading({ sensor }, boot, 1)]);
      await stream.answered(1);
      stream.send([reading({ sensor }, boot, 2)], { sequence: 7 });
      const ended = await Promise.race([
        stream.ended,
        stream.answered(2).then(
          () => null,
          () => stream.ended,
        ),
      ]);
      must(ended !== null, 'message 7 was taken where 2 was to come');
      must(ended.code === status.INVALID_ARGUMENT, `the stream ended with ${nameOf(ended)}`);
      const again = client.open(key);
      again.send([reading({ sensor }, boot, 2)]);
      const [result] = await again.answered(1);
      mustEqual(verdictsOf(result, 1), ['ACCEPTED'], () => 'the same reading on a new stream');
      await again.finish();
      client.close();
    },
  },
];
