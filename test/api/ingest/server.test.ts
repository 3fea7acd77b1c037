import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import { Client, credentials, Metadata, status } from '@grpc/grpc-js';
import type { ClientDuplexStream, ServiceError, StatusObject } from '@grpc/grpc-js';
import { readFrame } from '../../../api/ingest/frame.ts';
import type { Block } from '../../../api/ingest/frame.ts';
import type { FrameArchive, IngestStores } from '../../../domain/ports-ingest.ts';
import { createFakeIngestStores } from '../../../models/fake-inbox.ts';
import { decodeMessage, IngestService } from '../../../proto/load.ts';
import type { Item } from '../../../proto/gen/tocsin/v1/Item.ts';
import type { MessageResult__Output } from '../../../proto/gen/tocsin/v1/MessageResult.ts';
import type { PublishRequest } from '../../../proto/gen/tocsin/v1/PublishRequest.ts';
import type { PublishResponse__Output } from '../../../proto/gen/tocsin/v1/PublishResponse.ts';
import type { SensorDescription } from '../../../proto/gen/tocsin/v1/SensorDescription.ts';
import {
  bulletin,
  createFakeIncidents,
  openDoor,
  OTHER_TENANT_KEY,
  OTHER_VENDOR_KEY,
  reading,
  VENDOR_KEY,
  VIEWER_KEY,
  withKey,
} from '../../support/door.ts';
import type { Door } from '../../support/door.ts';

/** `ACCEPTED`, `DUPLICATE`, `QUARANTINED(reason)`, one an item, or a part `1..2 of item 0`. */
const verdicts = (result: MessageResult__Output | null): string[] =>
  (result?.items ?? []).flatMap((run) => {
    const word = run.disposition.replace('DISPOSITION_', '');
    const verdict =
      word === 'QUARANTINED' ? `${word}(${run.reason.replace('QUARANTINE_REASON_', '')})` : word;
    return run.readings > 0
      ? [`${verdict} ${run.firstReading}+${run.readings} of ${run.firstItem}`]
      : Array<string>(run.items).fill(verdict);
  });

async function archived(ingest: IngestStores): Promise<Block[]> {
  const blocks: Block[] = [];
  for (let seq = 1; ; seq++) {
    const frame = await ingest.frames.read(seq);
    if (frame === null) return blocks;
    blocks.push(...readFrame(frame.bytes));
  }
}
const archivedNumbers = async (ingest: IngestStores): Promise<number[]> =>
  (await archived(ingest)).flatMap((block) =>
    block.kind === 'readings' ? Array.from(block.values, (_, n) => block.firstSequence + n) : [],
  );

interface Stream {
  readonly call: ClientDuplexStream<PublishRequest, PublishResponse__Output>;
  readonly responses: PublishResponse__Output[];
  readonly ended: Promise<StatusObject>;
  send(items: readonly Item[], sequence?: number): void;
  /** Resolves when so many messages are answered. */
  answered(messages: number): Promise<MessageResult__Output[]>;
}

function openStream(door: Door, key = VENDOR_KEY): Stream {
  const call = door.client.Publish(withKey(key));
  const responses: PublishResponse__Output[] = [];
  let sequence = 0;
  call.on('data', (response: PublishResponse__Output) => responses.push(response));
  call.on('error', () => undefined);
  const ended = new Promise<StatusObject>((resolve) => call.on('status', resolve));
  const results = (): MessageResult__Output[] => responses.flatMap((response) => response.results);
  return {
    call,
    responses,
    ended,
    send(items, number = ++sequence) {
      call.write({ sequence: number, sentAtMs: Date.now(), items: [...items] });
    },
    async answered(messages) {
      while (results().length < messages) await once(call, 'data');
      return results();
    },
  };
}

const detailsOf = (error: { readonly metadata: Metadata }): { reason: string; types: string[] } => {
  const [bytes] = error.metadata.get('grpc-status-details-bin');
  const { details } = decodeMessage<{ details: { type_url: string; value: Buffer }[] }>(
    'google.rpc.Status',
    bytes as Buffer,
  );
  const types = details.map((one) => one.type_url.replace('type.googleapis.com/google.rpc.', ''));
  const info = details[types.indexOf('ErrorInfo')]!;
  return { reason: decodeMessage<{ reason: string }>('google.rpc.ErrorInfo', info.value).reason, types };
};
const failing = async (call: Promise<unknown>): Promise<ServiceError> => {
  try {
    await call;
  } catch (error) {
    return error as ServiceError;
  }
  return assert.fail('the call succeeded');
};

