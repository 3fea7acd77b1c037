import assert from 'node:assert/strict';
import { test } from 'node:test';
import { verdictsOf } from '../../../domain/classify/labels.ts';

const said = (incidentId: string, by: string, label: string) => ({
  incidentId,
  by,
  label,
  reason: 'seen',
  atMs: 1,
});

test('two different people must say the same before an incident may teach', () => {
  const verdicts = verdictsOf([
    said('d', 'ana', 'explosion'),
    said('a', 'bo', 'earthquake'),
    said('a', 'ana', 'earthquake'),
    said('b', 'ana', 'earthquake'),
    said('b', 'bo', 'explosion'),
    said('c', 'ana', 'earthquake'),
    said('c', 'ana', 'earthquake'),
    said('b', 'cy', 'explosion'),
  ]);
  assert.deepEqual(
    verdicts.map(({ incidentId, state, label }) => [incidentId, state, label]),
    [
      ['a', 'agreed', 'earthquake'],
      ['b', 'disputed', null],
      ['c', 'alone', 'earthquake'],
      ['d', 'alone', 'explosion'],
    ],
  );
});
