import assert from 'node:assert/strict';
import { test } from 'node:test';
import { distanceKm } from '../../../../domain/detect/geo.ts';
import { coincidentEvents } from '../../../../domain/detect/seismic/coincidence.ts';
import { disturb } from '../../../../domain/detect/seismic/disturb.ts';
import { createNetwork } from '../../../../domain/detect/seismic/network.ts';
import { networkParameters } from '../../../../domain/detect/seismic/network-parameters.ts';
import type { Packet } from '../../../../domain/detect/seismic/network.ts';
import { createStation } from '../../../../domain/detect/seismic/station.ts';
import { createRandom } from '../../../../domain/random.ts';
import { EPICENTRE, ORIGIN_SECONDS, POSITIONS, RATE_HZ, record, SECOND_P } from '../../../support/shaking.ts';

function replay(packets: readonly Packet[]) {
  const network = createNetwork(POSITIONS);
  const alerts = packets.flatMap((packet) => network.take(packet) ?? []);
  return { network, alerts };
}

const CALM = { lost: 0, delayed: 0, delaySeconds: 0, noisyStations: 0, wrongClocks: 0, seed: 1 };

test('an earthquake is one alert, within two seconds of the second P wave, near its place', () => {
  const { alerts, network } = replay(record());
  assert.equal(alerts.length, 1);
  const [alert] = alerts;
  const after = alert!.atSeconds - SECOND_P;
  assert.ok(after >= 0 && after <= 2, `${after} s after the second P`);
  assert.ok(alert!.origin.arrivals.length >= 2);
  const { origin } = network.latest()!;
  assert.ok(origin.arrivals.length >= 6, `${origin.arrivals.length} stations joined`);
  assert.ok(distanceKm(origin.position, EPICENTRE) < 30, JSON.stringify(origin.position));
  assert.ok(Math.abs(origin.originSeconds - ORIGIN_SECONDS) < 4);
});

test('noise alone is no alert, neither are two stations that shake by themselves', () => {
  for (const seed of [1, 2, 3]) {
    const packets = record({ quake: false, seed });
    assert.deepEqual(replay(packets).alerts, []);
    const spoilt = disturb(packets, { ...CALM, lost: 0.05, noisyStations: 2, seed });
    assert.equal(spoilt.noisy.length, 2);
    assert.deepEqual(replay(spoilt.packets).alerts, [], `seed ${seed}, ${spoilt.noisy.join(' and ')} noisy`);
  }
});

test('the alert comes with packets lost and late and clocks wrong, which are named', () => {
  for (const seed of [1, 2, 3, 4]) {
    const spoilt = disturb(record(), {
      ...CALM,
      lost: 0.05,
      delayed: 0.1,
      delaySeconds: 3,
      wrongClocks: 3,
      seed,
    });
    const { alerts, network } = replay(spoilt.packets);
    assert.equal(alerts.length, 1, `seed ${seed}`);
    assert.ok(alerts[0]!.atSeconds - SECOND_P <= 5, `seed ${seed}: ${alerts[0]!.atSeconds - SECOND_P} s`);
    const doubted = network.stations().filter(({ clock }) => !clock.believed);
    assert.deepEqual(
      doubted.map(({ device }) => device).sort(),
      spoilt.wrongClocks.map(({ device }) => device).sort(),
    );
  }
});

test('a rehearsal with the same seed is the same rehearsal, with another seed another', () => {
  const packets = record();
  const spoil = (seed: number) =>
    disturb(packets, { lost: 0.1, delayed: 0.1, delaySeconds: 3, noisyStations: 1, wrongClocks: 1, seed });
  assert.deepEqual(spoil(5), spoil(5));
  assert.notDeepEqual(spoil(5).packets.length, spoil(6).packets.length);
});

test('packets of a device whose place nobody knows are left out', () => {
  const network = createNetwork(new Map());
  for (const packet of record().slice(0, 100)) assert.equal(network.take(packet), undefined);
  assert.deepEqual(network.stations(), []);
});

