import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import {
  bundleFileName,
  checkBundle,
  checkParts,
  openBundle,
  replayBundle,
  saveBundle,
  unreadable,
} from '../../bin/bundles.ts';
import type { Bundle, BundleItem } from '../../domain/audit/bundle.ts';
import { readBundle, sealBundle, writeBundle } from '../../domain/audit/bundle.ts';
import type { Check } from '../../domain/audit/verify.ts';
import { tocsin } from '../bin/command-line.ts';
import { recordBundle } from './record-bundle.ts';

let bundle: Bundle;
let directory: string;
before(async () => {
  bundle = await recordBundle();
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'tocsin-bundle-'));
});
after(() => fs.rmSync(directory, { recursive: true, force: true }));

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** As somebody would who changes an item and knows how to hash: a whole new bundle around it. */
function resealed(change: (item: BundleItem) => BundleItem | null): Bundle {
  const { items, ...head } = bundle.manifest;
  const changed = items.flatMap(({ path: at, kind }) => {
    const item = change({ path: at, kind, text: bundle.items[at]! });
    return item === null ? [] : [item];
  });
  return sealBundle(head, changed, sha256);
}

/** The same for the items of one kind, by their text. */
const rewritten = (kind: BundleItem['kind'], rewrite: (text: string) => string): Bundle =>
  resealed((item) => {
    if (item.kind !== kind) return item;
    const text = rewrite(item.text);
    assert.notEqual(text, item.text, `the test changes ${item.path}`);
    return { ...item, text };
  });

const failed = (checks: readonly Check[]): string[] => [
  ...new Set(checks.filter(({ ok }) => !ok).map(({ check }) => check)),
];

const flip = (text: string, at: number): string =>
  text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) ^ 1) + text.slice(at + 1);

/** Replaces words inside the base64 payloads of a history. */
const inPayloads = (history: string, from: string, to: string): string =>
  history.replace(/"data":\s*"([A-Za-z0-9+/=]+)"/g, (whole, data: string) => {
    const text = Buffer.from(data, 'base64').toString('utf8');
    return text.includes(from)
      ? whole.replace(data, Buffer.from(text.replaceAll(from, to)).toString('base64'))
      : whole;
  });

describe('an evidence bundle', () => {
  it('holds every part of the record and passes every check, the replay included', async () => {
    const kinds = new Set(bundle.manifest.items.map(({ kind }) => kind));
    assert.deepEqual([...kinds].sort(), [
      'approvals',
      'facts',
      'history',
      'incident',
      'plan',
      'plan-version',
      'recogniser-artefact',
      'recogniser-card',
    ]);
    const checks = await checkBundle(bundle);
    assert.deepEqual(failed(checks), []);
    const done = new Set(checks.map(({ check }) => check));
    for (const check of [
      'item-hash',
      'plan-hash',
      'facts-in-order',
      'approvals-in-history',
      'recogniser-hash',
      'runs-chained',
      'replay',
    ] as const) {
      assert.ok(done.has(check), check);
    }
  });

  it('comes back from its file as it was', () => {
    const file = path.join(directory, bundleFileName(bundle.manifest.incidentId));
    saveBundle(bundle, file);
    assert.deepEqual(openBundle(file), JSON.parse(JSON.stringify(bundle)));
    assert.equal(fs.statSync(file).mode & 0o777, 0o600);
  });

  it('shows a flipped bit of any item, and names the item', async () => {
    for (const { path: at } of bundle.manifest.items) {
      const text = bundle.items[at]!;
      const tampered = { ...bundle, items: { ...bundle.items, [at]: flip(text, text.length >> 1) } };
      const checks = await checkBundle(tampered);
      const [found] = checks.filter(({ check, ok }) => check === 'item-hash' && !ok);
      assert.equal(found?.item, at);
    }
  });

  it('shows a flipped bit anywhere in its file', () => {
    const text = writeBundle(bundle);
    const intact = (candidate: string): boolean => {
      try {
        return checkParts(readBundle(candidate)).every(({ ok }) => ok);
      } catch (error) {
        return unreadable(error).ok;
      }
    };
    assert.ok(intact(text));
    fc.assert(
      fc.property(fc.nat(text.length - 1), (at) => !intact(flip(text, at))),
      { numRuns: 300 },
    );
  });

  it('shows an item that is missing, and one that was added', async () => {
    const { 'plan-version.json': _gone, ...fewer } = bundle.items;
    const missing = await checkBundle({ ...bundle, items: fewer });
    assert.ok(
      missing.some(({ check, item, ok }) => check === 'items-listed' && item === 'plan-version.json' && !ok),
    );
    const more = await checkBundle({ ...bundle, items: { ...bundle.items, 'note.txt': 'x' } });
    assert.ok(more.some(({ check, item, ok }) => check === 'items-listed' && item === 'note.txt' && !ok));
  });

  it('has another name when anything in it was changed and hashed anew', () => {
    const other = rewritten('facts', (text) => text.replace('felt here', 'not felt'));
    assert.notEqual(other.manifestSha256, bundle.manifestSha256);
  });
});

