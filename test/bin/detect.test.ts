import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { readNabCorpus } from '../../bin/detect/nab-corpus.ts';
import { judge, scoresOf, twoFold } from '../../bin/detect/nab-judge.ts';
import { parseTime, timeColumn } from '../../bin/detect/times.ts';
import type { Parameter } from '../../domain/detect/detector.ts';
import { detectorNamed } from '../../domain/detect/detectors.ts';
import { NETWORK } from '../../domain/detect/seismic/network-parameters.ts';
import { TocsinError } from '../../domain/errors.ts';
import { parseCsv } from '../../domain/table/csv.ts';
import { numberColumn } from '../../domain/table/table.ts';
import { tocsin } from './command-line.ts';

const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'tocsin-detect-'));
after(() => fs.rmSync(directory, { recursive: true, force: true }));

function file(name: string, lines: readonly string[]): string {
  const at = path.join(directory, name);
  fs.mkdirSync(path.dirname(at), { recursive: true });
  fs.writeFileSync(at, `${lines.join('\n')}\n`);
  return at;
}

const minute = (i: number): string => new Date(Date.UTC(2026, 0, 5) + i * 60_000).toISOString();
const pump = file('pump.csv', [
  'time,pressure,flow',
  ...Array.from(
    { length: 40 },
    (_, i) => `${minute(i)},${i === 30 ? 9 : 1 + (i % 2) / 10},${i === 35 ? '' : 5}`,
  ),
]);
const run = (...args: string[]): ReturnType<typeof tocsin> =>
  tocsin(['detect', 'run', '--csv', pump, '--time', 'time', ...args]);

void describe('tocsin detect run', () => {
  void it('answers a score and an alarm a row, and the detections on standard error', async () => {
    const { code, stdout, stderr } = await run(
      '--channels',
      'pressure',
      '--detector',
      'threshold',
      '--params',
      'level=5',
    );
    assert.equal(code, 0);
    const lines = stdout.trim().split('\n');
    assert.equal(lines[0], 'time,score,alarm,begins');
    assert.equal(lines.length, 41);
    assert.match(lines[31]!, /^2026-01-05T00:30:00.000Z,0\.\d+,1,1$/);
    assert.match(stderr, /40 rows, 1 alarm rows, 1 detections/);
  });

  void it('prints one JSON document with --json, and watches several channels by a detector of one', async () => {
    const { stdout } = await run(
      '--channels',
      'pressure,flow',
      '--detector',
      'threshold',
      '--params',
      'level=4',
      '--json',
    );
    const answer = JSON.parse(stdout) as {
      parameters: Record<string, number>;
      summary: { rows: number; alarms: number; detections: number };
      rows: { timeMs: number; score: number; alarm: boolean; begins: boolean }[];
    };
    assert.equal(answer.parameters['level'], 4);
    assert.equal(answer.summary.rows, 40);
    assert.equal(answer.summary.alarms, 40);
    assert.equal(answer.rows[35]!.timeMs, Date.UTC(2026, 0, 5, 0, 35));
  });

  void it('goes on from its state file, and refuses one of another detector', async () => {
    const state = path.join(directory, 'state.json');
    const args = ['--channels', 'pressure', '--detector', 'ewma', '--state', state, '--json'];
    const [first] = [await run(...args)];
    assert.equal(first.code, 0);
    const second = JSON.parse((await run(...args)).stdout) as { summary: { learnt: { mean: number }[] } };
    assert.ok(second.summary.learnt[0]!.mean > 0);
    const other = await run('--channels', 'pressure', '--detector', 'cusum', '--state', state);
    assert.equal(other.code, 4);
    assert.match(other.stderr, /is the state of ewma/);
  });

  for (const [what, lines, message] of [
    ['text among numbers', ['time,v', `${minute(0)},1`, `${minute(1)},high`], /line 3, column v: .*"high"/],
    ['NaN', ['time,v', `${minute(0)},NaN`], /line 2, column v/],
    [
      'an open quote',
      ['time,v', `${minute(0)},1`, `${minute(1)},"2`],
      /line 3, column v: the quote is never closed/,
    ],
    ['a time that is none', ['time,v', 'soon,1'], /line 2, column time: expected a time, got "soon"/],
    ['the 30th of February', ['time,v', '2026-02-30,1'], /line 2, column time/],
    ['an unknown column', ['time,w', `${minute(0)},1`], /no column "v"/],
    ['an empty file', [''], /empty/],
  ] as const) {
    void it(`refuses ${what} and names the place`, () => {
      const source = file('bad.csv', lines);
      assert.throws(
        () => {
          const table = parseCsv(fs.readFileSync(source, 'utf8'), { source });
          timeColumn(table, 'time');
          numberColumn(table, 'v');
        },
        (error) => error instanceof TocsinError && message.test(error.message),
      );
    });
  }

  void it('says so in one line and with an exit code', async () => {
    const csv = file('bad.csv', ['time,v', `${minute(0)},high`]);
    const { code, stderr } = await tocsin([
      'detect',
      'run',
      '--csv',
      csv,
      '--time',
      'time',
      '--channels',
      'v',
    ]);
    assert.equal(code, 4);
    assert.match(stderr.trim(), /^\S+bad\.csv, line 2, column v: expected a number, got "high"\.$/);
  });

  void it('refuses a detector that it does not know, and names those there are', async () => {
    const unknown = await run('--channels', 'pressure', '--detector', 'oracle');
    assert.equal(unknown.code, 3);
    assert.match(unknown.stderr, /There is no detector oracle. There are: auto/);
  });
});

