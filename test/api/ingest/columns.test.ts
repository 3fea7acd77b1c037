import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ColumnDecoder, PUBLISH_SHAPE } from '../../../api/ingest/columns.ts';
import { NameTable } from '../../../api/ingest/columns-names.ts';
import { Dedup } from '../../../api/ingest/dedup.ts';
import { apart, FrameWriter, readFrame } from '../../../api/ingest/frame.ts';
import type { Block, StoredBlock } from '../../../api/ingest/frame.ts';
import { createIntake } from '../../../api/ingest/intake.ts';
import type { Intake } from '../../../api/ingest/intake.ts';
import { INGEST_LIMITS } from '../../../api/ingest/limits.ts';
import { itemOf, readMessage } from '../../../api/ingest/message.ts';
import type { Message } from '../../../api/ingest/message.ts';
import { SensorNumbers } from '../../../domain/ingest/sensor-numbers.ts';
import type { Sensor } from '../../../domain/ports.ts';
import type { Gap } from '../../../proto/gen/tocsin/v1/Gap.ts';
import { createRandom } from '../../../domain/random.ts';
import { IngestService } from '../../../proto/load.ts';
import { fromWire } from '../../../proto/map.ts';
import type { PublishRequest__Output } from '../../../proto/gen/tocsin/v1/PublishRequest.ts';
import { mutated, NOW, randomMessage, SENSORS } from '../../support/mutations.ts';

/** 1,000,000 take some minutes: `TOCSIN_MUTATIONS=1000000`. */
const MUTATIONS = Number(process.env['TOCSIN_MUTATIONS'] ?? 8_000);
const SENDER = { tenant: 'city', vendor: 'gasworks' };

const reference = (bytes: Buffer): PublishRequest__Output | null => {
  try {
    return IngestService.service.Publish.requestDeserialize(bytes);
  } catch {
    return null;
  }
};
const known = (): { names: NameTable; byHandle: string[] } => {
  const byHandle: string[] = [];
  const names = new NameTable((name) => SENSORS.includes(name) && byHandle.push(name) > 0);
  return { names, byHandle };
};

function counter(): (sensor: string, count: number) => number {
  const next = new Map<string, number>();
  return (sensor, count) => {
    const first = next.get(sensor) ?? 1;
    next.set(sensor, first + count);
    return first;
  };
}

/** Fails unless the columns say what the reference read, item by item. */
function assertSame(message: Message, bytes: Buffer, byHandle: readonly string[]): void {
  const expected = reference(bytes);
  if (message.kind === 'malformed') return assert.equal(expected, null);
  assert.ok(expected !== null);
  if (message.kind === 'items') return assert.deepEqual(message.items, expected.items);
  const { columns } = message;
  assert.equal(String(columns.sequence), expected.sequence);
  assert.equal(String(columns.sentAtMs), expected.sentAtMs);
  assert.equal(columns.items, expected.items.length);
  for (let n = 0; n < columns.items; n++) {
    assert.deepEqual(itemOf(columns, n), expected.items[n]);
    if (columns.sensor[n]! < 0) continue;
    const from = n === 0 ? 0 : columns.readingsEnd[n - 1]!;
    const text = (at: number, end: number): string => columns.bytes.toString('utf8', at, end);
    const item = fromWire(expected.items[n]!);
    // What only the names of boots have against it, the lane finds.
    if (item.kind === 'refused') {
      assert.match(item.explanation, /is not a boot name/);
      continue;
    }
    assert.deepEqual(
      {
        kind: 'readings',
        sensor: byHandle[columns.sensor[n]!],
        boot: text(columns.bootAt[n]!, columns.bootEnd[n]!),
        firstSequence: columns.first[n],
        atMs: [...columns.atMs.slice(from, columns.readingsEnd[n])],
        values: [...columns.values.slice(from, columns.readingsEnd[n])],
        unit: text(columns.unitAt[n]!, columns.unitEnd[n]!),
      },
      item.kind === 'readings' ? { ...item, atMs: [...item.atMs], values: [...item.values] } : item,
    );
  }
}

