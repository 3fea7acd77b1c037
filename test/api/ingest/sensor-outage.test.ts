import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { createSensorHealthReader } from '../../../api/ingest/sensor-health.ts';
import type { SensorHealth } from '../../../domain/ingest/health.ts';
import { createFakeStores } from '../../../models/fake-stores.ts';
import { sensorOutage } from '../../../plans/index.ts';
import { activate, fillStores, openDoor, probe } from '../../support/door.ts';
import type { Door } from '../../support/door.ts';
import { eventually } from '../../support/eventually.ts';
import { T0 } from '../../support/plans.ts';

const SECOND = 1_000;
/** Speaks all the time, so that the feed's clock goes on. */
const beacon = probe({ sensor: 'beacon', samplingHz: 0.02 });

const WITHIN_MS = 20_000;

const doors: Door[] = [];
afterEach(() => Promise.all(doors.splice(0).map((door) => door.stop())));

async function opened(): Promise<Door> {
  const stores = createFakeStores();
  await fillStores(stores);
  await activate(stores, sensorOutage);
  const door = await openDoor({ stores, clockOf: () => 'feed', refreshEveryMs: 20 });
  doors.push(door);
  await door.describe([probe(), beacon]);
  // Detection hears of new sensors a little later than the door.
  let early = -10_000;
  const areHeard = async (): Promise<boolean> => {
    await speak(door, ['probe', 'beacon'], (early += 30), early + 30, 'early');
    return (await health(door)).length === 2;
  };
  await eventually('the sensors are heard', areHeard, WITHIN_MS);
  return door;
}

/** A reading each half minute of the feed; what came of it is known before the next. */
async function speak(
  door: Door,
  sensors: readonly string[],
  fromS: number,
  toS: number,
  boot = 'b',
): Promise<string[]> {
  const answers: string[] = [];
  for (let atS = fromS; atS < toS; atS += 30) {
    const observedAtMs = T0 + atS * SECOND;
    const { result } = await door.publishOnce(
      sensors.map((sensor) => ({
        reading: {
          sensor,
          boot,
          sequence: 1_000 + Math.round(atS / 30),
          observedAtMs,
          value: 2 + ((atS / 30) % 7) / 10,
        },
      })),
      { sentAtMs: observedAtMs },
    );
    for (const { disposition, reason } of result?.items ?? []) {
      answers.push(disposition === 'DISPOSITION_QUARANTINED' ? reason : disposition);
    }
    await door.status({ relayedThrough: Number.MAX_SAFE_INTEGER, waitMs: 30 });
  }
  return [...new Set(answers)];
}

const health = (door: Door): Promise<SensorHealth[]> =>
  createSensorHealthReader(door.ingest.checkpoints).all('city');

const doubtful = async (door: Door): Promise<string[]> =>
  (await health(door)).filter(({ status }) => status === 'silent').map(({ sensor }) => sensor);

describe('sensors that fall silent', () => {
  it('open an incident of their own after ten minutes, and none when they come back before', async () => {
    const door = await opened();
    await speak(door, ['probe', 'beacon'], 0, 60);
    await speak(door, ['beacon'], 60, 8 * 60);
    await speak(door, ['probe', 'beacon'], 8 * 60, 9 * 60);
    await speak(door, ['beacon'], 9 * 60, 18 * 60);
    assert.deepEqual(door.incidents.log, []);
    await speak(door, ['beacon'], 18 * 60, 22 * 60);
    await eventually('somebody is told', () => door.incidents.log.length > 0, WITHIN_MS);
    assert.equal(door.incidents.log.length, 1);
    assert.match(door.incidents.log[0]!, /^start incident\/city\/sensor-outage\/tower\//);
  });

  it('alarm nobody when their vendor retired them, send nothing, and come back when described anew', async () => {
    const door = await opened();
    await speak(door, ['probe', 'beacon'], 0, 60);
    await speak(door, ['beacon'], 60, 300);
    await eventually('the probe is silent', async () => (await doubtful(door)).length === 1, WITHIN_MS);
    await door.describe([probe({ retired: true })]);
    await eventually('it is in doubt no more', async () => (await doubtful(door)).length === 0, WITHIN_MS);
    assert.deepEqual(await speak(door, ['probe'], 300, 330), ['QUARANTINE_REASON_UNKNOWN_SENSOR']);
    await speak(door, ['beacon'], 300, 20 * 60);
    assert.deepEqual(door.incidents.log, []);
    await door.describe([probe()]);
    assert.deepEqual(await speak(door, ['probe'], 20 * 60, 20 * 60 + 30), ['DISPOSITION_ACCEPTED']);
  });

  it('stay retired when the operator retired them, whatever their vendor describes', async () => {
    const door = await opened();
    const id = 'city/gasworks/probe';
    const sensor = (await door.stores.sites.sensors()).find((one) => one.id === id)!;
    await door.stores.sites.putSensor({ ...sensor, retired: 'operator' });
    const isRefused = async (): Promise<boolean> =>
      (await speak(door, ['probe'], 0, 30)).includes('QUARANTINE_REASON_UNKNOWN_SENSOR');
    await eventually('it is refused', isRefused, WITHIN_MS);
    await door.describe([probe({ samplingHz: 2 })]);
    assert.equal(await isRefused(), true);
    const kept = (await door.stores.sites.sensors()).find((one) => one.id === id);
    assert.deepEqual([kept?.retired, kept?.samplingHz], ['operator', 2]);
  });
});
