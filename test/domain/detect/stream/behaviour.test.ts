import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { detectorNamed } from '../../../../domain/detect/detectors.ts';
import { createRandom } from '../../../../domain/random.ts';

const SECOND_MS = 1000;
const HOUR_MS = 3_600_000;
const START_MS = Date.UTC(2026, 0, 5);

/** Rows at which an alarm begins. */
function begins(
  name: string,
  given: Record<string, number>,
  values: readonly number[],
  stepMs = SECOND_MS,
): number[] {
  const detector = detectorNamed(name, given).create();
  return values.flatMap((value, i) => (detector.push(START_MS + i * stepMs, [value]).begins ? [i] : []));
}

const noise = (seed: number, count: number, level = 0): number[] => {
  const random = createRandom(seed);
  return Array.from({ length: count }, () => level + random.normal());
};

void describe('threshold', () => {
  void it('alarms only after the value has held, and not again before it came back by the hysteresis', () => {
    const values = [0, 9, 0, 9, 9, 9, 9, 7.5, 9, 9, 9, 6, 9, 9, 9, 9];
    assert.deepEqual(begins('threshold', { level: 8, holdMs: 2000, hysteresis: 1 }, values), [5, 14]);
  });

  void it('looks below the level when told so', () => {
    assert.deepEqual(begins('threshold', { level: 8, direction: -1 }, [9, 8, 7, 7, 9, 1]), [2, 5]);
  });
});

void describe('rate of change', () => {
  void it('measures by the clock, not by the row', () => {
    const detector = detectorNamed('rate-of-change', { perSecond: 2 }).create();
    assert.equal(detector.push(0, [0]).alarm, false);
    assert.equal(detector.push(10_000, [15]).alarm, false);
    assert.equal(detector.push(11_000, [18]).alarm, true);
    assert.equal(detector.push(11_000, [40]).alarm, false, 'two readings of one instant have no rate');
  });

  void it('takes falls only, when told so', () => {
    assert.deepEqual(begins('rate-of-change', { perSecond: 2, direction: -1 }, [0, 5, 0, 0]), [2]);
  });
});

void describe('EWMA and CUSUM', () => {
  void it('CUSUM finds a shift of one deviation that no single reading shows, up and down', () => {
    for (const shift of [1, -1]) {
      const values = [...noise(1, 1000), ...noise(2, 80, shift)];
      const [first] = begins('cusum', { limit: 14 }, values);
      assert.ok(first! >= 1000 && first! < 1080, `row ${first}`);
    }
  });

  void it('CUSUM takes no single spike for a shift', () => {
    const values = noise(3, 1200);
    values[1000] = 500;
    assert.deepEqual(begins('cusum', { limit: 14 }, values), []);
  });

  void it('EWMA finds a smaller shift when it smooths more', () => {
    const values = [...noise(4, 2000), ...noise(5, 30, 1.5)];
    assert.deepEqual(begins('ewma', { smoothing: 1 }, values), []);
    const [first] = begins('ewma', { smoothing: 0.1 }, values);
    assert.ok(first! >= 2000, `row ${first}`);
  });
});

void describe('absurd values', () => {
  for (const name of ['ewma', 'cusum', 'ar', 'ar-rls', 'seasonal', 'robust', 'auto']) {
    void it(`do not blind ${name}`, () => {
      const values = [...noise(14, 900, 5), ...noise(15, 60, 60)];
      for (const at of [3, 300, 500]) values[at] = at === 300 ? -1e308 : 1e308;
      const found = begins(name, {}, values);
      assert.ok(
        found.some((row) => row >= 900 && row < 904),
        `${name}: ${found.join()}`,
      );
    });
  }
});

void describe('autoregression', () => {
  const random = createRandom(6);
  let y = 50;
  const values = Array.from({ length: 5000 }, () => (y = 20 + 0.6 * y + 2 * random.normal()));

  for (const name of ['ar', 'ar-rls']) {
    void it(`${name} recovers a, b and the mean squared error of AR(1)`, () => {
      const detector = detectorNamed(name, {
        ...(name === 'ar' ? { fitRows: 3000 } : { forgetting: 1 }),
      }).create();
      for (const [i, value] of values.entries()) detector.push(i, [value]);
      const { a, b1, meanSquaredError } = detector.describe!() as Record<string, number>;
      assert.ok(Math.abs(b1! - 0.6) < 0.03, `b ${b1}`);
      assert.ok(Math.abs(a! - 20) < 1.5, `a ${a}`);
      assert.ok(Math.abs(meanSquaredError! - 4) < 0.3, `mean squared error ${meanSquaredError}`);
    });
  }

  void it('recursive and ordinary least squares fit the same rows alike', () => {
    const once = detectorNamed('ar', { order: 3, fitRows: 1000 }).create();
    const recursive = detectorNamed('ar-rls', { order: 3, forgetting: 1 }).create();
    for (const [i, value] of values.slice(0, 1003).entries()) {
      once.push(i, [value]);
      recursive.push(i, [value]);
    }
    const [fitted, followed] = [once.describe!(), recursive.describe!()];
    for (const name of ['a', 'b1', 'b2', 'b3']) {
      assert.ok(Math.abs(fitted[name]! - followed[name]!) < 1e-3 * (1 + Math.abs(fitted[name]!)), name);
    }
  });

  void it('agrees with least squares written out for one input', () => {
    const sample = values.slice(0, 401);
    const [x, target] = [sample.slice(0, -1), sample.slice(1)];
    const mean = (of: readonly number[]): number => of.reduce((sum, each) => sum + each, 0) / of.length;
    const b =
      x.reduce((sum, each, i) => sum + (each - mean(x)) * (target[i]! - mean(target)), 0) /
      x.reduce((sum, each) => sum + (each - mean(x)) ** 2, 0);
    const a = mean(target) - b * mean(x);
    const error = mean(target.map((each, i) => (each - a - b * x[i]!) ** 2));
    const detector = detectorNamed('ar', { fitRows: 400 }).create();
    for (const [i, value] of sample.entries()) detector.push(i, [value]);
    const learnt = detector.describe!();
    assert.ok(Math.abs(learnt['b1']! - b) < 1e-6);
    assert.ok(Math.abs(learnt['a']! - a) < 1e-4);
    assert.ok(Math.abs(learnt['meanSquaredErrorOfFit']! - error) < 1e-4);
  });

  void it('finds a jump that stays inside the range of the channel', () => {
    const slow = Array.from({ length: 3000 }, (_, i) => 100 * Math.sin(i / 300));
    slow[2000] = slow[2000]! + 40;
    assert.ok(begins('ar-rls', { order: 2 }, slow).includes(2000));
  });
});

