import type { Unit } from '../ports.ts';
import type { Mission, Order } from '../situation.ts';
import type { DurationMs, EpochMs, Position } from '../units.ts';
import { levelRank } from '../units.ts';
import { assign } from './assignment.ts';
import { travelEstimateMs } from './travel.ts';

/**
 * The desk of one district: who is where, who holds whom, who waits. Plain data, carried whole over
 * continue-as-new. Nothing but `commit` grants a unit.
 */
export interface DeskState {
  readonly units: readonly DeskUnit[];
  /** Orders that still lack units. */
  readonly queue: readonly QueuedOrder[];
  /** Keys of orders that ever came, newest last, at most 500: a repeated request is not a second order. */
  readonly recentOrders: readonly string[];
  /** Newest last, at most 50: an incident that asks again gets its grant again. */
  readonly recentGrants: readonly Grant[];
  /** Keys of granted orders that were requested again since the last commit. */
  readonly repeat: readonly string[];
}

export interface DeskUnit {
  readonly id: string;
  readonly capabilities: readonly string[];
  readonly position: Position;
  readonly speedKmh: number;
  /** Number of the unit's last grant; 0 before the first. Only grows. */
  readonly epoch: number;
  /** `orderKey` of the order that holds the unit; null when it is free. */
  readonly heldBy: string | null;
}

export interface QueuedOrder extends Order {
  /** Units granted so far; above 0 only where the district never has enough. */
  readonly granted: number;
}

export interface Grant {
  readonly incidentId: string;
  readonly orderId: string;
  readonly missions: readonly Mission[];
}

export interface Release {
  readonly incidentId: string;
  readonly unit: string;
  readonly epoch: number;
}

/** What there is to decide: who is free, and what is wanted, most urgent first. */
export interface DeskProblem {
  readonly units: readonly Pick<DeskUnit, 'id' | 'capabilities' | 'position' | 'speedKmh' | 'epoch'>[];
  readonly orders: readonly OpenOrder[];
}

export interface OpenOrder {
  readonly key: string;
  readonly incidentId: string;
  readonly orderId: string;
  readonly capability: string;
  readonly position: Position;
  /** 1 (level I) .. 4 (level IV). */
  readonly rank: number;
  /** Units still wanted. */
  readonly wanted: number;
  /** The district has fewer such units at all: take what there is. */
  readonly fewerWillDo: boolean;
}

export interface DeskSolution {
  readonly pairings: readonly Pairing[];
}

/** Units for one order. Good only while each unit is free under the epoch that was seen. */
export interface Pairing {
  readonly key: string;
  readonly fewerWillDo: boolean;
  readonly units: readonly { readonly unit: string; readonly epoch: number; readonly travelMs: DurationMs }[];
}

export interface Committed {
  readonly state: DeskState;
  readonly grants: readonly Grant[];
  /** Ids of the orders that go on waiting. */
  readonly queued: readonly string[];
  /** The same orders whole: an order id is unique only within its incident. */
  readonly queuedOrders: readonly QueuedOrder[];
}

// Bounded so that the desk of 400 units fits into 128 KiB over continue-as-new.
const ORDERS_REMEMBERED = 500;
const GRANTS_REMEMBERED = 50;

/** An order id is unique in its incident; this is unique in the district. */
export const orderKey = (order: { readonly incidentId: string; readonly id: string }): string =>
  `${order.incidentId}/${order.id}`;

export function initialDesk(units: readonly Unit[]): DeskState {
  return {
    units: units.map(({ id, capabilities, home, speedKmh }) => ({
      id,
      capabilities,
      position: home,
      speedKmh,
      epoch: 0,
      heldBy: null,
    })),
    queue: [],
    recentOrders: [],
    recentGrants: [],
    repeat: [],
  };
}

/** Takes an order in. One that came before is not taken again; if it was granted, the next commit says so again. */
export function enqueue(state: DeskState, order: Order): DeskState {
  const key = orderKey(order);
  if (state.recentOrders.includes(key)) {
    const isGranted = state.recentGrants.some((grant) => keyOf(grant) === key);
    return isGranted && !state.repeat.includes(key) ? { ...state, repeat: [...state.repeat, key] } : state;
  }
  return {
    ...state,
    queue: [...state.queue, { ...order, granted: 0 }],
    recentOrders: [...state.recentOrders, key].slice(-ORDERS_REMEMBERED),
  };
}

/** Withdraws an order that still waits. Units that it holds already are given back with `release`. */
export function cancel(
  state: DeskState,
  order: { readonly incidentId: string; readonly orderId: string },
): DeskState {
  const key = keyOf(order);
  return { ...state, queue: state.queue.filter((queued) => orderKey(queued) !== key) };
}

