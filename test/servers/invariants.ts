import assert from 'node:assert/strict';
import { readFrame } from '../../api/ingest/frame.ts';
import type { IncidentView, Stores } from '../../domain/ports.ts';
import type { IngestStores } from '../../domain/ports-ingest.ts';
import type { Fact } from '../../domain/situation.ts';
import { hashOf } from '../../models/hash.ts';

/** The record of one incident beside its view. */
export interface Recorded {
  readonly view: IncidentView;
  readonly facts: readonly Fact[];
}

export async function recorded(stores: Stores): Promise<Recorded[]> {
  const views = await stores.incidents.list({ limit: 10_000 });
  return Promise.all(views.map(async (view) => ({ view, facts: await stores.facts.of(view.incidentId) })));
}

/** How often each item stands in the archive: bulletins by source and id, readings by sensor, boot and number. */
export async function archived(stores: IngestStores): Promise<Map<string, number>> {
  const times = new Map<string, number>();
  const count = (key: string): void => void times.set(key, (times.get(key) ?? 0) + 1);
  for (let seq = 1; ; seq++) {
    const frame = await stores.frames.read(seq);
    if (frame === null) return times;
    for (const block of readFrame(frame.bytes)) {
      if (block.kind === 'bulletin') count(`${block.bulletin.source}|${block.bulletin.id}`);
      else if (block.kind === 'readings')
        block.values.forEach((_, n) => count(`${block.sensor}|${block.boot}|${block.firstSequence + n}`));
    }
  }
}

/** I1: every acknowledged item is archived exactly once, no evidence is made up, and nothing is left on its way. */
export async function assertEveryAcknowledgedIsArchivedOnce(
  acknowledged: readonly string[],
  stores: IngestStores,
  incidents: readonly Recorded[],
): Promise<void> {
  const times = await archived(stores);
  assert.deepEqual(
    acknowledged.filter((key) => times.get(key) !== 1),
    [],
    'acknowledged, and not exactly once in the archive',
  );
  assert.deepEqual(await stores.inbox.pending(), [], 'nothing waits to be delivered');
  for (const { view } of incidents) {
    const keys = view.situation.seenKeys;
    assert.equal(new Set(keys).size, keys.length, `${view.incidentId} took each evidence once`);
    for (const item of view.situation.evidence) {
      if (item.kind === 'bulletin')
        assert.equal(times.get(item.key), 1, `${item.key} comes from the archive`);
    }
  }
}

interface Holding {
  readonly unit: string;
  readonly epoch: number;
  readonly fromMs: number;
  readonly toMs: number;
}

/** I4: no unit is held twice at a time, its epochs rise, and each grant is given back once. */
export function assertNoUnitWasHeldTwice(incidents: readonly Recorded[]): number {
  const holdings = incidents.flatMap(({ facts }) => holdingsOf(facts));
  for (const [unit, held] of byUnit(holdings)) {
    held.sort((a, b) => a.epoch - b.epoch);
    for (const [n, { epoch, fromMs }] of held.entries()) {
      const before = held[n - 1];
      if (before === undefined) continue;
      assert.ok(epoch > before.epoch, `${unit} was granted under epoch ${epoch} twice`);
      assert.ok(fromMs >= before.toMs, `${unit} was granted again before it was given back`);
    }
  }
  return holdings.length;
}

function byUnit(holdings: readonly Holding[]): Map<string, Holding[]> {
  const groups = new Map<string, Holding[]>();
  for (const holding of holdings) groups.set(holding.unit, [...(groups.get(holding.unit) ?? []), holding]);
  return groups;
}

function holdingsOf(facts: readonly Fact[]): Holding[] {
  return facts
    .filter(({ kind }) => kind === 'granted')
    .map(({ incidentId, atMs, data }) => {
      const released = facts.filter(
        (fact) =>
          fact.kind === 'released' &&
          fact.data['unit'] === data['unit'] &&
          fact.data['epoch'] === data['epoch'],
      );
      assert.equal(released.length, 1, `${incidentId} gave ${String(data['unit'])} back once`);
      return {
        unit: String(data['unit']),
        epoch: Number(data['epoch']),
        fromMs: atMs,
        toMs: released[0]!.atMs,
      };
    });
}

/** I6: what a person was told is decided stands in the record exactly once, and before the act that it allows. */
export function assertEachAnswerCountsOnceBeforeItsAct(
  answered: readonly { readonly incidentId: string; readonly question: string; readonly choice: string }[],
  incidents: readonly Recorded[],
): void {
  for (const { incidentId, question, choice } of answered) {
    const { facts } = incidents.find(({ view }) => view.incidentId === incidentId)!;
    const answers = facts.filter(({ kind, data }) => kind === 'answered' && data['question'] === question);
    assert.deepEqual(
      answers.map(({ data }) => data['choice']),
      [choice],
      `${question} of ${incidentId}`,
    );
    const acts = facts.filter(({ kind, data }) => kind === 'actuated' && data['step'] === question);
    assert.ok(acts.length <= 1, `${question} of ${incidentId} was carried out at most once`);
    for (const act of acts) assert.ok(act.seq > answers[0]!.seq, `${question}: approved, then done`);
  }
}

/** I13: an incident runs to its end by the very plan that it began with, and that plan is what its hash says. */
export async function assertEachKeptItsPlan(stores: Stores, incidents: readonly Recorded[]): Promise<void> {
  for (const { view, facts } of incidents) {
    const version = await stores.plans.version(view.planId, view.planHash);
    assert.ok(version !== null, `${view.planId}@${view.planHash} is in the plan store`);
    assert.equal(hashOf(version.document), view.planHash);
    assert.equal(view.situation.planHash, view.planHash);
    assert.deepEqual(
      facts.map(({ seq }) => seq),
      facts.map((_, n) => n),
      `the record of ${view.incidentId} has no gap`,
    );
  }
}
