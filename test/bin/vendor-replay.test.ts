import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { formatOf } from '../../bin/vendor-feed.ts';
import { adviceFor, replayFeed } from '../../bin/vendor-replay.ts';
import type { Replayed, ReplayOptions } from '../../bin/vendor-replay.ts';
import { openDoor, VENDOR_KEY } from '../support/door.ts';
import type { Door } from '../support/door.ts';

const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'tocsin-replay-'));
after(() => fs.rmSync(directory, { recursive: true, force: true }));

function file(name: string, text: string): string {
  const at = path.join(directory, name);
  fs.writeFileSync(at, text);
  return at;
}

const START = Date.UTC(2024, 0, 1);
const csv = (rows: number): string =>
  `time,temperature,level\n${Array.from({ length: rows }, (_, n) => `${START + n * 1_000},${20 + (n % 5)},${n}`).join('\n')}\n`;

describe('a replay', () => {
  let door: Door;
  before(async () => (door = await openDoor()));
  after(() => door.stop());

  const run = (at: string, change: Partial<ReplayOptions> = {}): Promise<Replayed> =>
    replayFeed({
      file: at,
      format: formatOf(at),
      mapping: {},
      address: door.address,
      key: VENDOR_KEY,
      speed: 'max',
      strict: false,
      signal: new AbortController().signal,
      onProgress: () => undefined,
      onReconnect: () => undefined,
      ...change,
    });
  const counts = ({ sent, accepted, duplicate, quarantined }: Replayed): number[] => [
    sent,
    accepted,
    duplicate,
    quarantined,
  ];

  it('registers the sensors, sends everything once, and a second time only duplicates', async () => {
    const at = file('tank.csv', csv(1_200));
    const shifted = { site: 'tower', unit: 'm', shift: 'end' } as const;
    const first = await run(at, shifted);
    assert.deepEqual(counts(first), [2_400, 2_400, 0, 0]);
    assert.deepEqual(counts(await run(at, shifted)), [2_400, 0, 2_400, 0]);
  });

  it('takes an interrupted one up where it was', async () => {
    const at = file('long.csv', csv(3_000));
    const stopping = new AbortController();
    const options = { site: 'tower', shift: 'end' } as const;
    const begun = await run(at, {
      ...options,
      signal: stopping.signal,
      onProgress: ({ accepted }) => accepted > 500 && stopping.abort(),
    });
    assert.equal(begun.interrupted, true);
    const rest = await run(at, options);
    assert.equal(rest.accepted + rest.duplicate, 6_000);
    assert.ok(rest.duplicate >= begun.accepted && rest.accepted > 0, JSON.stringify([begun, rest]));
  });

  it('counts what was refused by its reason, and says what may help', async () => {
    const at = file('old.csv', csv(10));
    const unknown = await run(at, { shift: 'end', mapping: { sensor: 'nobody' } });
    assert.deepEqual(counts(unknown), [20, 0, 0, 20]);
    assert.match(adviceFor(unknown, { file: at })[0]!, /--site/);
    const old = await run(at, { site: 'tower' });
    assert.equal(old.reasons['TOO_LATE']?.count, 20);
    assert.match(adviceFor(old, { file: at })[0]!, /--shift end/);
    const narrow = await run(at, { site: 'tower', shift: 'end', low: 0, high: 21, mapping: { sensor: 'n' } });
    assert.deepEqual([narrow.accepted, narrow.reasons['RANGE']?.count], [14, 6]);
    assert.match(narrow.reasons['RANGE']!.example, /outside 0 to 21/);
  });

  it('passes over malformed lines and names them, or sends nothing when it is strict', async () => {
    const at = file('torn.csv', `${csv(3)}never,1,2\n${START},x,3\n`);
    const replayed = await run(at, { site: 'tower', shift: 'end' });
    assert.deepEqual([replayed.accepted, replayed.malformed], [6, 2]);
    assert.deepEqual(
      replayed.problems.map(({ line, column }) => [line, column]),
      [
        [5, 'time'],
        [6, 'temperature'],
      ],
    );
    await assert.rejects(run(at, { strict: true }), /line 5, time: "never" is not a time.*nothing was sent/);
  });

  it('sends blocks of samples as waveforms, and bulletins with their identities', async () => {
    const at = file(
      'mixed.jsonl',
      [
        { device_id: 'q', t: START, sr: 10, x: [1, 2, 3] },
        { device_id: 'q', t: START + 300, sr: 10, x: [4, 5, 6] },
        { source: 'net', id: 'q1', type: 'earthquake-notice', time: START, fields: {} },
      ]
        .map((line) => JSON.stringify(line))
        .join('\n'),
    );
    const position = { latitudeDeg: 16.86, longitudeDeg: -99.88 };
    assert.deepEqual(counts(await run(at, { site: 'tower', position, shift: 'end' })), [7, 7, 0, 0]);
    const sensors = await door.stores.sites.sensors();
    assert.deepEqual(sensors.find(({ id }) => id === 'city/gasworks/q')?.position, position);
    const notices = file(
      'notices.geojson',
      JSON.stringify({
        type: 'FeatureCollection',
        features: [
          { id: 'a', properties: { time: Date.now(), mag: 5 }, geometry: { coordinates: [121, 24, 10] } },
          { id: 'b', properties: {}, geometry: null },
        ],
      }),
    );
    const replayed = await run(notices);
    assert.deepEqual([...counts(replayed), replayed.malformed], [1, 1, 0, 0, 1]);
    assert.match(replayed.problems[0]!.column, /^features\.1\.properties\.time$/);
    assert.deepEqual(counts(await run(notices)), [1, 0, 1, 0]);
  });

  it('keeps the pace that was asked for', async () => {
    const at = file('slow.csv', csv(5));
    const startedAt = performance.now();
    await run(at, { site: 'tower', shift: 'begin', speed: 10 });
    assert.ok(performance.now() - startedAt >= 390);
  });

  it('of real streams reaches the archive whole', async (t) => {
    const nab = path.resolve(import.meta.dirname, '../../../shared/data/nab/data/realTweets');
    if (!fs.existsSync(nab)) return t.skip('there is no ../shared/data/nab');
    const at = path.join(nab, fs.readdirSync(nab).sort()[0]!);
    const rows = fs.readFileSync(at, 'utf8').trim().split('\n').length - 1;
    const replayed = await run(at, { site: 'tower', shift: 'end' });
    // Weeks of it are older than what a server takes: refused with that reason, and nothing is unaccounted for.
    assert.equal(replayed.malformed, 0);
    assert.equal(replayed.accepted + replayed.duplicate + (replayed.reasons['TOO_LATE']?.count ?? 0), rows);
  });
});
