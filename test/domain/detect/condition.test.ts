import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { evaluateCondition } from '../../../domain/detect/condition.ts';
import type { ConditionView } from '../../../domain/detect/condition.ts';
import type { BulletinEvidence } from '../../../domain/evidence.ts';
import type { Condition } from '../../../domain/plan/document.ts';
import { hilltop, riverside } from '../../support/plans.ts';

const nothing: ConditionView = { evidence: [], leaves: {} };

const notice = (
  atMs: number,
  magnitude: number | null,
  effects: readonly (readonly [km: number, mmi: number])[] = [],
): BulletinEvidence => ({
  kind: 'bulletin',
  key: `net|${atMs}`,
  atMs,
  receivedAtMs: atMs,
  vendor: 'net',
  bulletin: {
    source: 'net',
    id: String(atMs),
    type: 'earthquake-notice',
    observedAtMs: atMs,
    position: { latitudeDeg: 24, longitudeDeg: 121 },
    fields: { magnitude },
  },
  effects: effects.map(([distanceKm, expectedMmi], n) => {
    const place = n === 0 ? riverside : hilltop;
    return { placeId: place.id, place, distanceKm, expectedMmi };
  }),
});
const seen = (...evidence: BulletinEvidence[]): ConditionView => ({ evidence, leaves: {} });

const near: Condition = { when: 'magnitudeNear', bulletin: 'earthquake-notice', magnitude: 4, withinKm: 50 };
const strong: Condition = { when: 'intensity', bulletin: 'earthquake-notice', atLeastMmi: 5 };
const quiet: Condition = { when: 'quietFor', bulletin: 'earthquake-notice', forMs: 1_000 };
const leaf: Condition = {
  when: 'atLeast',
  channel: 'methane',
  threshold: 10,
  unit: '%LEL',
  forMs: 0,
  onSensors: 1,
};

