import type { Mission } from '../domain/situation.ts';
import { crewReports } from '../domain/simulate/crew.ts';
import type { DurationMs, EpochMs } from '../domain/units.ts';
import type { ClockAnswer } from '../workflows/contract.ts';
import { Agenda } from './agenda.ts';

/** One thing the recorded feed says, at its own time. `send` pushes it through the vendors' door. */
export interface FeedEvent {
  readonly atMs: EpochMs;
  /** Resolves when it is acknowledged. */
  readonly send: () => Promise<FeedReceipt>;
}

export interface FeedReceipt {
  readonly sent: number;
  readonly acknowledged: number;
  readonly refused: number;
}

/** What the conductor may do: the same doors that vendors, crews and people use, and the clock of feed incidents. */
export interface Doors {
  /** Waits until everything acknowledged so far reached its incident; names the incidents touched since the last call. */
  relayed(): Promise<readonly string[]>;
  /** Tells an incident what time it is; null when the incident is closed. */
  clock(incidentId: string, atMs: EpochMs): Promise<ClockAnswer | null>;
  /** A crew's report, through the API. */
  report(incidentId: string, mission: Mission, status: Mission['status'], atMs: EpochMs): Promise<void>;
  /** Waits until no desk is in the middle of an assignment. */
  desksSettled(): Promise<void>;
  /** Incidents still open, for taking up a feed where it was left. */
  openIncidents(): Promise<readonly string[]>;
}

export interface ConductOptions {
  /** In time order. */
  readonly feed: readonly FeedEvent[];
  readonly doors: Doors;
  /** Feed seconds per second, or `max`: as fast as everything is acknowledged. */
  readonly speed: number | 'max';
  /** How long the feed's clock stands still for each question, so that a person can answer. @default 0 */
  readonly holdMs?: DurationMs;
  /** First event to send: what an earlier run had acknowledged is not sent again. @default 0 */
  readonly from?: number;
  /** The feed's clock when the earlier run stopped. @default the time of the first event */
  readonly fromMs?: EpochMs;
  readonly progress?: (progress: Progress) => void;
  readonly signal?: AbortSignal;
}

export interface Progress {
  /** Events acknowledged or refused, counted from the start of the feed. */
  readonly event: number;
  readonly events: number;
  readonly feedMs: EpochMs;
  readonly openIncidents: number;
}

export interface Conducted extends FeedReceipt {
  /** Every incident the feed touched, in order of appearance. */
  readonly incidents: readonly string[];
  readonly endedAtMs: EpochMs;
}

type Due =
  | { readonly kind: 'event'; readonly index: number; readonly event: FeedEvent }
  | {
      readonly kind: 'report';
      readonly incidentId: string;
      readonly mission: Mission;
      readonly status: Mission['status'];
    }
  | { readonly kind: 'wake'; readonly incidentId: string };

/**
 * Runs a recorded feed through the real system in the feed's own time (docs/adr/0008): whatever is due next
 * happens, and time moves on only when every incident it touched has done all it can. After the last event the
 * clock runs on until every incident has closed.
 */