/** An archive whose inserts wait until they are let through. */
function gatedFrames(): { frames: FrameArchive; let: () => void } {
  const inner = createFakeIngestStores().frames;
  let open = (): void => {};
  const gate = new Promise<void>((resolve) => (open = resolve));
  return {
    frames: {
      append: async (frames) => gate.then(() => inner.append(frames)),
      read: (seq) => inner.read(seq),
    },
    let: () => open(),
  };
}

describe('the door', () => {
  let door: Door;
  before(async () => (door = await openDoor()));
  after(() => door.stop());

  it('acknowledges what it stored, and says DUPLICATE the second time', async () => {
    const items = [reading(1), bulletin('first')];
    const first = await door.publishOnce(items);
    assert.deepEqual(verdicts(first.result), ['ACCEPTED', 'ACCEPTED']);
    assert.equal((await archived(door.ingest)).length, 2);
    const second = await door.publishOnce(items);
    assert.deepEqual(verdicts(second.result), ['DUPLICATE', 'DUPLICATE']);
    assert.equal((await archived(door.ingest)).length, 2);
  });

  it('recognises readings that were cut differently, and reports what is missing', async () => {
    const boot = 'cut';
    const columns = (firstSequence: number, count: number): Item => ({
      columns: {
        sensor: 'b',
        boot,
        firstSequence,
        firstObservedAtMs: Date.now() - 10_000,
        intervalMs: 100,
        values: Array<number>(count).fill(2),
      },
    });
    const first = await door.publishOnce([columns(5, 4)]);
    assert.deepEqual(first.result?.gaps, [{ sensor: 'b', boot, firstSequence: '1', lastSequence: '4' }]);
    const second = await door.publishOnce([columns(3, 8)]);
    assert.deepEqual(verdicts(second.result), [
      'ACCEPTED 0+2 of 0',
      'DUPLICATE 2+4 of 0',
      'ACCEPTED 6+2 of 0',
    ]);
    const third = await door.publishOnce([columns(1, 2), reading(11, { sensor: 'b', boot })]);
    assert.deepEqual(verdicts(third.result), ['ACCEPTED', 'ACCEPTED']);
    assert.deepEqual(third.result?.gaps, []);
  });

  it('takes a changed bulletin as a revision of it', async () => {
    const again = bulletin('revised', { observedAtMs: 1, fields: {} });
    const at = Date.now() - 30_000;
    await door.publishOnce([bulletin('revised', { observedAtMs: at })]);
    assert.deepEqual(verdicts((await door.publishOnce([again])).result), ['QUARANTINED(TOO_LATE)']);
    const changed = bulletin('revised', { observedAtMs: at, fields: { magnitude: { number: 6 } } });
    assert.deepEqual(verdicts((await door.publishOnce([changed])).result), ['ACCEPTED']);
    assert.deepEqual(verdicts((await door.publishOnce([changed])).result), ['DUPLICATE']);
    const revisions = (await archived(door.ingest)).flatMap((block) =>
      block.kind === 'bulletin' && block.bulletin.id === 'revised' ? [block.revision] : [],
    );
    assert.deepEqual(revisions, [1, 2]);
  });

  it('knows readings without numbers by their content', async () => {
    const item = reading(0, { observedAtMs: Date.now(), boot: 'uncounted' });
    assert.deepEqual(verdicts((await door.publishOnce([item, item])).result), ['ACCEPTED', 'DUPLICATE']);
    assert.deepEqual(verdicts((await door.publishOnce([item])).result), ['DUPLICATE']);
  });

  it('quarantines each bad item with its reason, keeps it, and takes the good ones beside it', async () => {
    const HOUR = 3_600_000;
    const now = Date.now();
    const cases: readonly [Item, string][] = [
      [reading(101), 'ACCEPTED'],
      [reading(102, { value: NaN }), 'QUARANTINED(NOT_FINITE)'],
      [reading(103, { value: -Infinity }), 'QUARANTINED(NOT_FINITE)'],
      [reading(104, { value: 100.1 }), 'QUARANTINED(RANGE)'],
      [reading(105, { value: -0.1 }), 'QUARANTINED(RANGE)'],
      [reading(106, { observedAtMs: now + 301_000 }), 'QUARANTINED(FUTURE)'],
      [reading(107, { observedAtMs: now + 60_000 }), 'ACCEPTED'],
      [reading(108, { observedAtMs: now - 73 * HOUR }), 'QUARANTINED(TOO_LATE)'],
      [reading(109, { observedAtMs: now - 71 * HOUR }), 'ACCEPTED'],
      [reading(110, { unit: 'bananas' }), 'QUARANTINED(UNIT)'],
      [reading(111, { unit: '%LEL' }), 'ACCEPTED'],
      [reading(112, { sensor: 'nobody' }), 'QUARANTINED(UNKNOWN_SENSOR)'],
      [reading(113, { sensor: 'a b' }), 'QUARANTINED(MALFORMED)'],
      [reading(114, { boot: 'a|b' }), 'QUARANTINED(MALFORMED)'],
      [reading(115, { observedAtMs: '9223372036854775807' }), 'QUARANTINED(MALFORMED)'],
      [reading(116, { sequence: '18446744073709551615' }), 'QUARANTINED(SEQUENCE)'],
      [{}, 'QUARANTINED(MALFORMED)'],
      [{ columns: { sensor: 'a', firstSequence: 200 } }, 'QUARANTINED(MALFORMED)'],
      [{ columns: { sensor: 'a', firstSequence: 200, values: [1, 2] } }, 'QUARANTINED(MALFORMED)'],
      [
        { columns: { sensor: 'a', firstSequence: 200, values: [1, 2], offsetsMs: [5, 4] } },
        'QUARANTINED(MALFORMED)',
      ],
      [
        {
          columns: { sensor: 'a', firstSequence: 200, values: Array<number>(10_001).fill(0), intervalMs: 1 },
        },
        'QUARANTINED(OVERSIZED)',
      ],
      [{ waveform: { sensor: 'a', firstSequence: 0, rateHz: 1, samples: [1] } }, 'QUARANTINED(SEQUENCE)'],
      [{ waveform: { sensor: 'a', firstSequence: 1, rateHz: 0, samples: [1] } }, 'QUARANTINED(MALFORMED)'],
      [
        {
          waveform: {
            sensor: 'a',
            boot: 'w',
            firstSequence: 1,
            rateHz: 10,
            startedAtMs: now - 1_000,
            samples: [1, NaN],
          },
        },
        'QUARANTINED(NOT_FINITE)',
      ],
      [
        {
          waveform: {
            sensor: 'a',
            boot: 'w',
            firstSequence: 1,
            rateHz: 10,
            startedAtMs: now - 1_000,
            samples: [1, 2],
          },
        },
        'ACCEPTED',
      ],
      [bulletin('', {}), 'QUARANTINED(MALFORMED)'],
      [bulletin('a|b', {}), 'QUARANTINED(MALFORMED)'],
      [bulletin('bad-type', { type: 'Not A Type' }), 'QUARANTINED(MALFORMED)'],
      [bulletin('bad-place', { position: { latitudeDeg: 91, longitudeDeg: 0 } }), 'QUARANTINED(MALFORMED)'],
      [bulletin('bad-number', { fields: { magnitude: { number: NaN } } }), 'QUARANTINED(NOT_FINITE)'],
      [bulletin('bad-field', { fields: { 'detect.magnitude': { number: 1 } } }), 'QUARANTINED(MALFORMED)'],
      [bulletin('long', { fields: { place: { text: 'x'.repeat(1_001) } } }), 'QUARANTINED(OVERSIZED)'],
      [bulletin('unmeasured', { fields: { magnitude: {} } }), 'ACCEPTED'],
      [bulletin('nowhere', { position: null }), 'ACCEPTED'],
    ];
    const quarantined = countQuarantined(await door.status());
    const { result } = await door.publishOnce(cases.map(([item]) => item));
    assert.deepEqual(
      verdicts(result),
      cases.map(([, verdict]) => verdict),
    );
    const refused = cases.filter(([, verdict]) => verdict !== 'ACCEPTED');
    for (const run of result!.items) {
      assert.equal(run.disposition === 'DISPOSITION_QUARANTINED', run.explanation !== '');
    }
    // Columns count by their readings.
    assert.ok(countQuarantined(await door.status()) - quarantined >= refused.length);
  });

  it('refuses only the bad readings of a column', async () => {
    const { result } = await door.publishOnce([
      {
        columns: {
          sensor: 'c',
          boot: 'mixed',
          firstSequence: 1,
          firstObservedAtMs: Date.now() - 5_000,
          intervalMs: 1_000,
          values: [1, NaN, 2, 900, 901],
        },
      },
    ]);
    assert.deepEqual(verdicts(result), [
      'ACCEPTED 0+1 of 0',
      'QUARANTINED(NOT_FINITE) 1+1 of 0',
      'ACCEPTED 2+1 of 0',
      'QUARANTINED(RANGE) 3+2 of 0',
    ]);
    const corrected = await door.publishOnce([reading(2, { sensor: 'c', boot: 'mixed', value: 1.5 })]);
    assert.deepEqual(verdicts(corrected.result), ['ACCEPTED']);
  });

  it('refuses more items than a message may have', async () => {
    const items = Array.from({ length: 1_001 }, (_, n) => reading(n + 1, { boot: 'many' }));
    const { result } = await door.publishOnce(items);
    assert.deepEqual(verdicts(result).slice(998), ['ACCEPTED', 'ACCEPTED', 'QUARANTINED(OVERSIZED)']);
  });

  it('files everything under the caller, whatever the message says', async () => {
    const foreign = await door.publishOnce([reading(1, { boot: 'theft' })], { key: OTHER_VENDOR_KEY });
    assert.deepEqual(verdicts(foreign.result), ['QUARANTINED(UNKNOWN_SENSOR)']);
    const far = await door.publishOnce([reading(1, { sensor: 'city/gasworks/a', boot: 'theft' })], {
      key: OTHER_TENANT_KEY,
    });
    assert.deepEqual(verdicts(far.result), ['QUARANTINED(UNKNOWN_SENSOR)']);
    await door.publishOnce([bulletin('mine')], { key: OTHER_TENANT_KEY });
    const same = await door.publishOnce([bulletin('mine')]);
    assert.deepEqual(verdicts(same.result), ['ACCEPTED']);
    const owners = (await archived(door.ingest)).flatMap((block) =>
      block.kind === 'bulletin' && block.bulletin.id === 'mine' ? [`${block.tenant}/${block.vendor}`] : [],
    );
    assert.deepEqual(owners, ['village/gasworks', 'city/gasworks']);
  });

  it('lets in vendors only, and says why not in details that machines read', async () => {
    for (const [key, code, reason] of [
      ['nobody-knows-me', status.UNAUTHENTICATED, 'UNAUTHENTICATED'],
      [VIEWER_KEY, status.PERMISSION_DENIED, 'ROLE_REQUIRED'],
    ] as const) {
      const error = await failing(door.publishOnce([reading(1)], { key }));
      assert.equal(error.code, code);
      assert.equal(detailsOf(error).reason, reason);
      const ended = await openStream(door, key).ended;
      assert.equal(ended.code, code);
    }
    const keyless = await new Promise<ServiceError>((resolve) => {
      door.client.PublishOnce({}, new Metadata(), (error) => resolve(error!));
    });
    assert.equal(keyless.code, status.UNAUTHENTICATED);
  });

  it('shows operators how it is doing, and vendors nothing', async () => {
    const seen = await door.status();
    assert.deepEqual(
      seen.vendors.map(({ vendor }) => vendor),
      ['gasworks', 'other'],
    );
    assert.ok(Number(seen.vendors[0]!.accepted) > 0);
    assert.ok(Number(seen.vendors[0]!.lastHeardAtMs) > 0);
    assert.ok(seen.vendors[0]!.quarantined['RANGE']! !== '0');
  });

  it('is healthy, and describes itself', async () => {
    const unary = new Client(door.address, credentials.createInsecure());
    const health = await new Promise<Buffer>((resolve, reject) =>
      unary.makeUnaryRequest(
        '/grpc.health.v1.Health/Check',
        (bytes: Buffer) => bytes,
        (bytes: Buffer) => bytes,
        Buffer.alloc(0),
        (error, answer) => (error === null ? resolve(answer!) : reject(error)),
      ),
    );
    assert.deepEqual([...health], [8, 1]);
    const reflection = unary.makeBidiStreamRequest(
      '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
      (bytes: Buffer) => bytes,
      (bytes: Buffer) => bytes,
    );
    reflection.write(Buffer.from([0x3a, 0x00]));
    const [answer] = (await once(reflection, 'data')) as [Buffer];
    assert.match(answer.toString('latin1'), /tocsin\.v1\.IngestService/);
    reflection.cancel();
    reflection.on('error', () => undefined);
    unary.close();
  });
});

