import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { formatDuration, parseDuration } from '../../bin/duration.ts';

describe('durations', () => {
  it('are read with their unit', () => {
    assert.equal(parseDuration('70s'), 70_000);
    assert.equal(parseDuration('1.5m'), 90_000);
    assert.equal(parseDuration('6h'), 21_600_000);
    assert.equal(parseDuration('250ms'), 250);
  });

  it('are refused without one, or with a sign', () => {
    for (const text of ['70', '', 's', '-5s', '5 parsecs', '5s 3s', 'NaNs'])
      assert.equal(parseDuration(text), undefined);
  });

  it('come back from the form they are shown in', () => {
    fc.assert(fc.property(fc.nat(10 ** 9), (ms) => parseDuration(formatDuration(ms)) === ms));
  });
});
