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
import type { DeskState } from '../domain/dispatch/desk.ts';
import { cancel, commit, enqueue, initialDesk, orderKey, plan, release } from '../domain/dispatch/desk.ts';
import type { Order } from '../domain/situation.ts';
import type { DeskInput, GrantedMessage, ReleasedMessage } from './contract.ts';
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
  const releases: ReleasedMessage[] = [];
  let busy = true;
  let state = input.carried as DeskState | undefined;

  setHandler(requestedSignal, ({ order }) => void requests.push(order));
  setHandler(releasedSignal, (given) => void releases.push(given));
  setHandler(deskSituationQuery, () => ({
    units: (state?.units ?? []).map(({ id, epoch, heldBy }) => ({ unit: id, epoch, heldBy })),
    queued: (state?.queue ?? []).map(orderKey),
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

function takeIn(state: DeskState, requests: Order[], releases: ReleasedMessage[]): DeskState {
  let next = state;
  for (const given of releases.splice(0)) next = release(next, given);
  for (const order of requests.splice(0)) next = enqueue(next, order);
  return next;
}

/** One turn: take in what came, solve it jointly, commit, answer. Returns the state after the commit. */
async function turn(before: DeskState, requests: Order[], releases: ReleasedMessage[]): Promise<DeskState> {
  const freed = [...releases];
  const asked = [...requests];
  let state = takeIn(before, requests, releases);
  let nowMs = latest(asked, freed);
  const problem = plan(state);
  const solution = problem.orders.length === 0 ? { pairings: [] } : await solveDesk({ problem });

  // Signals came during the solve. From here to the commit nothing awaits, and commit re-checks each pair.
  asked.push(...requests);
  freed.push(...releases);
  nowMs = Math.max(nowMs, latest(requests, releases));
  state = takeIn(state, requests, releases);
  const committed = commit(state, solution, nowMs);
  state = committed.state;

  for (const grant of committed.grants) {
    const delivered = await answer(grant.incidentId, {
      orderId: grant.orderId,
      missions: grant.missions,
      atMs: nowMs,
    });
    if (delivered) continue;
    // The incident is gone: what it was granted goes straight back.
    for (const { unit, epoch } of grant.missions) {
      releases.push({ incidentId: grant.incidentId, unit, epoch, atMs: nowMs });
    }
  }
  const waiting = committed.queuedOrders.filter((order) =>
    asked.some((one) => orderKey(one) === orderKey(order)),
  );
  for (const order of waiting) {
    const delivered = await answer(order.incidentId, {
      orderId: order.id,
      missions: [],
      atMs: order.orderedAtMs,
    });
    if (!delivered) state = cancel(state, { incidentId: order.incidentId, orderId: order.id });
  }
  // Off the grant path: a released epoch is fenced, so that nobody can transmit under it any more.
  for (const { unit, epoch, atMs } of freed) await fenceOff({ unit, epoch, atMs });
  return state;
}

const latest = (orders: readonly Order[], releases: readonly ReleasedMessage[]): number =>
  Math.max(0, ...orders.map((order) => order.orderedAtMs), ...releases.map((given) => given.atMs));

/** False when the incident does not exist any more. */
async function answer(incidentId: string, message: GrantedMessage): Promise<boolean> {
  try {
    await getExternalWorkflowHandle(incidentId).signal(grantedSignal, message);
    return true;
  } catch {
    return false;
  }
}
