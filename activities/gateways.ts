import type { Client, WorkflowHandle } from '@temporalio/client';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import type { EvaluationStore, PlanStore, ProposalStore } from '../domain/ports.ts';
import type { Order } from '../domain/situation.ts';
import {
  DESK,
  REFINE_PLAN,
  RELEASED,
  REQUESTED,
  RETRAIN_RECOGNISER,
  SEARCH_ATTRIBUTES,
  TASK_QUEUE_PLANS,
} from '../workflows/contract.ts';
import type {
  DeskInput,
  RefinePlanInput,
  ReleasedMessage,
  RequestedMessage,
  RetrainInput,
  RetrainOutcome,
} from '../workflows/contract.ts';
import type { Desks, Release } from './dispatch.ts';
import type { Refinement } from './record.ts';

/** Signals a district's desk, and starts it with the first signal: a desk needs no other care. */
export function createDesks(client: Client): Desks {
  const signal = async (tenant: string, district: string, name: string, message: unknown): Promise<void> => {
    const input: DeskInput = { tenant, district };
    await client.workflow.signalWithStart(DESK, {
      workflowId: `desk/${tenant}/${district}`,
      taskQueue: TASK_QUEUE_PLANS,
      args: [input],
      signal: name,
      signalArgs: [message],
      searchAttributes: { [SEARCH_ATTRIBUTES.tenant]: [tenant] },
    });
  };
  return {
    request(order: Order) {
      const message: RequestedMessage = { order };
      return signal(order.tenant, order.district, REQUESTED, message);
    },
    release({ tenant, district, ...release }: Release) {
      const message: ReleasedMessage = release;
      return signal(tenant, district, RELEASED, message);
    },
  };
}

/** Starts one refinement for every `afterIncidents` incidents that closed under the version in force. */
export function createRefinement(
  client: Client,
  {
    plans,
    evaluations,
    proposals,
  }: { readonly plans: PlanStore; readonly evaluations: EvaluationStore; readonly proposals: ProposalStore },
): Refinement {
  const waitsForDecision = async (planId: string): Promise<boolean> => {
    for (const { id } of await proposals.list(planId)) {
      if ((await proposals.decision(id)) === null) return true;
    }
    return false;
  };
  return {
    async consider(planId, tenant) {
      const active = await plans.active(planId);
      const version = active === null ? null : await plans.version(planId, active.hash);
      if (active === null || version === null) return;
      const closed = (await evaluations.of(planId)).filter(({ planHash }) => planHash === active.hash).length;
      const round = Math.floor(closed / version.document.refine.afterIncidents);
      if (round === 0 || (await waitsForDecision(planId))) return;
      const input: RefinePlanInput = { tenant, planId, n: (active.n - 1) * 1_000 + round };
      try {
        await client.workflow.start(REFINE_PLAN, {
          workflowId: `refine/${planId}/${input.n}`,
          taskQueue: TASK_QUEUE_PLANS,
          args: [input],
          workflowIdReusePolicy: 'REJECT_DUPLICATE',
          searchAttributes: { [SEARCH_ATTRIBUTES.tenant]: [tenant], [SEARCH_ATTRIBUTES.plan]: [planId] },
        });
      } catch (error) {
        // Another closing incident of the same round was first.
        if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      }
    },
  };
}

/** A retraining under way. */
export interface StartedRetraining {
  /** False: one was running already, and this is it. */
  readonly started: boolean;
  readonly handle: WorkflowHandle<(input: RetrainInput) => Promise<RetrainOutcome>>;
}

/** Starts the retraining of one recogniser, or joins the one that runs: its id allows one at a time. */
export async function startRetraining(client: Client, input: RetrainInput): Promise<StartedRetraining> {
  const workflowId = `retrain-recogniser/${input.name}`;
  try {
    const handle = await client.workflow.start<(input: RetrainInput) => Promise<RetrainOutcome>>(
      RETRAIN_RECOGNISER,
      { workflowId, taskQueue: TASK_QUEUE_PLANS, args: [input] },
    );
    return { started: true, handle };
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    return { started: false, handle: client.workflow.getHandle(workflowId) };
  }
}
