import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { runConformance } from '../../vendor/conformance/run.ts';
import type { ConformanceReport } from '../../vendor/conformance/run.ts';
import { startMockServer } from '../../vendor/mock/server.ts';
import { openDoor, OTHER_VENDOR_KEY, VENDOR_KEY } from '../support/door.ts';

const failures = ({ outcomes }: ConformanceReport): string[] =>
  outcomes.filter(({ status }) => status === 'failed').map(({ name, came }) => `${name}: ${came}`);

describe('the conformance checks', () => {
  it('pass against the server of this project, and leave a retired sensor behind', async () => {
    const door = await openDoor();
    const report = await runConformance({
      address: door.address,
      key: VENDOR_KEY,
      otherKey: OTHER_VENDOR_KEY,
      site: 'tower',
    });
    const left = (await door.stores.sites.sensors()).filter(({ channel }) => channel === 'conformance');
    await door.stop();
    assert.deepEqual(failures(report), []);
    assert.deepEqual(
      report.outcomes.filter(({ status }) => status === 'skipped').map(({ name }) => name),
      ['ack-survives-restart'],
    );
    assert.deepEqual(
      left.map(({ retired }) => retired),
      ['vendor'],
    );
  });

  it('pass against the mock server while it is honest', async () => {
    const server = await startMockServer({ keys: ['one', 'two'] });
    const report = await runConformance({
      address: server.address,
      key: 'one',
      otherKey: 'two',
      site: 'tower',
      restart: async () => undefined,
    });
    await server.stop();
    assert.deepEqual(failures(report), []);
    assert.equal(report.skipped, 0);
  });
});
