import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { formatOf, parseTime, readRows } from '../../bin/vendor-feed.ts';
import type { FeedMapping, FeedRow } from '../../bin/vendor-feed.ts';

const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'tocsin-feed-'));
after(() => fs.rmSync(directory, { recursive: true, force: true }));

let made = 0;
function file(name: string, text: string): string {
  const at = path.join(directory, String(made++), name);
  fs.mkdirSync(path.dirname(at));
  fs.writeFileSync(at, text);
  return at;
}

async function rows(name: string, text: string, mapping: FeedMapping = {}): Promise<FeedRow[]> {
  const at = file(name, text);
  const format = formatOf(at);
  assert.notEqual(format, 'geojson');
  const all: FeedRow[] = [];
  for await (const row of readRows(at, format as 'csv', mapping)) all.push(row);
  return all;
}

/** `sensor@ms=values/rate`, a bulletin's id, or `line 3, column: message`. */
const told = (row: FeedRow): string => {
  if (row.kind === 'bulletin') return `${row.bulletin.type} ${row.bulletin.source}|${row.bulletin.id}`;
  if (row.kind === 'bad') return `line ${row.problem.line}, ${row.problem.column}: ${row.problem.message}`;
  return row.values
    .map(({ sensor, atMs, values, rateHz }) => `${sensor}@${atMs}=${values.join(' ')}/${rateHz}`)
    .join(', ');
};

describe('a recorded feed', () => {
  it('of one column is one sensor, named as the file', async () => {
    assert.deepEqual(
      (
        await rows(
          'pump 7.csv',
          '\uFEFFtimestamp,value\r\n2014-04-01 00:00:00,20.0\r\n2014-04-01 00:05:00,-1e3\n',
        )
      ).map(told),
      ['pump-7@1396310400000=20/0', 'pump-7@1396310700000=-1000/0'],
    );
  });

  it('of several columns is a sensor each, and its separator is found', async () => {
    const text =
      'datetime;Flow Rate;Pressure;note\n2020-03-09 10:14:33;32.0;0.05;ok\n2020-03-09 10:14:34;;0.06;\n';
    assert.deepEqual((await rows('a.csv', text, { sensor: 'loop' })).map(told), [
      'loop.Flow-Rate@1583748873000=32/0, loop.Pressure@1583748873000=0.05/0',
      'loop.Pressure@1583748874000=0.06/0',
    ]);
    assert.deepEqual((await rows('a.csv', text, { channels: ['Pressure'] })).map(told), [
      'a@1583748873000=0.05/0',
      'a@1583748874000=0.06/0',
    ]);
  });

  it('may name its sensors in a column, and quote its cells', async () => {
    assert.deepEqual(
      (
        await rows('a.csv', 't,"who","value, measured"\n1,"r ""1""","2"\n1.5,r2,3\n', {
          sensorColumn: 'who',
          channels: ['value, measured'],
        })
      ).map(told),
      ['r-1-@1000=2/0', 'r2@1500=3/0'],
    );
  });

  it('names each malformed line, with its column, and goes on', async () => {
    const text = 'time,value\nyesterday,1\n1,many\n2\n3,"4\n4,5\n,6\n5,\n';
    assert.deepEqual((await rows('a.csv', text)).map(told), [
      'line 2, time: "yesterday" is not a time',
      'line 3, value: "many" is not a number',
      'line 4, : 1 cells where the heading has 2',
      'line 5, : a quote is not closed',
      'a@4000=5/0',
      'line 7, time: "" is not a time',
      '',
    ]);
  });

  it('of JSON lines holds readings, blocks of samples and bulletins', async () => {
    const lines = [
      { device_id: '009', device_t: 1592926140.5, sr: 31.25, x: [1, 2], y: [3, 4], cloud_t: 1592926141 },
      { sensor: 's', time: '2020-06-23T15:29:04Z', value: 0.5 },
      { source: 'net', id: 'q1', type: 'org.example.earthquake-notice', time: 5, fields: { magnitude: 5 } },
      { sensor: 's', time: 1, value: 'high' },
      { sensor: 's', value: 1 },
      { device_id: 'a', t: 1, x: [1] },
      [],
    ].map((line) => JSON.stringify(line));
    const all = await rows('a.jsonl', `${lines.join('\n')}\n{"a":\n`, {});
    assert.deepEqual(
      all
        .slice(1)
        .map(told)
        .map((text) => text.replace(/JSON: .*/, 'JSON')),
      [
        's@1592926144000=0.5/0',
        'earthquake-notice net|q1',
        'line 4, value: "high" is not a number',
        'line 5, : there is no time; say which with --time',
        'line 6, x: values without a rate; say which key has it with --rate',
        'line 7, : not an object',
        'line 8, : not JSON',
      ],
    );
    const [block] = await rows('b.jsonl', lines[0]!, { channels: ['x', 'y'] });
    assert.equal(told(block!), '009.x@1592926140500=1 2/31.25, 009.y@1592926140500=3 4/31.25');
  });

  it('is refused when it has no such column, and says which it has', async () => {
    await assert.rejects(rows('a.csv', 'when,value\n1,2\n'), /no column time; it has when, value.*--time/);
    await assert.rejects(rows('a.csv', 'time,v\n', { channels: ['w'] }), /no column w.*--channels/);
    assert.throws(() => formatOf(path.join(directory, 'none')), /There is no file/);
  });

  it('is known by its beginning when its name says nothing', () => {
    assert.equal(formatOf(file('feed', 'a,b\n')), 'csv');
    assert.equal(formatOf(file('feed', '{"a":1}\n')), 'jsonl');
    assert.equal(formatOf(file('feed.json', '{"type": "FeatureCollection", "features": []}')), 'geojson');
  });

  for (const [text, ms] of [
    ['2014-04-01 00:00:00', 1396310400000],
    ['2014-04-01T00:00:00.250Z', 1396310400250],
    ['2014-04-01T02:00+0200', 1396310400000],
    ['2014-04-01', 1396310400000],
    [1396310400, 1396310400000],
    ['1396310400000', 1396310400000],
    ['2014-13-01', null],
    ['01/04/2014', null],
    ['', null],
    [null, null],
    ['NaN', null],
  ] as const) {
    it(`reads the time ${JSON.stringify(text)}`, () => assert.equal(parseTime(text), ms));
  }
});
