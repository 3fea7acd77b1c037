import assert from 'node:assert/strict';
import { test } from 'node:test';
import { linesOf, play } from '../support/same-scenario.ts';
import { SCENARIOS } from '../support/scenarios.ts';
import { incidentIdFor, rehearse } from '../support/script.ts';
import { withTemporalWorld } from '../support/temporal-world.ts';

// Rung 4: the real server. The other scenarios go through the same workflows in test/workflows/two-worlds.test.ts.
const NAMES = [
  'a foreshock, a severe main shock, aftershocks and an approval',
  'two leaks that want the same hazmat units, one of them closed by command',
];

for (const name of NAMES) {
  test(`a Temporal server and the simulator record the same: ${name}`, { timeout: 120_000 }, async () => {
    const scenario = SCENARIOS[name]!;
    const rehearsed = await rehearse(scenario);
    const { vote, units } = scenario;
    const options = { ...(vote && { vote }), ...(units && { units }), suggestContinueAsNewAt: 200 };
    await withTemporalWorld(options, async ({ outside, durable }) => {
      await play(scenario, durable);
      for (const tag of new Set(scenario.happenings.map((happening) => happening.tag))) {
        const facts = await outside.stores.facts.of(incidentIdFor(scenario, tag));
        assert.deepEqual(linesOf(facts), linesOf(rehearsed.get(tag)!.facts));
      }
    });
  });
}