/**
 * Frees a unit. Ignored when the incident does not hold it, or holds it by another grant: a late or repeated release.
 * An order that gives a unit back wants no more either; otherwise the same unit would be granted to it again.
 */
export function release(state: DeskState, given: Release): DeskState {
  const held = state.units.find(({ id }) => id === given.unit);
  const key = held?.heldBy;
  if (held === undefined || key === null || key === undefined) return state;
  if (held.epoch !== given.epoch || !key.startsWith(`${given.incidentId}/`)) return state;
  return {
    ...state,
    units: state.units.map((unit) => (unit === held ? { ...unit, heldBy: null } : unit)),
    queue: state.queue.filter((order) => orderKey(order) !== key),
  };
}

/** Most serious level first, then the earliest deadline, then who asked first. */
export function plan(state: DeskState): DeskProblem {
  const orders = [...state.queue].sort(byUrgency).map((order) => openOrder(state, order));
  const wanted = new Set(orders.map(({ capability }) => capability));
  const units = state.units
    .filter((unit) => unit.heldBy === null && unit.capabilities.some((one) => wanted.has(one)))
    .map(({ id, capabilities, position, speedKmh, epoch }) => ({
      id,
      capabilities,
      position,
      speedKmh,
      epoch,
    }));
  return { units, orders };
}

function byUrgency(a: QueuedOrder, b: QueuedOrder): number {
  return (
    levelRank(a.level) - levelRank(b.level) ||
    a.deadlineMs - b.deadlineMs ||
    a.orderedAtMs - b.orderedAtMs ||
    (orderKey(a) < orderKey(b) ? -1 : 1)
  );
}

function openOrder(state: DeskState, order: QueuedOrder): OpenOrder {
  const inDistrict = state.units.filter((unit) => unit.capabilities.includes(order.capability)).length;
  return {
    key: orderKey(order),
    incidentId: order.incidentId,
    orderId: order.id,
    capability: order.capability,
    position: { latitudeDeg: order.place.latitudeDeg, longitudeDeg: order.place.longitudeDeg },
    rank: levelRank(order.level),
    wanted: order.count - order.granted,
    fewerWillDo: inDistrict < order.count,
  };
}

/**
 * Decides who goes where. More serious levels choose first; within a level the orders that can be served whole are
 * found in order of urgency, and all of them together get the units with the least travel in sum (exact). An order
 * that cannot be served whole keeps its nearest free units from less serious levels, or it would never be.
 */
export function solve(problem: DeskProblem): DeskSolution {
  const pairings: Pairing[] = [];
  const free = new Set(problem.units.keys());
  for (const rank of [1, 2, 3, 4]) {
    const orders = problem.orders.filter((order) => order.rank === rank);
    if (orders.length === 0 || free.size === 0) continue;
    const { served, blocked } = admit(problem, orders, free);
    for (const pairing of cheapest(problem, served, free)) {
      pairings.push(pairing.pairing);
      for (const u of pairing.taken) free.delete(u);
    }
    for (const order of blocked) for (const u of nearest(problem, order, free)) free.delete(u);
  }
  return { pairings };
}

interface Admitted {
  readonly order: OpenOrder;
  readonly slots: number;
}

/** Orders in turn: each is admitted if all its slots can be matched beside those admitted before. */
function admit(
  problem: DeskProblem,
  orders: readonly OpenOrder[],
  free: ReadonlySet<number>,
): { readonly served: Admitted[]; readonly blocked: OpenOrder[] } {
  const served: Admitted[] = [];
  const blocked: OpenOrder[] = [];
  let holder = new Map<number, OpenOrder>();
  for (const order of orders) {
    const trial = new Map(holder);
    let slots = 0;
    while (slots < order.wanted && findPlace(problem, order, free, trial, new Set())) slots++;
    const isEnough = slots === order.wanted || (order.fewerWillDo && slots > 0);
    if (isEnough) {
      holder = trial;
      served.push({ order, slots });
    } else {
      blocked.push(order);
    }
  }
  return { served, blocked };
}

/** Finds a unit for one more slot, moving others to other units where that helps. */
function findPlace(
  problem: DeskProblem,
  order: OpenOrder,
  free: ReadonlySet<number>,
  holder: Map<number, OpenOrder>,
  seen: Set<number>,
): boolean {
  for (const u of free) {
    if (seen.has(u) || !problem.units[u]!.capabilities.includes(order.capability)) continue;
    seen.add(u);
    const other = holder.get(u);
    if (other === undefined || findPlace(problem, other, free, holder, seen)) {
      holder.set(u, order);
      return true;
    }
  }
  return false;
}

