import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';

const at = (path: string): URL => new URL(`../../${path}`, import.meta.url);
const guide = fs.readFileSync(at('docs/plans.md'), 'utf8');
const listed = [...guide.matchAll(/^\| `(PLAN_[A-Z_]+)` +\| (mandatory|advisory) /gm)].map(
  ([, code]) => code,
);

/** Codes that are thrown as errors, not said as findings; docs/errors.md has these. */
const ERRORS = ['PLAN_NOT_COMPILED', 'PLAN_PARAMETER_UNKNOWN'];
const said = fs
  .readdirSync(at('domain/plan/'))
  .flatMap(
    (name) => fs.readFileSync(at(`domain/plan/${name}`), 'utf8').match(/PLAN_[A-Z]+(?:_[A-Z]+)*(?=')/g) ?? [],
  )
  .filter((code) => !ERRORS.includes(code));

test('the guide lists each finding that can be said, once, and no other', () => {
  assert.deepEqual([...listed].sort(), [...new Set(said)].sort());
});
