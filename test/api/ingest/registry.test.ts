import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRegistry } from '../../../api/ingest/registry.ts';
import type { Registry } from '../../../api/ingest/registry.ts';
import type { Sensor, SiteStore } from '../../../domain/ports.ts';
import { createFakeStores } from '../../../models/fake-stores.ts';
import type { DescribeRequest__Output } from '../../../proto/gen/tocsin/v1/DescribeRequest.ts';
import { TOWER } from '../http/hualien.ts';

const SENDER = { tenant: 'city', vendor: 'gasworks' };

const sensor = (name: string, rest: Partial<Sensor> = {}): Sensor => ({
  id: `city/gasworks/${name}`,
  ...SENDER,
  site: TOWER.id,
  channel: 'methane',
  unit: '%LEL',
  low: 0,
  high: 100,
  position: null,
  ...rest,
});

const described = (
  ...sensors: { readonly sensor: string; readonly high: number }[]
): DescribeRequest__Output =>
  ({
    sensors: sensors.map((one) => ({
      site: TOWER.id,
      channel: 'methane',
      unit: '%LEL',
      low: 0,
      position: null,
      samplingHz: 0,
      clockQuality: 'CLOCK_QUALITY_UNSPECIFIED',
      retired: false,
      ...one,
    })),
  }) as unknown as DescribeRequest__Output;

async function openRegistry(
  changed: (sites: SiteStore) => Partial<SiteStore> = () => ({}),
): Promise<{ registry: Registry; sites: SiteStore }> {
  const { plans, sites } = createFakeStores();
  await sites.putPlace(TOWER);
  const registry = createRegistry({
    sites: { ...sites, ...changed(sites) },
    plans,
    log: { info: () => {} },
  });
  return { registry, sites };
}

describe('the register of sensors', () => {
  it('learns what others put in and retire, in the order of ids', async () => {
    const { registry, sites } = await openRegistry();
    await sites.putSensor(sensor('b'));
    await sites.putSensor(sensor('a'));
    await registry.refresh();
    assert.deepEqual(registry.all(), [sensor('a'), sensor('b')]);
    await sites.putSensor(sensor('a', { retired: 'operator' }));
    await sites.putSensor(sensor('c'));
    await registry.refresh();
    assert.deepEqual(registry.all(), [sensor('a', { retired: 'operator' }), sensor('b'), sensor('c')]);
    assert.equal(registry.of(SENDER, 'a'), undefined);
    assert.deepEqual(registry.of(SENDER, 'c'), sensor('c'));
  });

  it('builds nothing anew, and writes nothing, while nothing changes', async () => {
    let written = 0;
    const { registry } = await openRegistry((sites) => ({
      putSensor: async (one) => {
        written += 1;
        await sites.putSensor(one);
      },
    }));
    await registry.describe(SENDER, described({ sensor: 'a', high: 100 }, { sensor: 'b', high: 100 }));
    const all = registry.all();
    const revision = registry.revision();
    await registry.refresh();
    await registry.describe(SENDER, described({ sensor: 'a', high: 100 }, { sensor: 'b', high: 100 }));
    await registry.refresh();
    assert.equal(registry.revision(), revision);
    assert.equal(registry.all(), all);
    assert.equal(written, 2);
    await registry.describe(SENDER, described({ sensor: 'a', high: 50 }));
    assert.ok(registry.revision() > revision);
    assert.deepEqual(registry.all(), [sensor('a', { high: 50 }), sensor('b')]);
  });

  it('lets others go between any hundred of ten thousand sensors', async () => {
    const { registry, sites } = await openRegistry();
    for (let n = 0; n < 10_000; n += 1) await sites.putSensor(sensor(String(n)));
    const known: number[] = [];
    let isReading = true;
    const look = (): void => {
      known.push(registry.revision());
      if (isReading) setImmediate(look);
    };
    look();
    await registry.refresh();
    isReading = false;
    known.push(registry.revision());
    const steps = known.slice(1).map((revision, n) => revision - known[n]!);
    assert.ok(Math.max(...steps) <= 100, steps.join());
    assert.equal(registry.all().length, 10_000);
  });

  it('is not talked out of what was just described by a reading that began before', async () => {
    let go = (): void => {};
    const late = new Promise<void>((resolve) => (go = resolve));
    const { registry, sites } = await openRegistry((store) => ({
      async *sensorsInParts() {
        const asItWas = await store.sensors();
        await late;
        yield asItWas;
      },
    }));
    await sites.putSensor(sensor('a'));
    await sites.putSensor(sensor('b'));
    const refreshed = registry.refresh();
    await new Promise(setImmediate);
    await registry.describe(SENDER, described({ sensor: 'a', high: 50 }));
    assert.equal(registry.of(SENDER, 'a')?.high, 50);
    go();
    await refreshed;
    assert.deepEqual(registry.all(), [sensor('a', { high: 50 }), sensor('b')]);
    await sites.putSensor(sensor('a', { retired: 'operator' }));
    await registry.refresh();
    assert.equal(registry.of(SENDER, 'a'), undefined);
  });

  it('leaves retired what an operator has retired since the store was read', async () => {
    const { registry, sites } = await openRegistry();
    await registry.describe(SENDER, described({ sensor: 'a', high: 100 }));
    const known = (await sites.sensors())[0]!;
    await sites.putSensor({ ...known, retired: 'operator' });
    await registry.describe(SENDER, described({ sensor: 'a', high: 50 }));
    assert.deepEqual(await sites.sensor(known.id), { ...known, high: 50, retired: 'operator' });
    assert.equal(registry.of(SENDER, 'a'), undefined);
  });

  it('is read once at a time, and again after a reading failed', async () => {
    let readings = 0;
    const { registry, sites } = await openRegistry((store) => ({
      async *sensorsInParts() {
        readings += 1;
        if (readings === 1) throw new Error('store away');
        yield* store.sensorsInParts();
      },
    }));
    await sites.putSensor(sensor('a'));
    const failures = await Promise.allSettled([registry.refresh(), registry.refresh()]);
    assert.deepEqual(
      failures.map(({ status }) => status),
      ['rejected', 'rejected'],
    );
    assert.equal(readings, 1);
    await registry.refresh();
    assert.deepEqual(registry.all(), [sensor('a')]);
  });
});