describe('a bundle that was changed and hashed anew', () => {
  const changes: readonly (readonly [string, () => Bundle, string])[] = [
    [
      'with another person behind an answer',
      () => rewritten('facts', (text) => text.replace('"by":"duty-officer"', '"by":"somebody"')),
      'approvals-in-history',
    ],
    [
      'with an answer that no fact records',
      () =>
        rewritten('facts', (text) => {
          const lines = text.split('\n').filter((line) => !line.includes('"kind":"answered"'));
          return lines.join('\n').replace(
            /"seq":\d+/g,
            (
              (n) => () =>
                `"seq":${n++}`
            )(0),
          );
        }),
      'approvals-in-history',
    ],
    [
      'with a fact left out',
      () => rewritten('facts', (text) => text.split('\n').toSpliced(3, 1).join('\n')),
      'facts-in-order',
    ],
    [
      'with the last facts left out',
      () => rewritten('facts', (text) => `${text.split('\n').slice(0, -3).join('\n')}\n`),
      'facts-in-order',
    ],
    [
      'with a fact of another incident',
      () => rewritten('facts', (text) => text.replaceAll('riverside', 'elsewhere')),
      'facts-in-order',
    ],
    [
      'with a milder plan',
      () => rewritten('plan', (text) => text.replace('"atLeastMmi":8', '"atLeastMmi":9')),
      'plan-hash',
    ],
    [
      'with a milder plan in the history as well',
      () => rewritten('history', (text) => inPayloads(text, '"atLeastMmi":8', '"atLeastMmi":9')),
      'plan-hash',
    ],
    [
      'with another incident beside it',
      () => rewritten('incident', (text) => text.replaceAll('riverside', 'elsewhere')),
      'incident-agrees',
    ],
    [
      'with other approvals',
      () => rewritten('approvals', (text) => text.replaceAll('approve', 'refuse')),
      'approvals-agree',
    ],
    [
      'with another artefact',
      () => rewritten('recogniser-artefact', () => Buffer.from('another').toString('base64')),
      'recogniser-hash',
    ],
    [
      'without an artefact that voted',
      () => resealed((item) => (item.path.startsWith('recognisers/svm') ? null : item)),
      'recogniser-hash',
    ],
    [
      'without its history',
      () => resealed((item) => (item.kind === 'history' ? null : item)),
      'runs-chained',
    ],
    [
      'with an event cut out of the history',
      () =>
        rewritten('history', (text) => {
          const history = JSON.parse(text) as { events: unknown[] };
          return JSON.stringify({ events: history.events.toSpliced(5, 1) });
        }),
      'runs-chained',
    ],
    [
      'with recognisers that voted otherwise',
      () => rewritten('history', (text) => inPayloads(text, '"label":"earthquake"', '"label":"explosion"')),
      'replay',
    ],
    ['with a history that is none', () => rewritten('history', () => '{"events":[]}'), 'item-readable'],
    ['with facts that are none', () => rewritten('facts', () => 'nothing\n'), 'item-readable'],
  ];
  for (const [what, change, check] of changes) {
    it(`${what} fails ${check}`, async () => {
      assert.ok(failed(await checkBundle(change())).includes(check));
    });
  }

  it('replays only its histories when asked for that', async () => {
    const checks = await replayBundle(bundle);
    assert.deepEqual(
      checks.map(({ check, ok }) => [check, ok]),
      [['replay', true]],
    );
  });
});

describe('tocsin audit', () => {
  it('verifies a bundle without any server, and ends with 1 when one byte differs', async () => {
    const file = path.join(directory, 'intact.tocsin-bundle.json');
    const text = writeBundle(bundle);
    fs.writeFileSync(file, text);
    const env = { TOCSIN_DATA: directory };
    const intact = await tocsin(['audit', 'verify', file, '--json', '--expect', bundle.manifestSha256], env);
    assert.equal(intact.code, 0, intact.stderr);
    assert.equal((JSON.parse(intact.stdout) as { ok: boolean }).ok, true);

    const other = await tocsin(['audit', 'verify', file, '--expect', '0'.repeat(64)], env);
    assert.equal(other.code, 1);
    assert.match(other.stdout, /FAILED {2}manifest-hash {2}bundle/);

    fs.writeFileSync(file, flip(text, text.indexOf('duty-officer')));
    const tampered = await tocsin(['audit', 'verify', file], env);
    assert.equal(tampered.code, 1);
    assert.match(tampered.stdout, /FAILED {2}item-hash/);

    fs.writeFileSync(file, `${text} `);
    const spaced = await tocsin(['audit', 'verify', file], env);
    assert.equal(spaced.code, 1);
    assert.match(spaced.stdout, /FAILED {2}item-readable {2}bundle/);
  });

  it('says with exit code 3 that there is no such file', async () => {
    assert.equal((await tocsin(['audit', 'verify', path.join(directory, 'none')])).code, 3);
  });
});