function cheapest(
  problem: DeskProblem,
  served: readonly Admitted[],
  free: ReadonlySet<number>,
): { readonly pairing: Pairing; readonly taken: readonly number[] }[] {
  const columns = [...free];
  const slots = served.flatMap(({ order, slots: count }) => Array.from({ length: count }, () => order));
  const costs = Float64Array.from({ length: slots.length * columns.length }, (_, k) =>
    travelMs(problem, slots[Math.floor(k / columns.length)]!, columns[k % columns.length]!),
  );
  const { columnOf } = assign({ rows: slots.length, columns: columns.length, costs });
  let row = 0;
  return served.map(({ order, slots: count }) => {
    const taken = Array.from({ length: count }, () => columns[columnOf[row++]!]!);
    const units = taken.map((u) => {
      const { id, epoch } = problem.units[u]!;
      return { unit: id, epoch, travelMs: travelMs(problem, order, u) };
    });
    return { pairing: { key: order.key, fewerWillDo: order.fewerWillDo, units }, taken };
  });
}

function nearest(problem: DeskProblem, order: OpenOrder, free: ReadonlySet<number>): number[] {
  return [...free]
    .map((u) => ({ u, ms: travelMs(problem, order, u) }))
    .filter(({ ms }) => ms < Infinity)
    .sort((a, b) => a.ms - b.ms || a.u - b.u)
    .slice(0, order.wanted)
    .map(({ u }) => u);
}

/** `Infinity` when the unit cannot do what is wanted. */
function travelMs(problem: DeskProblem, order: OpenOrder, u: number): number {
  const unit = problem.units[u]!;
  if (!unit.capabilities.includes(order.capability)) return Infinity;
  return travelEstimateMs(unit.position, order.position, unit.speedKmh);
}

/**
 * Writes the grants. Signals may have come during the solve, so each pairing is checked again: its order is still
 * wanted, and each of its units free under the epoch that was seen. What does not hold any more goes on waiting.
 * Runs without a pause between the check and the write; that makes a double grant impossible.
 */
export function commit(state: DeskState, solution: DeskSolution, nowMs: EpochMs): Committed {
  const units = new Map(state.units.map((unit) => [unit.id, unit]));
  const queue = new Map(state.queue.map((order) => [orderKey(order), order]));
  const grants: Grant[] = [];
  for (const pairing of solution.pairings) {
    const order = queue.get(pairing.key);
    if (order === undefined) continue;
    const wanted = order.count - order.granted;
    const valid = pairing.units.filter(({ unit, epoch }) => {
      const known = units.get(unit);
      return known !== undefined && known.heldBy === null && known.epoch === epoch;
    });
    const isWhole = valid.length === pairing.units.length && valid.length === wanted;
    const given = isWhole || pairing.fewerWillDo ? valid.slice(0, wanted) : [];
    if (given.length === 0) continue;
    const missions = given.map(({ unit, epoch, travelMs: ms }) => {
      units.set(unit, { ...units.get(unit)!, epoch: epoch + 1, heldBy: pairing.key });
      return missionOf(order, unit, epoch + 1, ms, nowMs);
    });
    grants.push({ incidentId: order.incidentId, orderId: order.id, missions });
    if (given.length === wanted) queue.delete(pairing.key);
    else queue.set(pairing.key, { ...order, granted: order.granted + given.length });
  }
  const repeated = state.repeat.flatMap((key) => stillHeld(state, key));
  const queuedOrders = [...queue.values()];
  return {
    state: {
      ...state,
      units: state.units.map((unit) => units.get(unit.id)!),
      queue: queuedOrders,
      recentGrants: [...state.recentGrants, ...grants].slice(-GRANTS_REMEMBERED),
      repeat: [],
    },
    grants: [...repeated, ...grants],
    queued: queuedOrders.map(({ id }) => id),
    queuedOrders,
  };
}

/** What an order was granted, as far as it was not given back. */
function stillHeld(state: DeskState, key: string): Grant[] {
  const epochs = new Map(
    state.units.filter(({ heldBy }) => heldBy === key).map(({ id, epoch }) => [id, epoch]),
  );
  return state.recentGrants
    .filter((grant) => keyOf(grant) === key)
    .map((grant) => ({
      ...grant,
      missions: grant.missions.filter(({ unit, epoch }) => epochs.get(unit) === epoch),
    }))
    .filter(({ missions }) => missions.length > 0);
}

const keyOf = ({ incidentId, orderId }: { readonly incidentId: string; readonly orderId: string }): string =>
  orderKey({ incidentId, id: orderId });

function missionOf(
  order: Order,
  unit: string,
  epoch: number,
  estimatedMs: DurationMs,
  nowMs: EpochMs,
): Mission {
  return {
    id: `mission/${order.incidentId}/${order.id}/${unit}`,
    orderId: order.id,
    unit,
    epoch,
    capability: order.capability,
    grantedAtMs: nowMs,
    travelMs: estimatedMs,
    status: 'granted',
    times: { granted: nowMs },
  };
}
