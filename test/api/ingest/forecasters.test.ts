import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { TocsinError } from '../../../domain/errors.ts';
import { encodeForecaster } from '../../../domain/forecast/artefact.ts';
import type { RegisteredForecaster } from '../../../domain/forecast/trained.ts';
import type { ReadingsEvidence } from '../../../domain/evidence.ts';
import { expectedAtLeast, metres } from '../../../domain/plan/index.ts';
import type { PlanDocument } from '../../../domain/plan/document.ts';
import { activate, openDoor, reading } from '../../support/door.ts';
import type { Door } from '../../support/door.ts';
import { eventually } from '../../support/eventually.ts';
import { gasPlan, T0 } from '../../support/plans.ts';
import { registered, risingRiver } from '../../support/rising-river.ts';

const river: PlanDocument = {
  ...gasPlan,
  id: 'test-river',
  covers: { hazard: 'river-flood' },
  channels: { stage: 'm' },
  detect: expectedAtLeast({ channel: 'stage', unit: 'm' }, metres(4), {
    within: '30 minutes',
    probability: 0.9,
    forecaster: 'river',
  }),
};

const forecaster = registered('ar');
const opened: Door[] = [];
afterEach(async () => {
  for (const door of opened.splice(0)) await door.stop();
});

async function openRiver(before?: Pick<Door, 'stores' | 'ingest' | 'incidents'>): Promise<Door> {
  const behind = before && { stores: before.stores, ingest: before.ingest, incidents: before.incidents };
  const door = await openDoor({ clockOf: () => 'feed', refreshEveryMs: 20, ...behind });
  opened.push(door);
  return door;
}

/** A door whose sensor `a` tells the stage, with a plan that names the forecaster `river`. */
async function riverside(): Promise<Door> {
  const door = await openRiver();
  await tellStage(door);
  await activate(door.stores, river);
  return door;
}

async function tellStage({ stores }: Door): Promise<void> {
  const a = await stores.sites.sensor('city/gasworks/a');
  await stores.sites.putSensor({ ...a!, channel: 'stage', unit: 'm', low: -10, high: 100 });
}

async function register(
  { stores }: Door,
  change: Partial<RegisteredForecaster> = {},
  artefact = encodeForecaster(forecaster.forecaster),
): Promise<void> {
  const { name, hash, channel, unit, everyMs, steps } = { ...forecaster, ...change };
  const card = { name, channel, unit, everyMs, steps };
  await stores.forecasters.insert({ name, hash, artefact, card, atMs: 0 });
  await stores.forecasters.activate({ name, hash, by: 'test', reason: 'test', atMs: 0 });
}

/** Reads plans, sensors and forecasters as they are now: a new process does so at its start. */
async function restarted(door: Door): Promise<Door> {
  await door.stop();
  return openRiver(door);
}

async function flow(door: Door, from = 0, to = 420): Promise<void> {
  for (const [n, [atMs, value]] of risingRiver(7, T0).entries()) {
    if (n < from || n >= to) continue;
    await door.publishOnce([reading(n + 1, { observedAtMs: atMs, value, unit: 'm' })], { sentAtMs: atMs });
  }
  const seen = await door.status({ relayedThrough: Number.MAX_SAFE_INTEGER, waitMs: 30_000 });
  assert.equal(seen.relayedThrough, seen.archivedThrough, 'the relay did not drain');
}

const evidenceOf = ({ incidents }: Door): ReadingsEvidence[] =>
  [...incidents.evidence.values()]
    .flatMap((items) => [...items.values()])
    .filter((item) => item.kind === 'readings');

const doubtsOf = async ({ ingest }: Door): Promise<string[]> =>
  (await ingest.asides.list('doubt')).map(({ about, reason }) => `${about} ${reason}`);

describe('a plan that names a trained forecast', () => {
  it('is warned before the water is there; the evidence names the artefact and what it expected', async () => {
    let door = await riverside();
    await register(door);
    door = await restarted(door);
    await flow(door);
    const [begins] = evidenceOf(door);
    const reached = risingRiver(7, T0).find(([, value]) => value >= 4)![0];
    assert.ok(begins!.atMs < reached);
    assert.equal(begins!.forecast!.hash, forecaster.hash);
    assert.ok(begins!.forecast!.probability! >= 0.9);
    assert.deepEqual(await doubtsOf(door), []);
  });

  it('goes on after a restart as if there had been none', async () => {
    let calm = await riverside();
    await register(calm);
    calm = await restarted(calm);
    await flow(calm);
    let door = await riverside();
    await register(door);
    for (const [from, to] of [
      [0, 100],
      [100, 277],
      [277, 420],
    ]) {
      door = await restarted(door);
      await flow(door, from, to);
    }
    assert.ok(calm.incidents.log.length > 0);
    assert.deepEqual(door.incidents.log, calm.incidents.log);
    assert.deepEqual(evidenceOf(door), evidenceOf(calm));
  });

  it('is in doubt, on record, even when the first record could not be written', async () => {
    const before = await openRiver();
    await tellStage(before);
    await before.stop();
    let failures = 1;
    const { asides } = before.ingest;
    const put: typeof asides.put = (records) => {
      if (failures-- > 0) throw new TocsinError('BACKEND_UNAVAILABLE', 'away', { retryable: true });
      return asides.put(records);
    };
    const { stores, ingest, incidents } = before;
    const door = await openRiver({ stores, incidents, ingest: { ...ingest, asides: { ...asides, put } } });
    await activate(stores, river);
    await eventually('the doubt is on record', async () => (await doubtsOf(door)).length > 0);
    assert.equal(failures, -1);
  });

  for (const [what, reason, prepare] of [
    ['nobody registered it', 'forecaster-missing', async () => undefined],
    [
      'its bytes were altered',
      'forecaster-damaged',
      async (door: Door) => {
        const bytes = encodeForecaster(forecaster.forecaster);
        bytes[bytes.length - 3]! ^= 1;
        await register(door, {}, bytes);
      },
    ],
    [
      'its bytes were cut',
      'forecaster-damaged',
      (door: Door) => register(door, {}, encodeForecaster(forecaster.forecaster).slice(0, 100)),
    ],
    ['it was trained in another unit', 'forecaster-misfit', (door: Door) => register(door, { unit: 'km' })],
  ] as const) {
    it(`is watched all the same when ${what}: the sensor’s own past stands in, and a doubt says so`, async () => {
      let door = await riverside();
      await prepare(door);
      door = await restarted(door);
      await flow(door);
      const [begins] = evidenceOf(door);
      assert.ok(begins!.holds);
      assert.deepEqual(begins!.forecast, { name: 'river', hash: null, probability: null });
      assert.deepEqual(await doubtsOf(door), [`forecaster/river ${reason}`]);
    });
  }

  it('takes up a version that is activated while it runs', async () => {
    const door = await restarted(await riverside());
    await register(door);
    // Read again every 20 ms: well within the time that these readings take.
    await flow(door, 0, 200);
    await flow(door, 200);
    assert.equal(evidenceOf(door)[0]!.forecast!.hash, forecaster.hash);
  });
});
