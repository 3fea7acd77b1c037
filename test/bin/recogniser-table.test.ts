import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { tocsin, type Ran } from './command-line.ts';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tocsin-recogniser-'));
const file = (name: string): string => path.join(folder, name);
after(() => fs.rmSync(folder, { recursive: true }));

const rows = Array.from({ length: 90 }, (_, i) => {
  const pressure = (i * 37) % 100;
  return `${i},${pressure},${i % 2 ? 'north' : 'south'},${pressure + (i % 7) > 50 ? 'burst' : 'whole'}`;
});
const header = 'id,pressure,side,state';

const run = (...args: string[]): Promise<Ran> => tocsin(['recogniser', ...args]);
const train = (csv: string, out: string, ...more: string[]): Promise<Ran> =>
  run('train', '--csv', file(csv), '--target', 'state', '--kind', 'forest', '--out', file(out), ...more);
const answer = (ran: Ran): Record<string, unknown> => {
  assert.equal(ran.code, 0, ran.stderr);
  return JSON.parse(ran.stdout) as Record<string, unknown>;
};
const refusal = (ran: Ran, code: string): string => {
  assert.notEqual(ran.code, 0);
  assert.equal(ran.stdout, '');
  const { error } = JSON.parse(ran.stderr) as { error: { code: string; message: string } };
  assert.equal(error.code, code);
  return error.message;
};

describe('tocsin recogniser on a table, without a server', () => {
  let first: Ran;
  let second: Ran;
  before(async () => {
    fs.writeFileSync(file('pipes.csv'), [header, ...rows].join('\n'));
    const options = ['--features', 'pressure,side', '--trees', '30', '--seed', '5', '--json'];
    [first, second] = await Promise.all([
      train('pipes.csv', 'a.rec', ...options),
      train('pipes.csv', 'b.rec', ...options),
    ]);
  });

  it('trains the same bytes from the same seed, and names them by their hash', () => {
    const { hash, leftOut, rowsPerClass, columns } = answer(first);
    assert.equal(answer(second)['hash'], hash);
    assert.deepEqual(fs.readFileSync(file('a.rec')), fs.readFileSync(file('b.rec')));
    assert.deepEqual(leftOut, []);
    assert.deepEqual(rowsPerClass, { burst: 46, whole: 44 });
    assert.deepEqual(columns, ['pressure', 'side=north', 'side=south', 'side=other']);
  });

  it('judges, explains and cross-validates', async () => {
    const [judged, explained, validated] = await Promise.all([
      run('evaluate', '--artefact', file('a.rec'), '--csv', file('pipes.csv'), '--json'),
      run('explain', '--artefact', file('a.rec'), '--csv', file('pipes.csv'), '--row', '3', '--json'),
      run(
        ...['cross-validate', '--csv', file('pipes.csv'), '--target', 'state', '--kind', 'tree'],
        ...['--folds', '3', '--repeats', '2', '--json'],
      ),
    ]);
    const evaluation = answer(judged);
    assert.equal(evaluation['rows'], 90);
    assert.ok(Number(evaluation['balancedAccuracy']) > 0.9);
    assert.equal((evaluation['reliability'] as unknown[]).length, 10);
    assert.deepEqual(
      (evaluation['confusion'] as number[][]).map((row) => row.reduce((sum, n) => sum + n)),
      [46, 44],
    );

    const why = answer(explained) as {
      label: string;
      line: number;
      explanation: { unexplained: number; method: string };
      nearest: { row: number; distance: number }[];
      changes: { label: string; inputs: { feature: string }[] }[];
      permutationImportance: { feature: string }[];
    };
    assert.equal(why.line, 4);
    assert.equal(why.explanation.method, 'tree-shap');
    assert.ok(Math.abs(why.explanation.unexplained) < 1e-9);
    assert.deepEqual([why.nearest[0]?.row, why.nearest[0]?.distance], [3, 0]);
    assert.notEqual(why.changes[0]?.label, why.label);
    assert.equal(why.changes[0]?.inputs[0]?.feature, 'pressure');
    assert.equal(why.permutationImportance[0]?.feature, 'pressure');

    const { answer: rule } = answer(validated) as {
      answer: Record<'balancedAccuracy' | 'accuracy', { mean: number }> & {
        interval: { balancedAccuracy: { low: number; high: number } };
        majority: { balancedAccuracy: number };
        logistic: { balancedAccuracy: { mean: number } };
      };
    };
    assert.equal(rule.majority.balancedAccuracy, 0.5);
    assert.ok(rule.balancedAccuracy.mean > 0.85);
    assert.ok(rule.interval.balancedAccuracy.low < rule.balancedAccuracy.mean);
    assert.ok(rule.logistic.balancedAccuracy.mean > 0.8);
  });

  it('refuses an artefact that was cut, altered, is another one or comes from a newer version', async () => {
    const bytes = fs.readFileSync(file('a.rec'));
    fs.writeFileSync(file('cut.rec'), bytes.subarray(0, bytes.length - 100));
    const altered = Buffer.from(bytes);
    altered[altered.length - 200]! ^= 1;
    fs.writeFileSync(file('altered.rec'), altered);
    const newer = Buffer.from(bytes);
    newer.writeUInt32LE(99, 8);
    fs.writeFileSync(file('newer.rec'), newer);
    const judge = (name: string, ...more: string[]): Promise<Ran> =>
      run('evaluate', '--artefact', file(name), '--csv', file('pipes.csv'), '--json', ...more);
    const [cut, changed, late, other] = await Promise.all([
      judge('cut.rec'),
      judge('altered.rec'),
      judge('newer.rec'),
      judge('a.rec', '--hash', 'f'.repeat(64)),
    ]);
    assert.match(refusal(cut, 'RECOGNISER_DAMAGED'), /cut\.rec/);
    assert.match(refusal(changed, 'RECOGNISER_HASH_MISMATCH'), /altered\.rec/);
    assert.match(refusal(late, 'RECOGNISER_NEWER'), /newer\.rec/);
    refusal(other, 'RECOGNISER_HASH_MISMATCH');
  });

  it('refuses a table with a wrong quote, and one with a column never seen, naming the place', async () => {
    fs.writeFileSync(file('quote.csv'), [header, ...rows.slice(0, 30), '1,"2,north,burst'].join('\n'));
    fs.writeFileSync(file('more.csv'), `${header},extra\n1,2,north,burst,3\n`);
    const [quote, more] = await Promise.all([
      train('quote.csv', 'x.rec', '--json'),
      run('evaluate', '--artefact', file('a.rec'), '--csv', file('more.csv'), '--json'),
    ]);
    assert.match(refusal(quote, 'TABLE_MALFORMED'), /quote\.csv, line 32, column pressure: /);
    assert.match(refusal(more, 'RECOGNISER_INPUT_INVALID'), /more\.csv, column "extra"/);
  });
});
