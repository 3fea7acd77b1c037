import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { detectorNamed } from '../../../../domain/detect/detectors.ts';
import { autoReference } from '../../../../domain/detect/stream/auto-reference.ts';
import { createRandom } from '../../../../domain/random.ts';

const FIVE_MINUTES_MS = 300_000;
const START_MS = Date.UTC(2026, 0, 5);

/** Two weeks of load at five minutes: days, noise. */
function load(seed: number, count = 4000): { timesMs: number[]; values: number[] } {
  const random = createRandom(seed);
  const timesMs = Array.from({ length: count }, (_, i) => START_MS + i * FIVE_MINUTES_MS);
  const values = timesMs.map(
    (timeMs) => 40 + 20 * Math.sin((2 * Math.PI * timeMs) / 86_400_000) + random.normal(),
  );
  return { timesMs, values };
}

function alarms(
  given: Record<string, number>,
  timesMs: readonly number[],
  values: readonly number[],
): number[] {
  const detector = detectorNamed('auto', given).create();
  return timesMs.flatMap((timeMs, i) => (detector.push(timeMs, [values[i]!]).begins ? [i] : []));
}

void describe('auto', () => {
  void it('scores row by row what the plain reference scores', () => {
    fc.assert(
      fc.property(
        fc.integer(),
        fc.record({
          limit: fc.constantFrom(3, 9),
          memory: fc.constantFrom(100, 5000),
          window: fc.integer({ min: 2, max: 40 }),
          seasonRate: fc.constantFrom(0.05, 0.5),
          refractory: fc.constantFrom(0.05, 0.2),
          refractoryRows: fc.constantFrom(50, 1000),
          familiarity: fc.constantFrom(0, 0.2, 1),
          learning: fc.constantFrom(0, 200),
        }),
        (seed, parameters) => {
          const { timesMs, values } = load(seed, 1200);
          const expected = autoReference(timesMs, values, parameters);
          const detector = detectorNamed('auto', parameters).create();
          for (const [i, timeMs] of timesMs.entries()) {
            const { score } = detector.push(timeMs, [values[i]!]);
            assert.ok(Math.abs(score - expected[i]!) < 1e-6, `row ${i}: ${score}, expected ${expected[i]}`);
          }
        },
      ),
      { numRuns: 15 },
    );
  });

  void it('needs no configuration to find a spike, a shift and a missing day, each once', () => {
    const { timesMs, values } = load(1);
    values[2000] = 110;
    assert.deepEqual(alarms({}, timesMs, values), [2000]);
    const shifted = load(2);
    for (let i = 3000; i < 4000; i++) shifted.values[i] = shifted.values[i]! + 60;
    const [first, ...more] = alarms({}, shifted.timesMs, shifted.values);
    assert.ok(first! >= 3000 && first! < 3020 && more.length === 0, `${first}, ${more.join()}`);
  });

  void it('is calm on noise, on a constant and on a clean daily rhythm', () => {
    const { timesMs, values } = load(3);
    assert.deepEqual(alarms({}, timesMs, values), []);
    assert.deepEqual(
      alarms(
        {},
        timesMs,
        timesMs.map(() => 0.1),
      ),
      [],
    );
  });

  void it('gets used to a spike that comes every night', () => {
    const { timesMs, values } = load(4);
    const spiky = values.map((value, i) => (i % 288 === 30 ? value + 50 : value));
    assert.deepEqual(
      alarms({}, timesMs, spiky).filter((row) => row > 3000),
      [],
    );
  });

  void it('keeps to its budget of detections on streams of any kind of noise', () => {
    const ROWS = 30_000;
    for (const budget of [0.5, 2]) {
      for (const shape of [(u: number) => u, (u: number) => u ** 3, (u: number) => Math.exp(2 * u)]) {
        const random = createRandom(5);
        const detector = detectorNamed('auto', { budget, refractory: 0.001, familiarity: 0 }).create();
        let detections = 0;
        let drift = 0;
        for (let i = 0; i < ROWS; i++) {
          drift += random.normal() / 10;
          const value = shape(random.normal()) + drift;
          if (detector.push(START_MS + i * FIVE_MINUTES_MS, [value]).begins) detections++;
        }
        // The statistic is at most 200, the lowest limit 3.
        const most = (budget * ROWS) / 1000 + Math.log(200 / 3) / 0.3 + 1;
        assert.ok(detections > 0 && detections <= most, `${detections} of at most ${most}`);
      }
    }
  });

  void it('keeps its budget over a restart', () => {
    const { timesMs, values } = load(9, 3000);
    const spiky = values.map((value, i) => (i % 97 === 0 ? value + 30 : value));
    const create = (
      state?: Record<string, unknown>,
    ): ReturnType<ReturnType<typeof detectorNamed>['create']> =>
      detectorNamed('auto', { budget: 1, familiarity: 0, refractory: 0.001 }).create(1, state);
    const whole = create();
    let parts = create();
    for (const [i, timeMs] of timesMs.entries()) {
      if (i % 700 === 699)
        parts = create(JSON.parse(JSON.stringify(parts.save())) as Record<string, unknown>);
      const expected = { ...whole.push(timeMs, [spiky[i]!]) };
      assert.deepEqual({ ...parts.push(timeMs, [spiky[i]!]) }, expected, `row ${i}`);
    }
  });

  void it('watches many channels as one: any of them can alarm', () => {
    const streams = [6, 7, 8].map((seed) => load(seed));
    streams[1]!.values[2500] = 120;
    const detector = detectorNamed('auto').create(3);
    const found = streams[0]!.timesMs.flatMap((timeMs, i) =>
      detector.push(
        timeMs,
        streams.map(({ values }) => values[i]!),
      ).begins
        ? [i]
        : [],
    );
    assert.deepEqual(found, [2500]);
  });
});
