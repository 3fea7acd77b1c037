import {
  ActivityFailure,
  ApplicationFailure,
  condition,
  executeChild,
  proxyActivities,
  proxyLocalActivities,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { DispatchActivities } from '../activities/dispatch.ts';
import type { RecordActivities } from '../activities/record.ts';
import type { RecognitionActivities } from '../activities/classify.ts';
import { TocsinError } from '../domain/errors.ts';
import type { Fact, Situation } from '../domain/situation.ts';
import type { EpochMs } from '../domain/units.ts';
import { levelRank } from '../domain/units.ts';
import type { FactDraft, World } from '../domain/world.ts';
import { SEARCH_ATTRIBUTES, TASK_QUEUE_RECOGNITION } from './contract.ts';

const {
  recordFacts,
  askHuman,
  notify,
  actuate,
  transmitOrder,
  requestUnits,
  releaseUnits,
  observeSources,
  learn,
} = proxyLocalActivities<DispatchActivities & RecordActivities>({
  // Short and idempotent by key. Retried for ever: a store that is away must not lose a decision.
  startToCloseTimeout: '10 seconds',
  retry: { initialInterval: '200 milliseconds', backoffCoefficient: 2, maximumInterval: '10 seconds' },
});

const { assessNotice } = proxyActivities<RecognitionActivities>({
  taskQueue: TASK_QUEUE_RECOGNITION,
  startToCloseTimeout: '20 seconds',
  // Recognisers that cannot vote within this are a doubt, and doubt has a human with a deadline.
  scheduleToCloseTimeout: '60 seconds',
  retry: { maximumAttempts: 5 },
});

/** A deadline or condition the engine waits for. */
interface Wait {
  readonly holds: () => boolean;
  readonly deadlineMs: EpochMs | null;
}

export interface DurableWorld extends World {
  /** Appends facts that a message produced; they are flushed like the engine's own. */
  readonly hear: (drafts: readonly FactDraft[]) => void;
  /** Moves a feed clock on; earlier instants are ignored. */
  readonly advanceTo: (atMs: EpochMs) => void;
  /** True when the engine can do nothing more before the clock moves or a message comes. */
  readonly quiet: () => boolean;
  readonly drained: () => Promise<void>;
  /** The earliest deadline the engine waits for. */
  readonly nextWakeMs: () => EpochMs | null;
  /** Keeps facts flowing to the store; runs beside the engine. */
  readonly keepRecording: (over: () => boolean) => Promise<void>;
}

/** The World of a real incident: activities, durable timers and messages. */
export function createDurableWorld(situation: Situation, checkpoint: () => Promise<void>): DurableWorld {
  const waits = new Set<Wait>();
  let unwritten: Fact[] = [];
  let busy = 0;
  let line: Promise<void> = Promise.resolve();
  let shownLevel: number | null = null;

  const now = (): EpochMs => (situation.clock === 'wall' ? Date.now() : situation.nowMs);

  const append = (drafts: readonly FactDraft[]): void => {
    for (const draft of drafts) {
      unwritten.push({ incidentId: situation.incidentId, seq: situation.factCount, atMs: now(), ...draft });
      situation.factCount += 1;
    }
    situation.nowMs = Math.max(situation.nowMs, now());
  };

  /**
   * One local activity at a time. Two that are outstanding together resolve one by one live but both at once in a
   * replay, and the code between them would run in another order.
   */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = line.then(work);
    line = mine.then(ignore, ignore);
    return mine;
  };

  const writeAll = async (): Promise<void> => {
    while (unwritten.length > 0) {
      const facts = unwritten;
      unwritten = [];
      situation.wakeAtMs = nextWakeMs();
      const level = situation.highestLevel === null ? null : levelRank(situation.highestLevel);
      if (level !== null && level !== shownLevel) {
        shownLevel = level;
        upsertSearchAttributes({ [SEARCH_ATTRIBUTES.level]: [level] });
      }
      await recordFacts({ facts, situation, runId: workflowInfo().runId });
    }
  };

  const busyWith = async <T>(work: () => Promise<T>): Promise<T> => {
    busy += 1;
    try {
      return await work();
    } catch (failure) {
      throw withCode(failure);
    } finally {
      busy -= 1;
    }
  };

  const flush = (): Promise<void> => busyWith(() => inTurn(writeAll));

  /** A short, local act. What was decided is written before it is acted upon. */
  const acting = <T>(act: () => Promise<T>): Promise<T> =>
    busyWith(() =>
      inTurn(async () => {
        await writeAll();
        return act();
      }),
    );

  /** An act that takes its time elsewhere: others go on meanwhile. */
  const actingElsewhere = <T>(act: () => Promise<T>): Promise<T> =>
    busyWith(async () => {
      await inTurn(writeAll);
      return act();
    });

  const nextWakeMs = (): EpochMs | null => {
    let next: EpochMs | null = null;
    for (const wait of waits) {
      if (wait.deadlineMs !== null && (next === null || wait.deadlineMs < next)) next = wait.deadlineMs;
    }
    return next;
  };

  const satisfied = (wait: Wait): boolean =>
    wait.holds() || (wait.deadlineMs !== null && wait.deadlineMs <= now());

  return {
    now,
    async until(holds, deadlineMs) {
      if (holds()) return true;
      const wait: Wait = { holds, deadlineMs };
      waits.add(wait);
      try {
        if (deadlineMs === null) await condition(holds);
        else if (situation.clock === 'feed') await condition(() => satisfied(wait));
        else await condition(holds, Math.max(1, deadlineMs - now()));
        return holds();
      } finally {
        waits.delete(wait);
      }
    },
    assess: (request) => actingElsewhere(() => assessNotice(request)),
    ask: (question) => acting(() => askHuman({ incidentId: situation.incidentId, question })),
    order: (order) => acting(() => requestUnits({ order })),
    release: (missions) =>
      acting(() =>
        releaseUnits({
          tenant: situation.tenant,
          incidentId: situation.incidentId,
          releases: missions.map((mission) => ({
            district: situation.orders[mission.orderId]?.district ?? situation.place.district,
            unit: mission.unit,
            epoch: mission.epoch,
          })),
          atMs: now(),
        }),
      ),
    transmit: (mission, order) =>
      acting(() => transmitOrder({ mission, order, mode: situation.mode, atMs: now() })),
    notify: (notice) => acting(() => notify(notice)),
    actuate: (actuation) => acting(() => actuate(actuation)),
    observe: () => acting(() => observeSources({ situation })),
    record: (...drafts) => append(drafts),
    learn: (evaluation) => acting(() => learn({ evaluation })),
    run: (procedure) =>
      actingElsewhere(async () => {
        await executeChild(`procedure.${procedure.name}`, {
          workflowId: `${situation.incidentId}/procedure/${procedure.name}`,
          args: [procedure.arguments],
        });
      }),
    checkpoint,
    hear: (drafts) => append(drafts),
    advanceTo: (atMs) => {
      situation.nowMs = Math.max(situation.nowMs, atMs);
    },
    quiet: () =>
      busy === 0 &&
      unwritten.length === 0 &&
      ![...waits].some(satisfied) &&
      !Object.values(situation.orders).some((order) => order.state === 'requested'),
    drained: flush,
    nextWakeMs,
    async keepRecording(over) {
      for (;;) {
        await condition(() => unwritten.length > 0 || over());
        // A verb may have written them first: only the end of the response ends this.
        await flush();
        if (over() && unwritten.length === 0) return;
      }
    },
  };
}

const ignore = (): void => undefined;

/** A refusal keeps its code through the activity that met it; continue-as-new and cancellation pass unchanged. */
function withCode(failure: unknown): unknown {
  const cause = failure instanceof ActivityFailure ? failure.cause : undefined;
  if (!(cause instanceof ApplicationFailure) || !/^[A-Z]+(_[A-Z]+)+$/.test(cause.type ?? '')) return failure;
  return new TocsinError(cause.type as string, cause.message, { cause: failure });
}
