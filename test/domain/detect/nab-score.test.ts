import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  bestScore,
  NAB_PROFILES,
  probationRows,
  rowWorths,
  scaledSigmoid,
  scoreAt,
  scoreSteps,
} from '../../../domain/detect/nab-score.ts';
import type { RowWindow } from '../../../domain/detect/nab-score.ts';

const ROWS = 1000;
const WINDOWS: readonly RowWindow[] = [
  [300, 399],
  [700, 799],
];
const standard = NAB_PROFILES[0]!;

/** Scores of 1 at the given rows. */
function detections(...rows: number[]): Float64Array {
  const scores = new Float64Array(ROWS);
  for (const row of rows) scores[row] = 1;
  return scores;
}

function scoreOf(scores: Float64Array, profile = standard): number {
  return scoreAt(1, [scoreSteps(scores, WINDOWS, profile)], profile);
}

void describe('the NAB score', () => {
  void it('is 0 for no detection and 100 for one at the first row of each window, in every profile', () => {
    for (const profile of NAB_PROFILES) {
      assert.equal(scoreOf(detections(), profile), 0);
      assert.ok(Math.abs(scoreOf(detections(300, 700), profile) - 100) < 1e-9);
    }
  });

  void it('takes 15 % of a stream as probation, and never more than 750 rows', () => {
    assert.equal(probationRows(1127), 169);
    assert.equal(probationRows(4032), 604);
    assert.equal(probationRows(22_695), 750);
    assert.equal(scoreOf(detections(0, 10, 149)), 0);
    assert.ok(scoreOf(detections(150)) < 0);
  });

  void it('weighs places by the published sigmoid', () => {
    assert.ok(Math.abs(scaledSigmoid(-1) - 0.98661) < 1e-5);
    assert.ok(Math.abs(scaledSigmoid(-0.5) - 0.84828) < 1e-5);
    assert.equal(scaledSigmoid(0), 0);
    assert.equal(scaledSigmoid(3), -1);
    const worths = rowWorths(ROWS, WINDOWS);
    assert.equal(worths[300], 1);
    assert.ok(Math.abs(worths[399]! - scaledSigmoid(-0.01) / scaledSigmoid(-1)) < 1e-12);
    assert.equal(worths[200], -1, 'before any window a false alarm costs all');
    assert.ok(Math.abs(worths[400]! - scaledSigmoid(1 / 99)) < 1e-12);
    assert.equal(worths[699], -1, 'more than three windows after the last');
  });

  void it('works out by hand: one window found half way, one missed, one false alarm before them', () => {
    const half = (2 / (1 + Math.exp(5 * -0.5)) - 1) / scaledSigmoid(-1);
    // Null is -2, perfect is 2; found + false alarm + missed.
    const expected = (100 * (half - 0.11 - 1 + 2)) / 4;
    assert.ok(Math.abs(scoreOf(detections(200, 350)) - expected) < 1e-9);
  });

  void it('counts a window once, by its earliest detection', () => {
    assert.ok(Math.abs(scoreOf(detections(310, 320, 390)) - scoreOf(detections(310))) < 1e-9);
  });

  void it('halves its patience for false alarms in the low-FP profile, and doubles the price of a miss in low-FN', () => {
    const [, lowFp, lowFn] = NAB_PROFILES;
    assert.ok(Math.abs(scoreOf(detections(200, 300, 700), lowFp!) - (100 - (100 * 0.22) / 4)) < 1e-9);
    assert.ok(Math.abs(scoreOf(detections(300), lowFn!) - 50) < 1e-9);
  });

  void it('finds the best of all thresholds, as trying every one of them does', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.integer({ min: 0, max: 12 }), { minLength: 120, maxLength: 120 }), {
          minLength: 1,
          maxLength: 4,
        }),
        (corpus) => {
          for (const profile of NAB_PROFILES) {
            const steps = corpus.map((scores) =>
              scoreSteps(
                scores,
                [
                  [40, 55],
                  [80, 90],
                ],
                profile,
              ),
            );
            const { score, threshold } = bestScore(steps, profile);
            const tried = Array.from({ length: 12 }, (_, i) => scoreAt(i + 1, steps, profile));
            assert.ok(Math.abs(score - Math.max(0, ...tried)) < 1e-9);
            assert.ok(Math.abs(scoreAt(threshold, steps, profile) - score) < 1e-9);
          }
        },
      ),
      { numRuns: 50 },
    );
  });
});
