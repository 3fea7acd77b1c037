import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { createSensorHealthReader } from '../../../api/ingest/sensor-health.ts';
import type { ReadingsEvidence } from '../../../domain/evidence.ts';
import { readFrame } from '../../../api/ingest/frame.ts';
import { createFakeStores } from '../../../models/fake-stores.ts';
import type { SensorDescription } from '../../../proto/gen/tocsin/v1/SensorDescription.ts';
import { activate, fillStores, openDoor, probe } from '../../support/door.ts';
import type { Door, DoorOptions } from '../../support/door.ts';
import { gasPlan, T0 } from '../../support/plans.ts';

const feed = { clockOf: () => 'feed' as const, refreshEveryMs: 20 };
const SECOND = 1_000;

/** A plan that opens an incident when one sensor of a channel is at 10 for 2 s, and nothing else. */
const wary = (channel: string, unit: string, threshold = 10, forMs = 2 * SECOND): typeof gasPlan =>
  ({
    ...gasPlan,
    channels: { methane: '%LEL', [channel]: unit },
    detect: { ...gasPlan.detect, channel, unit, threshold, onSensors: 1, forMs },
  }) as typeof gasPlan;

const doors: Door[] = [];
afterEach(() => Promise.all(doors.splice(0).map((door) => door.stop())));

async function openWith(
  plan: typeof gasPlan,
  sensors: SensorDescription[],
  options: DoorOptions = feed,
): Promise<Door> {
  const stores = createFakeStores();
  await fillStores(stores);
  await activate(stores, plan);
  const door = await openDoor({ stores, ...options });
  doors.push(door);
  await door.describe(sensors);
  await settled(100);
  return door;
}

const settled = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Sends values a second apart from a second on, each message when its last reading was observed. */
async function send(
  door: Door,
  values: readonly number[],
  { fromSecond = 1, sensor = 'probe', aheadMs = 0, unit = '', parts = 1 } = {},
): Promise<void> {
  const size = Math.ceil(values.length / parts);
  for (let from = 0; from < values.length; from += size) {
    const part = values.slice(from, from + size);
    const firstAtMs = T0 + (fromSecond + from) * SECOND;
    await door.publishOnce(
      [
        {
          columns: {
            sensor,
            boot: 'b',
            firstSequence: fromSecond + from,
            firstObservedAtMs: firstAtMs + aheadMs,
            intervalMs: SECOND,
            values: part,
            unit,
          },
        },
      ],
      { sentAtMs: firstAtMs + part.length * SECOND },
    );
  }
  const seen = await door.status({ relayedThrough: Number.MAX_SAFE_INTEGER, waitMs: 5_000 });
  assert.ok(Number(seen.relayedThrough) > 0);
  await settled(100);
}

const statusOf = async (door: Door, sensor = 'probe'): Promise<string | undefined> =>
  (await createSensorHealthReader(door.ingest.checkpoints).of('city', `city/gasworks/${sensor}`))?.status;

/** Health is reviewed and saved a few times a second: waits until what it says is this. */
async function becomes<T>(read: () => Promise<T>, expected: T): Promise<void> {
  const deadline = performance.now() + 20_000;
  let seen = await read();
  while (!isDeepStrictEqual(seen, expected) && performance.now() < deadline) {
    await settled(20);
    seen = await read();
  }
  assert.deepEqual(seen, expected);
}

const evidenceOf = (door: Door): ReadingsEvidence[] =>
  [...door.incidents.evidence.values()].flatMap((items) => [...items.values()] as ReadingsEvidence[]);

/** Always moving, around 1. */
const quiet = (count: number): number[] => Array.from({ length: count }, (_, n) => 1 + ((n * 7) % 11) / 10);

