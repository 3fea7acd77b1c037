import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { detectorKinds, detectorNamed } from '../../../domain/detect/detectors.ts';
import { ChannelWatch } from '../../../domain/detect/watch-channel.ts';
import type { ChannelWatchState } from '../../../domain/detect/watch-channel.ts';
import { QUALITY } from '../../../domain/ingest/quality.ts';
import type { DetectorCondition, ReadingsCondition } from '../../../domain/plan/document.ts';
import {
  detects,
  detectsTogether,
  expectedAtLeast,
  expectedBelow,
  metres,
} from '../../../domain/plan/index.ts';
import { createRandom } from '../../../domain/random.ts';

const MINUTE = 60_000;
const pressure = { channel: 'pressure', unit: 'kPa' } as const;
const sensors = ['a', 'b'].map((id) => ({ id, vendor: 'one', silentAfterMs: 5 * MINUTE }));

const watching = (condition: ReadingsCondition, state?: ChannelWatchState): ChannelWatch =>
  new ChannelWatch({ site: 'main-7', sensors, conditions: [{ condition, leaf: 'detect', state }] });
const stateOf = (watch: ChannelWatch): ChannelWatchState =>
  JSON.parse(JSON.stringify(watch.capture()()['detect'])) as ChannelWatchState;

/** A day of pressure around 400 kPa that falls to 340 in its last hour, once a minute on both sensors. */
function burst(): [number, number, number][] {
  const random = createRandom(11);
  return Array.from({ length: 24 * 60 }, (_, minute): [number, number, number][] =>
    [0, 1].map((sensor) => {
      const fallen = minute >= 23 * 60 ? 60 : 0;
      return [minute, sensor, 400 - fallen + random.unit() * 4];
    }),
  ).flat();
}

const turns = (watch: ChannelWatch, readings: readonly [number, number, number][], flags = 0): string[] =>
  readings.flatMap(([minute, sensor, value]) => {
    const made = watch.push(sensor, minute * MINUTE, value, minute * MINUTE, flags);
    return made.map(({ atMs, holds }) => `${atMs / MINUTE} ${holds}`);
  });

describe('a detector that a plan names', () => {
  const auto = detects(pressure, 'auto', {}, { onSensors: 2 }) as DetectorCondition;

  it('finds what nobody set a threshold for, within minutes and not before', () => {
    const [first = ''] = turns(watching(auto), burst());
    const [minute, holds] = first.split(' ');
    assert.equal(holds, 'true');
    assert.ok(Number(minute) >= 23 * 60 && Number(minute) < 23 * 60 + 10, `at minute ${minute}`);
  });

  it('goes on from its saved state as if it had never stopped', () => {
    const readings = burst();
    const whole = turns(watching(auto), readings);
    const half = watching(auto);
    const before = turns(half, readings.slice(0, 1_401));
    const saved = stateOf(half);
    assert.deepEqual([...before, ...turns(watching(auto, saved), readings.slice(1_401))], whole);
  });

  it('sees spikes, which a threshold passes over', () => {
    const over = detects(pressure, 'threshold', { level: 500 }) as DetectorCondition;
    assert.deepEqual(turns(watching(over), [[0, 0, 600]], QUALITY.spike), ['0 true']);
    const at500 = { ...over, when: 'atLeast', threshold: 500 } as const;
    assert.deepEqual(turns(watching(at500), [[0, 0, 600]], QUALITY.spike), []);
  });

  it('answers as the detector alone would, sensor by sensor', () => {
    const one = detects(pressure, 'auto', {}, { onSensors: 1 }) as DetectorCondition;
    const alone = detectorNamed('auto').create();
    const readings = burst().filter(([, sensor]) => sensor === 0);
    let holds = false;
    const expected = readings.flatMap(([minute, , value]) => {
      const { alarm } = alone.push(minute * MINUTE, [value]);
      if (alarm === holds) return [];
      holds = alarm;
      return [`${minute} ${alarm}`];
    });
    assert.deepEqual(turns(watching(one), readings), expected);
  });
});

