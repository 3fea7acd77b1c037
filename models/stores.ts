import type { Connection } from 'mongoose';
import type {
  EvaluationStore,
  FactStore,
  FenceStore,
  IncidentStore,
  PlanStore,
  PrincipalStore,
  ProposalStore,
  RecogniserStore,
  RosterStore,
  SiteStore,
} from '../domain/ports.ts';
import { createEvaluationStore } from './evaluations.ts';
import { createFactStore } from './facts.ts';
import { createFenceStore } from './fence.ts';
import { createIncidentStore } from './incidents.ts';
import { createPlanStore } from './plans.ts';
import { createPrincipalStore } from './principals.ts';
import { createProposalStore } from './proposals.ts';
import { createRecogniserStore } from './recognisers.ts';
import { createRosterStore } from './roster.ts';
import { createSiteStore } from './sites.ts';

/** Every store that the domain's ports name. */
export interface Stores {
  readonly plans: PlanStore;
  readonly facts: FactStore;
  readonly incidents: IncidentStore;
  readonly evaluations: EvaluationStore;
  readonly proposals: ProposalStore;
  readonly recognisers: RecogniserStore;
  readonly roster: RosterStore;
  readonly sites: SiteStore;
  readonly principals: PrincipalStore;
  readonly fence: FenceStore;
}

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
    roster: createRosterStore(connection),
    sites: createSiteStore(connection),
    principals: createPrincipalStore(connection),
    fence: createFenceStore(connection),
  };
}