void describe('seasonal', () => {
  void it('alarms on a usual value at an unusual hour', () => {
    const random = createRandom(8);
    const values = Array.from({ length: 24 * 42 }, (_, hour) => {
      const atWork = hour % 24 >= 8 && hour % 24 < 18 && Math.floor(hour / 24) % 7 < 5;
      return (atWork ? 100 : 10) + random.normal();
    });
    const nightOfWednesday = 24 * 37 + 3;
    values[nightOfWednesday] = 100;
    assert.deepEqual(
      begins('seasonal', { rate: 0.3, memory: 200 }, values, HOUR_MS).filter((row) => row > 24 * 28),
      [nightOfWednesday],
    );
  });
});

void describe('robust', () => {
  void it('has the same opinion as medians taken anew for every row', () => {
    const values = noise(9, 700).map((value, i) => (i % 9 === 0 ? value * 20 : Math.round(value * 4) / 4));
    const detector = detectorNamed('robust', { window: 50 }).create();
    const median = (of: readonly number[]): number => {
      const sorted = [...of].sort((a, b) => a - b);
      const middle = sorted.length >> 1;
      return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
    };
    for (const [i, value] of values.entries()) {
      const { statistic } = detector.push(i, [value]);
      if (i < 30) continue;
      const last = values.slice(Math.max(0, i - 50), i);
      const deviation = 1.4826 * median(last.map((each) => Math.abs(each - median(last))));
      assert.ok(Math.abs(statistic - Math.abs(value - median(last)) / deviation) < 1e-9, `row ${i}`);
    }
  });
});

void describe('silence and flat line', () => {
  void it('learns the interval, and alarms on ticks without a value and on the gap itself', () => {
    const detector = detectorNamed('silence', { patience: 4 }).create();
    let timeMs = START_MS;
    for (let i = 0; i < 50; i++) assert.equal(detector.push((timeMs += SECOND_MS), [1]).alarm, false);
    assert.equal(detector.push(timeMs + 3000, [Number.NaN]).alarm, false);
    assert.equal(detector.push(timeMs + 5000, [Number.NaN]).begins, true);
    assert.equal(detector.push(timeMs + 9000, [1]).alarm, true);
    assert.equal(detector.push(timeMs + 10_000, [1]).alarm, false);
  });

  void it('alarms when the value has stood still for the hold time, within the tolerance', () => {
    const values = [1, 2, 3, ...Array.from({ length: 20 }, (_, i) => 5 + 0.001 * (i % 2)), 9];
    assert.deepEqual(begins('flat-line', { holdMs: 10_000, tolerance: 0.01 }, values), [13]);
    assert.deepEqual(begins('flat-line', { holdMs: 10_000 }, values), []);
  });
});

void describe('change point', () => {
  void it('tells one change of mean and one of spread, about a window after each, and when it was', () => {
    const values = [
      ...noise(10, 500),
      ...noise(11, 500, 5),
      ...noise(12, 500, 5).map((v) => 5 + (v - 5) * 12),
    ];
    const detector = detectorNamed('change-point').create();
    const found = values.flatMap((value, i) => {
      if (!detector.push(i, [value]).begins) return [];
      return [i];
    });
    assert.equal(found.length, 2);
    assert.ok(found[0]! > 500 && found[0]! <= 555, `row ${found[0]}`);
    assert.ok(found[1]! > 1000 && found[1]! <= 1055, `row ${found[1]}`);
    const { lastChangeMs } = detector.describe!();
    assert.ok(Math.abs(lastChangeMs! - 1000) < 15, `row ${lastChangeMs}`);
  });

  void it('stays silent on ten thousand rows of noise', () => {
    assert.deepEqual(begins('change-point', {}, noise(13, 10_000)), []);
  });
});

void describe('grouping', () => {
  void it('makes alarms within the time of each other one cause', () => {
    const values = [0, 9, 0, 9, 0, 0, 0, 0, 9];
    assert.deepEqual(begins('threshold', { level: 8 }, values), [1, 3, 8]);
    assert.deepEqual(begins('threshold', { level: 8, groupMs: 3000 }, values), [1, 8]);
  });
});
