import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { NetworkWatch } from '../../../domain/detect/watch-network.ts';
import type {
  AxisSensor,
  ClockDoubt,
  NetworkTurn,
  NetworkWatchState,
  WaveformReceived,
} from '../../../domain/detect/watch-network.ts';
import { createWatch } from '../../../domain/detect/watch.ts';
import type { Found } from '../../../domain/detect/watch.ts';
import type { Packet } from '../../../domain/detect/seismic/network.ts';
import type { NetworkCondition } from '../../../domain/plan/document.ts';
import { networkTriggers } from '../../../domain/plan/index.ts';
import type { NetworkTrigger } from '../../../domain/plan/conditions.ts';
import type { Sensor } from '../../../domain/ports.ts';
import { riverside } from '../../support/plans.ts';
import { EPICENTRE, POSITIONS, RATE_HZ, record } from '../../support/shaking.ts';
import { shakingPlan } from '../../support/shaking-plan.ts';

const CHANNELS = ['east', 'north', 'up'] as const;
const packets = record();

const axisSensors = (unit: { scale: number; offset: number } = { scale: 1, offset: 0 }): AxisSensor[] =>
  [...POSITIONS].flatMap(([device, position]) =>
    CHANNELS.map((channel) => ({
      ...{ id: `${device}/${channel}`, vendor: 'one', channel, position, ...unit },
    })),
  );

const blocksOf = ({ device, deviceSeconds, arrivalSeconds, rateHz, axes }: Packet): WaveformReceived[] =>
  axes.map((axis, n) => ({
    sensor: `${device}/${CHANNELS[n]}`,
    startedAtMs: (deviceSeconds - (axis.length - 1) / rateHz) * 1_000,
    rateHz,
    samples: Float32Array.from(axis),
    receivedAtMs: Math.round(arrivalSeconds * 1_000),
  }));

function listening(options: NetworkTrigger = {}, sensors = axisSensors(), state?: NetworkWatchState) {
  const channels = CHANNELS.map((channel) => ({ channel, unit: 'Gal' }) as const);
  const watch = new NetworkWatch(networkTriggers(channels, options) as NetworkCondition, sensors, state);
  const turns: NetworkTurn[] = [];
  const doubts: ClockDoubt[] = [];
  const hear = (blocks: readonly WaveformReceived[]): void => {
    for (const block of blocks) {
      watch.push(
        block,
        (turn) => turns.push(turn),
        (doubt) => doubts.push(doubt),
      );
    }
  };
  return { watch, turns, doubts, hear };
}

const usual = listening();
for (const packet of packets) usual.hear(blocksOf(packet));
const [alert] = usual.turns;

/** Noise of all stations for so long after the record. */
function* calmAfter(seconds: number): Generator<Packet> {
  const last = packets.at(-1)!.arrivalSeconds;
  for (let n = 0; n < seconds; n++) {
    for (const device of POSITIONS.keys()) {
      const at = last + 1 + (n * 32) / RATE_HZ;
      const axes = CHANNELS.map((_, axis) =>
        Array.from({ length: 32 }, (_, i) => (axis === 2 ? 980 : 0) + 0.05 * Math.sin(12.9 * (32 * n + i))),
      );
      yield { device, deviceSeconds: at, arrivalSeconds: at + 0.3, rateHz: RATE_HZ, axes };
    }
  }
}

