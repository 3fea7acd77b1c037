import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ChannelWatch } from '../../../domain/detect/watch-channel.ts';
import type { ChannelWatchState, WatchedCondition } from '../../../domain/detect/watch-channel.ts';
import { QUALITY } from '../../../domain/ingest/quality.ts';
import type { ChannelCondition } from '../../../domain/plan/document.ts';

const SECOND = 1_000;
const leak: ChannelCondition = {
  when: 'atLeast',
  channel: 'methane',
  threshold: 10,
  unit: '%LEL',
  forMs: 30 * SECOND,
  onSensors: 2,
};
const clear: ChannelCondition = {
  ...leak,
  when: 'below',
  threshold: 5,
  forMs: 60 * SECOND,
  onSensors: 'all',
};
const sensors = ['a', 'b', 'c'].map((id) => ({ id, vendor: id === 'c' ? 'two' : 'one' }));

const watching = (condition: ChannelCondition, state?: ChannelWatchState): ChannelWatch =>
  new ChannelWatch({ site: 'tower', sensors, conditions: [{ condition, leaf: 'detect', state }] });
const stateOf = (watch: ChannelWatch): ChannelWatchState =>
  JSON.parse(JSON.stringify(watch.capture()()['detect'])) as ChannelWatchState;

/** Readings as `[second, sensor, value]`; answers `[second, holds]` for each turn. */
const turns = (
  watch: ChannelWatch,
  readings: readonly (readonly [number, number, number])[],
): [number, boolean][] =>
  readings.flatMap(([second, sensor, value]): [number, boolean][] => {
    const made = watch.push(sensor, second * SECOND, value, second * SECOND);
    return made.map(({ atMs, holds }) => [atMs / SECOND, holds]);
  });

const every5 = (
  from: number,
  to: number,
  values: readonly (number | null)[],
): (readonly [number, number, number])[] => {
  const readings: (readonly [number, number, number])[] = [];
  for (let second = from; second <= to; second += 5) {
    values.forEach((value, sensor) => value !== null && readings.push([second, sensor, value]));
  }
  return readings;
};

describe('a channel condition with a hold time on two sensors', () => {
  it('begins when the second sensor has held for the whole time', () => {
    const readings = [...every5(0, 10, [12, 1, 1]), ...every5(15, 60, [12, 12, 1])];
    assert.deepEqual(turns(watching(leak), readings), [[45, true]]);
  });

  it('does not begin on one sensor alone, however long', () => {
    assert.deepEqual(turns(watching(leak), every5(0, 600, [50, 1, 1])), []);
  });

  it('does not begin when a dip breaks the hold', () => {
    const readings = [
      ...every5(0, 25, [12, 12, 1]),
      ...every5(30, 30, [9.9, 12, 1]),
      ...every5(35, 55, [12, 12, 1]),
    ];
    assert.deepEqual(turns(watching(leak), readings), []);
  });

  it('ends as soon as too few sensors are left, and begins again', () => {
    const readings = [
      ...every5(0, 40, [12, 12, 1]),
      ...every5(45, 45, [2, 12, 1]),
      ...every5(50, 90, [12, 12, 1]),
    ];
    assert.deepEqual(turns(watching(leak), readings), [
      [30, true],
      [45, false],
      [80, true],
    ]);
  });

  it('takes silence as a break of the hold', () => {
    const readings = [...every5(0, 10, [12, 12, 1]), ...every5(100, 120, [12, 12, 1])];
    assert.deepEqual(turns(watching(leak), readings), []);
  });

  it('does not count a sensor that fell silent', () => {
    const readings = [...every5(0, 25, [12, null, 1]), ...every5(90, 130, [null, 12, 1])];
    assert.deepEqual(turns(watching(leak), readings), []);
  });

  it('ignores a reading older than the last of its sensor', () => {
    const watch = watching({ ...leak, forMs: 0, onSensors: 1 });
    assert.deepEqual(
      turns(watch, [
        [10, 0, 1],
        [5, 0, 50],
        [10, 0, 50],
      ]),
      [[10, true]],
    );
  });

  it('meets its threshold exactly', () => {
    const now = { ...leak, forMs: 0, onSensors: 1 } as const;
    assert.deepEqual(turns(watching(now), [[0, 0, 10]]), [[0, true]]);
    assert.deepEqual(
      turns(watching({ ...now, when: 'below' }), [
        [0, 0, 10],
        [1, 0, 9.99],
      ]),
      [[1, true]],
    );
  });

  it('says which sensors decided, since when, and what they read', () => {
    const watch = watching(leak);
    const evidence = every5(0, 30, [1, 12, 13]).flatMap(([second, sensor, value]) =>
      watch.push(sensor, second * SECOND, value, second * SECOND + 7),
    );
    assert.deepEqual(evidence.at(-1), {
      kind: 'readings',
      key: 'tower|detect|30000|true',
      atMs: 30_000,
      receivedAtMs: 30_007,
      site: 'tower',
      leaf: 'detect',
      holds: true,
      channel: 'methane',
      unit: '%LEL',
      sensors: [
        { sensor: 'b', vendor: 'one', value: 12, sinceMs: 0 },
        { sensor: 'c', vendor: 'two', value: 13, sinceMs: 0 },
        { sensor: 'a', vendor: 'one', value: 1, sinceMs: null },
      ],
      windowStartMs: 0,
      windowEndMs: 30_000,
    });
  });
});

