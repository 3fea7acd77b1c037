import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { createRandom } from '../../domain/random.ts';
import { tocsin } from './command-line.ts';

const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'tocsin-seismic-'));
after(() => fs.rmSync(directory, { recursive: true, force: true }));

const RATE_HZ = 31.25;
const P_AT: Readonly<Record<string, number>> = { '001': 100.6, '002': 104.5, '003': 107.2 };
const LOCATIONS = 'device_id,latitude,longitude\n001,10.0,-84.0\n002,10.2,-84.2\n003,10.0,-84.4\n';

/** Three stations along a line, an earthquake at its eastern end. */
function layOut(name: string, { broken = false } = {}): string {
  const folder = path.join(directory, name);
  fs.mkdirSync(path.join(folder, 'devices'), { recursive: true });
  fs.mkdirSync(path.join(folder, 'records'));
  fs.writeFileSync(path.join(folder, 'devices', 'devices_locations.csv'), LOCATIONS);
  for (const device of [...Object.keys(P_AT), '099']) {
    const random = createRandom(Number(device));
    const error = device === '003' ? 250 : 0;
    const lines = Array.from({ length: 120 }, (_, k) => {
      const end = 1.024 * (k + 1);
      const axes = ['x', 'y', 'z'].map((axis) => [
        axis,
        Array.from({ length: 32 }, (_, i) => {
          const t = end - (31 - i) / RATE_HZ - (P_AT[device] ?? 1e9);
          return 0.04 * random.normal() + (t > 0 ? 4 * Math.sin(20 * t) : 0);
        }),
      ]);
      const times = { device_t: 1e9 + end + error, cloud_t: 1e9 + end + 0.25, sr: RATE_HZ };
      return JSON.stringify({ device_id: device, ...Object.fromEntries(axes), ...times });
    });
    if (broken && device === '002') {
      lines[3] = '{"device_id": "002", "x": [1, 2';
      lines[5] = JSON.stringify({
        device_id: '002',
        x: [1],
        y: [1, 2],
        z: [1],
        device_t: 1,
        cloud_t: 1,
        sr: 31,
      });
    }
    fs.writeFileSync(path.join(folder, 'records', `${device}.jsonl`), `${lines.join('\n')}\n`);
  }
  return folder;
}

/** Ten records of 40 s with P at sample 2000, the last without a label. */
function records(name: string): string {
  const folder = path.join(directory, name);
  fs.mkdirSync(folder);
  const samples = 4_000;
  const waves = Buffer.alloc(10 * samples * 3 * 4);
  for (let r = 0; r < 10; r++) {
    const random = createRandom(r + 1);
    for (let i = 0; i < samples; i++) {
      const t = (i - 2_000) / 100;
      for (let c = 0; c < 3; c++) {
        const p = t < 0 ? 0 : 15 * (c === 2 ? 1 : 0.3) * Math.exp(-t / 4) * Math.sin(50 * t);
        const s = t < 7 ? 0 : 40 * (c === 2 ? 0.4 : 1) * Math.exp(-(t - 7) / 5) * Math.sin(25 * t);
        waves.writeFloatLE(random.normal() + p + s, ((r * samples + i) * 3 + c) * 4);
      }
    }
  }
  fs.writeFileSync(path.join(folder, 'waveforms.f32le'), waves);
  const rows = Array.from(
    { length: 10 },
    (_, r) => `${r},record-${r},${r === 9 ? '' : 2000},2700,E_N_Z,as-in-source`,
  );
  fs.writeFileSync(
    path.join(folder, 'labels.csv'),
    `index,file,itp,its,channels,channel_order\n${rows.join('\n')}\n`,
  );
  return folder;
}

const json = (text: string): Record<string, unknown> => JSON.parse(text) as Record<string, unknown>;