describe('messages read as columns', () => {
  it('say what protobufjs reads, and most messages are', () => {
    const random = createRandom(1);
    const { names, byHandle } = known();
    const next = counter();
    const kinds = { columns: 0, items: 0, malformed: 0 };
    for (let n = 0; n < 2_000; n++) {
      const bytes = randomMessage(random, next);
      const message = readMessage('Publish', bytes, names);
      kinds[message.kind] += 1;
      assertSame(message, bytes, byHandle);
    }
    assert.equal(kinds.malformed, 0);
    assert.ok(kinds.columns > 500 && kinds.items > 500, JSON.stringify(kinds));
  });

  it(`are accepted and refused as protobufjs does after ${MUTATIONS} mutations`, () => {
    const random = createRandom(2);
    const { names, byHandle } = known();
    const next = counter();
    const kinds = { columns: 0, items: 0, malformed: 0 };
    let bytes = randomMessage(random, next);
    for (let n = 0; n < MUTATIONS; n++) {
      if (n % 10 === 0) bytes = randomMessage(random, next);
      const strange = mutated(bytes, random);
      const message = readMessage('Publish', strange, names);
      kinds[message.kind] += 1;
      assertSame(message, strange, byHandle);
    }
    for (const count of Object.values(kinds)) assert.ok(count > MUTATIONS / 50, JSON.stringify(kinds));
  });

  it('of more than a thousand items are left to the ordinary way', () => {
    const items = Array.from({ length: 1_001 }, () => ({ reading: { sensor: 'a', sequence: 1 } }));
    const decoder = new ColumnDecoder();
    const { names } = known();
    const bytes = (count: number): Buffer =>
      IngestService.service.Publish.requestSerialize({ items: items.slice(0, count) });
    assert.equal(decoder.decode(bytes(1_001), PUBLISH_SHAPE, names), false);
    assert.equal(decoder.decode(bytes(1_000), PUBLISH_SHAPE, names), true);
    assert.equal(decoder.readings, 1_000);
  });
});

describe('names by their bytes', () => {
  it('keep their handles however many there are and in whatever order they come', () => {
    const handles = new Map<string, number>();
    const table = new NameTable((name) => name.startsWith('s'));
    const random = createRandom(3);
    for (let n = 0; n < 40_000; n++) {
      const name = `s${random.integer(5_000)}`;
      const bytes = Buffer.from(`..${name}!`);
      const handle = table.find(bytes, 2, bytes.length - 1);
      assert.equal(handle, handles.get(name) ?? table.size - 1);
      handles.set(name, handle);
    }
    assert.equal(table.size, handles.size);
    assert.equal(table.find(Buffer.from('t1'), 0, 2), -1);
  });
});

