import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, it } from 'node:test';
import { connectStore } from '../../models/connect.ts';
import { createStores } from '../../models/stores.ts';
import { startEmbeddedStore } from '../support/store.ts';
import type { TestStore } from '../support/store.ts';
import { tocsin } from './command-line.ts';

let store: TestStore;
const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'tocsin-sensors-'));

before(async () => (store = await startEmbeddedStore()));
after(async () => {
  await store.stop();
  fs.rmSync(directory, { recursive: true, force: true });
});

it('a sensor is taken out of service, and put back', async () => {
  const env = { MONGODB_URI: store.uri, TOCSIN_DATA: directory };
  const connected = await connectStore(store.uri, { dbName: 'tocsin' });
  try {
    const { sites } = createStores(connected.connection);
    const sensor = {
      id: 'demo/vendor-gas/riser',
      vendor: 'vendor-gas',
      tenant: 'demo',
      site: 'riverside-tower',
      channel: 'methane',
      unit: '%LEL',
      low: 0,
      high: 100,
      position: null,
    };
    await sites.putSensor(sensor);
    const retired = await tocsin(['sensor', 'retire', sensor.id, '--json'], env);
    assert.equal(retired.code, 0, retired.stderr);
    assert.deepEqual(JSON.parse(retired.stdout), { sensor: sensor.id, retired: true });
    assert.deepEqual(await sites.sensors(), [{ ...sensor, retired: 'operator' }]);
    const restored = await tocsin(['sensor', 'restore', sensor.id], env);
    assert.equal(restored.stdout, `${sensor.id} is in service`);
    assert.deepEqual(await sites.sensors(), [sensor]);
    const unknown = await tocsin(['sensor', 'retire', 'nobody', '--json'], env);
    assert.equal(unknown.code, 3);
  } finally {
    await connected.close();
  }
});