describe('tocsin detect network', () => {
  it('alerts within two seconds, names the wrong clock and the device without a place', async () => {
    const { code, stdout } = await tocsin(['detect', 'network', layOut('plain'), '--json']);
    assert.equal(code, 0);
    const answer = json(stdout);
    const alerts = answer['alerts'] as { atSeconds: number; stations: string[] }[];
    assert.equal(alerts.length, 1);
    const after = alerts[0]!.atSeconds - 1e9 - P_AT['002']!;
    assert.ok(after > 0 && after <= 2, `${after} s after the second P`);
    const clocks = answer['clocksNotBelieved'] as { device: string; reason: string }[];
    assert.deepEqual(
      clocks.map(({ device }) => device),
      ['003'],
    );
    assert.match(clocks[0]!.reason, /ahead/);
    assert.deepEqual(answer['devicesWithoutPlace'], ['099']);
  });

  it('counts and names broken packets and goes on', async () => {
    const { code, stdout } = await tocsin([
      'detect',
      'network',
      layOut('broken', { broken: true }),
      '--json',
    ]);
    assert.equal(code, 0);
    const answer = json(stdout);
    assert.equal(answer['brokenLines'], 2);
    assert.deepEqual(answer['broken'], [
      { file: path.join('records', '002.jsonl'), line: 4, reason: 'is not JSON' },
      { file: path.join('records', '002.jsonl'), line: 6, reason: 'x, y and z differ in length' },
    ]);
    assert.equal((answer['alerts'] as unknown[]).length, 1);
  });

  it('shows people the alert and a table of stations, and rehearses trouble', async () => {
    const { stdout } = await tocsin([
      ...[
        'detect',
        'network',
        layOut('shown'),
        '--lose',
        '5',
        '--delay',
        '10:3',
        '--noise',
        '1',
        '--seed',
        '4',
      ],
      ...['--origin', '2001-09-09T01:48:20Z,10,-84'],
    ]);
    assert.match(stdout, /made noisy: \d+/);
    assert.match(stdout, /after the second P/);
    assert.match(stdout, /003 .*NOT believed/);
  });

  it('says what is missing', async () => {
    const nowhere = await tocsin(['detect', 'network', path.join(directory, 'nowhere'), '--json']);
    assert.equal(nowhere.code, 3);
    assert.match(nowhere.stderr, /FOLDER_MISSING/);
    const empty = path.join(directory, 'empty');
    fs.mkdirSync(empty);
    assert.match((await tocsin(['detect', 'network', empty])).stderr, /devices_locations\.csv/);
    assert.equal((await tocsin(['detect', 'network', empty, '--delay', '10'])).code, 2);
  });
});

describe('tocsin detect pick', () => {
  const folder = records('records');

  it('picks crops near the label, the same for the same seed', async () => {
    const pick = () => tocsin(['detect', 'pick', folder, '--seed', '3', '--json']);
    const [first, again] = await Promise.all([pick(), pick()]);
    assert.equal(first.code, 0);
    const { summary, picks } = json(first.stdout) as {
      summary: Record<string, number>;
      picks: { pickSample: number; fromSample: number; verdict: string }[];
    };
    assert.equal(summary['labelled'], 9);
    assert.ok(summary['withinHalfSecond']! >= 0.85, JSON.stringify(summary));
    assert.equal(picks.at(-1)!.verdict, 'unlabelled');
    assert.ok(Math.abs(picks.at(-1)!.pickSample - 2_000) <= 50);
    assert.ok(new Set(picks.map(({ fromSample }) => fromSample)).size > 5);
    assert.equal(again.stdout, first.stdout);
  });

  it('picks as on a live stream, with its latency', async () => {
    const { stdout } = await tocsin(['detect', 'pick', folder, '--picker', 'online', '--whole']);
    assert.match(stdout, /median latency +0\.\d+ s/);
  });

  it('refuses waveforms that do not fit their labels', async () => {
    const cut = records('cut');
    fs.truncateSync(path.join(cut, 'waveforms.f32le'), 100_000);
    const { code, stderr } = await tocsin(['detect', 'pick', cut, '--json']);
    assert.equal(code, 1);
    assert.match(stderr, /WAVEFORMS_INVALID.*100000 bytes/);
    fs.rmSync(path.join(cut, 'labels.csv'));
    assert.equal((await tocsin(['detect', 'pick', cut])).code, 3);
  });
});

describe('tocsin detect coincide', () => {
  const traces = '../shared/data/seismic-traces';
  it(
    'finds the three events of the network',
    { skip: !fs.existsSync(traces) && `${traces} is absent` },
    async () => {
      const files = ['UH1._.SHZ', 'UH2._.SHZ', 'UH3._.SHZ', 'UH4._.EHZ'].map((name) =>
        path.join(traces, `BW.${name}.D.2010.147.cut.slist.gz`),
      );
      const { stdout } = await tocsin(['detect', 'coincide', ...files, '--band', '10:20', '--json']);
      const { events } = json(stdout) as { events: { at: string; channels: string[] }[] };
      assert.deepEqual(
        events.map(({ at, channels }) => [at, channels.length]),
        [
          ['2010-05-27T16:24:33.210Z', 4],
          ['2010-05-27T16:27:01.260Z', 3],
          ['2010-05-27T16:27:30.510Z', 4],
        ],
      );
    },
  );

  it('says what is wrong with a trace', async () => {
    const file = path.join(directory, 'bad.slist');
    fs.writeFileSync(
      file,
      'TIMESERIES XX_A__Z_D, 3 samples, 50 sps, 2010-05-27T16:24:03.68, SLIST, FLOAT,\n1 2 x\n',
    );
    const { code, stderr } = await tocsin(['detect', 'coincide', file]);
    assert.equal(code, 1);
    assert.match(stderr, /sample 3 is "x"/);
  });
});
