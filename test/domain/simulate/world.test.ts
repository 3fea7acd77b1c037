import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Fact } from '../../../domain/situation.ts';
import {
  HOUR,
  MAJOR_LEAF,
  MINUTE,
  T0,
  gasPlan,
  methaneReading,
  notice,
  quakePlan,
  unitsOf,
} from '../../support/plans.ts';
import { rehearse, rehearseOne } from '../../support/script.ts';

const unitsGranted = (facts: readonly Fact[]): unknown[] =>
  facts.filter((fact) => fact.kind === 'granted').map((fact) => fact.data['unit']);

const leak = [methaneReading('detect', true), methaneReading(MAJOR_LEAF, true)];
const tight = (atMs: number) => [methaneReading('evaluate.resolvedWhen', true, atMs)];

test('sends the hazmat crew when the leak is major, and has it back at the end', async () => {
  const { facts, situation } = await rehearseOne(gasPlan, leak, {
    happenings: [{ atMs: T0 + 2 * HOUR, tag: '', evidence: tight(T0 + 2 * HOUR) }],
  });
  assert.deepEqual(unitsGranted(facts).sort(), ['east-hazmat-1', 'east-hazmat-2']);
  assert.equal(situation.phase, 'closed');
  const released = facts.filter((fact) => fact.kind === 'released');
  assert.deepEqual(
    released.map((fact) => fact.data['after']),
    ['done', 'done'],
  );
});

test('serves orders of one instant jointly: no unit is promised twice', async () => {
  const happenings = ['a', 'b', 'c'].map((tag) => ({
    atMs: T0,
    tag,
    evidence: [notice({ id: tag, mmi: 7, magnitude: 6 })],
  }));
  const rehearsed = await rehearse({
    plan: quakePlan,
    happenings,
    units: unitsOf('east', { 'search-rescue': 4 }),
  });
  const atOnce = [...rehearsed.values()].flatMap(({ facts }) =>
    unitsGranted(facts.filter((fact) => fact.atMs === T0)),
  );
  assert.equal(new Set(atOnce).size, 4);
  assert.equal(atOnce.length, 4);
});

test('grants a waiting order when another incident gives its units back', async () => {
  const rehearsed = await rehearse({
    plan: quakePlan,
    happenings: [
      { atMs: T0, tag: 'first', evidence: [notice({ id: 'a', mmi: 7, magnitude: 6 })] },
      {
        atMs: T0 + MINUTE,
        tag: 'second',
        evidence: [notice({ id: 'b', atMs: T0 + MINUTE, mmi: 7, magnitude: 6 })],
      },
    ],
    units: unitsOf('east', { 'search-rescue': 2 }),
  });
  const { facts } = rehearsed.get('second')!;
  assert.deepEqual(
    facts
      .filter((fact) => ['ordered', 'queued', 'step-missed', 'granted'].includes(fact.kind))
      .map((fact) => fact.kind),
    ['ordered', 'queued', 'step-missed', 'granted', 'granted'],
  );
  const first = rehearsed.get('first')!.facts.find((fact) => fact.kind === 'released');
  const granted = facts.find((fact) => fact.kind === 'granted');
  assert.equal(granted?.data['epoch'], 2);
  assert.equal(
    granted?.atMs,
    rehearsed
      .get('first')!
      .facts.filter((fact) => fact.kind === 'released')
      .at(-1)?.atMs,
  );
  assert.ok(first!.atMs <= granted!.atMs);
});

test('gives a closed incident’s late grant straight to the next that waits', async () => {
  const at = (minutes: number): number => T0 + minutes * MINUTE;
  const command = { kind: 'close', by: 'lin', reason: 'nothing there' } as const;
  const rehearsed = await rehearse({
    plan: quakePlan,
    happenings: [
      { atMs: at(0), tag: 'holder', evidence: [notice({ id: 'a', mmi: 7, magnitude: 6 })] },
      { atMs: at(1), tag: 'gone', evidence: [notice({ id: 'b', atMs: at(1), mmi: 7, magnitude: 6 })] },
      { atMs: at(2), tag: 'waits', evidence: [notice({ id: 'c', atMs: at(2), mmi: 7, magnitude: 6 })] },
      { atMs: at(3), tag: 'gone', command },
    ],
    units: unitsOf('east', { 'search-rescue': 2 }),
  });
  assert.deepEqual(unitsGranted(rehearsed.get('gone')!.facts), []);
  assert.equal(unitsGranted(rehearsed.get('waits')!.facts).length, 2);
});

test('the same script gives the same facts to the last byte', async () => {
  const run = async (): Promise<string> =>
    JSON.stringify((await rehearseOne(quakePlan, [notice({ mmi: 8.5, magnitude: 7 })])).facts);
  assert.equal(await run(), await run());
});
