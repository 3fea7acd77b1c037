import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TogetherWatch } from '../../../domain/detect/watch-together.ts';
import type { TogetherWatchState } from '../../../domain/detect/watch-together.ts';
import type { TogetherCondition } from '../../../domain/plan/document.ts';
import { detectsTogether } from '../../../domain/plan/index.ts';
import { createRandom } from '../../../domain/random.ts';

const flow = { channel: 'flow', unit: 'm/s' } as const;
const pressure = { channel: 'pressure', unit: 'kPa' } as const;
const condition = detectsTogether(
  [flow, pressure],
  'pca',
  { limit: 8 },
  { for: '20 seconds' },
) as TogetherCondition;
const sensors = [
  { id: 'flow-1', vendor: 'one' },
  { id: 'pressure-1', vendor: 'one' },
  { id: 'pressure-2', vendor: 'two' },
];
const watching = (state?: TogetherWatchState): TogetherWatch =>
  new TogetherWatch({ condition, leaf: 'detect', site: 'main-7', sensors, ...(state && { state }) });

/** A main in which pressure follows the demand; from second 1,200 on one gauge reads 10 kPa low, well within its range. */
function main(): [number, number, number][] {
  const random = createRandom(5);
  const readings: [number, number, number][] = [];
  for (let second = 0; second < 1_500; second++) {
    const demand = random.normal();
    const low = second >= 1_200 ? 10 : 0;
    readings.push([second, 0, 2 + demand + random.normal() * 0.02]);
    readings.push([second, 1, 400 + 15 * demand - low + random.normal() * 0.5]);
    readings.push([second, 2, 390 + 14 * demand + random.normal() * 0.5]);
  }
  return readings;
}

const turns = (watch: TogetherWatch, readings: readonly [number, number, number][]): string[] =>
  readings.flatMap(([second, sensor, value]) => {
    const made = watch.push(sensor, second * 1_000, value, second * 1_000);
    return made.map(({ atMs, holds }) => `${atMs / 1_000} ${holds}`);
  });

describe('a detector over several channels of a site', () => {
  it('finds what no channel shows alone', () => {
    const [first = ''] = turns(watching(), main());
    const [second, holds] = first.split(' ');
    assert.equal(holds, 'true');
    assert.ok(Number(second) >= 1_220 && Number(second) < 1_300, `at second ${second}`);
  });

  it('says which sensors, from which vendors, since when', () => {
    const watch = watching();
    const [evidence] = main().flatMap(([second, sensor, value]) =>
      watch.push(sensor, second * 1_000, value, second * 1_000),
    );
    assert.ok(evidence);
    assert.equal(evidence.channel, 'flow+pressure');
    assert.deepEqual(
      evidence.sensors.map(({ sensor, vendor }) => [sensor, vendor]),
      sensors.map(({ id, vendor }) => [id, vendor]),
    );
    assert.equal(evidence.atMs - evidence.windowStartMs >= 20_000, true);
  });

  it('judges a row without a sensor that fell silent', () => {
    const readings = main().filter(([second, sensor]) => sensor !== 2 || second < 600);
    assert.match(turns(watching(), readings)[0] ?? '', / true$/);
  });

  it('goes on from its saved state as if it had never stopped', () => {
    const readings = main();
    const half = watching();
    const before = turns(half, readings.slice(0, 3_700));
    const saved = JSON.parse(JSON.stringify(half.capture()()['detect'])) as TogetherWatchState;
    assert.deepEqual(
      [...before, ...turns(watching(saved), readings.slice(3_700))],
      turns(watching(), readings),
    );
  });
});