void describe('tocsin detect list', () => {
  void it('names every detector with the ranges and defaults of its parameters', async () => {
    const { stdout } = await tocsin(['detect', 'list', '--json']);
    const { detectors } = JSON.parse(stdout) as {
      detectors: { name: string; parameters: Record<string, { default: number }> }[];
    };
    const auto = detectors.find(({ name }) => name === 'auto');
    assert.equal(auto?.parameters['window']?.default, 20);
  });

  void it('names the network of stations too, with the units and sources of its parameters', async () => {
    const [json, text] = await Promise.all([
      tocsin(['detect', 'list', '--json']),
      tocsin(['detect', 'list']),
    ]);
    const { detectors } = JSON.parse(json.stdout) as {
      detectors: { name: string; channels: object; parameters: Record<string, Parameter> }[];
    };
    const network = detectors.find(({ name }) => name === 'networkTriggers')!;
    assert.deepEqual(network.channels, { minimum: 1, maximum: 3 });
    assert.deepEqual(network.parameters, NETWORK.parameters);
    const { meaning, ...pWaves } = network.parameters['pKmPerS']!;
    assert.deepEqual(pWaves, { default: 6.5, minimum: 1, maximum: 14, unit: 'km/s' });
    assert.match(meaning, /Kennett & Engdahl 1991/);
    assert.match(text.stdout, /^networkTriggers: .*tocsin detect network.*; 1 to 3 channels$/m);
    assert.match(text.stdout, /^ {2}quietSeconds +120 +1 to 86400 +s +the alert is over when/m);
  });
});

void describe('times in files', () => {
  for (const [text, expected] of [
    ['2014-04-10 07:15:00.000000', Date.UTC(2014, 3, 10, 7, 15)],
    ['2014-04-10T07:15:00Z', Date.UTC(2014, 3, 10, 7, 15)],
    ['2014-04-10T07:15:00+0200', Date.UTC(2014, 3, 10, 5, 15)],
    ['2014-04-10', Date.UTC(2014, 3, 10)],
    ['2014-04-10 07:15:00.250', Date.UTC(2014, 3, 10, 7, 15, 0, 250)],
    ['1397114100', Date.UTC(2014, 3, 10, 7, 15)],
    ['1397114100500', Date.UTC(2014, 3, 10, 7, 15, 0, 500)],
    ['10/04/2014', undefined],
    ['2014-13-01', undefined],
    ['', undefined],
  ] as const) {
    void it(`reads ${text === '' ? 'nothing' : text} as ${expected ?? 'no time'}`, () => {
      assert.equal(parseTime(text), expected);
    });
  }
});

void describe('tocsin detect nab', () => {
  /** Four streams of an hour a row, one anomaly each. */
  function corpus(): string {
    const folder = path.join(directory, 'corpus');
    const labels: Record<string, [string, string][]> = { 'calm/gone.csv': [] };
    for (let stream = 0; stream < 4; stream++) {
      const hour = (i: number): string =>
        new Date(Date.UTC(2026, 0, 5) + i * 3_600_000).toISOString().replace('T', ' ').slice(0, 19);
      const at = 500 + 100 * stream;
      file(`corpus/data/group/s${stream}.csv`, [
        'timestamp,value',
        ...Array.from(
          { length: 1000 },
          (_, i) => `${hour(i)},${i === at ? 60 : 10 + ((i * 7919) % 13) / 10}`,
        ),
      ]);
      labels[`group/s${stream}.csv`] = [[`${hour(at - 20)}.000000`, `${hour(at + 20)}.000000`]];
    }
    file('corpus/labels/combined_windows.json', [JSON.stringify(labels)]);
    return folder;
  }

  void it('scores a folder in the benchmark layout in three profiles, and held-out halves', async () => {
    const { code, stdout } = await tocsin([
      'detect',
      'nab',
      corpus(),
      '--two-fold',
      '--splits',
      '4',
      '--json',
    ]);
    assert.equal(code, 0);
    const answer = JSON.parse(stdout) as {
      streams: number;
      windows: number;
      profiles: { profile: string; score: number }[];
      twoFold: { splits: number; heldOut: { mean: number } };
    };
    assert.deepEqual([answer.streams, answer.windows, answer.twoFold.splits], [4, 4, 4]);
    assert.deepEqual(
      answer.profiles.map(({ profile }) => profile),
      ['standard', 'low-FP', 'low-FN'],
    );
    // A spike half way through its window.
    for (const { score } of answer.profiles) assert.ok(score > 85 && score < 100, String(score));
    assert.ok(answer.twoFold.heldOut.mean > 60, String(answer.twoFold.heldOut.mean));
  });

  void it('says what is missing in a folder that is no corpus', async () => {
    const { code, stderr } = await tocsin(['detect', 'nab', directory]);
    assert.equal(code, 3);
    assert.match(stderr, /combined_windows\.json cannot be read/);
  });

  const given = path.join(import.meta.dirname, '..', '..', '..', 'shared', 'data', 'nab');
  void it(
    'reaches the floors on the given part of the benchmark with one parameter set',
    { skip: fs.existsSync(given) ? false : `${given} is not there` },
    async () => {
      const streams = await readNabCorpus(given);
      const named = detectorNamed('auto');
      const [standard, lowFp] = judge(streams, scoresOf(streams, named));
      assert.ok(standard!.score >= 52, `standard ${standard!.score}`);
      assert.ok(lowFp!.score >= 38, `low-FP ${lowFp!.score}`);
      const { heldOut } = twoFold(streams, [named], { splits: 16, seed: 1 });
      assert.ok(heldOut.mean >= 47, `held out ${heldOut.mean}`);
    },
  );
});
