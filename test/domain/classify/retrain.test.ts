import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import fc from 'fast-check';
import { predict, type Recogniser } from '../../../domain/classify/recogniser.ts';
import {
  prepareRows,
  rowsPerVendor,
  type LabelledIncident,
  type LeftOut,
  type PreparedRows,
} from '../../../domain/classify/retrain.ts';
import { trainRecogniser } from '../../../domain/classify/train.ts';
import type { VoteInput } from '../../../domain/situation.ts';
import { GAS_CLASSES, GAS_FEATURES, gasRows } from './rows.ts';

const base = gasRows(300, 1);
const judging = { fromMs: 1_000, untilMs: 2_000 };

function train(rows = base.rows, labels = base.labels): Recogniser {
  return trainRecogniser({
    name: 'gas-forest',
    kind: 'forest',
    features: GAS_FEATURES,
    classes: GAS_CLASSES,
    forest: { trees: 60, minimumLeaf: 2 },
    seed: 2,
    rows,
    labels,
  });
}

const recogniser = train();
const offered = gasRows(600, 51);

interface Told {
  readonly label?: string;
  readonly vendor?: string;
  readonly state?: 'agreed' | 'alone' | 'disputed';
  readonly closed?: boolean;
  readonly input?: Partial<VoteInput> | null;
}

function incident(index: number, told: Told = {}): LabelledIncident {
  const { label = offered.labels[index]!, vendor = 'v', state = 'agreed', closed = true, input = {} } = told;
  return {
    verdict: {
      incidentId: `incident/${index}`,
      state,
      label: state === 'disputed' ? null : label,
      by: ['li', 'wu'],
    },
    closed,
    input: input && { key: `k${index}`, vendor, observedAtMs: 0, row: offered.rows[index]!, ...input },
  };
}

const prepare = (incidents: readonly LabelledIncident[], rows = base.rows, seed = 7): PreparedRows =>
  prepareRows({ incidents, recogniser, base: rows, judging, seed });

describe('rows from closed incidents', () => {
  const reasons: readonly (readonly [LeftOut, string, Told])[] = [
    ['one-person', 'one person has labelled', { state: 'alone' }],
    ['disputed', 'people differ about', { state: 'disputed' }],
    ['not-closed', 'is open again in the store', { closed: false }],
    ['other-class', 'is nothing the recogniser tells apart', { label: 'landslide' }],
    ['no-input', 'has no recorded input', { input: null }],
    ['other-inputs', 'was voted on with other inputs', { input: { row: { methane: 3 } } }],
    [
      'other-inputs',
      'has text where a number belongs',
      { input: { row: { ...offered.rows[0]!, methane: 'much' } } },
    ],
    ['judging-period', 'begins the time that judges', { input: { observedAtMs: judging.fromMs } }],
    ['judging-period', 'ends the time that judges', { input: { observedAtMs: judging.untilMs } }],
    ['teaches-already', 'has a row that teaches already', { input: { row: base.rows[4]! } }],
  ];
  for (const [reason, what, told] of reasons) {
    it(`leave out an incident that ${what}, and count it`, () => {
      const { rows, usable, leftOut } = prepare([incident(0, told), incident(1)]);
      assert.deepEqual([rows.length, usable, leftOut[reason]], [1, 1, 1]);
      assert.equal(rows[0]!.incidentId, 'incident/1');
      assert.equal(
        Object.values(leftOut).reduce((sum, n) => sum + n, 0),
        1,
      );
    });
  }

  it('teach once when two incidents were about the same bulletin', () => {
    const { rows, leftOut } = prepare([incident(0), incident(1, { input: { row: offered.rows[0]! } })]);
    assert.deepEqual([rows.length, leftOut['teaches-already']], [1, 1]);
  });

  it('keep what was voted on as it was, with the label of the people', () => {
    const { rows } = prepare([incident(3, { label: 'welding' })]);
    assert.deepEqual(rows, [
      { incidentId: 'incident/3', vendor: 'v', label: 'welding', row: offered.rows[3]! },
    ]);
  });

  it('never come from one vendor for more than a tenth of all rows, and are as many as that allows', () => {
    fc.assert(
      fc.property(
        fc.nat({ max: 400 }),
        fc.array(fc.nat({ max: 60 }), { minLength: 1, maxLength: 10 }),
        fc.integer(),
        (baseRows, counts, seed) => {
          const incidents: LabelledIncident[] = [];
          for (const [v, count] of counts.entries())
            for (let i = 0; i < count; i++) incidents.push(incident(incidents.length, { vendor: `v${v}` }));
          const first = Array.from({ length: baseRows }, (_, i) => ({ n: i }));
          const { rows, vendors, leftOut, usable } = prepare(incidents, first, seed);
          const total = baseRows + rows.length;
          for (const { kept, offered: brought } of Object.values(vendors)) {
            assert.ok(kept * 10 <= total, `${kept} of ${total}`);
            assert.ok(kept <= brought);
          }
          assert.equal(usable, incidents.length);
          assert.equal(rows.length + leftOut['vendor-share'], usable);
          // One more row for every vendor that has more would break the law.
          const atMost = rowsPerVendor(baseRows, counts);
          const withMore = counts.reduce((sum, own) => sum + Math.min(own, atMost + 1), baseRows);
          assert.ok(atMost === Math.max(...counts) || (atMost + 1) * 10 > withMore);
        },
      ),
      { numRuns: 100 },
    );
  });

  it('are the same whatever the order in which incidents come', () => {
    const incidents = offered.rows.map((_, i) =>
      incident(i, { vendor: i % 3 === 0 ? 'loud' : `v${i % 20}` }),
    );
    const expected = prepare(incidents);
    assert.ok(expected.leftOut['vendor-share'] > 0);
    fc.assert(
      fc.property(fc.shuffledSubarray(incidents, { minLength: incidents.length }), (shuffled) => {
        assert.deepEqual(prepare(shuffled), expected);
      }),
      { numRuns: 10 },
    );
  });

  it('are drawn by the seed where a vendor brings too many, not by what people called them', () => {
    const keptOf = (label: string, seed: number): string[] =>
      prepare(
        offered.rows.map((_, i) => incident(i, { label })),
        base.rows,
        seed,
      ).rows.map(({ incidentId }) => incidentId);
    assert.deepEqual(keptOf('leak', 7), keptOf('quiet', 7));
    assert.notDeepEqual(keptOf('leak', 7), keptOf('leak', 8));
    assert.equal(keptOf('leak', 7).length, 33);
  });
});