const countQuarantined = (seen: Awaited<ReturnType<Door['status']>>): number =>
  seen.vendors
    .flatMap(({ quarantined }) => Object.values(quarantined))
    .reduce((sum, count) => sum + Number(count), 0);

describe('a stream', () => {
  let door: Door;
  before(async () => (door = await openDoor()));
  after(() => door.stop());

  it('is acknowledged in order, each message once', async () => {
    const stream = openStream(door);
    for (let n = 1; n <= 200; n++) stream.send([reading(n)]);
    const results = await stream.answered(200);
    assert.deepEqual(
      results.map((result) => Number(result.sequence)),
      Array.from({ length: 200 }, (_, n) => n + 1),
    );
    assert.equal(Number(stream.responses.at(-1)!.acknowledgedThrough), 200);
    assert.ok(stream.responses.length < 200, `${stream.responses.length} responses`);
    stream.call.end();
    assert.equal((await stream.ended).code, status.OK);
  });

  it('goes on after bytes that are no message at all', async () => {
    const raw = new Client(door.address, credentials.createInsecure());
    const call = raw.makeBidiStreamRequest(
      IngestService.service.Publish.path,
      (bytes: Buffer) => bytes,
      IngestService.service.Publish.responseDeserialize,
      withKey(VENDOR_KEY),
    );
    const results: MessageResult__Output[] = [];
    call.on('data', (response: PublishResponse__Output) => results.push(...response.results));
    call.write(Buffer.from('1a ff ff ff 7f 00', 'utf8'));
    call.write(Buffer.from([0x1a, 0xff, 0xff, 0xff, 0xff, 0x0f]));
    call.write(
      IngestService.service.Publish.requestSerialize({ sequence: 3, items: [reading(1, { boot: 'raw' })] }),
    );
    while (results.length < 3) await once(call, 'data');
    assert.deepEqual(results.map(verdicts), [
      ['QUARANTINED(MALFORMED)'],
      ['QUARANTINED(MALFORMED)'],
      ['ACCEPTED'],
    ]);
    call.end();
    raw.close();
  });

  it('ends with a reason when its messages are numbered wrongly', async () => {
    const stream = openStream(door);
    stream.send([reading(900)]);
    stream.send([reading(901)], 7);
    const ended = await stream.ended;
    assert.equal(ended.code, status.INVALID_ARGUMENT);
    assert.deepEqual(detailsOf(ended), { reason: 'STREAM_SEQUENCE', types: ['ErrorInfo'] });
  });

  it('ends with RESOURCE_EXHAUSTED for a message larger than 256 KiB, and the door stays open', async () => {
    const stream = openStream(door);
    stream.send([bulletin('huge', { fields: { place: { text: 'x'.repeat(300_000) } } })]);
    assert.equal((await stream.ended).code, status.RESOURCE_EXHAUSTED);
    assert.deepEqual(verdicts((await door.publishOnce([reading(1, { boot: 'after' })])).result), [
      'ACCEPTED',
    ]);
  });

  it('is paused while too much is unanswered, and loses nothing', async () => {
    const gate = gatedFrames();
    const slow = await openDoor({ ingest: { ...createFakeIngestStores(), frames: gate.frames } });
    const stream = openStream(slow);
    for (let n = 1; n <= 3_000; n++) stream.send([reading(n)]);
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.equal(stream.responses.length, 0);
    const bytes = slow.server.status().pendingBytes;
    assert.ok(bytes < 1_100 * 1_500, `${bytes} bytes wait`);
    gate.let();
    await stream.answered(3_000);
    await slow.stop();
  });
});

