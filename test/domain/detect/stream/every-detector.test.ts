import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { detectorKinds, detectorNamed } from '../../../../domain/detect/detectors.ts';
import { TocsinError } from '../../../../domain/errors.ts';
import { createRandom } from '../../../../domain/random.ts';

const MINUTE_MS = 60_000;
const START_MS = Date.UTC(2026, 0, 5);

/** A daily rhythm with noise, spikes, gaps, a level shift and a stretch that stands still. */
function rows(seed: number, count: number, channels: number): { timeMs: number; row: number[] }[] {
  const random = createRandom(seed);
  let timeMs = START_MS;
  return Array.from({ length: count }, (_, i) => {
    timeMs += MINUTE_MS * (random.integer(100) === 0 ? 30 : 1);
    return {
      timeMs,
      row: Array.from({ length: channels }, (_, channel) => {
        if (random.integer(60) === 0) return Number.NaN;
        if (i % 400 > 370) return 7;
        const rhythm = 5 * Math.sin((2 * Math.PI * timeMs) / 86_400_000 + channel);
        const spike = random.integer(200) === 0 ? 30 : 0;
        return 20 + rhythm + random.normal() + spike + (i > (2 * count) / 3 ? 8 : 0);
      }),
    };
  });
}

for (const { name, channels } of detectorKinds()) {
  const width = channels.minimum;
  void describe(`the detector ${name}`, () => {
    void it('goes on from its saved state as if it had never stopped', () => {
      fc.assert(
        fc.property(fc.integer(), fc.integer({ min: 0, max: 900 }), (seed, stop) => {
          const all = rows(seed, 900, width);
          const whole = detectorNamed(name, { groupMs: 5 * MINUTE_MS }).create(width);
          let parts = detectorNamed(name, { groupMs: 5 * MINUTE_MS }).create(width);
          for (const [i, { timeMs, row }] of all.entries()) {
            if (i === stop) {
              const state = JSON.parse(JSON.stringify(parts.save())) as Record<string, unknown>;
              parts = detectorNamed(name, { groupMs: 5 * MINUTE_MS }).create(width, state);
            }
            const expected = { ...whole.push(timeMs, row) };
            assert.deepEqual({ ...parts.push(timeMs, row) }, expected, `row ${i}`);
          }
        }),
        { numRuns: 4 },
      );
    });

    void it('saves a copy, which later rows do not change', () => {
      const detector = detectorNamed(name, { groupMs: 5 * MINUTE_MS }).create(width);
      for (const [i, { timeMs, row }] of rows(2, 900, width).entries()) {
        if (i % 100 !== 99) {
          detector.push(timeMs, row);
          continue;
        }
        const saved = detector.save();
        const text = JSON.stringify(saved);
        for (const later of rows(5 + i, 40, width)) detector.push(timeMs + later.timeMs, later.row);
        assert.equal(JSON.stringify(saved), text);
      }
    });

    void it('scores from 0 to 1, whatever comes', () => {
      const detector = detectorNamed(name).create(width);
      const odd = [Number.NaN, Infinity, -Infinity, 0, -0, 1e308, -1e308, 5e-324, 1e-9];
      const random = createRandom(1);
      for (let i = 0; i < 1500; i++) {
        const row = Array.from({ length: width }, () =>
          i % 3 === 0 ? odd[random.integer(odd.length)]! : random.normal(),
        );
        const { score, begins, alarm } = detector.push(START_MS + i * MINUTE_MS, row);
        assert.ok(score >= 0 && score <= 1, `row ${i}: ${score}`);
        assert.ok(alarm || !begins);
      }
      assert.doesNotThrow(() => JSON.stringify(detector.save()));
    });

    void it('remembers no more of ten thousand rows than of five thousand', () => {
      const detector = detectorNamed(name).create(width);
      const all = rows(3, 10_000, width);
      for (const { timeMs, row } of all.slice(0, 5000)) detector.push(timeMs, row);
      const half = countNumbers(detector.save());
      for (const { timeMs, row } of all.slice(5000)) detector.push(timeMs, row);
      assert.equal(countNumbers(detector.save()), half);
    });

    void it('does not listen to a row that is older than the last', () => {
      const [first, second] = [1, 2].map(() => detectorNamed(name).create(width));
      for (const { timeMs, row } of rows(4, 800, width)) {
        const expected = { ...first!.push(timeMs, row) };
        assert.deepEqual({ ...second!.push(timeMs, row) }, expected);
        second!.push(
          timeMs - 1,
          row.map(() => 1e6),
        );
      }
    });
  });
}

/** Numbers and nulls anywhere in a state. */
function countNumbers(state: unknown): number {
  if (Array.isArray(state)) return state.reduce<number>((sum, each) => sum + countNumbers(each), 0);
  if (typeof state === 'object' && state !== null) return countNumbers(Object.values(state));
  return 1;
}

void describe('the table of detectors', () => {
  for (const [what, name, given, code] of [
    ['a name that it does not know', 'ewna', {}, 'DETECTOR_UNKNOWN'],
    ['a parameter that the detector does not take', 'ewma', { level: 1 }, 'DETECTOR_PARAMETER'],
    ['a number out of range', 'ewma', { smoothing: 2 }, 'DETECTOR_PARAMETER'],
    ['a number that is none', 'ewma', { smoothing: Number.NaN }, 'DETECTOR_PARAMETER'],
    ['a fraction of a row', 'robust', { window: 10.5 }, 'DETECTOR_PARAMETER'],
  ] as const) {
    void it(`refuses ${what}`, () => {
      assert.throws(
        () => detectorNamed(name, given),
        (error) => error instanceof TocsinError && error.code === code,
      );
    });
  }

  void it('refuses more channels than a detector takes', () => {
    assert.throws(
      () => detectorNamed('ewma').create(2),
      (error) => error instanceof TocsinError && error.code === 'DETECTOR_CHANNELS',
    );
  });

  void it('has defaults inside their ranges, and says what each parameter means', () => {
    for (const { name, parameters } of detectorKinds()) {
      assert.doesNotThrow(() => detectorNamed(name));
      for (const { meaning, minimum, maximum } of Object.values(parameters)) {
        assert.ok(meaning.length > 5 && minimum < maximum);
      }
    }
  });
});
