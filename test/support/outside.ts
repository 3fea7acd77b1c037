import { createDeskActivities, createDispatchActivities } from '../../activities/dispatch.ts';
import type { Desks, Release } from '../../activities/dispatch.ts';
import type { CpuActivities, PlanActivities } from '../../activities/index.ts';
import type { TrainActivities } from '../../activities/retrain.ts';
import { createRecordActivities } from '../../activities/record.ts';
import type { Evaluation } from '../../domain/world.ts';
import type { Stores, Unit } from '../../domain/ports.ts';
import type { Order, Question, VoteResult } from '../../domain/situation.ts';
import type { Actuation, AssessmentRequest, NoticeToSend } from '../../domain/world.ts';
import { createFakeStores } from '../../models/fake-stores.ts';
import { DEFAULT_UNITS, agreed } from './plans.ts';
import { trainedOutcome } from './trained-outcome.ts';

export interface OutsideOptions {
  /** What the recognisers say; a throw means that they cannot. @default both say earthquake */
  readonly vote?: (request: AssessmentRequest) => VoteResult | Promise<VoteResult>;
  /** @default requests and releases are only noted */
  readonly desks?: Desks;
  readonly units?: readonly Unit[];
  /** When the sources were last heard. @default at the last evidence */
  readonly lastHeardMs?: () => number | null;
}

/** Everything outside of a workflow: the real activities over the fake stores, and notes of what reached the world. */
export interface Outside {
  readonly stores: Stores;
  readonly activities: PlanActivities & CpuActivities & TrainActivities;
  readonly notices: NoticeToSend[];
  readonly actuations: Actuation[];
  readonly asked: Question[];
  readonly orders: Order[];
  readonly releases: Release[];
  readonly evaluations: Evaluation[];
}

export async function createOutside(options: OutsideOptions = {}): Promise<Outside> {
  const { vote = () => agreed(), units = DEFAULT_UNITS } = options;
  const stores = createFakeStores();
  await stores.roster.put(units);
  const notices: NoticeToSend[] = [];
  const actuations: Actuation[] = [];
  const asked: Question[] = [];
  const orders: Order[] = [];
  const releases: Release[] = [];
  const evaluations: Evaluation[] = [];
  const delivered = { delivered: true, channel: 'exercise-log' };
  const noDesks: Desks = { request: () => Promise.resolve(), release: () => Promise.resolve() };
  const desks = options.desks ?? noDesks;
  const dispatch = createDispatchActivities({
    fence: stores.fence,
    desks: {
      request(order) {
        orders.push(order);
        return desks.request(order);
      },
      release(release) {
        releases.push(release);
        return desks.release(release);
      },
    },
    channels: {
      notify(notice) {
        notices.push(notice);
        return Promise.resolve(delivered);
      },
      actuate(actuation) {
        actuations.push(actuation);
        return Promise.resolve(delivered);
      },
      ask({ question }) {
        asked.push(question);
        return Promise.resolve();
      },
    },
    lastHeard: (situation) =>
      Promise.resolve(
        options.lastHeardMs === undefined ? (situation.evidence.at(-1)?.atMs ?? null) : options.lastHeardMs(),
      ),
  });
  const record = createRecordActivities({
    ...stores,
    refinement: { consider: () => Promise.resolve() },
    clock: () => 0,
  });
  const activities: Outside['activities'] = {
    ...dispatch,
    ...createDeskActivities({ roster: stores.roster, fence: stores.fence }),
    ...record,
    learn(input) {
      evaluations.push(input.evaluation);
      return record.learn(input);
    },
    assessNotice: async (request) => vote(request),
    draftProposal: () =>
      Promise.resolve({ proposed: false, reason: 'too few incidents', approvedBy: 'plan-board' }),
    applyDecision: ({ proposalId, approve }) =>
      Promise.resolve({ proposalId, approved: approve, activeHash: 'b'.repeat(64) }),
    prepareRetraining: () => Promise.resolve({ ready: true, asOfMs: 0, activeHash: 'a'.repeat(64) }),
    trainCandidate: ({ name }) => Promise.resolve(trainedOutcome(name)),
    recordRetraining: () => Promise.resolve(),
  };
  return { stores, activities, notices, actuations, asked, orders, releases, evaluations };
}
