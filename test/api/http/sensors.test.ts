import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createSensorHealthWriter } from '../../../api/ingest/sensor-health.ts';
import { SensorMonitor } from '../../../domain/ingest/health.ts';
import type { Sensor } from '../../../domain/ports.ts';
import { startTestApi } from './world.ts';
import type { TestApi } from './world.ts';

const T0 = Date.UTC(2026, 0, 1);

const sensor = (name: string, tenant = 'demo'): Sensor => ({
  id: `${tenant}/gasworks/${name}`,
  vendor: 'gasworks',
  tenant,
  site: 'tower',
  channel: 'methane',
  unit: '%LEL',
  low: 0,
  high: 100,
  position: null,
  samplingHz: 1,
  clockQuality: 'network',
});

describe('the sensors of the API', () => {
  let api: TestApi;
  before(async () => {
    api = await startTestApi();
    const writer = createSensorHealthWriter(api.checkpoints);
    const spoken = sensor('a');
    const monitor = new SensorMonitor(spoken);
    monitor.take({
      atMs: [T0, T0 + 1_000],
      values: [1, 2],
      flags: 0,
      sentAtMs: T0 + 1_200,
      receivedAtMs: T0 + 1_300,
      isWaveform: false,
    });
    monitor.review(T0 + 120_000);
    for (const one of [spoken, sensor('b'), sensor('c', 'elsewhere')]) await api.stores.sites.putSensor(one);
    await writer.write('demo', [monitor.health()], T0);
  });
  after(() => api.stop());

  const listed = async (query = ''): Promise<[id: string, status: string][]> => {
    const { status, body } = await api.call('get', `/v1/sensors${query}`, { as: 'viewer' });
    assert.equal(status, 200);
    return (body['items'] as { id: string; health: { status: string } }[]).map(({ id, health }) => [
      id,
      health.status,
    ]);
  };

  it('are listed with how far each can be relied on, the own tenant only', async () => {
    assert.deepEqual(await listed(), [
      ['demo/gasworks/a', 'silent'],
      ['demo/gasworks/b', 'unheard'],
    ]);
    assert.deepEqual(await listed('?doubtful=true'), [['demo/gasworks/a', 'silent']]);
    assert.deepEqual(await listed('?doubtful=false'), [['demo/gasworks/b', 'unheard']]);
  });

  it('show their health one by one', async () => {
    const { body } = await api.call('get', '/v1/sensors/demo%2Fgasworks%2Fa', { as: 'viewer' });
    assert.deepEqual(body['health'], {
      status: 'silent',
      sinceMs: T0 + 120_000,
      lastObservedAtMs: T0 + 1_000,
      lastReceivedAtMs: T0 + 1_300,
      lastValue: 2,
      readings: 2,
      missing: 0,
      disordered: 0,
      spikes: 0,
      late: 0,
      skewed: 0,
      clock: { offsetMs: 0, spreadMs: 0, messages: 1 },
      correctedByMs: 0,
    });
    const unknown = await api.call('get', '/v1/sensors/elsewhere%2Fgasworks%2Fc', { as: 'viewer' });
    assert.equal(unknown.status, 404);
  });
});
