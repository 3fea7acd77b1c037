import fs from 'node:fs';
import path from 'node:path';
import type { Client } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { startRetraining } from '../../activities/gateways.ts';
import { incidentIdOf } from '../../domain/evidence.ts';
import type { PlanDocument } from '../../domain/plan/document.ts';
import { createHistorySource } from '../../bin/histories.ts';
import { DECIDE, REFINE_PLAN, SITUATION, TASK_QUEUE_PLANS } from '../../workflows/contract.ts';
import type { RefinementSituation, RetrainOutcome } from '../../workflows/contract.ts';
import { MINUTE, disagreed, inputFor, notice, quakePlan } from './plans.ts';
import { play } from './same-scenario.ts';
import { SCENARIOS } from './scenarios.ts';
import type { Scenario } from './script.ts';
import { incidentIdFor } from './script.ts';
import type { TemporalWorld } from './temporal-world.ts';
import { withTemporalWorld } from './temporal-world.ts';
import { trainedOutcome } from './trained-outcome.ts';

/**
 * Records the replay corpus of test/histories from a real server:
 *
 *     node --import tsx test/support/record-history.ts [incidents] [wall-clock] [refinements] [retrainings]
 *
 * A history is what old incidents will bring to new code. Add to the corpus when the engine learns something new;
 * replace it only while nothing was ever released with the old one.
 */
const CORPUS = path.join(import.meta.dirname, '..', 'histories');
const MOST_BYTES = 200_000;

const scenario = (name: string): Scenario => {
  const found = SCENARIOS[name];
  if (found === undefined) throw new Error(`no scenario "${name}"`);
  return found;
};

/** Fewer reviews: each is a dozen events that teach replay nothing new. */
const seldom = (name: string): Scenario => {
  const found = scenario(name);
  const evaluate = { ...found.plan.evaluate, everyMs: 15 * MINUTE };
  return { ...found, plan: { ...found.plan, evaluate } };
};

const INCIDENTS = {
  'respond-quarry-blast': scenario('a quarry blast that only needs a report'),
  'respond-nobody-answers': scenario('recognisers that disagree, nobody there to ask, and a silent hospital'),
  'respond-gas-escalates': seldom(
    'a gas leak that escalates while its approvals expire, is refused or given, and is made safe',
  ),
  'respond-two-incidents': seldom('two leaks that want the same hazmat units, one of them closed by command'),
};

async function save(client: Client, workflowId: string, name: string): Promise<number> {
  const runs = await createHistorySource(client).runs(workflowId);
  for (const [index, run] of runs.entries()) {
    const json = JSON.stringify({ workflowId, history: JSON.parse(run.historyJson) as unknown });
    if (json.length > MOST_BYTES) throw new Error(`${name} is too large: ${json.length} bytes`);
    const suffix = runs.length === 1 ? '' : `-run-${index + 1}`;
    fs.writeFileSync(path.join(CORPUS, `${name}${suffix}.json`), `${json}\n`);
  }
  return runs.length;
}

async function recordIncidents(name: string, what: Scenario, suggestContinueAsNewAt?: number): Promise<void> {
  const options = {
    ...(what.vote && { vote: what.vote }),
    ...(what.units && { units: what.units }),
    ...(suggestContinueAsNewAt !== undefined && { suggestContinueAsNewAt }),
  };
  await withTemporalWorld(options, async ({ client, durable }: TemporalWorld) => {
    await play(what, durable);
    const tags = [...new Set(what.happenings.map(({ tag }) => tag))];
    for (const tag of tags) {
      const incident = incidentIdFor(what, tag);
      const saved = await save(client, incident, tag === '' ? name : `${name}-${tag}`);
      if (suggestContinueAsNewAt !== undefined && saved < 2) throw new Error(`${name} never continued`);
    }
    if (tags.length > 1) await save(client, 'desk/demo/east', 'desk-two-incidents');
  });
}

/** The time of day drives this one: a question expires and the incident closes by durable timers. */
async function recordWallClock(): Promise<void> {
  const nowMs = Date.now();
  const plan: PlanDocument = {
    ...quakePlan,
    classify: { ...quakePlan.classify, ifUnsure: { ...quakePlan.classify.ifUnsure, withinMs: 1_000 } },
    evaluate: {
      ...quakePlan.evaluate,
      everyMs: 2_000,
      resolvedWhen: { when: 'quietFor', bulletin: 'earthquake-notice', forMs: 5_000 },
    },
  };
  await withTemporalWorld({ vote: () => disagreed }, async ({ client, durable }) => {
    const input = inputFor(plan, [notice({ atMs: nowMs, mmi: 4 })]);
    const incidentId = incidentIdOf(input.detection);
    await durable.start(incidentId, input);
    await client.workflow.getHandle(incidentId).result();
    await save(client, incidentId, 'respond-wall-clock');
  });
}

async function recordRefinements(): Promise<void> {
  const draftProposal = (input: { planId: string }) =>
    Promise.resolve({
      proposed: input.planId !== 'quiet-plan',
      reason: input.planId === 'quiet-plan' ? 'too few incidents' : '',
      approvedBy: 'plan-board',
    });
  await withTemporalWorld({ activities: { draftProposal } }, async ({ client }) => {
    for (const planId of ['test-gas-leak', 'quiet-plan']) {
      const workflowId = `refine/${planId}/1`;
      const handle = await client.workflow.start(REFINE_PLAN, {
        workflowId,
        taskQueue: TASK_QUEUE_PLANS,
        args: [{ tenant: 'demo', planId, n: 1 }],
      });
      if (planId === 'test-gas-leak') {
        while ((await handle.query<RefinementSituation>(SITUATION)).state === 'drafting') {
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
        const decision = { approve: true, by: 'chen', roles: ['plan-board'], reason: 'fewer false alarms' };
        await handle.executeUpdate(DECIDE, { args: [decision] });
      }
      await handle.result();
      await save(client, workflowId, `refine-${planId}`);
    }
  });
}

async function recordRetrainings(): Promise<void> {
  const trainCandidate = ({ name }: { readonly name: string }): Promise<RetrainOutcome> => {
    if (name === 'notice-svm') throw ApplicationFailure.nonRetryable('altered', 'RECOGNISER_HASH_MISMATCH');
    return Promise.resolve(trainedOutcome(name));
  };
  await withTemporalWorld({ activities: { trainCandidate } }, async ({ client }) => {
    for (const name of ['notice-forest', 'notice-svm']) {
      const { handle } = await startRetraining(client, { name, incidentsAtLeast: 20, by: 'chen' });
      await handle.result();
      await save(client, handle.workflowId, name === 'notice-svm' ? 'retrain-failed' : 'retrain-trained');
    }
  });
}

const RECORDERS: Readonly<Record<string, () => Promise<void>>> = {
  async incidents() {
    for (const [name, what] of Object.entries(INCIDENTS)) await recordIncidents(name, what);
    const severe = scenario('a foreshock, a severe main shock, aftershocks and an approval');
    await recordIncidents('respond-severe-approved', severe, 80);
  },
  'wall-clock': recordWallClock,
  refinements: recordRefinements,
  retrainings: recordRetrainings,
};

fs.mkdirSync(CORPUS, { recursive: true });
const named = process.argv.slice(2);
for (const part of named.length === 0 ? Object.keys(RECORDERS) : named) {
  const record = RECORDERS[part];
  if (record === undefined)
    throw new Error(`no part "${part}"; there are ${Object.keys(RECORDERS).join(', ')}`);
  await record();
}
