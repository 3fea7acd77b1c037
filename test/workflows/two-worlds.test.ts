import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Fact } from '../../domain/situation.ts';
import type { ClockAnswer, DeskSituation } from '../../workflows/contract.ts';
import { CLOCK, RESPOND, SITUATION } from '../../workflows/contract.ts';
import { createCluster } from '../support/cluster.ts';
import type { Outside } from '../support/outside.ts';
import { createOutside } from '../support/outside.ts';
import { T0 } from '../support/plans.ts';
import type { DurableUnderTest } from '../support/same-scenario.ts';
import { linesOf, play } from '../support/same-scenario.ts';
import { SCENARIOS } from '../support/scenarios.ts';
import type { Scenario } from '../support/script.ts';
import { incidentIdFor, rehearse } from '../support/script.ts';

/** Incidents and desks in sandboxes: the workflows as they are, the messages delivered by hand. */
async function playInSandboxes(scenario: Scenario, continueOften: boolean): Promise<Outside> {
  const outside: { activities?: Outside['activities'] } = {};
  const cluster = createCluster(T0, () => outside.activities!);
  const made = await createOutside({
    desks: cluster.desks,
    ...(scenario.vote === undefined ? {} : { vote: scenario.vote }),
    ...(scenario.units === undefined ? {} : { units: scenario.units }),
  });
  outside.activities = made.activities;
  const shorten = (): void => {
    if (continueOften) for (const sandbox of cluster.sandboxes.values()) sandbox.historyLength = 2_001;
  };
  const durable: DurableUnderTest = {
    async start(incidentId, input) {
      await cluster.start(RESPOND, incidentId, [input]);
      await cluster.settle();
    },
    async signal(incidentId, name, message) {
      shorten();
      cluster.get(incidentId).postSignal(name, message);
      await cluster.settle();
    },
    async execute(incidentId, name, message) {
      shorten();
      const state = cluster.get(incidentId).postUpdate(name, message);
      await cluster.settle();
      if (state.failure !== undefined) throw state.failure;
      assert.equal(state.status, 'completed', `update ${name}`);
      return state.result;
    },
    clock: async (incidentId, atMs) =>
      (await durable.isOpen(incidentId))
        ? ((await durable.execute(incidentId, CLOCK, { atMs })) as ClockAnswer)
        : null,
    isOpen: (incidentId) => Promise.resolve(cluster.get(incidentId).ending().status === 'running'),
    async desksSettled() {
      await cluster.settle();
      for (const [id, sandbox] of cluster.sandboxes) {
        if (!id.startsWith('desk/')) continue;
        assert.equal(((await sandbox.query(SITUATION)) as DeskSituation).busy, false);
      }
    },
  };
  await play(scenario, durable);
  const runs = [...cluster.sandboxes.values()].map((sandbox) => sandbox.runs.length);
  assert.equal(Math.max(...runs) > 1, continueOften, `runs: ${runs.join(', ')}`);
  return made;
}

const tagsOf = (scenario: Scenario): string[] => [...new Set(scenario.happenings.map(({ tag }) => tag))];

/** Over before it ever comes to a safe point to continue as new. */
const TOO_SHORT = 'a quarry blast that only needs a report';

for (const [name, scenario] of Object.entries(SCENARIOS)) {
  for (const continueOften of name === TOO_SHORT ? [false] : [false, true]) {
    const how = continueOften ? ', continuing as new whenever it can' : '';
    test(`the simulator and the workflows record the same${how}: ${name}`, async () => {
      const rehearsed = await rehearse(scenario);
      const { stores } = await playInSandboxes(scenario, continueOften);
      for (const tag of tagsOf(scenario)) {
        const durable: Fact[] = await stores.facts.of(incidentIdFor(scenario, tag));
        const simulated = rehearsed.get(tag)!.facts;
        assert.ok(simulated.length > 5);
        assert.deepEqual(linesOf(durable), linesOf(simulated));
      }
    });
  }
}

test('together the scenarios reach every kind of fact but a failed step', async () => {
  const kinds = new Set<string>();
  for (const scenario of Object.values(SCENARIOS)) {
    for (const { facts } of (await rehearse(scenario)).values())
      for (const fact of facts) kinds.add(fact.kind);
  }
  assert.deepEqual([...kinds].sort(), [
    'actuated',
    'answered',
    'asked',
    'assessed',
    'closed',
    'commanded',
    'detected',
    'escalated',
    'evaluated',
    'evidence-joined',
    'granted',
    'measured',
    'mission-status',
    'notified',
    'ordered',
    'queued',
    'released',
    'resolved',
    'reviewed',
    'step-done',
    'step-held',
    'step-missed',
    'step-started',
    'transmitted',
    'unanswered',
    'voted',
  ]);
});