describe('acknowledgement', () => {
  it('never comes before the archive has it, not for a duplicate either', async () => {
    const gate = gatedFrames();
    const door = await openDoor({ ingest: { ...createFakeIngestStores(), frames: gate.frames } });
    let answers = 0;
    const calls = [1, 2].map(() => door.publishOnce([reading(1)]).then((answer) => (answers++, answer)));
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.equal(answers, 0);
    gate.let();
    const results = (await Promise.all(calls)).map(({ result }) => verdicts(result)[0]).sort();
    assert.deepEqual(results, ['ACCEPTED', 'DUPLICATE']);
    await door.stop();
  });

  it('waits while the archive fails, and comes when it is back', async () => {
    const inner = createFakeIngestStores();
    let failures = 3;
    const frames: FrameArchive = {
      ...inner.frames,
      append: (batch) =>
        failures-- > 0 ? Promise.reject(new Error('no answer')) : inner.frames.append(batch),
    };
    const door = await openDoor({ ingest: { ...inner, frames } });
    assert.deepEqual(verdicts((await door.publishOnce([reading(1)])).result), ['ACCEPTED']);
    assert.deepEqual(await archivedNumbers(inner), [1]);
    assert.match(door.complaints[0]!, /failed; repeating Error: no answer/);
    await door.stop();
  });

  it('is RETRY_LATER when too much is waiting, and then the same items are welcome', async () => {
    const gate = gatedFrames();
    const door = await openDoor({
      ingest: { ...createFakeIngestStores(), frames: gate.frames },
      limits: { pendingBytesAtMost: 100, retryAfterMs: 70 },
    });
    const first = door.publishOnce([reading(1)]);
    await new Promise((resolve) => setTimeout(resolve, 50));
    const { result } = await door.publishOnce([reading(2)]);
    assert.deepEqual(verdicts(result), ['RETRY_LATER']);
    assert.equal(result!.items[0]!.retryAfterMs, 70);
    gate.let();
    await first;
    assert.deepEqual(verdicts((await door.publishOnce([reading(2)])).result), ['ACCEPTED']);
    await door.stop();
  });

  it('survives the process: the next one knows what was stored, wherever the last one stopped', async () => {
    const ingest = createFakeIngestStores();
    const first = await openDoor({ ingest });
    const { stores } = first;
    await first.publishOnce([reading(1), reading(3), bulletin('one')]);
    // No orderly end: the second process finds the archive only.
    const second = await openDoor({ ingest, stores });
    const { result } = await second.publishOnce([
      reading(1),
      reading(2),
      reading(3),
      bulletin('one', { observedAtMs: 5 }),
    ]);
    assert.deepEqual(verdicts(result), ['DUPLICATE', 'ACCEPTED', 'DUPLICATE', 'QUARANTINED(TOO_LATE)']);
    await second.stop();
    const third = await openDoor({ ingest, stores });
    assert.deepEqual(verdicts((await third.publishOnce([reading(1), reading(2), reading(4)])).result), [
      'DUPLICATE',
      'DUPLICATE',
      'ACCEPTED',
    ]);
    await third.stop();
    await first.stop();
  });

  it('is not given by a process that lost the archive to another', async () => {
    const ingest = createFakeIngestStores();
    const first = await openDoor({ ingest });
    const second = await openDoor({ ingest, stores: first.stores });
    await second.publishOnce([reading(1)]);
    const error = await failing(first.publishOnce([reading(2)]));
    assert.equal(detailsOf(error).reason, 'ARCHIVE_CONFLICT');
    assert.deepEqual(await archivedNumbers(ingest), [1]);
    await Promise.all([first.stop(), second.stop()]);
  });
});

