import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { readNotices } from '../../bin/notices-file.ts';

const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'tocsin-notices-'));
after(() => fs.rmSync(directory, { recursive: true, force: true }));

function file(value: unknown): string {
  const at = path.join(directory, `${Math.random()}.geojson`);
  fs.writeFileSync(at, typeof value === 'string' ? value : JSON.stringify(value));
  return at;
}

const feature = (id: string, time: number, coordinates: unknown = [121.6, 24, 10]): unknown => ({
  id,
  properties: { time, mag: 5, type: 'earthquake' },
  geometry: { coordinates },
});

describe('a file of recorded notices', () => {
  it('is read oldest first, without what was found out later', () => {
    const notices = readNotices(
      file({ type: 'FeatureCollection', features: [feature('b', 2_000), feature('a', 1_000)] }),
    );
    assert.deepEqual(
      notices.map(({ id }) => id),
      ['a', 'b'],
    );
    assert.equal(notices[0]?.fields['magnitude'], 5);
    assert.equal(notices[0]?.fields['gapDeg'], null);
    assert.ok(!JSON.stringify(notices[0]?.fields).includes('earthquake'));
  });

  const bad: readonly (readonly [string, unknown, RegExp])[] = [
    ['that is not JSON', '{', /cannot be read as JSON/],
    ['that is another kind of JSON', { items: [] }, /is not a GeoJSON feed of notices: type/],
    [
      'whose third feature has no time',
      {
        type: 'FeatureCollection',
        features: [feature('a', 1), feature('b', 2), { id: 'c', properties: {}, geometry: null }],
      },
      /features\.2\.properties\.time: .*Nothing was sent/,
    ],
    [
      'with text for a coordinate',
      { type: 'FeatureCollection', features: [feature('a', 1, ['x', 24, 10])] },
      /features\.0\.geometry\.coordinates\.0/,
    ],
  ];
  for (const [what, value, words] of bad) {
    it(`is refused ${what}, by its place`, () => assert.throws(() => readNotices(file(value)), words));
  }

  it('that is not there is said to be so', () => {
    assert.throws(() => readNotices(path.join(directory, 'none')), /There is no file/);
  });
});