describe('the quality of readings', () => {
  it('keeps a lone spike from opening an incident, and lets a rise open one a reading later', async () => {
    const door = await openWith(wary('methane', '%LEL', 10, 0), [probe()]);
    await send(door, [...quiet(30), 60, ...quiet(10)]);
    assert.deepEqual(door.incidents.log, []);
    await send(door, [55, 60], { fromSecond: 42 });
    assert.deepEqual(door.incidents.log, ['start incident/city/gas-leak/tower/20260101T000043Z']);
  });

  it('records a stuck sensor as a doubt, and does not let it say that all is well', async () => {
    const plan = {
      ...wary('methane', '%LEL', 10, 0),
      evaluate: {
        ...gasPlan.evaluate,
        resolvedWhen: {
          when: 'below',
          channel: 'methane',
          unit: '%LEL',
          threshold: 10,
          forMs: 20 * SECOND,
          onSensors: 1,
        },
      },
    } as typeof gasPlan;
    const door = await openWith(plan, [probe()]);
    await send(door, [...quiet(200), 40, 41, 42, 41]);
    assert.equal(door.incidents.log.length, 1);
    await send(door, Array<number>(100).fill(5), { fromSecond: 205, parts: 10 });
    await becomes(() => statusOf(door), 'stuck');
    const doubts = await door.ingest.asides.list('doubt');
    assert.deepEqual(
      doubts.map(({ about, reason }) => [about, reason]),
      [['city/gasworks/probe', 'stuck']],
    );
    const cleared = evidenceOf(door).filter(({ leaf, holds }) => leaf === 'evaluate.resolvedWhen' && holds);
    // It did say so before anybody could know that it was stuck; then it was taken back.
    const last = evidenceOf(door)
      .filter(({ leaf }) => leaf === 'evaluate.resolvedWhen')
      .at(-1);
    assert.ok(cleared.length <= 1);
    assert.equal(last?.holds, false);
  });

  it('sees who falls silent by the feed’s own clock, and who speaks again', async () => {
    const door = await openWith(wary('methane', '%LEL'), [probe(), probe({ sensor: 'other' })]);
    await send(door, quiet(10));
    await becomes(() => statusOf(door), 'ok');
    await send(door, quiet(5), { sensor: 'other', fromSecond: 100 });
    await becomes(() => Promise.all([statusOf(door), statusOf(door, 'other')]), ['silent', 'ok']);
    await send(door, quiet(5), { fromSecond: 110 });
    await becomes(() => statusOf(door), 'ok');
  });

  it('gives plans the number of doubtful sensors as a channel', async () => {
    const door = await openWith(wary('doubtfulSensors', 'sensors', 1, 0), [
      probe(),
      probe({ sensor: 'other' }),
    ]);
    await send(door, quiet(10));
    await send(door, quiet(5), { sensor: 'other', fromSecond: 100 });
    for (let n = 0; n < 500 && door.incidents.log.length === 0; n++) await settled(20);
    assert.equal(door.incidents.log.length, 1);
    const [item] = evidenceOf(door);
    assert.deepEqual([item?.channel, item?.sensors[0]?.value], ['doubtfulSensors', 1]);
  });

  it('needs no clock but the wall’s for a sensor that says nothing more', async () => {
    let nowMs = Date.now();
    const door = await openWith(wary('methane', '%LEL'), [probe()], { refreshEveryMs: 20, now: () => nowMs });
    await door.publishOnce([
      { reading: { sensor: 'probe', boot: 'b', sequence: 1, observedAtMs: nowMs, value: 1 } },
    ]);
    await settled(150);
    await becomes(() => statusOf(door), 'ok');
    nowMs += 61_000;
    await settled(150);
    await becomes(() => statusOf(door), 'silent');
  });

  it('remembers across a restart', async () => {
    const door = await openWith(wary('methane', '%LEL'), [probe()]);
    await send(door, [...quiet(200), ...Array<number>(60).fill(5)], { parts: 5 });
    await becomes(() => statusOf(door), 'stuck');
    const { stores, ingest, incidents } = door;
    await door.stop();
    doors.length = 0;
    const again = await openDoor({ stores, ingest, incidents, ...feed });
    doors.push(again);
    await send(again, [5], { fromSecond: 261 });
    await becomes(() => statusOf(again), 'stuck');
  });
});

describe('units', () => {
  it('are converted to the registered unit of a reading, and from there to that of the plan', async () => {
    const door = await openWith(wary('methane', '%LEL'), [probe({ unit: 'ppm', high: 50_000 })]);
    // 1.1 % by volume is a quarter of the limit.
    await send(door, Array<number>(5).fill(1.1), { unit: 'vol%' });
    const frame = await door.ingest.frames.read(1);
    const [block] = readFrame(frame!.bytes);
    assert.ok(block?.kind === 'readings');
    assert.ok(Math.abs(block.values[0]! - 11_000) < 1e-6);
    const [item] = evidenceOf(door);
    assert.ok(Math.abs(item!.sensors[0]!.value - 25) < 1e-9);
    assert.equal(item!.unit, '%LEL');
  });

  it('that the channel cannot be measured in are refused, and nothing is registered', async () => {
    const door = await openWith(wary('methane', '%LEL'), [probe()]);
    await assert.rejects(
      door.describe([probe({ sensor: 'one' }), probe({ sensor: 'two', unit: 'Pa' })]),
      (error: Error) => /INVALID_ARGUMENT/.test(error.message),
    );
    assert.deepEqual(
      (await door.stores.sites.sensors()).filter(({ id }) => /one|two/.test(id)),
      [],
    );
    // No plan measures it: any unit will do.
    await door.describe([probe({ sensor: 'three', channel: 'soup', unit: 'spoons' })]);
  });
});

describe('the time of evidence', () => {
  it('is corrected for a clock that is off, with the device’s own time next to it', async () => {
    const door = await openWith(wary('methane', '%LEL'), [probe()]);
    await send(door, quiet(20), { aheadMs: 90_000, parts: 20 });
    await becomes(() => statusOf(door), 'skewed');
    await send(door, [40, 41, 42, 43, 44], { fromSecond: 21, aheadMs: 90_000, parts: 5 });
    const [item] = evidenceOf(door);
    assert.equal(item!.observedAtMs! - item!.atMs, 89_000, 'the newest reading was sent a second after it');
    assert.ok(item!.atMs - T0 < 30 * SECOND, 'in the time of the server');
  });
});