describe('a condition on all sensors', () => {
  it('holds only when every sensor was heard and held', () => {
    assert.deepEqual(turns(watching(clear), every5(0, 300, [1, 1, null])), []);
    assert.deepEqual(turns(watching(clear), every5(0, 300, [1, 1, 1])), [[60, true]]);
  });

  it('ends when one sensor is silent for too long', () => {
    const readings = [...every5(0, 100, [1, 1, 1]), ...every5(105, 200, [1, 1, null])];
    assert.deepEqual(turns(watching(clear), readings), [
      [60, true],
      [165, false],
    ]);
  });

  it('never holds for no sensors at all', () => {
    const conditions = [{ condition: clear, leaf: 'detect' }];
    assert.equal(stateOf(new ChannelWatch({ site: 'tower', sensors: [], conditions })).holds, false);
  });
});

const stream = fc
  .array(
    fc.tuple(
      fc.integer({ min: 0, max: 20 }),
      fc.integer({ min: 0, max: 2 }),
      fc.constantFrom(0, 4, 6, 10, 20),
    ),
    { maxLength: 120 },
  )
  .map((steps) => {
    let second = 0;
    return steps.map(([after, sensor, value]) => [(second += after), sensor, value] as const);
  });
const conditions = fc.record({
  when: fc.constantFrom('atLeast' as const, 'below' as const),
  channel: fc.constant('methane'),
  threshold: fc.constantFrom(5, 10),
  unit: fc.constant('%LEL'),
  forMs: fc.constantFrom(0, 10 * SECOND, 30 * SECOND),
  onSensors: fc.constantFrom<(number | 'all')[]>(1, 2, 'all'),
});