/** One loud vendor gets a share of all labelled rows called the wrong thing: leaks quiet, everything else a leak. */
function poisoned(share: number): LabelledIncident[] {
  return offered.rows.map((_, i) => {
    if (i >= share * offered.rows.length) return incident(i, { vendor: `v${i % 12}` });
    return incident(i, { vendor: 'loud', label: offered.labels[i] === 'leak' ? 'quiet' : 'leak' });
  });
}

describe('a vendor whose rows are labelled wrongly', () => {
  const test = gasRows(1_000, 99);
  const scoreOf = (one: Recogniser): { readonly accuracy: number; readonly leaks: number } => {
    const right = test.rows.map((row, i) => predict(one, row).label === test.labels[i]);
    const leaks = right.filter((_, i) => test.labels[i] === 'leak');
    const share = (answers: readonly boolean[]): number => answers.filter(Boolean).length / answers.length;
    return { accuracy: share(right), leaks: share(leaks) };
  };
  const retrained = (added: readonly { readonly row: object; readonly label: string }[]): Recogniser =>
    train(
      [...base.rows, ...added.map(({ row }) => row as (typeof base.rows)[number])],
      [...base.labels, ...added.map(({ label }) => label)],
    );
  let clean: ReturnType<typeof scoreOf>;

  before(() => {
    clean = scoreOf(retrained(prepare(poisoned(0)).rows));
    assert.ok(clean.accuracy > 0.94 && clean.leaks > 0.95, JSON.stringify(clean));
  });

  for (const share of [0.05, 0.15, 0.3]) {
    it(`costs at most 2.5 points of accuracy and 25 of severe recall at ${share * 100} % of the rows, in the mean of five draws`, () => {
      const scores = [1, 2, 3, 4, 5].map((seed) => {
        const { rows, vendors } = prepare(poisoned(share), base.rows, seed);
        assert.ok(vendors['loud']!.kept * 10 <= base.rows.length + rows.length);
        return scoreOf(retrained(rows));
      });
      const mean = (of: 'accuracy' | 'leaks'): number =>
        scores.reduce((sum, score) => sum + score[of], 0) / scores.length;
      assert.ok(mean('accuracy') >= clean.accuracy - 0.025, JSON.stringify({ scores, clean }));
      assert.ok(mean('leaks') >= clean.leaks - 0.25, JSON.stringify({ scores, clean }));
    });
  }

  it('would cost several times that at 30 % if vendors had no share', () => {
    const all = poisoned(0.3).map(({ verdict, input }) => ({ row: input!.row, label: verdict.label! }));
    const uncapped = scoreOf(retrained(all));
    assert.ok(uncapped.accuracy < clean.accuracy - 0.04, JSON.stringify({ uncapped, clean }));
    assert.ok(uncapped.leaks < clean.leaks - 0.4, JSON.stringify({ uncapped, clean }));
  });
});
