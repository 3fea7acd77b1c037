import type { DeskProblem, DeskSolution } from '../domain/dispatch/desk.ts';
import { solve } from '../domain/dispatch/desk.ts';
import type { FenceStore, RosterStore, Unit } from '../domain/ports.ts';
import type { Mission, Order, Question, Situation } from '../domain/situation.ts';
import type { EpochMs, Mode } from '../domain/units.ts';
import type { Actuation, Delivery, NoticeToSend } from '../domain/world.ts';

/** Reaches the desks. Requests and releases may repeat; the desk knows them by order id and epoch. */
export interface Desks {
  request(order: Order): Promise<void>;
  release(release: Release): Promise<void>;
}

export interface Release {
  readonly tenant: string;
  readonly district: string;
  readonly incidentId: string;
  readonly unit: string;
  readonly epoch: number;
  readonly atMs: EpochMs;
}

/** What carries notices and acts outside. In an exercise composition no live channel exists at all. */
export interface Channels {
  notify(notice: NoticeToSend): Promise<Delivery>;
  actuate(actuation: Actuation): Promise<Delivery>;
  /** Tells whoever holds the role that a question waits for them. */
  ask(asked: { readonly incidentId: string; readonly question: Question }): Promise<void>;
}

/** When a site was last heard from; null when never. */
export type LastHeard = (situation: Situation) => Promise<EpochMs | null>;

export interface DispatchActivities {
  askHuman(input: { incidentId: string; question: Question }): Promise<void>;
  notify(notice: NoticeToSend): Promise<Delivery>;
  actuate(actuation: Actuation): Promise<Delivery>;
  requestUnits(input: { order: Order }): Promise<void>;
  releaseUnits(input: {
    tenant: string;
    incidentId: string;
    releases: { district: string; unit: string; epoch: number }[];
    atMs: EpochMs;
  }): Promise<void>;
  transmitOrder(input: { mission: Mission; order: Order; mode: Mode; atMs: EpochMs }): Promise<boolean>;
  observeSources(input: { situation: Situation }): Promise<{ lastHeardMs: EpochMs | null }>;
}

export interface DeskActivities {
  loadRoster(input: { district: string }): Promise<Unit[]>;
  solveDesk(input: { problem: DeskProblem }): Promise<DeskSolution>;
  fenceOff(input: { unit: string; epoch: number; atMs: EpochMs }): Promise<void>;
}

const TOMBSTONE = 'tombstone';

export function createDispatchActivities({
  fence,
  desks,
  channels,
  lastHeard,
}: {
  readonly fence: FenceStore;
  readonly desks: Desks;
  readonly channels: Channels;
  readonly lastHeard: LastHeard;
}): DispatchActivities {
  return {
    askHuman: (input) => channels.ask(input),
    notify: (notice) => channels.notify(notice),
    actuate: (actuation) => channels.actuate(actuation),
    requestUnits: ({ order }) => desks.request(order),
    async releaseUnits({ tenant, incidentId, releases, atMs }) {
      for (const release of releases) await desks.release({ tenant, incidentId, atMs, ...release });
    },
    /** The one who inserts `unit|epoch` may transmit: a zombie with an old grant loses to its tombstone. */
    async transmitOrder({ mission, atMs }) {
      const claim = { unit: mission.unit, epoch: mission.epoch, holder: mission.id, atMs };
      if ((await fence.claim(claim)) === 'inserted') return true;
      return (await fence.holder(mission.unit, mission.epoch)) === mission.id;
    },
    observeSources: async ({ situation }) => ({ lastHeardMs: await lastHeard(situation) }),
  };
}

export function createDeskActivities({
  roster,
  fence,
}: {
  readonly roster: RosterStore;
  readonly fence: FenceStore;
}): DeskActivities {
  return {
    loadRoster: ({ district }) => roster.units(district),
    solveDesk: ({ problem }) => Promise.resolve(solve(problem)),
    async fenceOff({ unit, epoch, atMs }) {
      await fence.claim({ unit, epoch, holder: TOMBSTONE, atMs });
    },
  };
}