describe('frames that a crash left behind a gap', () => {
  it('become part of the archive, and what they hold is known', async () => {
    const ingest = createFakeIngestStores();
    const first = await openDoor({ ingest });
    await first.publishOnce([reading(1)]);
    const frame = (await ingest.frames.read(1))!;
    await ingest.frames.append([{ ...frame, seq: 3, writer: 'crashed' }]);
    const second = await openDoor({ ingest, stores: first.stores });
    assert.equal(second.server.status().archivedThrough, 3);
    assert.deepEqual(verdicts((await second.publishOnce([reading(1), reading(2)])).result), [
      'DUPLICATE',
      'ACCEPTED',
    ]);
    await Promise.all([first.stop(), second.stop()]);
  });
});

describe('a key that is revoked', () => {
  it('ends the streams that are open with it', async () => {
    const door = await openDoor({ limits: { reauthenticateEveryMs: 50 } });
    const stream = openStream(door);
    stream.send([reading(1)]);
    await stream.answered(1);
    const [principal] = (await door.stores.principals.list()).filter(({ id }) => id === 'gasworks');
    await door.stores.principals.put({ ...principal!, revokedAtMs: Date.now() });
    assert.equal((await stream.ended).code, status.UNAUTHENTICATED);
    await door.stop();
  });
});

