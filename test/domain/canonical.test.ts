import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import vm from 'node:vm';
import fc from 'fast-check';
import { canonicalJson } from '../../domain/canonical.ts';
import { TocsinError } from '../../domain/errors.ts';
import { hashOf } from '../../models/hash.ts';

// Its typings describe an ES module, its code is CommonJS.
const require = createRequire(import.meta.url);
const canonicalize = require('canonicalize') as (value: unknown) => string;

const wellFormed = fc.string({ unit: 'binary' });
const anyJson = fc.jsonValue({ noUnicodeString: false, stringUnit: 'binary' });

test('spells every JSON value as the reference implementation of RFC 8785 does', () => {
  fc.assert(
    fc.property(anyJson, (value) => {
      assert.equal(canonicalJson(value), canonicalize(value));
    }),
    { numRuns: 2_000 },
  );
});

test('the order in which members were written does not matter', () => {
  fc.assert(
    fc.property(fc.dictionary(wellFormed, anyJson), (members) => {
      const reversed = Object.fromEntries(Object.entries(members).reverse());
      assert.equal(canonicalJson(reversed), canonicalJson(members));
    }),
  );
});

test('reading the text back gives the value, and the same text again', () => {
  fc.assert(
    fc.property(anyJson, (value) => {
      const text = canonicalJson(value);
      assert.equal(canonicalJson(JSON.parse(text)), text);
    }),
  );
});

test('reproduces the example of RFC 8785, section 3.2.2', () => {
  const example = {
    numbers: [333333333.33333329, 1e30, 4.5, 2e-3, 0.000000000000000000000000001],
    string: '\u20ac$\u000F\u000aA\'\u0042\u0022\u005c\\"\/',
    literals: [null, true, false],
  };
  assert.equal(
    canonicalJson(example),
    '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
  );
});

test('orders members by UTF-16 code units as in RFC 8785, section 3.2.3', () => {
  const members = ['\u20ac', '\r', '\ufb33', '1', '\u{1f600}', '\u0080', '\u00f6'];
  const text = canonicalJson(Object.fromEntries(members.map((name) => [name, 0])));
  assert.deepEqual(Object.keys(JSON.parse(text) as object), [
    '1',
    '\r',
    '\u0080',
    '\u00f6',
    '\u20ac',
    '\u{1f600}',
    '\ufb33',
  ]);
});

test('leaves out undefined members and writes minus zero as zero', () => {
  assert.equal(canonicalJson({ b: undefined, a: -0 }), '{"a":0}');
});

test('takes plain objects of another realm, as the workflow sandbox makes them', () => {
  assert.equal(canonicalJson(vm.runInNewContext('({ b: [1], a: {} })')), '{"a":{},"b":[1]}');
});

const cycle: { self?: unknown } = {};
cycle.self = cycle;
const holed: number[] = [];
holed[1] = 1;

for (const [what, value, place] of [
  ['NaN', { readings: [1, Number.NaN] }, 'readings.1'],
  ['an infinity', { a: { b: -Infinity } }, 'a.b'],
  ['a lone surrogate', ['\ud800'], '0'],
  ['a lone surrogate in a name', { '\udc00': 1 }, '\udc00'],
  ['undefined', undefined, 'the value itself'],
  ['an undefined item', [undefined], '0'],
  ['a hole', holed, '0'],
  ['a function', { run: () => 1 }, 'run'],
  ['a bigint', 1n, 'the value itself'],
  ['a symbol', [Symbol('x')], '0'],
  ['a Date', { at: new Date(0) }, 'at'],
  ['a Map', new Map(), 'the value itself'],
  ['bytes', { bytes: new Uint8Array(2) }, 'bytes'],
] as const) {
  test(`refuses ${what} and says where`, () => {
    assert.throws(
      () => canonicalJson(value),
      (error) =>
        error instanceof TocsinError && error.code === 'NOT_JSON' && error.details['place'] === place,
    );
  });
}

test('refuses a cycle and hopeless nesting instead of running out of stack', () => {
  let deep: unknown = 1;
  for (let i = 0; i < 100_000; i++) deep = [deep];
  assert.throws(() => canonicalJson(cycle), /cycle/);
  assert.throws(() => canonicalJson(deep), /nesting/);
});

test('the hash of a value is the SHA-256 of its canonical text in UTF-8', () => {
  const expected = createHash('sha256').update('{"a":"é","b":1}', 'utf8').digest('hex');
  assert.equal(hashOf({ b: 1, a: 'é' }), expected);
});
