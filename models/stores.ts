import type { Connection } from 'mongoose';
import type { Stores } from '../domain/ports.ts';
import { createEvaluationStore } from './evaluations.ts';
import { createFactStore } from './facts.ts';
import { createFenceStore } from './fence.ts';
import { createIncidentStore } from './incidents.ts';
import { createLabelStore } from './labels.ts';
import { createPlanStore } from './plans.ts';
import { createPrincipalStore } from './principals.ts';
import { createProposalStore } from './proposals.ts';
import { createRecogniserStore } from './recognisers.ts';
import { createRosterStore } from './roster.ts';
import { createSiteStore } from './sites.ts';

/**
 * All stores over one connection.
 *
 * @example
 * const { connection, close } = await connectStore('mongodb://127.0.0.1:27017/tocsin');
 * const { plans, facts } = createStores(connection);
 */
export function createStores(connection: Connection): Stores {
  return {
    plans: createPlanStore(connection),
    facts: createFactStore(connection),
    incidents: createIncidentStore(connection),
    evaluations: createEvaluationStore(connection),
    proposals: createProposalStore(connection),
    recognisers: createRecogniserStore(connection),
    forecasters: createRecogniserStore(connection, 'forecaster'),
    labels: createLabelStore(connection),
    roster: createRosterStore(connection),
    sites: createSiteStore(connection),
    principals: createPrincipalStore(connection),
    fence: createFenceStore(connection),
  };
}