test('a station that gets its packets late and twice sees what it would have seen in order', () => {
  const blocks = record()
    .filter(({ device }) => device === 's4')
    .slice(0, 160)
    .map(({ deviceSeconds, rateHz, axes }) => ({ endSeconds: deviceSeconds, rateHz, axes }));
  const inOrder = createStation();
  for (const block of blocks) inOrder.take(block);
  const disordered = createStation();
  for (let i = 0; i < blocks.length; i += 4) {
    const [a, b, c, d] = blocks.slice(i, i + 4);
    for (const block of [a, c, b, b, d]) disordered.take(block!);
  }
  assert.ok(inOrder.trigger() !== undefined);
  assert.deepEqual(disordered.trigger(), inOrder.trigger());
  assert.equal(disordered.seenUntilSeconds(), inOrder.seenUntilSeconds());
});

test('a spike is no trigger', () => {
  const station = createStation();
  const random = createRandom(2);
  for (let k = 1; k <= 60; k++) {
    const axes = [0, 1, 2].map(() =>
      Array.from({ length: 32 }, (_, i) => 0.05 * random.normal() + (k % 10 === 9 && i === 7 ? 40 : 0)),
    );
    station.take({ endSeconds: k * 1.024, rateHz: RATE_HZ, axes });
  }
  assert.equal(station.trigger(), undefined);
});

test('overlapping triggers of enough channels are one event; each channel counts once', () => {
  const triggers = [
    { channel: 'a', onSeconds: 0, offSeconds: 4 },
    { channel: 'b', onSeconds: 1, offSeconds: 6 },
    { channel: 'a', onSeconds: 4.5, offSeconds: 5 },
    { channel: 'c', onSeconds: 5, offSeconds: 5.5 },
    { channel: 'a', onSeconds: 20, offSeconds: 21 },
    { channel: 'b', onSeconds: 22, offSeconds: 23 },
  ];
  assert.deepEqual(coincidentEvents(triggers, { minSum: 2 }), [
    { atSeconds: 0, durationSeconds: 6, channels: ['a', 'b', 'c'], sum: 3 },
  ]);
  const weight = (channel: string): number => (channel === 'a' ? 2 : 0.5);
  assert.equal(coincidentEvents(triggers, { minSum: 2, weight }).length, 2);
});

test('a network that is put aside and taken up again says what it would have said', () => {
  const packets = disturb(record(), {
    lost: 0.05,
    delayed: 0.1,
    delaySeconds: 3,
    noisyStations: 1,
    wrongClocks: 2,
    seed: 3,
  }).packets.map((packet) => ({ ...packet, axes: packet.axes.map((axis) => Float32Array.from(axis)) }));
  const whole = replay(packets);
  let network = createNetwork(POSITIONS);
  const alerts = packets.flatMap((packet, n) => {
    if (n % 97 === 0) {
      const state = JSON.parse(JSON.stringify(network.save())) as ReturnType<typeof network.save>;
      network = createNetwork(POSITIONS, { state });
    }
    return network.take(packet) ?? [];
  });
  assert.ok(alerts.length > 0);
  assert.deepEqual(alerts, whole.alerts);
  assert.deepEqual(network.latest(), whole.network.latest());
  assert.deepEqual(network.stations(), whole.network.stations());
});

test('more stations make a later alert, and parameters that contradict are refused', () => {
  const packets = record();
  const alertAt = (onStations: number): number => {
    const network = createNetwork(POSITIONS, { parameters: networkParameters({ onStations }) });
    return packets.flatMap((packet) => network.take(packet) ?? [])[0]!.atSeconds;
  };
  assert.ok(alertAt(4) > alertAt(2));
  for (const given of [{ lowHz: 12 }, { off: 6 }, { staSeconds: 20 }, { onStations: 1 }, { onSensors: 2 }]) {
    assert.throws(() => networkParameters(given), { code: 'DETECTOR_PARAMETER' }, JSON.stringify(given));
  }
});