describe('a silent stream', () => {
  it('is ended in order', async () => {
    const door = await openDoor({ limits: { silentStreamAfterMs: 100 } });
    const stream = openStream(door);
    stream.send([reading(1)]);
    await stream.answered(1);
    assert.equal((await stream.ended).code, status.OK);
    await door.stop();
  });
});

describe('a vendor with too many streams', () => {
  it('is told to come back later', async () => {
    const door = await openDoor({ limits: { streamsPerVendorAtMost: 1 } });
    const first = openStream(door);
    first.send([reading(1)]);
    await first.answered(1);
    const ended = await openStream(door).ended;
    assert.equal(ended.code, status.RESOURCE_EXHAUSTED);
    assert.deepEqual(detailsOf(ended), { reason: 'STREAM_LIMIT', types: ['ErrorInfo', 'RetryInfo'] });
    first.call.end();
    await first.ended;
    await door.stop();
  });
});

describe('a vendor with too many connections', () => {
  it('is told to come back later at the 65th, until one of them ends; others are served', async () => {
    const door = await openDoor({ limits: { streamsPerVendorAtMost: 200 } });
    const [, port] = door.address.split(':');
    const clients: Client[] = [];
    /** Streams on a connection of their own. */
    const connect = (key = VENDOR_KEY): { stream: Stream; client: Client } => {
      const client = new IngestService(`127.0.0.1:${port}`, credentials.createInsecure(), {
        'grpc.use_local_subchannel_pool': 1,
      });
      clients.push(client as unknown as Client);
      return { stream: openStream({ ...door, client }, key), client: client as unknown as Client };
    };
    const answered = async ({ stream }: { stream: Stream }): Promise<void> => {
      stream.send([]);
      await stream.answered(1);
    };
    const open = Array.from({ length: 64 }, () => connect());
    await Promise.all(open.map(answered));
    const ended = await connect().stream.ended;
    assert.equal(ended.code, status.RESOURCE_EXHAUSTED);
    assert.deepEqual(detailsOf(ended), { reason: 'CONNECTION_LIMIT', types: ['ErrorInfo', 'RetryInfo'] });
    await answered(connect(OTHER_VENDOR_KEY));
    // A second stream on a connection that is there already is none more.
    const second = openStream({ ...door, client: open[0]!.client as unknown as Door['client'] });
    second.send([]);
    await second.answered(1);
    open[1]!.stream.call.end();
    await open[1]!.stream.ended;
    await answered(connect());
    for (const client of clients) client.close();
    await door.stop();
  });
});