describe('the quick way', () => {
  it('answers and archives as the ordinary way does, duplicates, gaps and all', () => {
    for (const clock of ['wall', 'feed'] as const) {
      const random = createRandom(4);
      const [quick, ordinary] = [door(clock), door(clock)];
      const next = counter();
      const sent: Buffer[] = [];
      for (let n = 0; n < 600; n++) {
        const bytes =
          sent.length > 0 && random.unit() < 0.2
            ? sent[random.integer(sent.length)]!
            : randomMessage(random, next);
        sent.push(bytes);
        const request = reference(bytes)!;
        const nowMs = NOW + n * 20;
        const taken = quick.intake.take(
          SENDER,
          readMessage('Publish', bytes, quick.intake.namesOf(SENDER)),
          nowMs,
        );
        const expected = ordinary.intake.take(SENDER, asItems(request), nowMs);
        assert.deepEqual(taken.runs, expected.runs);
        assert.deepEqual(sorted(taken.gaps), sorted(expected.gaps));
        assert.equal(taken.moreGaps, expected.moreGaps);
        assert.deepEqual(taken.counts, expected.counts);
        assert.equal(taken.size, expected.size);
        assert.deepEqual(taken.quarantined, expected.quarantined);
        assert.deepEqual(flat(taken.blocks), flat(expected.blocks));
        assert.deepEqual(flat(readBack(taken.blocks)), flat(taken.blocks));
        if (n % 100 === 99) {
          for (const { dedup } of [quick, ordinary]) void [...dedup.forget(() => NOW - 6_000)];
        }
      }
      assert.deepEqual(quick.dedup.state(), ordinary.dedup.state());
    }
  });

  it('says of each sensor in a block by which number it goes, whatever boots stand between', () => {
    const numbers = new SensorNumbers();
    numbers.of('somebody else');
    const { intake } = door('wall', numbers);
    const random = createRandom(8);
    const next = counter();
    let sensors = 0;
    for (let n = 0; n < 400; n++) {
      const bytes = randomMessage(random, next);
      const { blocks } = intake.take(SENDER, readMessage('Publish', bytes, intake.namesOf(SENDER)), NOW);
      for (const block of blocks) {
        if (block.kind !== 'runs') continue;
        for (const name of new Set(block.sensors)) {
          assert.equal(block.numbers![name], numbers.of(block.names[name]!));
          sensors += 1;
        }
      }
    }
    assert.ok(sensors > 50, `${sensors} sensors`);
    assert.equal(numbers.of('the next'), 1 + SENSORS.length);
  });

  it('sees at once that a sensor was described anew', () => {
    const sensor = { ...SENSOR, high: 100 };
    let revision = 0;
    const intake = createIntake({
      dedup: new Dedup(),
      sensorOf: () => sensor,
      revision: () => revision,
      clockOf: () => 'wall',
      limits: INGEST_LIMITS,
    });
    const send = (sequence: number): unknown => {
      const items = [{ reading: { sensor: 'a', sequence, observedAtMs: NOW, value: 80 } }];
      const bytes = IngestService.service.Publish.requestSerialize({ items });
      return intake.take(SENDER, readMessage('Publish', bytes, intake.namesOf(SENDER)), NOW).runs[0]!.verdict;
    };
    assert.equal(send(1), 'new');
    sensor.high = 50;
    revision += 1;
    assert.equal(send(2), 'RANGE');
  });
});

const sorted = (gaps: readonly Gap[]): Gap[] =>
  [...gaps].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));

const SENSOR: Sensor = {
  id: 'city/gasworks/a',
  ...SENDER,
  site: 'tower',
  channel: 'methane',
  unit: '%LEL',
  low: 0,
  high: 100,
  position: null,
};

function door(clock: 'wall' | 'feed', numbers = new SensorNumbers()): { intake: Intake; dedup: Dedup } {
  const dedup = new Dedup();
  const intake = createIntake({
    dedup,
    sensorOf: (_, name) => (SENSORS.includes(name) ? { ...SENSOR, id: `city/gasworks/${name}` } : undefined),
    revision: () => 0,
    clockOf: () => clock,
    limits: INGEST_LIMITS,
    numbers,
  });
  return { intake, dedup };
}

const asItems = ({ sequence, sentAtMs, items }: PublishRequest__Output): Message => ({
  kind: 'items',
  sequence: Number(sequence),
  size: items.length,
  sentAtMs: Number(sentAtMs),
  items,
});

/** One entry a reading, so that it does not matter how readings are cut into blocks. */
const flat = (blocks: readonly StoredBlock[]): unknown[] =>
  blocks
    .flatMap((block): Block[] => (block.kind === 'runs' ? [...apart(block)] : [block]))
    .flatMap((block): unknown[] =>
      block.kind === 'readings'
        ? Array.from(block.values, (value, n) => ({
            ...block,
            firstSequence: block.firstSequence === 0 ? 0 : block.firstSequence + n,
            atMs: block.atMs[n],
            values: value,
            flags: block.flags[n],
          }))
        : [block],
    );

function readBack(blocks: readonly StoredBlock[]): Block[] {
  const writer = new FrameWriter();
  for (const block of blocks) writer.add(block);
  return readFrame(writer.finish());
}
