import assert from 'node:assert/strict';
import { test } from 'node:test';
import { detectorNamed } from '../../../../domain/detect/detectors.ts';
import { createRandom } from '../../../../domain/random.ts';

/** Noise about an offset, with three bursts of ten rows. */
function stream(channels: number): { timeMs: number; row: number[] }[] {
  const random = createRandom(4);
  return Array.from({ length: 3_000 }, (_, i) => {
    const burst = [1_000, 1_800, 2_600].some((start) => i >= start && i < start + 10);
    const row = Array.from({ length: channels }, () => 980 + random.normal() * (burst ? 20 : 1));
    return { timeMs: i * 20, row };
  });
}

test('each burst is one alarm, on one channel and on three', () => {
  for (const channels of [1, 3]) {
    const detector = detectorNamed('sta-lta', { staRows: 10, ltaRows: 300, on: 6 }).create(channels);
    const begins: number[] = [];
    for (const { timeMs, row } of stream(channels)) {
      if (detector.push(timeMs, row).begins) begins.push(timeMs / 20);
    }
    assert.equal(begins.length, 3, `${channels} channels: ${begins.join(', ')}`);
    for (const [i, start] of [1_000, 1_800, 2_600].entries()) {
      assert.ok(begins[i]! >= start && begins[i]! < start + 10, `began at row ${begins[i]}`);
    }
  }
});

test('a detector made from a saved state goes on as if it had never stopped', () => {
  const rows = stream(2);
  const named = detectorNamed('sta-lta', { ltaRows: 300 });
  const whole = named.create(2);
  let stopped = named.create(2);
  for (const [i, { timeMs, row }] of rows.entries()) {
    if (i % 250 === 0) stopped = named.create(2, JSON.parse(JSON.stringify(stopped.save())));
    assert.deepEqual({ ...stopped.push(timeMs, row) }, { ...whole.push(timeMs, row) });
  }
});

test('missing values, infinities and rows that come too late say nothing', () => {
  const [troubled, calm] = [detectorNamed('sta-lta').create(), detectorNamed('sta-lta').create()];
  const rows = stream(1);
  for (const { timeMs, row } of rows.slice(0, 900)) {
    troubled.push(timeMs, row);
    calm.push(timeMs, row);
  }
  for (const [timeMs, value] of [
    [17_990, Number.NaN],
    [17_990, Number.POSITIVE_INFINITY],
    [10, 5_000],
  ] as const) {
    assert.equal(troubled.push(timeMs, [value]).begins, false);
  }
  for (const { timeMs, row } of rows.slice(900, 1_100)) {
    assert.deepEqual({ ...troubled.push(timeMs, row) }, { ...calm.push(timeMs, row) });
  }
});
