import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Dedup } from '../../../api/ingest/dedup.ts';
import type { DedupState } from '../../../api/ingest/dedup.ts';

const cuts = fc.array(fc.tuple(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 12 })), {
  maxLength: 40,
});

/** Forgets to the end, for the tenants that have a time. */
function forgetBefore(dedup: Dedup, beforeMs: Readonly<Record<string, number>>): void {
  for (const step of dedup.forget((tenant) => beforeMs[tenant] ?? -Infinity)) assert.equal(step, undefined);
}

describe('numbers of a sensor', () => {
  it('are new exactly once, however they are cut into messages', () => {
    fc.assert(
      fc.property(cuts, (messages) => {
        const dedup = new Dedup();
        const seen = new Set<number>();
        for (const [first, count] of messages) {
          const taken = dedup.takeNumbers('s', 'b', first, count, 0);
          const verdicts = taken.flatMap((part) => Array<string>(part.count).fill(part.seen));
          assert.deepEqual(
            verdicts,
            Array.from({ length: count }, (_, n) => (seen.has(first + n) ? 'before' : 'new')),
          );
          for (let n = 0; n < count; n++) seen.add(first + n);
        }
      }),
    );
  });

  it('that are missing are named as gaps', () => {
    fc.assert(
      fc.property(cuts, (messages) => {
        const dedup = new Dedup();
        const seen = new Set<number>();
        for (const [first, count] of messages) {
          dedup.takeNumbers('s', 'b', first, count, 0);
          for (let n = 0; n < count; n++) seen.add(first + n);
        }
        const missing = dedup
          .gaps('s', 'b', 1_000)
          .flatMap(({ first, last }) => Array.from({ length: last - first + 1 }, (_, n) => first + n));
        const highest = Math.max(0, ...seen);
        const expected = Array.from({ length: highest }, (_, n) => n + 1).filter((n) => !seen.has(n));
        assert.deepEqual(missing, expected);
      }),
    );
  });

  it('are counted anew after every boot, and for every sensor', () => {
    const dedup = new Dedup();
    assert.equal(dedup.takeNumbers('s', 'b1', 1, 1, 0)[0]!.seen, 'new');
    assert.equal(dedup.takeNumbers('s', 'b2', 1, 1, 0)[0]!.seen, 'new');
    assert.equal(dedup.takeNumbers('t', 'b1', 1, 1, 0)[0]!.seen, 'new');
    assert.equal(dedup.takeNumbers('s', 'b1', 1, 1, 0)[0]!.seen, 'before');
  });

  it('with too many gaps, or of too many boots, cannot be judged and are refused', () => {
    const dedup = new Dedup();
    for (let n = 0; n < 1_000; n++) dedup.takeNumbers('s', 'b', 2 + n * 2, 1, 0);
    assert.equal(dedup.takeNumbers('s', 'b', 5_000, 1, 0)[0]!.seen, 'unprovable');
    assert.equal(dedup.takeNumbers('s', 'b', 3, 1, 0)[0]!.seen, 'new');
    for (let boot = 0; boot < 63; boot++) dedup.takeNumbers('s', `other-${boot}`, 1, 1, 0);
    assert.equal(dedup.takeNumbers('s', 'one-more', 1, 1, 0)[0]!.seen, 'unprovable');
  });
});

describe('readings without numbers', () => {
  it('are known by their time and value', () => {
    const dedup = new Dedup();
    assert.equal(dedup.takeContent('s', 1, 5), 'new');
    assert.equal(dedup.takeContent('s', 1, 6), 'new');
    assert.equal(dedup.takeContent('s', 1, 5), 'before');
    assert.equal(dedup.takeContent('t', 1, 5), 'new');
  });

  it('older than all that is remembered are refused and not taken twice', () => {
    const dedup = new Dedup();
    for (let n = 0; n <= 4_096; n++) dedup.takeContent('s', n, 0);
    assert.equal(dedup.takeContent('s', 0, 0), 'unprovable');
    assert.equal(dedup.takeContent('s', 1, 0), 'before');
  });
});

describe('revisions of a bulletin', () => {
  it('are numbered in the order in which they came', () => {
    const dedup = new Dedup();
    assert.deepEqual(dedup.takeRevision('i', 'h1', 0), { seen: 'new', revision: 1 });
    assert.deepEqual(dedup.takeRevision('i', 'h2', 0), { seen: 'new', revision: 2 });
    assert.deepEqual(dedup.takeRevision('i', 'h1', 0), { seen: 'before', revision: 1 });
  });

  it('are limited', () => {
    const dedup = new Dedup();
    for (let n = 0; n < 100; n++) dedup.takeRevision('i', `h${n}`, 0);
    assert.equal(dedup.takeRevision('i', 'one more', 0).seen, 'unprovable');
  });
});

describe('what is remembered', () => {
  it('survives being saved', () => {
    fc.assert(
      fc.property(cuts, cuts, (before, after) => {
        const first = new Dedup();
        for (const [from, count] of before) first.takeNumbers('t|v|s', 'b', from, count, 7);
        first.takeContent('t|v|s', 3, 0.5);
        first.takeRevision('t|v|i', 'h', 0);
        const second = new Dedup();
        second.restore(JSON.parse(JSON.stringify(first.state())) as DedupState);
        for (const [from, count] of after) {
          assert.deepEqual(
            second.takeNumbers('t|v|s', 'b', from, count, 8),
            first.takeNumbers('t|v|s', 'b', from, count, 8),
          );
        }
        assert.equal(second.takeContent('t|v|s', 3, 0.5), 'before');
        assert.equal(second.takeRevision('t|v|i', 'h', 0).seen, 'before');
      }),
    );
  });

  it('is dropped per tenant once it is too old to be sent again', () => {
    const dedup = new Dedup();
    dedup.takeNumbers('city|v|s', 'b', 1, 1, 10);
    dedup.takeNumbers('village|v|s', 'b', 1, 1, 10);
    forgetBefore(dedup, { city: 11 });
    assert.deepEqual(Object.keys(dedup.state().runs), ['village|v|s|b']);
    forgetBefore(dedup, { village: 10 });
    assert.deepEqual(Object.keys(dedup.state().runs), ['village|v|s|b']);
  });

  it('is not dropped when it comes again between two steps of forgetting', () => {
    const sensors = Array.from({ length: 1_200 }, (_, n) => `city|v|s${n}`);
    const dedup = new Dedup();
    for (const sensor of sensors) dedup.takeNumbers(sensor, 'b', 1, 1, 10);
    const again = [sensors[0]!, sensors.at(-1)!];
    let steps = 0;
    for (const step of dedup.forget(() => 20)) {
      assert.equal(step, undefined);
      if (++steps === 1) for (const sensor of again) dedup.takeNumbers(sensor, 'b', 1, 2, 30);
    }
    assert.ok(steps > 3);
    assert.deepEqual(Object.keys(dedup.state().runs).sort(), again.map((sensor) => `${sensor}|b`).sort());
    for (const sensor of again) assert.equal(dedup.takeNumbers(sensor, 'b', 2, 1, 30)[0]!.seen, 'before');
  });
});