export async function conduct(options: ConductOptions): Promise<Conducted> {
  const { feed, doors, speed, holdMs = 0, from = 0, progress, signal } = options;
  const agenda = new Agenda<Due>();
  const open = new Map<string, ClockAnswer>();
  const seen: string[] = [];
  const scheduled = new Set<string>();
  const held = new Set<string>();
  const receipt = { sent: 0, acknowledged: 0, refused: 0 };
  const startedAt = performance.now();
  const startMs = options.fromMs ?? feed[from]?.atMs ?? feed.at(-1)?.atMs ?? 0;
  let done = from;
  let nowMs = startMs;

  feed
    .slice(from)
    .forEach((event, offset) => agenda.add(event.atMs, { kind: 'event', index: from + offset, event }));

  const crewFor = (incidentId: string, answer: ClockAnswer): void => {
    for (const mission of answer.missions) {
      const key = `${mission.id}|${mission.epoch}`;
      if (mission.transmittedAtMs === undefined || mission.status === 'stood-down' || scheduled.has(key))
        continue;
      scheduled.add(key);
      for (const { status, atMs } of crewReports(mission, mission.transmittedAtMs)) {
        if (mission.times[status] === undefined)
          agenda.add(atMs, { kind: 'report', incidentId, mission, status });
      }
    }
  };

  /** The clock stands still, once for each question, until all are answered or `holdMs` have passed. */
  const holdForPeople = async (
    incidentId: string,
    first: ClockAnswer,
    atMs: EpochMs,
  ): Promise<ClockAnswer | null> => {
    const until = performance.now() + holdMs;
    const isNew = (question: string): boolean => !held.has(`${incidentId} ${question}`);
    let answer: ClockAnswer | null = first;
    while (answer !== null && answer.openQuestions.some(isNew) && performance.now() < until) {
      await pause(Math.min(500, holdMs), signal);
      answer = await doors.clock(incidentId, atMs);
    }
    for (const question of answer?.openQuestions ?? []) held.add(`${incidentId} ${question}`);
    return answer;
  };

  /** Tells one incident the time and hears what it wants next. True when it gave units back to a desk. */
  const touch = async (incidentId: string): Promise<boolean> => {
    if (!seen.includes(incidentId)) seen.push(incidentId);
    const before = open.get(incidentId);
    let answer = await doors.clock(incidentId, nowMs);
    // An incident that has just continued as new knows its next deadline only when it is asked again.
    while (answer !== null && answer.wakeAtMs !== null && answer.wakeAtMs <= nowMs) {
      signal?.throwIfAborted();
      answer = await doors.clock(incidentId, nowMs);
    }
    if (answer !== null && holdMs > 0) {
      answer = await holdForPeople(incidentId, answer, nowMs);
    }
    if (answer === null || answer.phase === 'closed') {
      open.delete(incidentId);
      return before !== undefined && before.missions.length > 0;
    }
    open.set(incidentId, answer);
    crewFor(incidentId, answer);
    if (answer.wakeAtMs !== null && answer.wakeAtMs !== before?.wakeAtMs) {
      agenda.add(answer.wakeAtMs, { kind: 'wake', incidentId });
    }
    return released(answer) > (before === undefined ? 0 : released(before));
  };

  /** Units given back may serve an order that waits elsewhere: whoever waits looks again. */
  const touchWithDesks = async (incidentIds: readonly string[]): Promise<void> => {
    let gaveBack = false;
    for (const incidentId of incidentIds) gaveBack = (await touch(incidentId)) || gaveBack;
    while (gaveBack) {
      await doors.desksSettled();
      gaveBack = false;
      for (const [incidentId, answer] of open) {
        if (answer.queuedOrders > 0) gaveBack = (await touch(incidentId)) || gaveBack;
      }
    }
  };

  if (options.fromMs !== undefined) await touchWithDesks(await doors.openIncidents());

  for (let due = agenda.take(); due !== null; due = agenda.take()) {
    signal?.throwIfAborted();
    // A report or wake of an incident that has closed meanwhile is nobody's business any more.
    if (due.what.kind !== 'event' && !open.has(due.what.incidentId)) continue;
    if (due.what.kind === 'wake' && open.get(due.what.incidentId)?.wakeAtMs !== due.atMs) continue;
    nowMs = Math.max(nowMs, due.atMs);
    await keepPace(speed, nowMs - startMs, startedAt, signal);
    switch (due.what.kind) {
      case 'event': {
        const got = await due.what.event.send();
        receipt.sent += got.sent;
        receipt.acknowledged += got.acknowledged;
        receipt.refused += got.refused;
        done = due.what.index + 1;
        await touchWithDesks(await doors.relayed());
        break;
      }
      case 'report':
        await doors.report(due.what.incidentId, due.what.mission, due.what.status, due.atMs);
        await touchWithDesks([due.what.incidentId]);
        break;
      case 'wake':
        await touchWithDesks([due.what.incidentId]);
        break;
      default:
        due.what satisfies never;
    }
    progress?.({ event: done, events: feed.length, feedMs: nowMs, openIncidents: open.size });
  }
  return { ...receipt, incidents: seen, endedAtMs: nowMs };
}

const released = (answer: ClockAnswer): number =>
  answer.missions.filter((mission) => mission.releasedAtMs !== undefined).length;

async function keepPace(
  speed: number | 'max',
  feedElapsedMs: DurationMs,
  startedAt: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (speed === 'max') return;
  const aheadMs = feedElapsedMs / speed - (performance.now() - startedAt);
  if (aheadMs > 1) await pause(aheadMs, signal);
}

const pause = (ms: DurationMs, signal: AbortSignal | undefined): Promise<void> =>
  new Promise((resolve, reject) => {
    const abort = (): void => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', abort);
      resolve();
    }, ms);
    signal?.addEventListener('abort', abort, { once: true });
  });
