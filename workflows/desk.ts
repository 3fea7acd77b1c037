import {
  allHandlersFinished,
  condition,
  continueAsNew,
  getExternalWorkflowHandle,
  proxyLocalActivities,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { DeskActivities } from '../activities/dispatch.ts';
import type { DeskState, Release } from '../domain/dispatch/desk.ts';
import { commit, enqueue, initialDesk, plan, release } from '../domain/dispatch/desk.ts';
import type { Order } from '../domain/situation.ts';
import type { DeskInput, GrantedMessage } from './contract.ts';
import { deskSituationQuery, grantedSignal, releasedSignal, requestedSignal } from './messages.ts';

const { loadRoster, solveDesk, fenceOff } = proxyLocalActivities<DeskActivities>({
  startToCloseTimeout: '10 seconds',
  retry: { initialInterval: '200 milliseconds', maximumInterval: '10 seconds' },
});

const HISTORY_EVENTS_AT_MOST = 2_000;

/**
 * Assigns the units of one district. Requests and releases come as signals and only queue; each turn drains all of
 * them into one joint assignment. Nothing else grants a unit, and there is one run at a time: that is the lock.
 */
export async function desk(input: DeskInput): Promise<void> {
  const requests: Order[] = [];
  const releases: Release[] = [];
  let busy = true;
  let state = input.carried as DeskState | undefined;

  setHandler(requestedSignal, ({ order }) => void requests.push(order));
  setHandler(releasedSignal, (given) => void releases.push(given));
  setHandler(deskSituationQuery, () => ({
    units: (state?.units ?? []).map(({ id, epoch, heldBy }) => ({ unit: id, epoch, heldBy })),
    queued: (state?.queue ?? []).map((order) => order.id),
    busy: busy || requests.length > 0 || releases.length > 0,
  }));

  state ??= initialDesk(await loadRoster({ district: input.district }));
  for (;;) {
    busy = false;
    await condition(() => requests.length > 0 || releases.length > 0);
    busy = true;
    state = await turn(state, requests, releases);
    if (workflowInfo().continueAsNewSuggested || workflowInfo().historyLength > HISTORY_EVENTS_AT_MOST) {
      await condition(() => allHandlersFinished());
      // Signals that came during the turn travel in the state: enqueue and release only queue.
      state = takeIn(state, requests, releases);
      await continueAsNew<typeof desk>({ ...input, carried: state });
    }
  }
}

function takeIn(state: DeskState, requests: Order[], releases: Release[]): DeskState {
  let next = state;
  for (const given of releases.splice(0)) next = release(next, given);
  for (const order of requests.splice(0)) next = enqueue(next, order);
  return next;
}
