import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { afterEach, describe, it } from 'node:test';
import { readRecording } from '../../../bin/detect/packets.ts';
import { disturb } from '../../../domain/detect/seismic/disturb.ts';
import { createNetwork } from '../../../domain/detect/seismic/network.ts';
import type { Packet } from '../../../domain/detect/seismic/network.ts';
import type { ReadingsEvidence } from '../../../domain/evidence.ts';
import type { Position } from '../../../domain/units.ts';
import type { Item } from '../../../proto/gen/tocsin/v1/Item.ts';
import { VendorClient } from '../../../vendor/index.ts';
import { activate, bulletin, openDoor, VENDOR_KEY } from '../../support/door.ts';
import type { Door } from '../../support/door.ts';
import { riverside } from '../../support/plans.ts';
import { POSITIONS, record } from '../../support/shaking.ts';
import { shakingPlan } from '../../support/shaking-plan.ts';

const OPENEEW = '../shared/data/openeew';
const feed = { clockOf: () => 'feed' as const, refreshEveryMs: 50 };
const CHANNELS = ['east', 'north', 'up'];
/** Milliseconds, as the wire has them. */
const msOf = (seconds: number): number => Math.round(seconds * 1_000);

/** The axes of a packet as waveforms of three sensors, numbered by what each device has sent so far. */
function waveforms() {
  const sent = new Map<string, number>();
  return ({ device, deviceSeconds, rateHz, axes }: Packet): Item[] => {
    const count = axes[0]!.length;
    const firstSequence = (sent.get(device) ?? 0) + 1;
    sent.set(device, firstSequence + count - 1);
    const startedAtMs = msOf(deviceSeconds - (count - 1) / rateHz);
    return axes.map((axis, n) => ({
      waveform: {
        sensor: `${device}/${CHANNELS[n]}`,
        boot: 'b1',
        firstSequence,
        startedAtMs,
        rateHz,
        samples: Array.from(axis),
      },
    }));
  };
}

const opened: Door[] = [];
afterEach(async () => {
  for (const door of opened.splice(0)) await door.stop();
});

async function openNetwork(positions: ReadonlyMap<string, Position>, before?: Door): Promise<Door> {
  const behind = before && { stores: before.stores, ingest: before.ingest, incidents: before.incidents };
  const door = await openDoor({ ...feed, ...behind });
  opened.push(door);
  if (before !== undefined) return door;
  await door.stores.sites.putPlace({ ...riverside, id: 'capital', latitudeDeg: 9.93, longitudeDeg: -84.08 });
  await door.stores.sites.putPlace({ ...riverside, id: 'coast', latitudeDeg: 15.86, longitudeDeg: -97.07 });
  await activate(door.stores, shakingPlan);
  const client = new VendorClient({ address: door.address, key: VENDOR_KEY });
  await client.describe(
    [...positions].flatMap(([device, position]) =>
      CHANNELS.map((channel) => ({
        ...{ sensor: `${device}/${channel}`, site: 'tower', channel, unit: 'Gal' },
        ...{ low: -5_000, high: 5_000, position, samplingHz: 31.25 },
      })),
    ),
  );
  client.close();
  // Detection reads plans and places now and then, and at its start: from here on it knows all.
  await door.stop();
  return openNetwork(positions, door);
}

/** Sends every packet as a message of its own at the time of its arrival, and waits until all are relayed. */
async function send(door: Door, packets: readonly Packet[], itemsOf = waveforms()): Promise<void> {
  const client = new VendorClient({ address: door.address, key: VENDOR_KEY });
  try {
    const answers: Promise<unknown>[] = [];
    for (const packet of packets) {
      await client.room();
      answers.push(client.publish(itemsOf(packet), msOf(packet.arrivalSeconds)));
    }
    await Promise.all(answers);
  } finally {
    client.close();
  }
  const seen = await door.status({ relayedThrough: Number.MAX_SAFE_INTEGER, waitMs: 60_000 });
  assert.equal(seen.relayedThrough, seen.archivedThrough, 'the relay did not drain');
}

const offline = (packets: readonly Packet[], positions: ReadonlyMap<string, Position>) => {
  const network = createNetwork(positions);
  const alerts = packets.flatMap((packet) => network.take(packet) ?? []);
  return { network, alerts };
};

const evidenceOf = ({ incidents }: Door): ReadingsEvidence[] =>
  [...incidents.evidence.values()]
    .flatMap((items) => [...items.values()])
    .filter((item) => item.kind === 'readings');

const CALM = { lost: 0, delayed: 0, delaySeconds: 0, noisyStations: 0, wrongClocks: 0, seed: 1 };

