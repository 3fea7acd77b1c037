import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { QUALITY, SensorQuality } from '../../../domain/ingest/quality.ts';
import { createRandom } from '../../../domain/random.ts';

const RANGE = { low: 0, high: 100, intervalMs: 5_000 };

/** The flags of a row of values, one an interval. */
function judged(values: readonly number[], quality = new SensorQuality(RANGE)): number[] {
  return values.map((value, n) => quality.take(n * 5_000, value));
}

/** A sensor at rest around 20, two decimals. */
function noise(count: number, seed = 1, around = 20): number[] {
  const random = createRandom(seed);
  return Array.from({ length: count }, () => Math.round((around + random.normal()) * 100) / 100);
}

const marked = (flags: readonly number[], bit: number): number[] =>
  flags.flatMap((one, n) => ((one & bit) === 0 ? [] : [n]));

describe('the judgement of readings', () => {
  it('takes at most one of 3,000 readings of ordinary noise for a spike, whatever its seed', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1_000 }), (seed) => {
        const marks = judged(noise(3_000, seed)).filter((flags) => flags !== 0);
        assert.ok(marks.length <= 1);
        assert.ok(marks.every((flags) => flags === QUALITY.spike));
      }),
      { numRuns: 30 },
    );
  });

  it('marks a spike, and not its neighbours', () => {
    const values = noise(200);
    for (const n of [50, 90, 130]) values[n] = 95;
    assert.deepEqual(marked(judged(values), QUALITY.spike), [50, 90, 130]);
  });

  it('marks only the first reading of a rise, however steep', () => {
    for (const rise of [
      [60, 60, 60],
      [40, 60, 80, 90],
      [30, 45, 65, 90, 90],
    ]) {
      const flags = judged([...noise(100), ...rise]);
      assert.deepEqual(marked(flags, QUALITY.spike), [100], String(rise));
    }
  });

  it('takes wild noise for the signal after three readings', () => {
    const flags = judged([...noise(100), 90, 1, 90, 1, 90, 1]);
    assert.equal(marked(flags, QUALITY.spike).length <= 3, true);
    assert.equal(flags.at(-1)! & QUALITY.spike, 0);
  });

  it('does not call the onset of a waveform a spike', () => {
    const quality = new SensorQuality({ low: -10, high: 10, intervalMs: 10 });
    const values = [...noise(500, 3, 0).map((value) => value / 1_000), 5, -5, 4, -4];
    const flags = values.map((value, n) => quality.take(n * 10, value, false));
    assert.deepEqual(marked(flags, QUALITY.spike), []);
  });

  it('sees a sensor that repeats one value, until it moves again', () => {
    const flags = judged([...noise(500), ...Array<number>(200).fill(21.5), ...noise(20, 2)]);
    const stuck = marked(flags, QUALITY.stuck);
    assert.ok(stuck[0]! >= 530 && stuck[0]! < 540, `from ${stuck[0]}`);
    assert.equal(stuck.at(-1), 699);
    assert.equal(stuck.length, 700 - stuck[0]!);
  });

  it('lets a sensor rest at the lower end of its range, and a coarse one keep its value', () => {
    assert.deepEqual(marked(judged([...noise(300), ...Array<number>(2_000).fill(0)]), QUALITY.stuck), []);
    const random = createRandom(5);
    let level = 20;
    // A display in whole degrees that changes about every 60 readings.
    const coarse = Array.from({ length: 20_000 }, () =>
      random.integer(60) === 0 ? (level = 41 - level) : level,
    );
    assert.deepEqual(marked(judged(coarse), QUALITY.stuck), []);
  });

  it('never calls a sensor stuck that it does not know yet', () => {
    assert.deepEqual(marked(judged(Array<number>(5_000).fill(7)), QUALITY.stuck), []);
  });

  it('sees a flat line that still trembles', () => {
    const random = createRandom(9);
    const flat = Array.from({ length: 400 }, () => 20 + random.normal() / 1_000);
    const stuck = marked(judged([...noise(1_500), ...flat, ...noise(100, 4)]), QUALITY.stuck);
    assert.ok(stuck[0]! > 1_500 && stuck[0]! < 1_800, `from ${stuck[0]}`);
    assert.ok(stuck.at(-1)! < 1_920, `until ${stuck.at(-1)}`);
  });

  it('is not fooled by an event: what follows a loud hour is no flat line', () => {
    const random = createRandom(11);
    const loud = Array.from({ length: 700 }, () => 50 + random.normal() * 15);
    assert.deepEqual(marked(judged([...noise(2_000), ...loud, ...noise(2_000, 6)]), QUALITY.stuck), []);
  });

  it('counts what is missing, and marks the reading after a gap', () => {
    const quality = new SensorQuality(RANGE);
    const times = [0, 5, 10, 15, 35, 40, 45, 52, 60].map((second) => second * 1_000);
    const flags = times.map((atMs) => quality.take(atMs, 20));
    assert.deepEqual(marked(flags, QUALITY.gap), [4]);
    assert.equal(quality.missing, 3);
    const irregular = new SensorQuality({ ...RANGE, intervalMs: undefined });
    assert.deepEqual(
      times.map((atMs) => irregular.take(atMs * 1_000, 20)),
      times.map(() => 0),
    );
  });

  it('marks what comes out of order, and forgets it', () => {
    const quality = new SensorQuality(RANGE);
    assert.deepEqual(
      [0, 5_000, 3_000, 10_000].map((atMs) => quality.take(atMs, 20)),
      [0, 0, QUALITY.disorder, 0],
    );
    assert.equal(quality.disordered, 1);
  });

  it('goes on from its state as if it had never stopped', () => {
    const value = fc.oneof(fc.double({ min: 0, max: 100, noNaN: true }), fc.constantFrom(20, 20.5, 95));
    fc.assert(
      fc.property(fc.array(value, { maxLength: 300 }), fc.nat(300), (values, cut) => {
        const whole = judged(values);
        const first = new SensorQuality(RANGE);
        const before = judged(values.slice(0, cut), first);
        const state = JSON.parse(JSON.stringify(first.state())) as readonly number[];
        const second = new SensorQuality(RANGE, state);
        const after = values.slice(cut).map((one, n) => second.take((cut + n) * 5_000, one));
        assert.deepEqual([...before, ...after], whole);
      }),
    );
  });
});
