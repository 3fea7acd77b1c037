import type { Stores } from '../domain/ports.ts';
import { createRecognitionActivities } from './classify.ts';
import type { RecognitionActivities } from './classify.ts';
import { crossing } from './crossing.ts';
import { createDeskActivities, createDispatchActivities } from './dispatch.ts';
import type { Channels, DeskActivities, Desks, DispatchActivities, LastHeard } from './dispatch.ts';
import { createRecordActivities } from './record.ts';
import type { RecordActivities, Refinement } from './record.ts';
import type { RecognitionPool } from './recognition/pool.ts';
import { createRefineActivities } from './refine.ts';
import type { RefineActivities } from './refine.ts';
import { createRetrainActivities } from './retrain.ts';
import type { RetrainActivities, TrainActivities } from './retrain.ts';

export interface ActivityParts {
  readonly stores: Stores;
  readonly desks: Desks;
  readonly refinement: Refinement;
  readonly channels: Channels;
  readonly lastHeard: LastHeard;
  readonly pool: RecognitionPool;
  readonly hashOf: (document: unknown) => string;
  readonly clock: () => number;
}

/** Activities of the queue `tocsin-plans`: short, idempotent, mostly run as local activities. */
export type PlanActivities = DispatchActivities &
  DeskActivities &
  RecordActivities &
  RetrainActivities &
  Pick<RefineActivities, 'applyDecision'>;

/** Activities of the queue `tocsin-recognition`: CPU work. */
export type CpuActivities = RecognitionActivities & Pick<RefineActivities, 'draftProposal'>;

export function createActivities(parts: ActivityParts): {
  readonly plans: PlanActivities;
  readonly cpu: CpuActivities;
  /** Of the queue `tocsin-training`. */
  readonly training: TrainActivities;
} {
  const { stores, clock } = parts;
  const { draftProposal, applyDecision } = createRefineActivities({ ...stores, hashOf: parts.hashOf, clock });
  const { prepareRetraining, recordRetraining, trainCandidate } = createRetrainActivities({
    ...stores,
    pool: parts.pool,
    clock,
  });
  return {
    // A decision that cannot be recorded or carried out yet must not be lost: these are tried for ever.
    plans: crossing(
      {
        ...createDispatchActivities({ fence: stores.fence, ...parts }),
        ...createDeskActivities({ roster: stores.roster, fence: stores.fence }),
        ...createRecordActivities({ ...stores, refinement: parts.refinement, clock }),
        applyDecision,
        prepareRetraining,
        recordRetraining,
      },
      'for-ever',
    ),
    // An input that no recogniser can read stays unreadable: the doubt goes to a human at once.
    cpu: crossing(
      {
        ...createRecognitionActivities({ recognisers: stores.recognisers, pool: parts.pool }),
        draftProposal,
      },
      'as-it-says',
    ),
    training: crossing({ trainCandidate }, 'as-it-says'),
  };
}