describe('a plan that listens to a seismic network', () => {
  it('opens one incident with the packet that completes the alert, and says which stations and when', async () => {
    const door = await openNetwork(POSITIONS);
    const packets = record();
    await send(door, packets);
    const { alerts } = offline(packets, POSITIONS);
    const starts = door.incidents.log.filter((line) => line.startsWith('start'));
    assert.equal(starts.length, 1);
    assert.match(starts[0]!, /^start incident\/city\/earthquake\/capital\//);
    const [begun, ended] = evidenceOf(door);
    assert.ok(Math.abs(begun!.atMs - alerts[0]!.atSeconds * 1_000) <= 1_100, 'within a packet');
    assert.deepEqual([begun!.holds, begun!.site, begun!.leaf], [true, 'capital', 'detect.of.0']);
    assert.deepEqual(
      begun!.sensors.map(({ sensor }) => sensor.split('/')[2]).sort(),
      alerts[0]!.origin.arrivals.map(({ station }) => station).sort(),
    );
    for (const { sinceMs, value } of begun!.sensors) {
      assert.ok(sinceMs! <= begun!.atMs && value > 0);
    }
    assert.equal(begun!.network!.stations, begun!.sensors.length);
    assert.deepEqual(begun!.network!.clocksNotBelieved, []);
    assert.equal(ended, undefined, 'the record ends while it shakes');
  });

  it('is silent while there is nothing but noise', async () => {
    const door = await openNetwork(POSITIONS);
    await send(door, record({ quake: false }));
    assert.deepEqual(door.incidents.log, []);
    assert.deepEqual(await door.ingest.asides.list('doubt'), []);
  });

  it('goes on after a restart as if there had been none, and what is sent twice changes nothing', async () => {
    const { packets } = disturb(record(), { ...CALM, lost: 0.03, delayed: 0.05, delaySeconds: 2 });
    const calm = await openNetwork(POSITIONS);
    await send(calm, packets);
    let door = await openNetwork(POSITIONS);
    const itemsOf = waveforms();
    const stops = [0, 400, 930, 975, packets.length];
    for (const [n, from] of stops.slice(0, -1).entries()) {
      await send(door, packets.slice(from, stops[n + 1]), itemsOf);
      await door.stop();
      door = await openNetwork(POSITIONS, door);
    }
    await send(door, packets.slice(0, 400));
    assert.ok(calm.incidents.log.length > 0);
    assert.deepEqual(door.incidents.log, calm.incidents.log);
    assert.deepEqual(evidenceOf(door), evidenceOf(calm));
  });

  it('does not believe a clock that cannot be right, names it in the evidence, and records the doubt', async () => {
    const aheadBySeconds: Readonly<Record<string, number>> = { s1: 90, s6: -60 };
    const wrong = Object.keys(aheadBySeconds);
    const packets = record().map((packet) => ({
      ...packet,
      deviceSeconds: packet.deviceSeconds + (aheadBySeconds[packet.device] ?? 0),
    }));
    const door = await openNetwork(POSITIONS);
    await send(door, packets);
    const [begun] = evidenceOf(door);
    const named = begun!.network!.clocksNotBelieved;
    assert.deepEqual(named.map(({ sensor }) => sensor.split('/')[2]).sort(), wrong);
    assert.match(named[0]!.reason, /clock is (ahead|behind)/);
    const doubts = (await door.ingest.asides.list('doubt')).filter(({ reason }) => reason === 'clock');
    assert.deepEqual(doubts.map(({ about }) => about.split('/')[2]).sort(), wrong);
  });

  it('joins the notice of the same earthquake to the incident that its own alert opened', async () => {
    const door = await openNetwork(POSITIONS);
    await send(door, record());
    const { origin } = offline(record(), POSITIONS).network.latest()!;
    const notice = bulletin('same', {
      observedAtMs: msOf(origin.originSeconds),
      position: { latitudeDeg: 9.95, longitudeDeg: -84.3 },
      fields: { magnitude: { number: 5.6 }, depthKm: { number: 10 } },
    });
    await door.publishOnce([notice], { sentAtMs: msOf(origin.originSeconds + 240) });
    await door.status({ relayedThrough: Number.MAX_SAFE_INTEGER, waitMs: 10_000 });
    assert.deepEqual(
      door.incidents.log.map((line) => line.split(' ')[0]),
      ['start', 'join'],
    );
  });

  it(
    'gives the alert of the M7.4 record when the command line does, and none in the quiet before',
    { skip: existsSync(OPENEEW) ? false : `${OPENEEW} is not there` },
    async () => {
      const { packets, positions } = await readRecording(OPENEEW);
      const { alerts } = offline(packets, positions);
      const door = await openNetwork(positions);
      await send(door, packets);
      const [begun, ...rest] = evidenceOf(door);
      assert.equal(door.incidents.log.length, 1);
      assert.equal(alerts.length, 1);
      assert.ok(Math.abs(begun!.atMs - alerts[0]!.atSeconds * 1_000) <= 1_100, 'within a packet');
      assert.deepEqual(rest, []);
    },
  );
});