describe('a network that a condition listens to', () => {
  it('alerts once, in the unit of the condition, whatever the sensors speak', () => {
    assert.equal(usual.turns.length, 1);
    const metric = listening({}, axisSensors({ scale: 100, offset: 0 }));
    for (const packet of packets) {
      metric.hear(
        blocksOf(packet).map((block) => ({
          ...block,
          samples: Float32Array.from(block.samples, (x) => x / 100),
        })),
      );
    }
    assert.equal(metric.turns[0]!.atMs, alert!.atMs);
    const peaks = (turn: NetworkTurn): number[] => turn.sensors.map(({ value }) => Math.round(value * 100));
    assert.deepEqual(peaks(metric.turns[0]!), peaks(alert!));
  });

  it('takes the axes of a packet in any order, and twice', () => {
    const mixed = listening();
    for (const packet of packets) {
      const [east, north, up] = blocksOf(packet) as [WaveformReceived, WaveformReceived, WaveformReceived];
      mixed.hear([up, east, up, north]);
    }
    assert.deepEqual(
      mixed.turns.map(({ atMs }) => atMs),
      [alert!.atMs],
    );
  });

  it('does without an axis that is lost now and then, that never spoke, or that fell silent', () => {
    const within = (turns: readonly NetworkTurn[], seconds: number): void => {
      assert.equal(turns.length, 1);
      assert.ok(
        Math.abs(turns[0]!.atMs - alert!.atMs) <= seconds * 1_000,
        `${turns[0]!.atMs - alert!.atMs} ms`,
      );
    };
    const lossy = listening();
    packets.forEach((packet, n) =>
      lossy.hear(blocksOf(packet).filter((_, axis) => (n * 3 + axis) % 17 !== 0)),
    );
    within(lossy.turns, 3);
    const mute = listening();
    for (const packet of packets) mute.hear(blocksOf(packet).slice(0, 2));
    within(mute.turns, 1);
    const silenced = listening();
    packets.forEach((packet, n) => silenced.hear(blocksOf(packet).slice(0, n < 400 ? 3 : 2)));
    within(silenced.turns, 1);
  });

  it('ceases to hold when none of its stations has shaken for long enough', () => {
    const heard = listening({ quietAfter: '30 seconds' });
    for (const packet of [...packets, ...calmAfter(90)]) heard.hear(blocksOf(packet));
    assert.deepEqual(
      heard.turns.map(({ holds }) => holds),
      [true, false],
    );
    const [begins, ends] = heard.turns;
    assert.ok(ends!.atMs - begins!.atMs > 30_000);
    assert.ok(ends!.network.stations > begins!.network.stations, 'stations that joined later are named');
  });

  it('goes on from its saved state as if it had never stopped, also between the axes of a packet', () => {
    let state: NetworkWatchState | undefined;
    const turns: NetworkTurn[] = [];
    const blocks = packets.flatMap(blocksOf);
    for (let from = 0; from < blocks.length; from += 1_001) {
      const part = listening({}, axisSensors(), state);
      part.hear(blocks.slice(from, from + 1_001));
      turns.push(...part.turns);
      state = JSON.parse(JSON.stringify(part.watch.state())) as NetworkWatchState;
    }
    assert.deepEqual(turns, usual.turns);
  });

  it('keeps the same amount however long it listens', () => {
    const size = (of: readonly Packet[]): number => {
      const heard = listening();
      for (const packet of of) heard.hear(blocksOf(packet));
      return JSON.stringify(heard.watch.state()).length;
    };
    const quiet = record({ quake: false });
    assert.ok(size(quiet) < 1.2 * size(quiet.slice(0, quiet.length / 2)));
  });

  it('says once that a clock cannot be right', () => {
    const heard = listening();
    for (const packet of packets) {
      heard.hear(
        blocksOf(packet).map((block) =>
          block.sensor.startsWith('s3/') ? { ...block, startedAtMs: block.startedAtMs + 20_000 } : block,
        ),
      );
    }
    assert.deepEqual(
      heard.doubts.map(({ sensor, sensors }) => [sensor, sensors.length]),
      [['s3/east', 3]],
    );
    assert.deepEqual(
      heard.turns[0]!.network.clocksNotBelieved.map(({ sensor }) => sensor),
      ['s3/east'],
    );
  });
});

describe('what an alert means for incidents', () => {
  const sensors = axisSensors().map(({ id, vendor, channel, position }): Sensor => ({
    ...{ id, vendor, channel, position, tenant: 'city', site: 'tower', unit: 'Gal', low: -1e4, high: 1e4 },
  }));
  const near = { ...riverside, ...EPICENTRE, id: 'near' };
  const far = { ...riverside, id: 'far', latitudeDeg: 9.2, longitudeDeg: -83 };
  const plan = { document: shakingPlan, hash: 'p1' };
  const watching = (places = [far, near]) => createWatch({ tenant: 'city', plans: [plan], places, sensors });
  const run = (watch = watching()): Found[] =>
    packets.flatMap((packet) => blocksOf(packet).flatMap((block) => [...watch.acceptWaveform(block)]));

  it('opens the incident at the nearest place of care; the last alert of an open one joins it', () => {
    const watch = watching();
    const found = run(watch);
    assert.deepEqual(
      found.map((one) => (one.kind === 'detection' ? one.detection.place.id : one.kind)),
      ['near'],
    );
    const later = [...calmAfter(250)].flatMap((packet) =>
      blocksOf(packet).flatMap((block) => [...watch.acceptWaveform(block)]),
    );
    assert.deepEqual(
      later.map((one) =>
        one.kind === 'evidence' && one.evidence.kind === 'readings' ? one.evidence.holds : one,
      ),
      [false],
    );
  });

  it('is suppressed, with the reason, where no place is known', () => {
    const [found] = run(watching([]));
    assert.ok(found!.kind === 'suppressed' && found!.reason === 'no-place-of-care');
  });

  it('joins an incident that a notice of the same earthquake opened before', () => {
    const watch = watching();
    const observedAtMs = alert!.network.originAtMs;
    const [opened] = watch.acceptBulletin({
      ...{ key: 'net|1', vendor: 'net', receivedAtMs: observedAtMs + 1, late: false },
      bulletin: {
        ...{ source: 'net', id: '1', type: 'earthquake-notice', observedAtMs, position: EPICENTRE },
        fields: { magnitude: 5, depthKm: 10 },
      },
    });
    assert.equal(opened!.kind, 'detection');
    assert.deepEqual(
      run(watch).map(({ kind }) => kind),
      ['evidence'],
    );
  });
});
