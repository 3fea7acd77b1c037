import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { HealthBook } from '../../../domain/ingest/health-book.ts';
import { SensorMonitor } from '../../../domain/ingest/health.ts';
import type { MonitorState } from '../../../domain/ingest/health.ts';
import type { Sensor } from '../../../domain/ports.ts';

const T0 = Date.UTC(2026, 0, 1);
const SENSORS = 450;

const sensor = (n: number, high = 100): Sensor => ({
  id: `city/gasworks/${n}`,
  vendor: 'gasworks',
  tenant: 'city',
  site: `site-${n % 7}`,
  channel: 'methane',
  unit: '%LEL',
  low: 0,
  high,
  position: null,
  samplingHz: 1,
});
const batch = (second: number, value: number) => ({
  atMs: [T0 + second * 1_000],
  values: [value],
  flags: 0,
  sentAtMs: T0 + second * 1_000 + 50,
  receivedAtMs: T0 + second * 1_000 + 90,
  isWaveform: false,
});

/** `[sensor, value]` in the order in which they come, one a second. */
const readings = fc.array(
  fc.tuple(fc.integer({ min: 0, max: SENSORS - 1 }), fc.double({ min: 0, max: 100, noNaN: true })),
  { minLength: 1, maxLength: 60 },
);

describe('the book of the health of sensors', () => {
  it('judges each of many as a monitor of its own would', () => {
    fc.assert(
      fc.property(readings, (said) => {
        const book = new HealthBook(Array.from({ length: SENSORS }, (_, n) => sensor(n)));
        const alone = new Map<number, SensorMonitor>();
        said.forEach(([n, value], second) => {
          if (!alone.has(n)) alone.set(n, new SensorMonitor(sensor(n)));
          assert.deepEqual(
            book.take(sensor(n).id, batch(second, value)),
            alone.get(n)!.take(batch(second, value)),
          );
        });
        const state = book.state();
        assert.equal(Object.keys(state).length, SENSORS);
        for (const [n, monitor] of alone) assert.deepEqual(state[sensor(n).id], monitor.state());
        assert.deepEqual(
          new Map([...book.heard()].map((health) => [health.sensor, health])),
          new Map([...alone.values()].map((monitor) => [monitor.sensor.id, monitor.health()])),
        );
      }),
      { numRuns: 30 },
    );
  });

  it('keeps what it knows of a sensor that is described anew, taken out of service, or put back', () => {
    const all = Array.from({ length: SENSORS }, (_, n) => sensor(n));
    const book = new HealthBook(all);
    for (const [n, { id }] of all.entries()) book.take(id, batch(n, n / 10));
    const before = book.state();
    // Others take the places of those that leave.
    book.register([...all.slice(100).map(({ id }) => sensor(Number(id.split('/')[2]), 200)), sensor(900)]);
    book.take(sensor(900).id, batch(900, 9));
    const { [sensor(900).id]: newcomer, ...rest } = book.state();
    assert.deepEqual(sorted(rest), sorted(before));
    assert.equal(newcomer?.status, 'ok');
    book.register(all);
    const { [sensor(900).id]: gone, ...again } = book.state();
    assert.deepEqual(sorted(again), sorted(before));
    assert.deepEqual(gone, newcomer);
  });

  it('spells out what it knew when that was copied, whatever came since', () => {
    const all = Array.from({ length: SENSORS }, (_, n) => sensor(n));
    const book = new HealthBook(all);
    for (const [n, { id }] of all.entries()) book.take(id, batch(n, n / 10));
    const before = book.state();
    const captured = [...book.capture()];
    for (const [n, { id }] of all.entries()) book.take(id, batch(1_000 + n, 50));
    assert.deepEqual(Object.assign({}, ...captured.map((spell) => spell())), before);
    assert.deepEqual(new HealthBook(all, before).state(), before);
  });
});

const sorted = (state: Readonly<Record<string, MonitorState>>): [string, MonitorState][] =>
  Object.entries(state).sort(([a], [b]) => (a < b ? -1 : 1));
