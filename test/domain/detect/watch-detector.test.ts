import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { detectorNamed } from '../../../domain/detect/detectors.ts';
import { ChannelWatch } from '../../../domain/detect/watch-channel.ts';
import type { ChannelWatchState } from '../../../domain/detect/watch-channel.ts';
import { QUALITY } from '../../../domain/ingest/quality.ts';
import type { DetectorCondition } from '../../../domain/plan/document.ts';
import { detects } from '../../../domain/plan/index.ts';
import { createRandom } from '../../../domain/random.ts';

const MINUTE = 60_000;
const pressure = { channel: 'pressure', unit: 'kPa' } as const;
const sensors = ['a', 'b'].map((id) => ({ id, vendor: 'one', silentAfterMs: 5 * MINUTE }));

const watching = (condition: DetectorCondition, state?: ChannelWatchState): ChannelWatch =>
  new ChannelWatch({ condition, leaf: 'detect', site: 'main-7', sensors, ...(state && { state }) });

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
    const turn = watch.push(sensor, minute * MINUTE, value, minute * MINUTE, flags);
    return turn === null ? [] : [`${turn.atMs / MINUTE} ${turn.holds}`];
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
    const saved = JSON.parse(JSON.stringify(half.state())) as ChannelWatchState;
    assert.deepEqual([...before, ...turns(watching(auto, saved), readings.slice(1_401))], whole);
  });

  it('sees spikes, which a threshold passes over', () => {
    const over = detects(pressure, 'threshold', { level: 500 }) as DetectorCondition;
    assert.deepEqual(turns(watching(over), [[0, 0, 600]], QUALITY.spike), ['0 true']);
    const at500 = { ...over, when: 'atLeast', threshold: 500 } as const;
    const plain = new ChannelWatch({ condition: at500, leaf: 'detect', site: 'main-7', sensors });
    assert.deepEqual(turns(plain, [[0, 0, 600]], QUALITY.spike), []);
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