describe('stopping', () => {
  it('answers what was taken, ends the streams and takes nothing more', async () => {
    const incidents = createFakeIncidents();
    const door = await openDoor({ incidents });
    const stream = openStream(door);
    for (let n = 1; n <= 100; n++) stream.send([reading(n)]);
    await stream.answered(1);
    await door.stop();
    const ended = await stream.ended;
    assert.equal(ended.code, status.OK);
    const answered = stream.responses.flatMap((response) => response.results).length;
    assert.deepEqual(
      await archivedNumbers(door.ingest),
      Array.from({ length: answered }, (_, n) => n + 1),
    );
  });
});

describe('describing sensors', () => {
  let door: Door;
  before(async () => (door = await openDoor()));
  after(() => door.stop());
  const sensor = { sensor: 'wind-1', site: 'tower', channel: 'wind', unit: 'm/s', low: 0, high: 75 };
  const describeSensors = (sensors: SensorDescription[], key = OTHER_VENDOR_KEY): Promise<number> =>
    door.describe(sensors, key);

  it('makes their readings welcome at once, under the vendor that described them', async () => {
    assert.equal(await describeSensors([sensor]), 1);
    const { result } = await door.publishOnce([reading(1, { sensor: 'wind-1', value: 12 })], {
      key: OTHER_VENDOR_KEY,
    });
    assert.deepEqual(verdicts(result), ['ACCEPTED']);
    const [stored] = (await door.stores.sites.sensors()).filter(({ channel }) => channel === 'wind');
    assert.deepEqual(stored, {
      id: 'city/other/wind-1',
      vendor: 'other',
      tenant: 'city',
      site: 'tower',
      channel: 'wind',
      unit: 'm/s',
      low: 0,
      high: 75,
      position: null,
    });
  });

  it('may be repeated, and replaces what was said before', async () => {
    await describeSensors([{ ...sensor, high: 100 }]);
    const { result } = await door.publishOnce([reading(1, { sensor: 'wind-1', boot: 'b2', value: 90 })], {
      key: OTHER_VENDOR_KEY,
    });
    assert.deepEqual(verdicts(result), ['ACCEPTED']);
  });

  it('lets detection hear the first reading, however soon it comes', async () => {
    // It reads plans and places at its start and never again.
    const other = await openDoor({ refreshEveryMs: 600_000 });
    try {
      const names = ['riser-1', 'riser-2'];
      await new Promise((resolve, reject) =>
        other.client.Describe(
          {
            sensors: names.map((name) => ({
              sensor: name,
              site: 'tower',
              channel: 'methane',
              unit: '%LEL',
              low: 0,
              high: 100,
            })),
          },
          withKey(OTHER_VENDOR_KEY),
          (error) => (error === null ? resolve(null) : reject(error)),
        ),
      );
      const now = Date.now();
      const items = [40, 30, 20, 10, 0].flatMap((ago, n) =>
        names.map((name) => reading(n + 1, { sensor: name, observedAtMs: now - ago * 1_000, value: 12 })),
      );
      await other.publishOnce(items, { key: OTHER_VENDOR_KEY });
      const seen = await other.status({ relayedThrough: Number.MAX_SAFE_INTEGER, waitMs: 30_000 });
      assert.equal(seen.relayedThrough, seen.archivedThrough);
      const [evidence] = [...other.incidents.evidence.values()].flatMap((found) => [...found.values()]);
      assert.ok(evidence?.kind === 'readings' && evidence.holds);
      assert.deepEqual(evidence.sensors.map(({ sensor: name }) => name).sort(), [
        'city/other/riser-1',
        'city/other/riser-2',
      ]);
    } finally {
      await other.stop();
    }
  });

  it('registers all or none, and names each bad field', async () => {
    const error = await failing(
      describeSensors([
        { ...sensor, sensor: 'wind-2' },
        { ...sensor, sensor: 'no spaces', low: 9, high: 3 },
      ]),
    );
    assert.equal(error.code, status.INVALID_ARGUMENT);
    assert.deepEqual(detailsOf(error), { reason: 'REQUEST_INVALID', types: ['ErrorInfo', 'BadRequest'] });
    const known = (await door.stores.sites.sensors()).map(({ id }) => id);
    assert.ok(!known.includes('city/other/wind-2'));
  });

  it('refuses a site that nobody entered', async () => {
    const error = await failing(describeSensors([{ ...sensor, site: 'atlantis' }]));
    assert.equal(detailsOf(error).reason, 'PLACE_UNKNOWN');
  });

  it('refuses ranges that are none', async () => {
    for (const range of [{ low: NaN }, { high: Infinity }, { low: 5, high: 5 }]) {
      assert.equal(
        detailsOf(await failing(describeSensors([{ ...sensor, ...range }]))).reason,
        'REQUEST_INVALID',
      );
    }
  });
});
