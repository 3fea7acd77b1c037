import { createFakeEvaluationStore } from './fake-evaluations.ts';
import { createFakeFactStore } from './fake-facts.ts';
import { createFakeFenceStore } from './fake-fence.ts';
import { createFakeIncidentStore } from './fake-incidents.ts';
import { createFakeLabelStore } from './fake-labels.ts';
import { createFakePlanStore } from './fake-plans.ts';
import { createFakePrincipalStore } from './fake-principals.ts';
import { createFakeProposalStore } from './fake-proposals.ts';
import { createFakeRecogniserStore } from './fake-recognisers.ts';
import { createFakeRosterStore } from './fake-roster.ts';
import { createFakeSiteStore } from './fake-sites.ts';
import type { Stores } from '../domain/ports.ts';

/** All stores in memory, held to the same contract suite as the real ones. */
export function createFakeStores(): Stores {
  return {
    plans: createFakePlanStore(),
    facts: createFakeFactStore(),
    incidents: createFakeIncidentStore(),
    evaluations: createFakeEvaluationStore(),
    proposals: createFakeProposalStore(),
    recognisers: createFakeRecogniserStore(),
    forecasters: createFakeRecogniserStore('forecaster'),
    labels: createFakeLabelStore(),
    roster: createFakeRosterStore(),
    sites: createFakeSiteStore(),
    principals: createFakePrincipalStore(),
    fence: createFakeFenceStore(),
  };
}