describe('a watch', () => {
  it('goes on from a saved state as if it had never stopped', () => {
    fc.assert(
      fc.property(conditions, stream, fc.nat(120), (condition, readings, cut) => {
        const whole = turns(watching(condition), readings);
        const first = watching(condition);
        const before = turns(first, readings.slice(0, cut));
        const resumed = watching(condition, stateOf(first));
        assert.deepEqual([...before, ...turns(resumed, readings.slice(cut))], whole);
      }),
    );
  });

  it('answers for each of its conditions as if it were the only one, whatever the clocks and the flags', () => {
    const readings = fc.tuple(
      stream,
      fc.infiniteStream(fc.constantFrom(0, 0, 5 * SECOND, -20 * SECOND)),
      fc.infiniteStream(fc.constantFrom(0, 0, QUALITY.spike, QUALITY.stuck)),
    );
    const asked = fc.array(fc.tuple(conditions, fc.boolean()), { minLength: 2, maxLength: 4 });
    fc.assert(
      fc.property(asked, readings, fc.nat(120), (some, [steps, ahead, flags], cut) => {
        const watched = some.map(([condition, reassures], n) => ({
          condition,
          leaf: `leaf-${n}`,
          reassures,
        }));
        const open = (of: readonly WatchedCondition[]): ChannelWatch =>
          new ChannelWatch({ site: 'tower', sensors, conditions: of });
        let alone = watched.map((one) => open([one]));
        let together = open(watched);
        steps.forEach(([second, sensor, value], n) => {
          const observedAtMs = second * SECOND;
          const atMs = observedAtMs - ahead.next().value!;
          const reading = [sensor, atMs, value, 7, flags.next().value!, observedAtMs] as const;
          const expected = alone.flatMap((watch) => watch.push(...reading));
          assert.deepEqual(together.push(...reading), expected);
          if (n !== cut) return;
          const states = together.capture()();
          for (const [m, watch] of alone.entries()) {
            assert.deepEqual({ [`leaf-${m}`]: states[`leaf-${m}`] }, watch.capture()());
          }
          const resumed = watched.map((one) => ({ ...one, state: states[one.leaf] }));
          together = open(resumed);
          alone = resumed.map((one) => open([one]));
        });
      }),
    );
  });

  it('still calls a value suspect in evidence after a restart', () => {
    const before = watching({ ...leak, forMs: 0 });
    before.push(0, 0, 12, 0, QUALITY.stuck);
    const after = watching({ ...leak, forMs: 0 }, stateOf(before));
    const [evidence] = after.push(1, SECOND, 12, SECOND);
    assert.deepEqual(
      evidence!.sensors.map(({ suspect }) => suspect),
      [true, undefined],
    );
  });

  it('spells out what it remembered when that was copied, whatever came since', () => {
    const watch = watching(leak);
    turns(watch, every5(0, 30, [1, 12, 13]));
    const expected = stateOf(watch);
    const spell = watch.capture();
    turns(watch, every5(35, 90, [1, 1, 13]));
    assert.deepEqual(spell()['detect'], expected);
    assert.notDeepEqual(stateOf(watch), expected);
  });

  it('turns from held to not held and back, never twice the same way', () => {
    fc.assert(
      fc.property(conditions, stream, (condition, readings) =>
        turns(watching(condition), readings).every(([, holds], n) => holds === (n % 2 === 0)),
      ),
    );
  });

  it('dates its evidence by the newest reading, wherever its clocks are put', () => {
    const aheadMs = fc.constantFrom(0, 5 * SECOND, -20 * SECOND);
    fc.assert(
      fc.property(
        conditions,
        stream,
        fc.array(aheadMs, { minLength: 120, maxLength: 120 }),
        (condition, readings, ahead) => {
          const watch = watching(condition);
          const observed = [-Infinity, -Infinity, -Infinity];
          const clocks = [0, 0, 0];
          readings.forEach(([second, sensor, value], n) => {
            clocks[sensor] = ahead[n]!;
            const observedAtMs = second * SECOND;
            observed[sensor] = Math.max(observed[sensor]!, observedAtMs);
            const made = watch.push(sensor, observedAtMs - ahead[n]!, value, 0, 0, observedAtMs);
            const newestMs = Math.max(...observed.map((at, one) => at - clocks[one]!));
            for (const { atMs } of made) assert.equal(atMs, newestMs);
          });
        },
      ),
    );
  });

  it('agrees with a plain reading of the rule', () => {
    fc.assert(
      fc.property(conditions, stream, (condition, readings) => {
        const watch = watching(condition);
        readings.forEach(([second, sensor, value], n) => {
          watch.push(sensor, second * SECOND, value, 0);
          const counts = [0, 1, 2].filter((one) => countsBy(condition, readings.slice(0, n + 1), one)).length;
          // Within a second of the last look at silence the watch may still count a sensor that just fell silent.
          if (!nearSilence(readings.slice(0, n + 1))) {
            assert.equal(
              stateOf(watch).holds,
              counts >= (condition.onSensors === 'all' ? 3 : condition.onSensors),
            );
          }
        });
      }),
    );
  });
});

const SILENT = 60;

/** The rule as written: its own readings met the threshold without a break for the time, and it is not silent. */
function countsBy(
  condition: ChannelCondition,
  readings: readonly (readonly [number, number, number])[],
  sensor: number,
): boolean {
  const nowS = Math.max(...readings.map(([second]) => second));
  const own = readings.filter((reading) => reading[1] === sensor);
  const last = own.at(-1);
  if (last === undefined || nowS - last[0] > SILENT) return false;
  let since = last[0];
  for (let n = own.length - 1; n >= 0; n--) {
    const [second, , value] = own[n]!;
    const meets = condition.when === 'atLeast' ? value >= condition.threshold : value < condition.threshold;
    if (!meets || since - second > SILENT)
      return n < own.length - 1 && (last[0] - since) * SECOND >= condition.forMs;
    since = second;
  }
  return (last[0] - since) * SECOND >= condition.forMs;
}

const nearSilence = (readings: readonly (readonly [number, number, number])[]): boolean => {
  const nowS = Math.max(...readings.map(([second]) => second));
  return [0, 1, 2].some((sensor) => {
    const last = readings.findLast((reading) => reading[1] === sensor)?.[0];
    return last !== undefined && nowS - last > SILENT - 2;
  });
};
