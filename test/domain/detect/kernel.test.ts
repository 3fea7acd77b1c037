import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ALARM, BANK_PARAMETERS, DetectorBank } from '../../../domain/detect/kernel.ts';
import type { BankParameters } from '../../../domain/detect/kernel.ts';
import { bankReference } from '../../../domain/detect/kernel-reference.ts';
import { createRandom } from '../../../domain/random.ts';

const DEFAULTS = Object.fromEntries(
  Object.entries(BANK_PARAMETERS).map(([name, parameter]) => [name, parameter.default]),
) as BankParameters;

/** An AR(1) stream with jumps, bursts and gaps. */
function stream(seed: number, length: number): number[] {
  const random = createRandom(seed);
  let value = 10 * random.normal();
  const level = 100 * random.normal();
  return Array.from({ length }, (_, i) => {
    value = 0.8 * value + random.normal() * (i % 700 > 650 ? 6 : 1) + (i % 500 === 499 ? 20 : 0);
    return random.integer(50) === 0 ? Number.NaN : level + value + (i > length / 2 ? 9 : 0);
  });
}

void describe('the bank of detectors', () => {
  void it('says of every reading what the plain reference says', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 2, max: 200 }), (seed, warmUp) => {
        const parameters = { ...DEFAULTS, warmUp, deviations: 3, limit: 6, ratio: 3 };
        const readings = stream(seed, 1500);
        const bank = new DetectorBank(3, parameters);
        assert.deepEqual(
          readings.map((reading) => bank.push(1, reading)),
          bankReference(readings, parameters),
        );
      }),
      { numRuns: 25 },
    );
  });

  void it('answers the same by columns in any mix of sensors as one reading at a time', () => {
    const one = new DetectorBank(17);
    const columns = new DetectorBank(17);
    const streams = Array.from({ length: 17 }, (_, sensor) => stream(sensor, 600));
    const random = createRandom(3);
    const next = new Uint32Array(17);
    const sensors = new Uint32Array(333);
    const values = new Float64Array(333);
    const masks = new Uint8Array(333);
    let alarms = 0;
    for (let batch = 0; batch < 25; batch++) {
      for (let i = 0; i < 333; i++) {
        const sensor = random.integer(17);
        sensors[i] = sensor;
        values[i] = streams[sensor]![next[sensor]! % 600]!;
        next[sensor] = next[sensor]! + 1;
      }
      alarms += columns.pushColumn(sensors, values, 333, masks);
      assert.deepEqual(
        [...masks],
        [...sensors].map((sensor, i) => one.push(sensor, values[i]!)),
      );
    }
    assert.ok(alarms > 0);
  });

  void it('tells the kinds of trouble apart', () => {
    const random = createRandom(11);
    const quiet = (): DetectorBank => {
      const bank = new DetectorBank(1);
      for (let i = 0; i < 2000; i++) bank.push(0, 50 + random.normal());
      return bank;
    };
    assert.notEqual(quiet().push(0, 65) & (ALARM.ewma | ALARM.ar1), 0);
    const shifted = quiet();
    let up = 0;
    for (let i = 0; i < 40; i++) up |= shifted.push(0, 52 + random.normal());
    assert.equal(up & (ALARM.cusumUp | ALARM.cusumDown), ALARM.cusumUp);
    const shaking = quiet();
    let loud = 0;
    for (let i = 0; i < 40; i++) loud |= shaking.push(0, 50 + (i % 2 === 0 ? 5 : -5));
    assert.notEqual(loud & ALARM.staLta, 0);
  });

  void it('recovers a and b of an AR(1) stream and its mean squared error', () => {
    const random = createRandom(5);
    const bank = new DetectorBank(1, { rate: 0.0005 });
    let y = 0;
    for (let i = 0; i < 40_000; i++) {
      y = 3 + 0.7 * y + 2 * random.normal();
      bank.push(0, y);
    }
    const { a, b, meanSquaredError } = bank.describe(0);
    assert.ok(Math.abs(b - 0.7) < 0.05, `b ${b}`);
    assert.ok(Math.abs(a - 3) < 0.7, `a ${a}`);
    assert.ok(Math.abs(meanSquaredError - 4) < 0.5, `mse ${meanSquaredError}`);
  });

  void it('stays silent on a constant, on NaN and on infinities, and alarms when the constant breaks', () => {
    const bank = new DetectorBank(1);
    for (let i = 0; i < 500; i++) assert.equal(bank.push(0, 0.1 + 0.2), 0);
    for (const bad of [Number.NaN, Infinity, -Infinity, 1e308, -1e308]) assert.equal(bank.push(0, bad), 0);
    assert.notEqual(bank.push(0, 0.4), 0);
  });

  void it('goes on from saved numbers as if it had never stopped, and grows without forgetting', () => {
    const whole = new DetectorBank(1);
    const first = new DetectorBank(1);
    const readings = stream(9, 1200);
    for (const reading of readings.slice(0, 600)) {
      whole.push(0, reading);
      first.push(0, reading);
    }
    const second = new DetectorBank(0);
    second.restore(40, JSON.parse(JSON.stringify(first.save(0))) as number[]);
    second.grow(50_000);
    assert.deepEqual(
      readings.slice(600).map((reading) => second.push(40, reading)),
      readings.slice(600).map((reading) => whole.push(0, reading)),
    );
    assert.throws(
      () => whole.pushColumn(new Uint32Array([7]), new Float64Array(1), 1, new Uint8Array(1)),
      RangeError,
    );
  });
});