describe('an expectation that a plan names', () => {
  const stage = { channel: 'stage', unit: 'm' } as const;
  const sensor = [{ id: 'gauge', vendor: 'one', silentAfterMs: 5 * MINUTE }];
  const watch = (condition: ReadingsCondition, state?: ChannelWatchState): ChannelWatch =>
    new ChannelWatch({ site: 'bridge', sensors: sensor, conditions: [{ condition, leaf: 'detect', state }] });

  /** A river at 3 m that rises 4 mm a minute from minute 600 on; past 4 m at minute 850. */
  function river(sign = 1): [number, number, number][] {
    const random = createRandom(3);
    let noise = 0;
    return Array.from({ length: 900 }, (_, minute): [number, number, number] => {
      noise = 0.9 * noise + random.normal() * 0.01;
      return [minute, 0, sign * (3 + noise + Math.max(0, minute - 600) * 0.004)];
    });
  }

  it('warns before the river is there, and not while it lies still', () => {
    const condition = expectedAtLeast(stage, metres(4), { within: '30 minutes', probability: 0.8 });
    const [first = ''] = turns(watch(condition as ReadingsCondition), river());
    const minute = Number(first.split(' ')[0]);
    assert.ok(minute > 780 && minute < 850, `warned at minute ${minute}`);
  });

  it('warns of what falls as of what rises', () => {
    const rising = expectedAtLeast(stage, metres(4), { within: '30 minutes' }) as ReadingsCondition;
    const falling = expectedBelow(stage, metres(-4), { within: '30 minutes' }) as ReadingsCondition;
    assert.deepEqual(turns(watch(falling), river(-1)), turns(watch(rising), river()));
  });

  it('goes on from its saved state as if it had never stopped', () => {
    const condition = expectedAtLeast(stage, metres(4), { within: '30 minutes' }) as ReadingsCondition;
    const readings = river();
    const half = watch(condition);
    const before = turns(half, readings.slice(0, 700));
    const saved = stateOf(half);
    assert.deepEqual(
      [...before, ...turns(watch(condition, saved), readings.slice(700))],
      turns(watch(condition), readings),
    );
  });
});

describe('a reading that is missing', () => {
  const stage = { channel: 'stage', unit: 'm' } as const;
  const watch = (detector: 'ar-rls' | 'ewma', everyMs?: number, state?: ChannelWatchState): ChannelWatch =>
    new ChannelWatch({
      site: 'bridge',
      sensors: [{ id: 'gauge', vendor: 'one', ...(everyMs === undefined ? {} : { everyMs }) }],
      conditions: [{ condition: detects(stage, detector) as ReadingsCondition, leaf: 'detect', state }],
    });
  const noise = createRandom(9);
  const whole = Array.from({ length: 400 }, (_, n): [number, number, number] => [
    n,
    0,
    3 + noise.normal() * 0.1,
  ]);
  /** Without every seventh reading, and as if the one before had been sent again in its place. */
  const holed = whole.filter(([n]) => n % 7 !== 6);
  const filled = whole.map(([n, sensor, value]): [number, number, number] => [
    n,
    sensor,
    n % 7 === 6 ? whole[n - 1]![2] : value,
  ]);
  const memory = (watched: ChannelWatch, readings: readonly [number, number, number][]): string => {
    turns(watched, readings);
    return JSON.stringify(stateOf(watched).detectors);
  };
  const plain = (text: string): unknown => {
    const { gauge } = JSON.parse(text) as { gauge: { detector?: unknown } };
    return gauge.detector ?? gauge;
  };

  it('is stood in for by the last one, for a detector that reads even steps', () => {
    assert.deepEqual(plain(memory(watch('ar-rls', MINUTE), holed)), plain(memory(watch('ar-rls'), filled)));
  });

  it('is missing for every other detector, and where no rate was declared', () => {
    for (const [ours, bare] of [
      [watch('ewma', MINUTE), watch('ewma')],
      [watch('ar-rls'), watch('ar-rls')],
    ] as const) {
      assert.equal(memory(ours, holed), memory(bare, holed));
    }
    assert.notDeepEqual(plain(memory(watch('ar-rls'), holed)), plain(memory(watch('ar-rls'), filled)));
  });

  it('is not made up over a gap too long', () => {
    const gap = whole.filter(([n]) => n < 100 || n > 120);
    assert.deepEqual(plain(memory(watch('ar-rls', MINUTE), gap)), plain(memory(watch('ar-rls'), gap)));
  });

  it('is told in the evidence: how many steps before the reading nobody measured', () => {
    const jump = (missing: number): readonly (number | undefined)[] => {
      const until = whole.slice(0, 200);
      const watched = watch('ar-rls', MINUTE);
      turns(watched, until);
      const saved = stateOf(watched);
      return [watched, watch('ar-rls', MINUTE, saved)].map((one) => {
        const atMs = (200 + missing) * MINUTE;
        const [evidence] = one.push(0, atMs, 9, atMs);
        assert.equal(evidence?.holds, true);
        return evidence.sensors[0]!.filled;
      });
    };
    assert.deepEqual(
      [jump(0), jump(1), jump(4)],
      [
        [undefined, undefined],
        [1, 1],
        [4, 4],
      ],
    );
  });

  it('is never filled in for a detector of several channels', () => {
    const fillers = detectorKinds().filter(({ fillsAtMost }) => fillsAtMost !== undefined);
    assert.deepEqual(
      fillers.map(({ name, channels }) => [name, channels.maximum]),
      [
        ['ar', 1],
        ['ar-rls', 1],
      ],
    );
    for (const { name } of fillers) {
      assert.throws(() => detectsTogether([stage, { ...stage, channel: 'flow' }], name as 'ar'), {
        code: 'DETECTOR_CHANNELS',
      });
    }
  });

  it('is filled the same after a restart', () => {
    const half = watch('ar-rls', MINUTE);
    turns(half, holed.slice(0, 150));
    const saved = stateOf(half);
    assert.equal(
      memory(watch('ar-rls', MINUTE, saved), holed.slice(150)),
      memory(watch('ar-rls', MINUTE), holed),
    );
  });
});