describe('a condition', () => {
  const cases: readonly [string, Condition, ConditionView, number, object][] = [
    ['always holds', { when: 'always' }, nothing, 0, { holds: true }],
    [
      'of magnitude holds for a strong notice near a place',
      near,
      seen(notice(7, 4, [[50, 3]])),
      9,
      { holds: true, sinceMs: 7 },
    ],
    ['of magnitude does not hold below it', near, seen(notice(7, 3.9, [[1, 3]])), 9, { holds: false }],
    ['of magnitude does not hold too far away', near, seen(notice(7, 8, [[50.1, 9]])), 9, { holds: false }],
    [
      'of magnitude does not hold without a magnitude',
      near,
      seen(notice(7, null, [[1, 1]])),
      9,
      { holds: false },
    ],
    ['of magnitude does not hold without a place', near, seen(notice(7, 8)), 9, { holds: false }],
    [
      'of intensity holds for any place',
      strong,
      seen(
        notice(7, 6, [
          [90, 2],
          [9, 5],
        ]),
      ),
      9,
      { holds: true, sinceMs: 7 },
    ],
    ['of intensity does not hold for less', strong, seen(notice(7, 6, [[9, 4.9]])), 9, { holds: false }],
    [
      'holds since the first notice that met it',
      strong,
      seen(notice(8, 6, [[9, 6]]), notice(7, 6, [[9, 6]])),
      9,
      { holds: true, sinceMs: 7 },
    ],
    [
      'of another bulletin type ignores these',
      { ...near, bulletin: 'fire-alarm' },
      seen(notice(7, 8, [[1, 9]])),
      9,
      { holds: false },
    ],
    [
      'of quiet says when it might hold',
      quiet,
      seen(notice(5, 4), notice(3, 4)),
      900,
      { holds: false, mightHoldAtMs: 1_005 },
    ],
    ['of quiet holds from that instant', quiet, seen(notice(5, 4)), 1_005, { holds: true, sinceMs: 1_005 }],
    ['of quiet needs something to be quiet after', quiet, nothing, 1e9, { holds: false }],
    ['of a channel does not hold before anything is known', leaf, nothing, 0, { holds: false }],
    [
      'that all hold since the last began',
      { when: 'all', of: [near, strong] },
      seen(notice(7, 4, [[9, 2]]), notice(8, 2, [[9, 5]])),
      9,
      { holds: true, sinceMs: 8 },
    ],
    [
      'that any holds since the first began',
      { when: 'any', of: [near, strong] },
      seen(notice(7, 4, [[9, 2]]), notice(8, 2, [[9, 5]])),
      9,
      { holds: true, sinceMs: 7 },
    ],
    [
      'with one part that only messages can turn cannot promise a time',
      { when: 'all', of: [quiet, leaf] },
      seen(notice(5, 4)),
      6,
      { holds: false },
    ],
    [
      'of any part may hold when the first may',
      { when: 'any', of: [leaf, quiet, { ...quiet, forMs: 500 }] },
      seen(notice(5, 4)),
      6,
      { holds: false, mightHoldAtMs: 505 },
    ],
    [
      'of all parts may hold when the last may',
      { when: 'all', of: [quiet, { ...quiet, forMs: 500 }] },
      seen(notice(5, 4)),
      6,
      { holds: false, mightHoldAtMs: 1_005 },
    ],
    ['of nothing at all holds for all', { when: 'all', of: [] }, nothing, 0, { holds: true }],
    ['of nothing at all does not hold for any', { when: 'any', of: [] }, nothing, 0, { holds: false }],
    [
      'that quiet is not over ends by itself',
      { when: 'not', of: [quiet] },
      seen(notice(5, 4)),
      6,
      { holds: true },
    ],
    [
      'nested twice in not is itself',
      { when: 'not', of: [{ when: 'not', of: [quiet] }] },
      seen(notice(5, 4)),
      6,
      { holds: false, mightHoldAtMs: 1_005 },
    ],
  ];
  for (const [name, condition, view, nowMs, expected] of cases) {
    it(name, () => assert.deepEqual(evaluateCondition(condition, 'detect', view, nowMs), expected));
  }

  it('finds its channel leaves by their path', () => {
    const compound: Condition = { when: 'any', of: [strong, { when: 'all', of: [leaf, leaf] }] };
    const view: ConditionView = {
      evidence: [],
      leaves: {
        'detect.of.1.of.0': { holds: true, sinceMs: 3 },
        'detect.of.1.of.1': { holds: true, sinceMs: 5 },
      },
    };
    assert.deepEqual(evaluateCondition(compound, 'detect', view, 9), { holds: true, sinceMs: 5 });
    assert.equal(evaluateCondition(compound, 'evaluate.resolvedWhen', view, 9).holds, false);
  });

  const tree = fc.letrec<{ tree: Condition; leaf: Condition }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4 },
      tie('leaf'),
      fc.record({
        when: fc.constantFrom('all' as const, 'any' as const),
        of: fc.array(tie('tree'), { maxLength: 3 }),
      }),
      fc.tuple(tie('tree')).map((of): Condition => ({ when: 'not', of })),
    ),
    leaf: fc.oneof(
      fc.constantFrom<Condition>({ when: 'always' }, near, strong, leaf),
      fc.integer({ min: 1, max: 50 }).map((forMs): Condition => ({ ...quiet, forMs }) as Condition),
    ),
  })).tree;
  const views = fc
    .record({
      notices: fc.array(fc.tuple(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 2, max: 6 })), {
        maxLength: 4,
      }),
      leaf: fc.boolean(),
    })
    .map(({ notices, leaf: holds }): ConditionView => ({
      evidence: notices.map(([atMs, magnitude]) => notice(atMs, magnitude, [[10, magnitude]])),
      leaves: Object.fromEntries(
        ['detect', 'detect.of.0', 'detect.of.1', 'detect.of.0.of.0'].map((path) => [
          path,
          { holds, sinceMs: 1 },
        ]),
      ),
    }));

  it('never begins to hold by itself before the time it gave', () => {
    fc.assert(
      fc.property(tree, views, (condition, view) => {
        const at = (nowMs: number): boolean => evaluateCondition(condition, 'detect', view, nowMs).holds;
        const start = 20;
        const { holds, mightHoldAtMs } = evaluateCondition(condition, 'detect', view, start);
        if (holds) return true;
        for (let nowMs = start; nowMs < Math.min(mightHoldAtMs ?? 100, 100); nowMs++) {
          if (at(nowMs)) return false;
        }
        return true;
      }),
    );
  });

  it('is the opposite of its negation', () => {
    fc.assert(
      fc.property(tree, views, fc.integer({ min: 0, max: 80 }), (condition, view, nowMs) => {
        const shifted: ConditionView = {
          ...view,
          leaves: Object.fromEntries(
            Object.entries(view.leaves).map(([path, state]) => [path.replace('detect', 'x.of.0'), state]),
          ),
        };
        const plain = evaluateCondition(condition, 'detect', view, nowMs).holds;
        return evaluateCondition({ when: 'not', of: [condition] }, 'x', shifted, nowMs).holds === !plain;
      }),
    );
  });
});
